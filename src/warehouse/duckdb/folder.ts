import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { AbortError } from '../abort.ts';
import { type TableName, WarehouseError } from '../warehouse.ts';
import { type Guard, interruptOnAbort } from './abort.ts';
import { findOpenQuote } from './csv-quotes.ts';
import { type NamedFile, reported } from './error.ts';
import { columnTypes, type FileColumn, type RunStatement } from './file.ts';
import { ndjsonReader } from './ndjson.ts';
import { quoteName, quoteText } from './text.ts';

/** A table of a folder warehouse as it is now. */
export interface TableFile extends NamedFile {
  /** The name as the folders and the file spell it. */
  readonly name: TableName;
  /** Changes whenever the file does: its size and times. */
  readonly version: string;
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

/** Serves the files of a folder to all connections of the instance. */
export function openTableFolder(instance: DuckDBInstance, folder: string): TableFolder {
  const views = new Map<string, string>();
  let turn: Promise<unknown> = Promise.resolve();

  async function prepareTable(table: TableName, run: RunStatement, signal: AbortSignal): Promise<TableFile> {
    const file = await findFile(folder, table);
    const view = [file.name.catalog, file.name.schema, file.name.table].map(quoteName).join('.');
    const version = `${file.path} ${file.version}`;
    if (views.get(view) !== version) {
      await makeView(file, view, run, signal).catch(async (error: unknown) => {
        if (!(error instanceof AbortError)) await checkUnchanged([file]);
        throw error;
      });
      views.set(view, version);
    }
    return file;
  }

  async function makeView(file: TableFile, view: string, run: RunStatement, signal: AbortSignal) {
    await reported({ parameters: {}, files: [file] }, async () => {
      await run(`ATTACH IF NOT EXISTS ':memory:' AS ${quoteName(file.name.catalog)}`);
      await run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(file.name.catalog)}.${quoteName(file.name.schema)}`);
      await run(`CREATE OR REPLACE VIEW ${view} AS SELECT * FROM ${await readerOf(run, file.path, signal)}`);
    });
  }

  async function checkUnchanged(files: readonly TableFile[]): Promise<void> {
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

const endings = ['.parquet', '.csv', '.ndjson'] as const;

/** Finds the file by listing folders, as a name of a table may not be used as a path. */
async function findFile(folder: string, table: TableName): Promise<TableFile> {
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

/**
 * The call that reads a file. The types of a text file are found once, over all its rows, so that a column with some
 * cells of another kind is text and no statement fails at them.
 */
async function readerOf(run: RunStatement, path: string, signal: AbortSignal): Promise<string> {
  if (path.endsWith('.csv')) return csvReader(run, path, signal);
  if (path.endsWith('.ndjson')) return ndjsonReader(run, path, signal);
  return `read_parquet(${quoteText(path)})`;
}

async function csvReader(run: RunStatement, path: string, signal: AbortSignal): Promise<string> {
  let found = await sniffCsv(run, path);
  const hidden = hiddenDelimiter(found);
  if (hidden !== null) found = await sniffCsv(run, path, hidden);
  const { delimiter, skip, formats, columns } = found;
  const openLine = await findOpenQuote(path, delimiter, signal);
  if (openLine !== null)
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `Line ${openLine} of the file cannot be read as CSV: a quote is opened and never closed.`,
    );
  return `read_csv(${[
    quoteText(path),
    CSV_OPTIONS,
    'auto_detect = false',
    `delim = ${quoteText(delimiter)}`,
    `skip = ${skip}`,
    ...formats,
    `columns = ${columnTypes(columns)}`,
  ].join(', ')})`;
}

const CSV_OPTIONS = `header = true, quote = '"', escape = '"', null_padding = true, parallel = false`;

interface CsvShape {
  readonly delimiter: string;
  /** Lines before the one that names the columns. */
  readonly skip: number;
  readonly formats: readonly string[];
  readonly columns: readonly FileColumn[];
}

async function sniffCsv(run: RunStatement, path: string, delimiter?: string): Promise<CsvShape> {
  const given = delimiter === undefined ? CSV_OPTIONS : `${CSV_OPTIONS}, delim = ${quoteText(delimiter)}`;
  const [found = {}] = await run(
    `SELECT Delimiter AS delimiter, SkipRows AS skip, DateFormat AS date_format, TimestampFormat AS timestamp_format,
      list_transform(Columns, lambda c: {'name': c.name, 'type': c.type})::JSON::VARCHAR AS columns
    FROM sniff_csv(${quoteText(path)}, ${given}, sample_size = -1)`,
  );
  const format = (option: string, value: unknown) =>
    value === null ? [] : [`${option} = ${quoteText(String(value))}`];
  return {
    delimiter: String(found.delimiter),
    skip: Number(found.skip),
    formats: [
      ...format('dateformat', found.date_format),
      ...format('timestampformat', found.timestamp_format),
    ],
    columns: JSON.parse(String(found.columns)),
  };
}

/**
 * What the names of the columns are parted by where the engine was misled by a line that it cannot part, and took all of
 * them for one name; null where it was not.
 */
function hiddenDelimiter({ columns }: CsvShape): string | null {
  const [first, ...others] = columns.map(({ name }) => name);
  if (first === undefined || !others.every((name) => /^column\d+$/.test(name))) return null;
  return /[,;|\t]/.exec(first)?.[0] ?? null;
}
