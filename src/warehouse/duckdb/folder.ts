import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { AbortError } from '../abort.ts';
import { type TableName, WarehouseError } from '../warehouse.ts';
import { type Guard, interruptOnAbort } from './abort.ts';
import { reported } from './error.ts';
import { listColumns, type RunStatement } from './file.ts';
import { checkNestedLists } from './nested-lists.ts';
import { type FoundTable, findTableFiles } from './table-files.ts';
import { findTableReading, type TableReading } from './table-reading.ts';
import { quoteName } from './text.ts';
import type { TypedColumns } from './text-types.ts';
import type { TableColumns } from './typed-statement.ts';

/** A table of a folder warehouse in its current state. */
export interface TableFile extends FoundTable, View {}

/** Files of a folder as tables: `<folder>/<catalog>/<schema>/<table>.csv`, for example; see `findTableFiles`. */
export interface TableFolder {
  /**
   * Finds the files of tables by their three-part names.
   * @throws WarehouseError TABLE_NOT_FOUND if a table has no file.
   */
  find(tables: readonly TableName[]): Promise<readonly FoundTable[]>;
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

interface ReadingHooks {
  /** Limits what the engine may take before it reads the rows of a file to find their types. */
  readonly limitReading: (connection: DuckDBConnection) => Promise<void>;
  /** Converts an error of the engine to one that names its limit. */
  readonly toNamedError: (error: unknown) => unknown;
}

/**
 * Opens the files of a folder as tables for all connections of the instance.
 * @param scratch another folder that the instance can read.
 */
export function openTableFolder(
  instance: DuckDBInstance,
  folder: string,
  scratch: string,
  { limitReading, toNamedError }: ReadingHooks,
): TableFolder {
  const views = new Map<string, { readonly version: string } & View>();
  let turn: Promise<unknown> = Promise.resolve();

  async function prepareTable(
    table: TableName,
    connection: DuckDBConnection,
    signal: AbortSignal,
  ): Promise<TableFile> {
    const file = await findTableFiles(folder, table);
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
    file: FoundTable,
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
      await limitReading(connection);
      await run(`ATTACH IF NOT EXISTS ':memory:' AS ${quoteName(file.name.catalog)}`);
      await run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(file.name.catalog)}.${quoteName(file.name.schema)}`);
      const { reader, typed, ...found } = await findTableReading(run, file, scratch, signal);
      await run(`CREATE OR REPLACE VIEW ${view} AS SELECT * FROM ${reader}`);
      if (file.format === 'parquet') await guard(() => checkNestedLists(connection, view));
      return { ...found, columns: await findColumns(run, view, typed) };
    });
  }

  async function checkUnchanged(files: readonly FoundTable[]): Promise<void> {
    for (const { name, path, version, label } of files) {
      const now = await findTableFiles(folder, name).catch(() => null);
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
    find: (tables) => Promise.all(tables.map((table) => findTableFiles(folder, table))),
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
  const columns = await listColumns(run, view);
  return {
    names: columns.map(({ name }) => name),
    foreign: new Set(
      columns.filter(({ type }) => FOREIGN_TYPE.test(type)).map(({ name }) => asciiLowerCase(name)),
    ),
    areTexts: new Map(columns.map(({ name, type }) => [asciiLowerCase(name), type === 'VARCHAR'])),
    typed,
  };
}

const FOREIGN_TYPE = /^(?:UUID|TIME$|TIME WITH|TIME_NS|TIMESTAMP_(?:NS|S|MS)|ENUM|U?HUGEINT|BIT|INTERVAL)/;

/** What is found once for a version of the files. */
interface View extends Omit<TableReading, 'reader' | 'typed'> {
  readonly columns: TableColumns;
}
