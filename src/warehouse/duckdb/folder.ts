import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { AbortError } from '../abort.ts';
import { type TableName, WarehouseError } from '../warehouse.ts';
import { type Guard, interruptOnAbort } from './abort.ts';
import { type FileReading, findCsvReading } from './csv.ts';
import { type NamedFile, reported } from './error.ts';
import type { RunStatement } from './file.ts';
import { findNdjsonReading } from './ndjson.ts';
import { checkNestedLists } from './nested-lists.ts';
import { findParquetReading, type ParquetReading } from './parquet.ts';
import type { RowWindows } from './row-windows.ts';
import { quoteName } from './text.ts';
import type { TypedColumns } from './text-types.ts';
import type { TableColumns } from './typed-statement.ts';

/** A table of a folder warehouse in its current state. */
export interface TableFile extends NamedFile {
  /** The name as spelled by the folders and the file. */
  readonly name: TableName;
  /** The identity, size and times of the file. If it changes, at least one of them does. */
  readonly version: string;
  /** The part of the version that a copy on another machine can have, too. */
  readonly portableVersion: string;
  /** Why some of its lines are not rows. Each text continues "Line ". */
  readonly unreadable: readonly string[];
  readonly columns: TableColumns;
  /** The windows that its rows are to be read in; null to read them as they come. */
  readonly windows: RowWindows | null;
}

/** Files of a folder as tables: `<folder>/<catalog>/<schema>/<table>.(parquet|csv|ndjson)`. */
export interface TableFolder {
  /**
   * Finds the files of tables by their three-part names.
   * @throws WarehouseError TABLE_NOT_FOUND if a table has no file.
   */
  find(tables: readonly TableName[]): Promise<readonly FoundFile[]>;
  /**
   * Prepares tables for reading by their three-part names, in the current state of their files.
   * @throws WarehouseError TABLE_NOT_FOUND if a table has no file; an error of DuckDB if a file does not match its extension;
   * AbortError after the signal.
   */
  prepare(tables: readonly TableName[], signal: AbortSignal): Promise<readonly TableFile[]>;
  /**
   * Checks that files have not changed since they were prepared. The engine reads a file in parts, and does not notice
   * changes in between.
   * @throws WarehouseError CHANGED if one was written, replaced or deleted.
   */
  checkUnchanged(files: readonly TableFile[]): Promise<void>;
}

/**
 * Opens the files of a folder as tables for all connections of the instance.
 * @param scratch another folder that the instance can read.
 * @param toNamedError converts an error of the engine to one that names its limit.
 */
export function openTableFolder(
  instance: DuckDBInstance,
  folder: string,
  scratch: string,
  toNamedError: (error: unknown) => unknown = (error) => error,
): TableFolder {
  const views = new Map<string, { readonly version: string } & View>();
  let turn: Promise<unknown> = Promise.resolve();

  async function prepareTable(
    table: TableName,
    connection: DuckDBConnection,
    signal: AbortSignal,
  ): Promise<TableFile> {
    const file = await findFile(folder, table);
    const view = [file.name.catalog, file.name.schema, file.name.table].map(quoteName).join('.');
    const version = `${file.path} ${file.version}`;
    const known = views.get(view);
    if (known?.version === version) return { ...known, ...file };
    const created = await createView(file, view, connection, signal).catch(async (error: unknown) => {
      if (!(error instanceof AbortError)) await checkUnchanged([file]);
      throw error;
    });
    views.set(view, { version, ...created });
    return { ...file, ...created };
  }

  async function createView(
    file: FoundFile,
    view: string,
    connection: DuckDBConnection,
    signal: AbortSignal,
  ): Promise<View> {
    const guard = interruptOnAbort(connection, signal);
    const run = createRunner(connection, async (work) => {
      try {
        return await guard(work);
      } catch (error) {
        throw toNamedError(error);
      }
    });
    return reported({ parameters: {}, files: [file] }, async () => {
      await run(`ATTACH IF NOT EXISTS ':memory:' AS ${quoteName(file.name.catalog)}`);
      await run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(file.name.catalog)}.${quoteName(file.name.schema)}`);
      const { reader, typed, unreadable, windows } = await findReading(run, file.path, scratch, signal);
      await run(`CREATE OR REPLACE VIEW ${view} AS SELECT * FROM ${reader}`);
      if (file.path.endsWith('.parquet')) await guard(() => checkNestedLists(connection, view));
      return { unreadable, windows, columns: await findColumns(run, view, typed) };
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
    try {
      const files: TableFile[] = [];
      for (const table of tables) files.push(await prepareTable(table, connection, signal));
      return files;
    } finally {
      connection.closeSync();
    }
  }

  return {
    find: (tables) => Promise.all(tables.map((table) => findFile(folder, table))),
    async prepare(tables, signal) {
      if (tables.length === 0) return [];
      // One at a time, because two statements may need the same view.
      const prepared = turn.then(() => prepareAll(tables, signal));
      turn = prepared.catch(() => {});
      return await prepared;
    },
    checkUnchanged,
  };
}

function createRunner(connection: DuckDBConnection, guard: Guard): RunStatement {
  return async (sql) => (await guard(() => connection.runAndReadAll(sql))).getRowObjectsJson();
}

async function findColumns(run: RunStatement, view: string, typed: TypedColumns): Promise<TableColumns> {
  const described = await run(`SELECT column_name AS name, column_type AS type FROM (DESCRIBE ${view})`);
  return {
    names: described.map(({ name }) => String(name)),
    foreign: new Set(
      described
        .filter(({ type }) => FOREIGN_TYPE.test(String(type)))
        .map(({ name }) => asciiLowerCase(String(name))),
    ),
    areTexts: new Map(described.map(({ name, type }) => [asciiLowerCase(String(name)), type === 'VARCHAR'])),
    typed,
  };
}

const FOREIGN_TYPE = /^(?:UUID|TIME$|TIME WITH|TIME_NS|TIMESTAMP_(?:NS|S|MS)|ENUM|U?HUGEINT|BIT|INTERVAL)/;

/** What is found once for a version of a file. */
type View = Pick<TableFile, 'unreadable' | 'windows' | 'columns'>;

/** A file of a table, not yet opened. */
export type FoundFile = Omit<TableFile, keyof View>;

const EXTENSIONS = ['.parquet', '.csv', '.ndjson'] as const;

/** Finds the file of a table by listing folders, because the name of a table must not be used as a path. */
async function findFile(folder: string, table: TableName): Promise<FoundFile> {
  const catalog = await findEntry(folder, [table.catalog]);
  const schema = catalog && (await findEntry(join(folder, catalog), [table.schema]));
  const wanted = EXTENSIONS.map((ending) => `${table.table}${ending}`);
  const file = schema && (await findEntry(join(folder, catalog, schema), wanted));
  if (!file) throw createTableNotFoundError(table);
  const path = join(folder, catalog, schema, file);
  const status = await stat(path, { bigint: true }).catch(() => null);
  if (!status?.isFile()) throw createTableNotFoundError(table);
  const name = { catalog, schema, table: file.slice(0, file.lastIndexOf('.')) };
  return {
    path,
    label: relative(folder, path).replaceAll(sep, '/'),
    name,
    // The time of the last write (mtime) can be set back, as by a copy that preserves times, but not ctime.
    portableVersion: [status.size, status.mtimeNs].join('-'),
    version: [status.ino, status.size, status.mtimeNs, status.ctimeNs].join('-'),
  };
}

/** Finds the entry for the first name that has one, in any case. */
async function findEntry(folder: string, names: readonly string[]): Promise<string | null> {
  const entries: readonly string[] = await readdir(folder).catch(() => []);
  for (const name of names) {
    const spelled = asciiLowerCase(name);
    const entry = entries.includes(name) ? name : entries.find((entry) => asciiLowerCase(entry) === spelled);
    if (entry !== undefined) return entry;
  }
  return null;
}

function createTableNotFoundError(table: TableName): WarehouseError {
  const name = `${table.catalog}.${table.schema}.${table.table}`;
  return new WarehouseError('TABLE_NOT_FOUND', `There is no table ${name} in the warehouse.`);
}

/** Finds out how to read a file, and which of its lines are not rows. */
async function findReading(
  run: RunStatement,
  path: string,
  scratch: string,
  signal: AbortSignal,
): Promise<FileReading & ParquetReading> {
  if (path.endsWith('.csv')) return { ...(await findCsvReading(run, path, scratch, signal)), windows: null };
  if (path.endsWith('.ndjson')) return { ...(await findNdjsonReading(run, path, signal)), windows: null };
  if ((await stat(path)).size === 0)
    throw new WarehouseError('STATEMENT_FAILED', 'The file is empty: it is no Parquet file.');
  return { ...(await findParquetReading(run, path)), typed: new Map(), unreadable: [] };
}
