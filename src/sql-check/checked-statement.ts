import { type ParameterValue, type TableName, WarehouseError } from '../warehouse/warehouse.ts';
import { ANY_SCHEMA, findSchemaProblem } from './allowed-schemas.ts';
import type { ReadingLimits } from './reading-limits.ts';
import { type CheckedQuery, checkQuery, MAX_STATEMENT_BYTES } from './statement.ts';

/**
 * Parses a statement right before it reaches a warehouse, and refuses all but one SELECT on allowed tables.
 * @throws WarehouseError STATEMENT_FAILED if it is refused.
 */
export function parseStatement(sql: string, limits: ReadingLimits): CheckedQuery {
  // Statements that we build around those of people are a little longer.
  const checked = checkQuery(sql, 3 * MAX_STATEMENT_BYTES);
  if (!checked.ok) throw new WarehouseError('STATEMENT_FAILED', checked.message);
  for (const table of checked.tables) checkTable(table, limits);
  return checked;
}

/**
 * Checks a table against the allowed schemas.
 * @throws WarehouseError STATEMENT_FAILED if it is outside of them.
 */
export function checkTable(table: TableName, { allowedSchemas = ANY_SCHEMA }: ReadingLimits): void {
  const problem = findSchemaProblem(table, allowedSchemas);
  if (problem !== null) throw new WarehouseError('STATEMENT_FAILED', problem);
}

/**
 * Picks the value of each parameter that a statement names.
 * @throws WarehouseError STATEMENT_FAILED if one has no value.
 */
export function pickParameters(
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
