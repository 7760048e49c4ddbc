import type { DataTypes } from '../data-types/data-types.ts';
import { allowTable, compose, composeStatement } from '../sql-check/checked-statement.ts';
import { findColumn } from '../warehouse/find-column.ts';
import type { AllowedTable, TableColumn, TableReader, Warehouse } from '../warehouse/warehouse.ts';
import type { Attempt } from './attempt.ts';
import { composeItemId } from './item-id-sql.ts';
import type { CheckedPlan, CopyMeasure, PartitionInput } from './partition-task.ts';

/** How the table is read. */
interface ReadContext {
  readonly warehouse: Warehouse;
  /** Reads the version that is planned. */
  readonly reader: TableReader;
  readonly version: string | null;
  readonly dataTypes: DataTypes;
  readonly signal: AbortSignal;
}

type CheckedInput = Pick<
  Extract<PartitionInput, { kind: 'TABLE' }>,
  'copy' | 'dataType' | 'syncType' | 'watermark'
> & { readonly table: AllowedTable };

/**
 * Finds out how the copy of a source is compared with its table once it was read.
 * @param planned how many rows are read, in how many parts.
 * @returns null if the number of rows of the table, or of those that share an id, cannot be known.
 */
export async function findMeasure(
  { warehouse, reader, version, dataTypes, signal }: ReadContext,
  { table, copy, dataType, syncType, watermark }: CheckedInput,
  columns: readonly TableColumn[],
  planned: { readonly rowCount: number; readonly parts: number },
): Promise<CopyMeasure | null> {
  if (copy === null) return null;
  const { itemChanges, sharedRows, failedRows } = copy;
  const all = { tableRows: planned.rowCount, itemChanges, sharedRows: null, failedRows: 0, idColumn: null };
  if (syncType === 'FULL' || watermark === null) return all;
  if (!(await warehouse.hasRowCount?.(table, version, signal))) return null;
  const tableRows = await reader.countRows(composeStatement`SELECT * FROM ${table}`, signal);
  if (tableRows === planned.rowCount) return all;
  const [wanted = ''] = dataTypes.find(dataType)?.identifyingColumns ?? [];
  const id = findColumn(columns, wanted);
  return sharedRows === null || id === undefined || planned.parts > 1
    ? null
    : { tableRows, itemChanges, sharedRows, failedRows, idColumn: id.name };
}

/**
 * Finds out how the copy of a source is compared with its table once the changes of that were read: no rows shared an id before
 * them, and those that do now are missing in the copy.
 * @returns null if the rows of the table cannot be counted without reading them.
 */
export async function measureChanges(
  { warehouse, reader, version, signal }: ReadContext,
  { table, copy }: Pick<CheckedInput, 'table' | 'copy'>,
): Promise<CopyMeasure | null> {
  if (copy === null || !(await warehouse.hasRowCount?.(table, version, signal))) return null;
  const { itemChanges, failedRows } = copy;
  const tableRows = await reader.countRows(composeStatement`SELECT * FROM ${table}`, signal);
  return { tableRows, itemChanges, sharedRows: 0, failedRows, idColumn: null };
}

/**
 * Counts the rows of a table that share the id of another, if there are as many items as expected only if their number has
 * changed: this scans the column of the ids.
 * @param countItems counts the items of the source.
 * @returns null if the number cannot be known, because some rows have no id.
 */
export async function countSharedRows(
  { task, warehouse, allowedSchemas, signal }: Attempt,
  plan: Extract<CheckedPlan, { kind: 'STATEMENT' }>,
  countItems: () => Promise<number>,
): Promise<number | null> {
  const { measure, version } = plan;
  if (measure === null || measure.idColumn === null || task.input.kind !== 'TABLE') return null;
  const { tableRows, sharedRows, idColumn } = measure;
  if (sharedRows !== null && tableRows - sharedRows === (await countItems())) return sharedRows;
  const table = allowTable(task.input.table, allowedSchemas);
  const reader = version === null ? warehouse : (warehouse.history?.readAt(version) ?? warehouse);
  const id = compose`NULLIF(${composeItemId(idColumn)}, '')`;
  const statement = composeStatement`SELECT COUNT(DISTINCT ${id}) AS ids, COUNT(${id}) AS named FROM ${table}`;
  const { batches } = await reader.readRows(statement, { batchSize: 1, resumeAfter: null, signal });
  for await (const { rows } of batches) {
    const [row] = rows;
    return Number(row?.named) === tableRows ? tableRows - Number(row?.ids) : null;
  }
  return null;
}
