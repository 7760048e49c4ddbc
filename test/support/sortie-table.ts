import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { copyRows } from '../../src/warehouse/demo/copy-table.ts';
import { selectSortieRows } from '../../src/warehouse/demo/sortie-table.ts';
import type { TableName } from '../../src/warehouse/warehouse.ts';

export interface SortieTableOptions {
  /** The folder of the warehouse. */
  readonly folder: string;
  readonly table: TableName;
  /** The number of rows, at most 3,000,000. */
  readonly rows: number;
}

/**
 * Creates a Parquet table of sorties from real flight records, always with the same rows. Replaces an existing table. All
 * rows can become items.
 * @throws RangeError if there are not enough records.
 */
export async function createSortieTable({ folder, table, rows }: SortieTableOptions): Promise<void> {
  if (!Number.isInteger(rows) || rows < 0 || rows > 3_000_000)
    throw new RangeError(`a table of sorties can have from 0 to 3,000,000 rows, not ${rows}`);
  const path = join(folder, table.catalog, table.schema, `${table.table}.parquet`);
  const unfinished = join(dirname(path), `.${randomUUID()}.parquet`);
  await mkdir(dirname(path), { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await copyRows(connection, selectSortieRows({ records: RECORDS, rows, lacksIds: false }), unfinished);
    await rename(unfinished, path);
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(unfinished, { force: true });
  }
}

/** Three million flight records, in the folder `data` beside the entry point of their package. */
const RECORDS = fileURLToPath(new URL('../data/flights-3m.parquet', import.meta.resolve('vega-datasets')));
