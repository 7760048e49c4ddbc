import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { onTestFinished } from 'vitest';
import { type FolderWarehouseOptions, openFolderWarehouse } from '../../src/warehouse/duckdb/open.ts';
import type { ParameterValue, Row, Warehouse } from '../../src/warehouse/warehouse.ts';
import { batchesOf, statement } from './reading.ts';

/** A folder warehouse without tables. What is written to its folder is gone after the test. */
export interface FolderWarehouse {
  readonly folder: string;
  readonly warehouse: Warehouse;
  /** Where the file of a table of `blade.field` lies. */
  path(file: string): string;
  /** Writes the rows of a query of DuckDB to a file of `blade.field`, with options of its COPY. */
  write(file: string, query: string, options?: string): Promise<void>;
  /** All rows of a statement. */
  rows(sql: string, parameters?: Readonly<Record<string, ParameterValue>>): Promise<Row[]>;
}

/** @param limits those of a warehouse for this test alone. Without them, tests share one, because engines are slow to start. */
export async function folderWarehouse(
  limits?: Omit<FolderWarehouseOptions, 'folder'>,
): Promise<FolderWarehouse> {
  const { folder, warehouse } = await (limits === undefined ? takeShared() : openOwn(limits));
  await mkdir(join(folder, 'blade', 'field'), { recursive: true });
  const path = (file: string) => join(folder, 'blade', 'field', file);
  return {
    folder,
    warehouse,
    path,
    write: (file, query, options) => writeFile(path(file), query, options),
    rows: async (sql, parameters = {}) =>
      (await batchesOf(warehouse, statement(sql, parameters), 1000)).flatMap((batch) => [...batch.rows]),
  };
}

async function openOwn(limits: Omit<FolderWarehouseOptions, 'folder'>) {
  const folder = await temporaryFolder();
  const warehouse = await openFolderWarehouse({ folder, ...limits });
  onTestFinished(() => warehouse.close());
  return { folder, warehouse };
}

let shared: Promise<{ readonly folder: string; readonly warehouse: Warehouse }> | undefined;

async function takeShared() {
  shared ??= openShared();
  const { folder, warehouse } = await shared;
  onTestFinished(() => rm(join(folder, 'blade'), { recursive: true, force: true }));
  return { folder, warehouse };
}

async function openShared() {
  const folder = await makeFolder();
  const warehouse = await openFolderWarehouse({ folder });
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return { folder, warehouse };
}

export async function temporaryFolder(): Promise<string> {
  const folder = await makeFolder();
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const makeFolder = async () => realpath(await mkdtemp(join(tmpdir(), 'blade-warehouse-test-')));

async function writeFile(path: string, query: string, options?: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const format = path.endsWith('.parquet') ? 'parquet' : path.endsWith('.csv') ? 'csv' : 'json';
  await connection.run("SET TimeZone = 'UTC'");
  const all = options === undefined ? `FORMAT ${format}` : `FORMAT ${format}, ${options}`;
  await connection.run(`COPY (${query}) TO '${path}' (${all})`);
  connection.closeSync();
  instance.closeSync();
}
