import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { version } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import type { JsonValue } from '../../shared/json.ts';
import { quoteTable } from '../../sql-check/quoted-name.ts';
import { AbortError, throwIfAborted } from '../abort.ts';
import {
  BATCH_BYTES,
  type ParameterValue,
  type PartRange,
  type ReadPosition,
  type TableColumn,
  type TableName,
  WarehouseError,
} from '../warehouse.ts';
import { reported } from './error.ts';
import { areSameFiles, createFilesVersion } from './files-version.ts';
import { openTableFolder, type TableFile } from './folder.ts';
import { hashContents } from './hash-contents.ts';
import { limitMemory, openLockedInstance, SCAN_SHARE } from './instance.ts';
import { createChunkCounter, freeMemory } from './memory.ts';
import { MEGABYTE } from './overrun.ts';
import { isRowByRow, splitIntoWindows } from './row-windows.ts';
import {
  createWorkTime,
  type EngineLimits,
  LARGE_CHUNK_BYTES,
  nameLimit,
  type RowChunk,
  type RunningStatement,
  type StatementContext,
  type StatementToStart,
  startStatement,
} from './statement.ts';
import { quoteName } from './text.ts';
import { readStatement } from './tree.ts';
import { selectTyped, typeStatement } from './typed-statement.ts';

/** Where the tables are, and what statements may take. */
export interface EngineOptions extends EngineLimits {
  /** The folder of the warehouse, `<folder>/<catalog>/<schema>/<table>.csv` for example, without links. */
  readonly folder: string;
  /** The folder for temporary files and what does not fit in memory. Created when needed, removed by `close`. */
  readonly overflow: string;
}

/** A checked statement, translated to the dialect of DuckDB. Plain data. */
export interface EngineStatement {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly tables: readonly TableName[];
  /** Whether it selects everything of its only table, in words of the program. */
  readonly isWholeTable: boolean;
  readonly isRepeatable: boolean;
  readonly withUnreadable: boolean;
  /** The files of its only table that it reads; null for all. */
  readonly parts: PartRange | null;
}

/** How to read a statement. Plain data. */
export interface EngineReadOptions {
  readonly batchSize: number;
  readonly resumeAfter: ReadPosition;
  readonly withFingerprints: boolean;
  /** The version that the tables must have; null for any. */
  readonly version: string | null;
}

/** Rows by column: the values of each column, in the order of the names. */
export type ColumnValues = readonly (readonly JsonValue[])[];

/** A batch whose rows are converted only when they are asked for. */
export interface EngineBatch {
  readonly size: number;
  /** The names of the columns, each different. */
  readonly names: readonly string[];
  /** The names of those whose values are texts. */
  readonly textNames: readonly string[];
  /** Converts the rows. Call it once, because it lets go of them. */
  readValues(): ColumnValues;
  readonly unreadable?: readonly string[];
  readonly fingerprint: string | null;
  readonly position: ReadPosition;
}

/** The version of a file that a statement reads. Plain data. */
export interface FileVersion {
  /** Its path within the folder of the warehouse. */
  readonly label: string;
  readonly version: string;
}

export interface EngineRead {
  readonly resumed: boolean;
  readonly versions: readonly FileVersion[];
  readonly batches: AsyncIterable<EngineBatch>;
}

/** DuckDB with the files of a folder as tables: what a warehouse does, in the dialect of DuckDB. */
export interface Engine {
  describeTable(table: TableName, signal: AbortSignal): Promise<readonly TableColumn[]>;
  /** The types of the columns by name; null for one whose texts are only taken for another type where that matters. */
  findKnownTypes(
    table: TableName,
    signal: AbortSignal,
  ): Promise<readonly (readonly [name: string, type: string | null])[]>;
  findVersion(tables: readonly TableName[], signal: AbortSignal): Promise<string>;
  findContents(tables: readonly TableName[], signal: AbortSignal): Promise<string>;
  countUnreadable(table: TableName, signal: AbortSignal): Promise<number>;
  countRows(statement: EngineStatement, signal: AbortSignal): Promise<number>;
  readRows(statement: EngineStatement, options: EngineReadOptions, signal: AbortSignal): Promise<EngineRead>;
  close(): Promise<void>;
}

/**
 * Opens a folder of files as tables. Nothing outside the folder can be read, and nothing can be written. The next statement
 * sees new and changed files.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { folder, overflow } = options;
  const instance = await openLockedInstance(options);
  const tables = openTableFolder(instance, folder, overflow, {
    limitReading: (connection) => limitMemory(instance, connection, options.memoryBytes, SCAN_SHARE),
    toNamedError: (error) => nameLimit(error, options),
  });
  const running = new Set<RunningStatement>();
  let isClosed = false;

  async function start(statement: Omit<StatementToStart, 'time'> & Partial<StatementToStart>) {
    if (isClosed) throw createClosedError();
    const isBesideScan = [...running].some(({ isScan }) => isScan);
    const run = await reported(statement.context, () =>
      startStatement(
        { instance, limits: options },
        { time: createWorkTime(options), isBesideScan, ...statement },
      ),
    );
    running.add(run);
    if (!isClosed) return run;
    await finish(run);
    throw createClosedError();
  }

  async function finish(run: RunningStatement): Promise<void> {
    running.delete(run);
    await run.close();
  }

  /** Starts a statement once, or for one window of its table after the other. */
  async function* startInWindows(
    statement: Omit<StatementToStart, 'time' | 'window'>,
  ): AsyncGenerator<RunningStatement, void, undefined> {
    const isScan = await isScanning(statement);
    const [file] = statement.context.files;
    const windows = isScan && file?.windows ? splitIntoWindows(file.windows) : [null];
    const time = createWorkTime(options);
    for (const window of windows) yield await start({ ...statement, isScan, window, time });
  }

  /** Whether a statement only reads rows of one table. */
  async function isScanning({
    sql,
    context,
    isOwn = false,
  }: Pick<StatementToStart, 'sql' | 'context' | 'isOwn'>): Promise<boolean> {
    if (isOwn) return true;
    if (context.files.length !== 1) return false;
    const connection = await instance.connect();
    try {
      return isRowByRow(await reported(context, () => readStatement(connection, sql)));
    } finally {
      connection.closeSync();
    }
  }

  /** Has a statement take the texts of files for numbers and times where it compares or calculates. */
  async function typeColumns(
    { sql, isWholeTable }: EngineStatement,
    context: StatementContext,
  ): Promise<string> {
    if (isWholeTable) return sql;
    const connection = await instance.connect();
    try {
      const tables = context.files.map(({ columns }) => columns);
      return await reported(context, () => typeStatement(connection, sql, tables, context.parameters));
    } finally {
      connection.closeSync();
    }
  }

  /** Prepares the tables that a statement reads. */
  async function prepare(names: readonly TableName[], signal: AbortSignal): Promise<readonly TableFile[]> {
    throwIfAborted(signal);
    try {
      return await reported({ parameters: {}, files: [] }, () => tables.prepare(names, signal));
    } finally {
      throwIfAborted(signal);
    }
  }

  /**
   * Prepares tables of a version.
   * @throws WarehouseError CHANGED if they have another.
   */
  async function prepareVersion(
    names: readonly TableName[],
    version: string | null,
    signal: AbortSignal,
  ): Promise<readonly TableFile[]> {
    try {
      const files = await prepare(names, signal);
      if (version === null || areSameFiles(createFilesVersion(files), version)) return files;
    } catch (error) {
      // A file that is being replaced can cause any error.
      if (version === null || error instanceof AbortError || (await haveVersion(names, version))) throw error;
    }
    const labels = names.map(({ catalog, schema, table }) => `${catalog}.${schema}.${table}`).join(', ');
    throw new WarehouseError('CHANGED', `${labels} was replaced after the read was planned.`);
  }

  async function haveVersion(names: readonly TableName[], version: string): Promise<boolean> {
    const files = await tables.find(names).catch(() => null);
    return files !== null && areSameFiles(createFilesVersion(files), version);
  }

  async function describe(table: TableName, signal: AbortSignal): Promise<readonly TableColumn[]> {
    const files = await prepare([table], signal);
    const name = [table.catalog, table.schema, table.table].map(quoteName).join('.');
    const columns = files.map(({ columns: found }) => selectTyped(found)).join(', ');
    const run = await start({
      sql: `SELECT ${columns} FROM ${name}`,
      isOwn: true,
      context: { parameters: {}, files },
      signal,
    });
    try {
      return run.columns();
    } finally {
      await finish(run);
    }
  }

  return {
    describeTable: describe,

    async findKnownTypes(table, signal) {
      const [file] = await prepare([table], signal);
      const columns = await describe(table, signal);
      return columns.map(({ name, type }) => {
        const kind = file?.columns.typed.get(asciiLowerCase(name))?.kind ?? 'JSON';
        const isKnown = kind === 'JSON' && file?.columns.foreign.has(asciiLowerCase(name)) !== true;
        return [name, isKnown ? type : null];
      });
    },

    async findVersion(names, signal) {
      throwIfAborted(signal);
      return createFilesVersion(await tables.find(names));
    },

    async findContents(names, signal) {
      throwIfAborted(signal);
      return hashContents(await tables.find(names), signal);
    },

    async countUnreadable(table, signal) {
      return listUnreadableLines(await prepare([table], signal)).length;
    },

    async countRows(statement, signal) {
      const { parameters, withUnreadable, parts, isWholeTable } = statement;
      const files = await prepare(statement.tables, signal);
      checkParts(files, parts);
      const unreadable = withUnreadable ? listUnreadableLines(files, parts).length : 0;
      const known = isWholeTable && parts === null ? (files[0]?.rows ?? null) : null;
      if (known !== null) {
        await tables.checkUnchanged(files);
        return known + unreadable;
      }
      const typed = await typeColumns(statement, { parameters, files });
      const counting = `SELECT COUNT(*) AS total FROM (${typed})`;
      const context = { parameters, files };
      const batches = readBatches({
        runs: startOnce(() => start({ sql: counting, isOwn: isWholeTable, context, signal, parts })),
        finish,
        checkSources: () => tables.checkUnchanged(files),
        positionAt: () => null,
        covered: 0,
        unreadable: [],
        batchSize: 1,
        signal,
      });
      let total = unreadable;
      for await (const batch of batches) total += Number(batch.readValues()[0]?.[0]);
      return total;
    },

    async readRows(statement, { batchSize, resumeAfter, withFingerprints, version }, signal) {
      const { parameters, isRepeatable, parts } = statement;
      const files = await prepareVersion(statement.tables, version, signal);
      checkParts(files, parts);
      const fingerprint = isRepeatable ? fingerprintStatement(statement, files) : null;
      const covered = countCoveredRows(resumeAfter, fingerprint);
      const typed = await typeColumns(statement, { parameters, files });
      const batches = readBatches({
        runs: startInWindows({
          ...{ sql: typed, isOwn: statement.isWholeTable, context: { parameters, files }, signal },
          ...{ withHashes: withFingerprints, parts },
        }),
        finish,
        checkSources: () => tables.checkUnchanged(files),
        positionAt: (rows) => (fingerprint === null ? null : { rows, fingerprint }),
        covered: covered ?? 0,
        unreadable: statement.withUnreadable ? listUnreadableLines(files, parts) : [],
        batchSize,
        signal,
      });
      return {
        resumed: resumeAfter === null || covered !== null,
        versions: files.map(({ label, version }) => ({ label, version })),
        batches,
      };
    },

    async close() {
      isClosed = true;
      await Promise.all([...running].map(finish));
      instance.closeSync();
      await rm(overflow, { recursive: true, force: true });
    },
  };
}

async function* startOnce(start: () => Promise<RunningStatement>): AsyncGenerator<RunningStatement> {
  yield await start();
}

/** @throws WarehouseError CHANGED if the only table of a statement does not have the files that it reads. */
function checkParts(tables: readonly TableFile[], parts: PartRange | null): void {
  if (parts === null) return;
  const [table, ...others] = tables;
  if (table === undefined || others.length > 0)
    throw new Error('the files of several tables cannot be chosen');
  if (parts.end > table.files.length)
    throw new WarehouseError('CHANGED', `${table.label} has fewer files than when its read was planned.`);
}

function createClosedError(): WarehouseError {
  return new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
}

/** Fingerprints everything that the order and content of the rows depend on. */
function fingerprintStatement(statement: EngineStatement, files: readonly TableFile[]): string {
  const parameters = Object.entries(statement.parameters).sort(([left], [right]) => (left < right ? -1 : 1));
  const { sql, parts } = statement;
  const read = [version(), sql, parameters, files.map((file) => [file.label, file.version])];
  return createHash('sha256')
    .update(JSON.stringify(parts === null ? read : [...read, parts.first, parts.end]))
    .digest('base64url');
}

/** Counts the rows that a position covers; null if it belongs to other data or another statement. */
function countCoveredRows(position: ReadPosition, fingerprint: string | null): number | null {
  if (typeof position !== 'object' || position === null || fingerprint === null) return null;
  if (!('rows' in position) || !('fingerprint' in position)) return null;
  if (position.fingerprint !== fingerprint) return null;
  return typeof position.rows === 'number' && position.rows >= 0 ? position.rows : null;
}

interface BatchReading {
  /** The statement once, or for one part of its rows after the other. Each is started when the one before is finished. */
  readonly runs: AsyncIterable<RunningStatement>;
  readonly finish: (run: RunningStatement) => Promise<void>;
  /** Throws if the tables have changed since the start. */
  readonly checkSources: () => Promise<void>;
  readonly positionAt: (rows: number) => ReadPosition;
  /** The number of rows saved by an earlier read. */
  readonly covered: number;
  /** Descriptions of lines that are not rows, which follow the rows. */
  readonly unreadable: readonly string[];
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

async function* readBatches(reading: BatchReading): AsyncGenerator<EngineBatch, void, undefined> {
  const { checkSources } = reading;
  try {
    yield* readUnchecked(reading);
  } catch (error) {
    // A file written in the meantime can cause any error.
    if (!(error instanceof AbortError)) await checkSources();
    throw error;
  }
  await checkSources();
}

async function* readUnchecked(reading: BatchReading): AsyncGenerator<EngineBatch, void, undefined> {
  const { runs, finish, signal } = reading;
  const cutter = createCutter(reading);
  const countChunk = createChunkCounter();
  for await (const run of runs) {
    try {
      // A variable of this function would keep a large chunk in memory while the next one is read.
      const current: CurrentChunk = { chunk: await run.next() };
      while (current.chunk !== null) {
        const { bytes } = current.chunk;
        yield* cutter.add(run, current);
        current.chunk = null;
        await countChunk(bytes);
        current.chunk = await run.next();
      }
    } finally {
      await finish(run);
    }
    if (run.isWindow) await freeMemory();
  }
  throwIfAborted(signal);
  yield* cutter.end();
  yield* createUnreadableBatches(reading, cutter.position());
}

/** The largest row that is read, in bytes: far more than an item may have, and little for a process that has a few of them. */
const MAX_ROW_BYTES = 16_000_000;

function describeLargeRow(number: number, bytes: number): string {
  const [size, most] = [bytes, MAX_ROW_BYTES].map((count) => Math.round(count / MEGABYTE));
  return `Row ${number}: nothing of it was read, because it takes ${size} MB, and a row may take ${most} MB. Shorten its cells.`;
}

interface CurrentChunk {
  chunk: RowChunk | null;
}

/** Cuts chunks into batches. */
interface Cutter {
  /** Adds a chunk. @returns the batches that are complete. */
  add(run: RunningStatement, current: CurrentChunk): Generator<EngineBatch>;
  /** @returns the last batch, if any rows are left. */
  end(): Generator<EngineBatch>;
  /** The number of rows added. */
  position(): number;
}

function createCutter({ positionAt, covered, batchSize, signal }: BatchReading): Cutter {
  let position = 0;
  let pieces: Piece[] = [];
  let unread: string[] = [];
  let size = 0;
  let bytes = 0;
  const hasRoom = () => size < batchSize && bytes < BATCH_BYTES;

  function takeBatch(end: number): EngineBatch {
    throwIfAborted(signal);
    const batch = toBatch(pieces, unread, positionAt(end));
    pieces = [];
    unread = [];
    size = 0;
    bytes = 0;
    return batch;
  }

  return {
    *add(run, { chunk }) {
      if (chunk === null) return;
      const { rowCount, rowBytes } = chunk;
      // Rows before the position are read and skipped, because a statement with an OFFSET may return another order.
      let first = Math.min(Math.max(covered - position, 0), rowCount);
      while (first < rowCount) {
        let end = first;
        while (end < rowCount && hasRoom() && (rowBytes[end] ?? 0) <= MAX_ROW_BYTES) {
          bytes += rowBytes[end] ?? 0;
          size += 1;
          end += 1;
        }
        if (end > first) pieces.push({ run, chunk, first, end });
        if (end < rowCount && hasRoom()) {
          unread.push(describeLargeRow(position + end + 1, rowBytes[end] ?? 0));
          size += 1;
          end += 1;
        }
        first = end;
        const isEndOfLarge = end === rowCount && chunk.bytes > LARGE_CHUNK_BYTES;
        if (!hasRoom() || isEndOfLarge) yield takeBatch(position + end);
      }
      position += rowCount;
    },
    *end() {
      if (size > 0) yield takeBatch(position);
    },
    position: () => position,
  };
}

/** @param position the number of rows before. */
function* createUnreadableBatches(
  { positionAt, covered, unreadable, batchSize }: BatchReading,
  position: number,
): Generator<EngineBatch> {
  for (let first = Math.max(covered - position, 0); first < unreadable.length; first += batchSize) {
    const lines = unreadable.slice(first, first + batchSize);
    yield {
      ...{ size: lines.length, names: [], textNames: [], readValues: () => [] },
      ...{ unreadable: lines, fingerprint: null },
      position: positionAt(position + first + lines.length),
    };
  }
}

/** Lists descriptions of the lines of files that are not rows. */
function listUnreadableLines(files: readonly TableFile[], parts: PartRange | null = null): readonly string[] {
  const tables = new Map(files.map((file) => [quoteTable(file.name), file]));
  return [...tables.values()].flatMap(({ name: { catalog, schema, table }, unreadable, files: all }) => {
    const read = parts === null ? null : new Set(all.slice(parts.first, parts.end).map(({ place }) => place));
    const lines = unreadable.filter(({ place }) => read === null || place === null || read.has(place));
    return lines.map(({ line, problem, place }) => {
      const within = place === null ? '' : ` of ${place}`;
      return `Line ${line}${within} ${problem}: nothing of it was read (${catalog}.${schema}.${table}).`;
    });
  });
}

/** The rows of a chunk from `first` to `end`, exclusive. */
interface Piece {
  readonly run: RunningStatement;
  readonly chunk: RowChunk;
  readonly first: number;
  readonly end: number;
}

/** @param unread descriptions of rows among them that are too large. */
function toBatch(pieces: readonly Piece[], unread: readonly string[], position: ReadPosition): EngineBatch {
  const names = pieces[0]?.run.names() ?? [];
  let held = pieces;
  return {
    size: pieces.reduce((sum, { first, end }) => sum + end - first, unread.length),
    names,
    textNames: pieces[0]?.run.textNames() ?? [],
    ...(unread.length === 0 ? {} : { unreadable: unread }),
    readValues() {
      const values: JsonValue[][] = names.map(() => []);
      for (const { run, chunk, first, end } of held) run.readValues(chunk, first, end, values);
      // A batch that is still referenced keeps no chunk.
      held = [];
      return values;
    },
    // It would not tell the rows that were not read.
    fingerprint: unread.length === 0 ? fingerprintContent(pieces) : null,
    position,
  };
}

function fingerprintContent(pieces: readonly Piece[]): string | null {
  const hashedBy = pieces[0]?.run.hashedBy() ?? null;
  if (hashedBy === null) return null;
  const fingerprint = createHash('sha256').update(hashedBy);
  for (const { run, chunk, first, end } of pieces) fingerprint.update(run.hashes(chunk, first, end));
  return fingerprint.digest('base64url');
}
