import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFileError } from '../../shared/file-error.ts';
import { removeClutter } from '../../shared/folder-error.ts';
import { unpackFolder } from '../../shared/unpack-folder.ts';
import type { TableName } from '../warehouse.ts';
import { copyRows } from './copy-table.ts';
import { selectDeploymentRows, selectLogisticsRows, selectMaintenanceRows } from './generated-rows.ts';
import { DEMO_RECORDS, selectSortieRows } from './sortie-table.ts';

/** A demo table as a source of syncs. */
export interface DemoSource {
  readonly name: string;
  readonly dataType: 'maintenance' | 'sortie' | 'deployment' | 'logistics';
  readonly table: TableName;
  readonly cursorColumn: 'updated_at';
}

const CATALOG = 'blade';
/** The prefix of folders of unfinished tables, which a killed process may leave behind. */
const UNFINISHED = '.blade-';

export const DEMO_SOURCES: readonly DemoSource[] = [
  createDemoSource('Aircraft maintenance', 'maintenance'),
  createDemoSource('Flown sorties', 'sortie'),
  createDemoSource('Unit deployments', 'deployment'),
  createDemoSource('Supply shipments', 'logistics'),
];

/**
 * Fills an empty folder warehouse with the tables of `DEMO_SOURCES`, always with the same rows: sorties from real flight
 * records, the others generated, and some rows that cannot become items, as real tables have. Does nothing if there are
 * tables already. The tables appear all at once.
 * @returns whether it created them.
 */
export async function createDemoTables(folder: string): Promise<boolean> {
  if (!(await isEmpty(folder))) return false;
  const catalog = join(folder, CATALOG);
  const unfinished = join(folder, `${UNFINISHED}${randomUUID()}`);
  const schema = join(unfinished, 'field');
  await mkdir(schema, { recursive: true });
  try {
    if (isCompiled) await unpackFolder(PACKED_TABLES, schema);
    else await writeTables(schema);
    await rename(unfinished, catalog);
    return true;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process may have created the same tables first.
    if (await hasDemoTables(folder)) return false;
    throw error;
  }
}

/** Whether a folder warehouse has the catalog of the demo. */
export async function hasDemoTables(folder: string): Promise<boolean> {
  return await stat(join(folder, CATALOG)).then(
    () => true,
    () => false,
  );
}

async function isEmpty(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isFileError(error) && error.code === 'ENOENT') return [];
    throw error;
  });
  return removeClutter(names).every((name) => name.startsWith(UNFINISHED));
}

// The build packs the tables: unpacking them needs no engine, which takes half a second and memory of this process for ever.
const isCompiled = import.meta.url.endsWith('.js');
const PACKED_TABLES = new URL('../../demo-tables.tar.zst', import.meta.url);

async function writeTables(schema: string): Promise<void> {
  // Only here: a server that reads tables leaves DuckDB to its engines.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const sorties = selectSortieRows({ records: DEMO_RECORDS, rows: 20_000, lacksIds: true });
    await copyRows(connection, sorties, join(schema, 'sortie.parquet'));
    await copyRows(connection, selectMaintenanceRows(5_000), join(schema, 'maintenance.csv'));
    await copyRows(connection, selectDeploymentRows(1_000), join(schema, 'deployment.ndjson'));
    await copyRows(connection, selectLogisticsRows(8_000), join(schema, 'logistics.csv'));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function createDemoSource(name: string, dataType: DemoSource['dataType']): DemoSource {
  return {
    name,
    dataType,
    table: { catalog: CATALOG, schema: 'field', table: dataType },
    cursorColumn: 'updated_at',
  };
}
