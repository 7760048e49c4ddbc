import { createIssue, InvalidInputError } from '../shared/invalid-input.ts';
import { findSchemaProblem, type SchemaPattern } from '../sql-check/allowed-schemas.ts';
import type { TableName } from '../warehouse/warehouse.ts';

/**
 * @param field the input field that names the tables, for the error.
 * @throws InvalidInputError naming every table outside the allowed schemas.
 */
export function checkTables(
  tables: readonly TableName[],
  allowedSchemas: readonly SchemaPattern[],
  field: string,
): void {
  const problems = tables
    .map((table) => findSchemaProblem(table, allowedSchemas))
    .filter((problem) => problem !== null);
  if (problems.length > 0)
    throw new InvalidInputError(problems.map((message) => createIssue(field, 'NOT_ALLOWED', message)));
}
