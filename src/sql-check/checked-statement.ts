import { type ParameterValue, type TableName, WarehouseError } from '../warehouse/warehouse.ts';
import { anySchema, type SchemaPattern, schemaProblem } from './allowed-schemas.ts';
import { type CheckedQuery, checkQuery, maxStatementBytes } from './statement.ts';

/** What may be read, and for how long. */
export interface ReadingLimits {
  /** The schemas whose tables may be read; all of them unless given. */
  readonly allowedSchemas?: readonly SchemaPattern[] | undefined;
  /** The longest that one statement may run, in milliseconds; without end unless given. */
  readonly statementTimeoutMs?: number | undefined;
}

/**
 * Makes sure, in the last place before a warehouse, that a statement is one SELECT that only reads what it may.
 * @throws WarehouseError STATEMENT_FAILED where it is not.
 */
export function checkedStatement(sql: string, limits: ReadingLimits): CheckedQuery {
  // Statements that the product makes around what people wrote are a little longer.
  const checked = checkQuery(sql, 3 * maxStatementBytes);
  if (!checked.ok) throw new WarehouseError('STATEMENT_FAILED', checked.message);
  for (const table of checked.tables) checkTable(table, limits);
  return checked;
}

/** @throws WarehouseError STATEMENT_FAILED where the table may not be read. */
export function checkTable(table: TableName, { allowedSchemas = anySchema }: ReadingLimits): void {
  const problem = schemaProblem(table, allowedSchemas);
  if (problem !== null) throw new WarehouseError('STATEMENT_FAILED', problem);
}

/**
 * The value of each parameter that a statement names.
 * @throws WarehouseError STATEMENT_FAILED where one has none.
 */
export function valuesOf(
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
