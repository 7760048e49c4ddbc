import { ANY_SCHEMA } from '../../src/sql-check/allowed-schemas.ts';
import { allowTable } from '../../src/sql-check/checked-statement.ts';
import { parseStatement } from '../../src/sql-check/parse-statement.ts';
import type {
  AllowedTable,
  CheckedStatement,
  ParameterValue,
  ReadPosition,
  RowBatch,
  Warehouse,
} from '../../src/warehouse/warehouse.ts';

export function statement(
  sql: string,
  parameters: Readonly<Record<string, ParameterValue>> = {},
): CheckedStatement {
  return parseStatement({ sql, parameters }, ANY_SCHEMA);
}

/** A table of `blade.field`. */
export function fieldTable(table: string): AllowedTable {
  return allowTable({ catalog: 'blade', schema: 'field', table }, ANY_SCHEMA);
}

export const never = new AbortController().signal;

/** Describes a table by the names and types of its columns. */
export async function listTypes(warehouse: Warehouse, table: AllowedTable) {
  return (await warehouse.describeTable(table, never)).map(({ name, type }) => ({ name, type }));
}

export async function batchesOf(
  warehouse: Warehouse,
  select: CheckedStatement,
  batchSize: number,
  resumeAfter: ReadPosition = null,
): Promise<RowBatch[]> {
  const { batches } = await warehouse.readRows(select, { batchSize, resumeAfter, signal: never });
  return await Array.fromAsync(batches);
}
