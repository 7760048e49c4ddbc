import type {
  ParameterValue,
  ReadPosition,
  RowBatch,
  SelectStatement,
  Warehouse,
} from '../../src/warehouse/warehouse.ts';

export function statement(
  sql: string,
  parameters: Readonly<Record<string, ParameterValue>> = {},
): SelectStatement {
  return { sql, parameters };
}

export const never = new AbortController().signal;

export async function batchesOf(
  warehouse: Warehouse,
  select: SelectStatement,
  batchSize: number,
  resumeAfter: ReadPosition = null,
): Promise<RowBatch[]> {
  const { batches } = await warehouse.readRows(select, { batchSize, resumeAfter, signal: never });
  return await Array.fromAsync(batches);
}
