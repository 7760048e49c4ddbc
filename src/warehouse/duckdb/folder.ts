import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { AbortError } from '../abort.ts';
import { type TableName, WarehouseError } from '../warehouse.ts';
import { type Guard, interruptOnAbort } from './abort.ts';
import { type CsvReading, csvReading } from './csv.ts';
import { type NamedFile, reported } from './error.ts';
import type { RunStatement } from './file.ts';
import { ndjsonReader } from './ndjson.ts';
import { quoteName, quoteText } from './text.ts';

/** A table of a folder warehouse as it is now. */
export interface TableFile extends NamedFile {
  /** The name as the folders and the file spell it. */
  readonly name: TableName;
  /** Changes whenever the file does: its size and times. */
  readonly version: string;
  /** Why lines of it are no rows of the table: each goes on after "Line ". */
  readonly unreadable: readonly string[];
}

/** Files of a folder as tables: `<folder>/<catalog>/<schema>/<table>.(parquet|csv|ndjson)`. */
export interface TableFolder {
  /**
   * Makes the tables ready to be read under their three-part names, as their files are now.
   * @throws WarehouseError TABLE_NOT_FOUND where there is no file for one of them; an error of DuckDB where a file
   * cannot be read as its ending says; AbortError after the signal.
   */
  prepare(tables: readonly TableName[], signal: AbortSignal): Promise<readonly TableFile[]>;
  /**
   * Checks that files are still as they were prepared. The engine reads a file in parts, and does not notice what happens
   * to it between two of them.
   * @throws WarehouseError CHANGED where one has been written, replaced or deleted.
   */
  checkUnchanged(files: readonly TableFile[]): Promise<void>;
}

/**
 * Serves the files of a folder to all connections of the instance.
 * @param scratch another folder that the instance can read.
 */
export function openTableFolder(instance: DuckDBInstance, folder: string, scratch: string): TableFolder {
  const views = new Map<string, { readonly version: string; readonly unreadable: readonly string[] }>();
  let turn: Promise<unknown> = Promise.resolve();

  async function prepareTable(table: TableName, run: RunStatement, signal: AbortSignal): Promise<TableFile> {
    const file = await findFile(folder, table);
    const view = [file.name.catalog, file.name.schema, file.name.table].map(quoteName).join('.');
    const version = `${file.path} ${file.version}`;
    const known = views.get(view);
    if (known?.version === version) return { ...file, unreadable: known.unreadable };
    const unreadable = await createView(file, view, run, signal).catch(async (error: unknown) => {
      if (!(error instanceof AbortError)) await checkUnchanged([file]);
      throw error;
    });
    views.set(view, { version, unreadable });
    return { ...file, unreadable };
  }

  /** Creates the view of a file, and returns why some of its lines are not rows. */
  async function createView(file: FoundFile, view: string, run: RunStatement, signal: AbortSignal) {
    return reported({ parameters: {}, files: [file] }, async () => {
      await run(`ATTACH IF NOT EXISTS ':memory:' AS ${quoteName(file.name.catalog)}`);
      await run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(file.name.catalog)}.${quoteName(file.name.schema)}`);
      const { reader, unreadable } = await readingOf(run, file.path, scratch, signal);
      await run(`CREATE OR REPLACE VIEW ${view} AS SELECT * FROM ${reader}`);
      return unreadable;
    });
  }

  async function checkUnchanged(files: readonly FoundFile[]): Promise<void> {
    for (const { name, path, version, label } of files) {
      const now = await findFile(folder, name).catch(() => null);
      if (now?.path !== path || now.version !== version)
        throw new WarehouseError(
          'CHANGED',
          `${label} was ${now === null ? 'deleted' : 'changed'} while it was read.`,
        );
    }
  }

  async function prepareAll(tables: readonly TableName[], signal: AbortSignal): Promise<TableFile[]> {
    const connection = await instance.connect();
    const run = runnerOf(connection, interruptOnAbort(connection, signal));
    try {
      const files: TableFile[] = [];
      for (const table of tables) files.push(await prepareTable(table, run, signal));
      return files;
    } finally {
      connection.closeSync();
    }
  }

  return {
    async prepare(tables, signal) {
      if (tables.length === 0) return [];
      // One after the other, since two statements may need the same view.
      const prepared = turn.then(() => prepareAll(tables, signal));
      turn = prepared.catch(() => {});
      return await prepared;
    },
    checkUnchanged,
  };
}

function runnerOf(connection: DuckDBConnection, guard: Guard): RunStatement {
  return async (sql) => (await guard(() => connection.runAndReadAll(sql))).getRowObjectsJson();
}

type FoundFile = Omit<TableFile, 'unreadable'>;

const endings = ['.parquet', '.csv', '.ndjson'] as const;

/** Finds the file by listing folders, as a name of a table may not be used as a path. */
async function findFile(folder: string, table: TableName): Promise<FoundFile> {
  const catalog = await findEntry(folder, [table.catalog]);
  const schema = catalog && (await findEntry(join(folder, catalog), [table.schema]));
  const wanted = endings.map((ending) => `${table.table}${ending}`);
  const file = schema && (await findEntry(join(folder, catalog, schema), wanted));
  if (!file) throw tableNotFound(table);
  const path = join(folder, catalog, schema, file);
  const status = await stat(path, { bigint: true }).catch(() => null);
  if (!status?.isFile()) throw tableNotFound(table);
  const name = { catalog, schema, table: file.slice(0, file.lastIndexOf('.')) };
  return {
    path,
    label: relative(folder, path).replaceAll(sep, '/'),
    name,
    // The time of the last write can be set back, as a copy that keeps times does; that of the last change cannot.
    version: [status.size, status.mtimeNs, status.ctimeNs].join('-'),
  };
}

/** The entry that is spelled like the first of the names that has one, whatever its case. */
async function findEntry(folder: string, names: readonly string[]): Promise<string | null> {
  const entries: readonly string[] = await readdir(folder).catch(() => []);
  for (const name of names) {
    const spelled = asciiLowerCase(name);
    const entry = entries.includes(name) ? name : entries.find((entry) => asciiLowerCase(entry) === spelled);
    if (entry !== undefined) return entry;
  }
  return null;
}

function tableNotFound(table: TableName): WarehouseError {
  const name = `${table.catalog}.${table.schema}.${table.table}`;
  return new WarehouseError('TABLE_NOT_FOUND', `There is no table ${name} in the warehouse.`);
}

/** What stands behind FROM to read a file, and which of its lines are no rows. */
async function readingOf(
  run: RunStatement,
  path: string,
  scratch: string,
  signal: AbortSignal,
): Promise<CsvReading> {
  if (path.endsWith('.csv')) return csvReading(run, path, scratch, signal);
  const reader = path.endsWith('.ndjson')
    ? await ndjsonReader(run, path, signal)
    : `read_parquet(${quoteText(path)})`;
  return { reader, unreadable: [] };
}
