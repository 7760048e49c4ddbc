import {
  type CheckedSql,
  type CheckedStatement,
  type ParameterValue,
  type SelectStatement,
  WarehouseError,
} from '../warehouse/warehouse.ts';
import type { SchemaPattern } from './allowed-schemas.ts';
import { allowTable, checkParts } from './checked-statement.ts';
import { checkFilter, checkQuery, MAX_STATEMENT_BYTES } from './statement.ts';

// The program imports this when there is a statement to parse: the parser takes 100 to 200 MB in each thread.

/**
 * Parses a statement of people or of the database, and refuses all but one SELECT on allowed tables.
 * @throws WarehouseError STATEMENT_FAILED if it is refused.
 */
export function parseStatement(
  { sql, parameters, withUnreadable = false, parts = null }: SelectStatement,
  allowedSchemas: readonly SchemaPattern[],
): CheckedStatement {
  // Statements that we compose around filters are a little longer.
  const checked = checkQuery(sql, 3 * MAX_STATEMENT_BYTES);
  if (!checked.ok) throw new WarehouseError('STATEMENT_FAILED', checked.message);
  return {
    sql: checked.sql,
    parameters: pickParameters(checked.parameterNames, parameters),
    tables: checked.tables.map((table) => allowTable(table, allowedSchemas)),
    isRepeatable: checked.isRepeatable,
    withUnreadable,
    parts: checkParts(parts),
  } as unknown as CheckedStatement;
}

/**
 * Parses the filter of a sync: one condition.
 * @throws WarehouseError STATEMENT_FAILED if it is refused.
 */
export function parseFilter(filter: string): CheckedSql {
  const checked = checkFilter(filter);
  if (!checked.ok)
    throw new WarehouseError('STATEMENT_FAILED', `the filter is no longer accepted: ${checked.message}`);
  const { sql, isRepeatable } = checked;
  return { sql, parameters: {}, tables: [], isRepeatable } as unknown as CheckedSql;
}

/**
 * Picks the value of each parameter that a statement names.
 * @throws WarehouseError STATEMENT_FAILED if one has no value.
 */
function pickParameters(
  names: readonly string[],
  parameters: Readonly<Record<string, ParameterValue>>,
): Readonly<Record<string, ParameterValue>> {
  return Object.fromEntries(
    names.map((name) => {
      const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
      if (value === undefined)
        throw new WarehouseError('STATEMENT_FAILED', `The parameter :${name} has no value.`);
      return [name, value];
    }),
  );
}
