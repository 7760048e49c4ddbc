import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { isFileError } from '../../shared/file-error.ts';
import { withoutClutter } from '../../shared/folder-error.ts';
import type { TableName } from '../warehouse.ts';
import { copyTo } from './copy-table.ts';
import { deploymentRows, logisticsRows, maintenanceRows } from './generated-rows.ts';
import { sortieRows } from './sortie-table.ts';

/** A table of the demo as a source of a sync. */
export interface DemoSource {
  readonly name: string;
  readonly dataType: 'maintenance' | 'sortie' | 'deployment' | 'logistics';
  readonly table: TableName;
  readonly cursorColumn: 'updated_at';
}

const CATALOG = 'blade';
/** Begins the name of tables that are being made, or that a killed process left. */
const UNFINISHED = '.blade-';

export const demoSources: readonly DemoSource[] = [
  demoSource('Aircraft maintenance', 'maintenance'),
  demoSource('Flown sorties', 'sortie'),
  demoSource('Unit deployments', 'deployment'),
  demoSource('Supply shipments', 'logistics'),
];

/**
 * Fills an empty folder warehouse with the tables of `demoSources`, the same rows each time: sorties made from real flight
 * records, the others generated, with some rows that cannot become items, as tables of the field have them.
 * Does nothing where there are tables already; what appears, appears as a whole.
 * @returns whether it made them.
 */
export async function createDemoTables(folder: string): Promise<boolean> {
  if (!(await isEmpty(folder))) return false;
  const catalog = join(folder, CATALOG);
  const unfinished = join(folder, `${UNFINISHED}${randomUUID()}`);
  const schema = join(unfinished, 'field');
  await mkdir(schema, { recursive: true });
  try {
    await writeTables(schema);
    await rename(unfinished, catalog);
    return true;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process may have been first; its tables are the same.
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
  return withoutClutter(names).every((name) => name.startsWith(UNFINISHED));
}

async function writeTables(schema: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await copyTo(connection, sortieRows('flights-20k.json', 20_000), join(schema, 'sortie.parquet'));
    await copyTo(connection, maintenanceRows(5_000), join(schema, 'maintenance.csv'));
    await copyTo(connection, deploymentRows(1_000), join(schema, 'deployment.ndjson'));
    await copyTo(connection, logisticsRows(8_000), join(schema, 'logistics.csv'));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function demoSource(name: string, dataType: DemoSource['dataType']): DemoSource {
  return {
    name,
    dataType,
    table: { catalog: CATALOG, schema: 'field', table: dataType },
    cursorColumn: 'updated_at',
  };
}
