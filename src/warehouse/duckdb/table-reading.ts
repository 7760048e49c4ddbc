import { stat } from 'node:fs/promises';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { AbortError } from '../abort.ts';
import { WarehouseError } from '../warehouse.ts';
import { type CsvReading, checkCsvRows, findCsvReading, haveCsvRows, type KnownShapes } from './csv.ts';
import type { FileColumn, RunStatement, UnreadableLine } from './file.ts';
import { areSelected, listSelectedFiles } from './file-ranges.ts';
import { findPartitionColumns, selectPartition } from './hive-partitions.ts';
import { findNdjsonReading } from './ndjson.ts';
import { findParquetReading, findSchemaTexts, type ParquetReading } from './parquet.ts';
import type { RowWindows } from './row-windows.ts';
import type { DataFile, FoundTable } from './table-files.ts';
import { type FileList, findCompression, listFile, quoteName } from './text.ts';
import { findTypedColumns, type TypedColumns } from './text-types.ts';

/** How to read a table, and which lines of its files are not rows. */
export interface TableReading {
  /** The SQL after FROM. */
  readonly reader: string;
  /** The columns that SQL takes for something else than text. */
  readonly typed: TypedColumns;
  readonly unreadable: readonly UnreadableRow[];
  /** The windows that its rows are to be read in; null to read them as they come. */
  readonly windows: RowWindows | null;
  /** How many rows it has, if they were counted; null if not. */
  readonly rows: number | null;
}

/** A line of one of the files of a table that is not a row. */
export interface UnreadableRow extends UnreadableLine {
  /** Where the file is in the folder of the table; null if the table is one file. */
  readonly place: string | null;
}

/**
 * Finds out how to read the files of a table: row by row in the order of their paths, with the columns of all of them by
 * their names in any case, and those that their folders state.
 * @param scratch a folder for temporary files that the engine can read.
 * @throws an error of DuckDB, or WarehouseError STATEMENT_FAILED, if a file cannot be read.
 */
export async function findTableReading(
  run: RunStatement,
  table: FoundTable,
  scratch: string,
  signal: AbortSignal,
): Promise<TableReading> {
  switch (table.format) {
    case 'parquet':
      return findParquetTable(run, table);
    case 'csv':
      return findCsvTable(run, table, scratch, signal);
    case 'ndjson':
      return findNdjsonTable(run, table, signal);
  }
}

async function findParquetTable(run: RunStatement, table: FoundTable): Promise<TableReading> {
  const isWhole = table.files.length === 1 && table.files[0]?.partition.size === 0;
  const texts = await findSchemas(run, table);
  const known = new Map<string, ParquetReading>();
  const readings = await readEach(table, async (file, index) => {
    if ((await stat(file.path)).size === 0)
      throw new WarehouseError('STATEMENT_FAILED', 'The file is empty: it is no Parquet file.');
    const text = texts.get(file.path);
    const alike = text === undefined ? undefined : known.get(text);
    const reading = alike ?? (await findParquetReading(run, file.path, isWhole));
    if (text !== undefined) known.set(text, reading);
    return { file, index, bytes: 0, ...reading };
  });
  checkTypes(readings);
  checkPartitions(readings.map(({ file, columns }) => ({ file, columns: columns.map(({ name }) => name) })));
  const names = readings.flatMap(({ columns }) => columns.map(({ name }) => name));
  return {
    reader: combine(table, readings, names),
    typed: new Map(),
    unreadable: [],
    windows: isWhole ? (readings[0]?.windows ?? null) : null,
    rows: null,
  };
}

/** Finds which files have the same schema; nothing where that cannot be known, because one of them is broken. */
async function findSchemas(run: RunStatement, { files }: FoundTable): Promise<ReadonlyMap<string, string>> {
  if (files.length === 1) return new Map();
  const paths = files.map(({ path }) => path);
  return findSchemaTexts(run, paths).catch((error: unknown) => {
    if (error instanceof AbortError) throw error;
    return new Map();
  });
}

/** Checks that a column has one type in all files, because the engine would convert one to the other, up to text. */
function checkTypes(readings: readonly { file: DataFile; columns: readonly FileColumn[] }[]): void {
  const known = new Map<string, { readonly file: DataFile; readonly type: string }>();
  for (const { file, columns } of readings)
    for (const { name, type } of columns) {
      const other = known.get(asciiLowerCase(name));
      if (other !== undefined && other.type !== type)
        throw new WarehouseError(
          'STATEMENT_FAILED',
          `The column ${name} is ${other.type} in ${other.file.label} and ${type} in ${file.label}: write both with one type.`,
        );
      known.set(asciiLowerCase(name), { file, type });
    }
}

interface OwnColumns {
  readonly file: DataFile;
  readonly columns: readonly string[];
  /** Those of them that only some rows of the file have. */
  readonly partial?: readonly string[];
}

/** Checks that all rows have a column that their folders also state, or none: the value of a folder would be lost. */
function checkPartitions(readings: readonly OwnColumns[]): void {
  const includes = (names: readonly string[] = [], key: string) =>
    names.some((name) => asciiLowerCase(name) === asciiLowerCase(key));
  const refuse = (problem: string) => {
    throw new WarehouseError('STATEMENT_FAILED', `The folders state the column ${problem}.`);
  };
  for (const key of readings[0]?.file.partition.keys() ?? []) {
    const owner = readings.find(({ columns }) => includes(columns, key));
    const other = readings.find(({ columns }) => !includes(columns, key));
    const mixed = readings.find(({ partial }) => includes(partial, key));
    if (owner !== undefined && other !== undefined)
      refuse(
        `${key}, which ${owner.file.label} has as well and ${other.file.label} has not: write it into all files, or none`,
      );
    if (mixed !== undefined)
      refuse(
        `${key}, which some lines of ${mixed.file.label} have as well: write it into all lines, or none`,
      );
  }
}

async function findCsvTable(
  run: RunStatement,
  table: FoundTable,
  scratch: string,
  signal: AbortSignal,
): Promise<TableReading> {
  const known: KnownShapes = new Map();
  const found = await readEach(table, async (file, index) => {
    const reading = await findCsvReading(run, file.path, { scratch, signal, known });
    return reading === null ? [] : [{ file, index, ...reading }];
  });
  const filled = found.flat();
  if (filled.length === 0) throw createEmptyError(table);
  const readings = await checkRows(run, table, filled);
  checkPartitions(readings);
  const names = readings.flatMap(({ columns }) => columns);
  const reader = combine(table, readings, names);
  const rows = readings.reduce((total, reading) => total + reading.rows, 0);
  return {
    reader,
    typed: await findTypedColumns(run, { reader, rows }, listDifferent(names)),
    unreadable: readings.flatMap(({ file, unreadable }) => nameFile(table, file, unreadable)),
    windows: null,
    rows,
  };
}

function createEmptyError({ isFolder, label }: FoundTable): WarehouseError {
  return new WarehouseError(
    'STATEMENT_FAILED',
    isFolder
      ? `All files of ${label} are empty: none has a header or rows.`
      : 'The file is empty: it has no header and no rows.',
  );
}

type CsvFile = CsvReading & FileReader;

/** Checks the rows of all files, and has those read alone that the engine does not read like the others. */
async function checkRows(
  run: RunStatement,
  table: FoundTable,
  readings: readonly CsvFile[],
): Promise<readonly CsvFile[]> {
  const checked: CsvFile[] = [];
  for (const { readers, files } of groupReaders(readings)) {
    const byPath = new Map(readers.map((reading) => [reading.file.path, reading]));
    const areRight =
      readers.length > 1 &&
      (await haveCsvRows(run, files, byPath).catch((error: unknown) => {
        if (error instanceof AbortError) throw error;
        return false;
      }));
    if (!areRight)
      await readEach({ ...table, files: readers.map(({ file }) => file) }, async ({ path }) => {
        const reading = byPath.get(path);
        if (reading !== undefined) await checkCsvRows(run, path, reading);
      });
    checked.push(...readers.map((reading) => ({ ...reading, shape: areRight ? reading.shape : null })));
  }
  return checked;
}

async function findNdjsonTable(
  run: RunStatement,
  table: FoundTable,
  signal: AbortSignal,
): Promise<TableReading> {
  const paths = table.files.map(({ path }) => path);
  const partition = [...(table.files[0]?.partition.keys() ?? [])];
  const reading = await findNdjsonReading(paths, partition, signal);
  const own = table.files.flatMap((file) => {
    const keys = reading.findKeys(file.path);
    return keys === null ? [] : [{ file, ...keys }];
  });
  checkPartitions(own);
  const readers = table.files.map((file, index) => {
    const bytes = reading.findBytes(file.path);
    return { file, index, bytes, toReader: reading.toReader, shape: '' };
  });
  const reader = combine(table, readers, reading.columns);
  const unreadable = await readEach(table, async (file) =>
    nameFile(table, file, await reading.listUnreadable(run, file.path)),
  );
  return {
    reader,
    typed: await reading.findTypes(run, reader),
    unreadable: unreadable.flat(),
    windows: null,
    rows: null,
  };
}

/** Reads something of each file, one after the other, because the engine has one thread. */
async function readEach<Result>(
  { files, isFolder }: FoundTable,
  read: (file: DataFile, index: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const [index, file] of files.entries()) {
    try {
      results.push(await read(file, index));
    } catch (error) {
      if (!(error instanceof WarehouseError) || !isFolder) throw error;
      throw new WarehouseError(error.code, `${error.message} (in ${file.label})`, { cause: error });
    }
  }
  return results;
}

function nameFile(
  { isFolder }: FoundTable,
  { place }: DataFile,
  lines: readonly UnreadableLine[],
): readonly UnreadableRow[] {
  return lines.map((line) => ({ ...line, place: isFolder ? place : null }));
}

interface FileReader {
  readonly file: DataFile;
  /** Its index among all files of the table, including those without a reader. */
  readonly index: number;
  /** The size of its text; 0 if it is none. */
  readonly bytes: number;
  /** Writes the SQL after FROM. */
  readonly toReader: (files: FileList) => string;
  /** Equal for files that one function can read at once; null for one that it must read alone. */
  readonly shape: string | null;
}

/** Consecutive files that one function reads, which takes far less time than a function for each. */
interface ReaderGroup<Reader extends FileReader> {
  /** The first of them, which says how all are read. */
  readonly head: Reader;
  readonly readers: readonly Reader[];
  /** The index of the first of them among the files of the table. */
  readonly first: number;
  readonly files: FileList;
}

/** Groups the files that are read in the same way. */
function groupReaders<Reader extends FileReader>(readers: readonly Reader[]): readonly ReaderGroup<Reader>[] {
  const groups: { head: Reader; first: number; form: string | null; readers: Reader[] }[] = [];
  for (const reader of readers) {
    const { file, index, shape } = reader;
    const compression = findCompression(file.path);
    const form = shape === null ? null : JSON.stringify([shape, compression, [...file.partition]]);
    const last = groups.at(-1);
    const isNext = last !== undefined && last.first + last.readers.length === index;
    if (isNext && form !== null && last.form === form) last.readers.push(reader);
    else groups.push({ head: reader, first: index, form, readers: [reader] });
  }
  return groups.map(({ head, first, readers: grouped }) => ({
    ...{ head, first, readers: grouped },
    files: listGroup(grouped, first),
  }));
}

function listGroup(readers: readonly FileReader[], first: number): FileList {
  const [path = '', ...others] = readers.map(({ file }) => file.path);
  const bytes = readers.reduce((most, reader) => Math.max(most, reader.bytes), 0);
  const one = listFile(path, bytes);
  return others.length === 0 ? one : { ...one, sql: listSelectedFiles([path, ...others], first) };
}

/** Writes the SQL after FROM for the rows of all files. */
function combine(table: FoundTable, readers: readonly FileReader[], columns: readonly string[]): string {
  const names = listDifferent(columns);
  const inFiles = new Set(names.map(asciiLowerCase));
  const partition = findPartitionColumns(table.files, (column) => inFiles.has(asciiLowerCase(column)));
  const groups = groupReaders(readers);
  const [only, ...others] = groups;
  const isAll = others.length === 0 && only?.readers.length === table.files.length;
  if (isAll && partition.size === 0) return only.head.toReader(only.files);
  const parts = groups.map(({ head, readers: { length }, first, files }) => {
    const selected = ['*', ...selectPartition(head.file, partition)].join(', ');
    return `SELECT ${selected} FROM ${head.toReader(files)} WHERE ${areSelected(length, first)}`;
  });
  const selected = [...names, ...partition.keys()].map(quoteName);
  return `(SELECT ${selected.length === 0 ? '*' : selected.join(', ')} FROM ${unite(parts)})`;
}

/** Unites statements in halves, because the engine refuses thousands of them within each other. */
function unite(statements: readonly string[]): string {
  const [first = ''] = statements;
  if (statements.length <= 1) return `(${first})`;
  const half = Math.ceil(statements.length / 2);
  return `(${unite(statements.slice(0, half))} UNION ALL BY NAME ${unite(statements.slice(half))})`;
}

/** Lists names once, in any case, as they are spelled first. */
function listDifferent(names: readonly string[]): readonly string[] {
  const different = new Map<string, string>();
  for (const name of names)
    if (!different.has(asciiLowerCase(name))) different.set(asciiLowerCase(name), name);
  return [...different.values()];
}
