import { type CheckedQuery, checkQuery, maxStatementBytes } from './statement.ts';
import { type ParameterValue, WarehouseError } from './warehouse.ts';

/**
 * Makes sure, in the last place before a warehouse, that a statement is one SELECT that only reads.
 * @throws WarehouseError STATEMENT_FAILED where it is not.
 */
export function checkedStatement(sql: string): CheckedQuery {
  // Statements that the product makes around what people wrote are a little longer.
  const checked = checkQuery(sql, 3 * maxStatementBytes);
  if (!checked.ok) throw new WarehouseError('STATEMENT_FAILED', checked.message);
  return checked;
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
