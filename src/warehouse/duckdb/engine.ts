import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { version } from '@duckdb/node-api';
import type { JsonValue } from '../../shared/json.ts';
import { quoteTable } from '../../sql-check/quoted-name.ts';
import { AbortError, throwIfAborted } from '../abort.ts';
import {
  BATCH_BYTES,
  type ParameterValue,
  type ReadPosition,
  type TableColumn,
  type TableName,
  WarehouseError,
} from '../warehouse.ts';
import { reported } from './error.ts';
import { areSameFiles, createFilesVersion } from './files-version.ts';
import { openTableFolder, type TableFile } from './folder.ts';
import { openLockedInstance } from './instance.ts';
import { collectGarbage, createChunkCounter } from './memory.ts';
import {
  type EngineLimits,
  LARGE_CHUNK_BYTES,
  type RowChunk,
  type RunningStatement,
  type StatementContext,
  startStatement,
} from './statement.ts';
import { quoteName } from './text.ts';

/** Where the tables are, and what statements may take. */
export interface EngineOptions extends EngineLimits {
  /** The folder of the warehouse, `<folder>/<catalog>/<schema>/<table>.(parquet|csv|ndjson)`, without links. */
  readonly folder: string;
  /** The folder for temporary files and what does not fit in memory. Created when needed, removed by `close`. */
  readonly overflow: string;
}

/** A checked statement, translated to the dialect of DuckDB. Plain data. */
export interface EngineStatement {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly tables: readonly TableName[];
  readonly isRepeatable: boolean;
  readonly withUnreadable: boolean;
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
  readValues(): ColumnValues;
  readonly unreadable?: readonly string[];
  readonly fingerprint: string | null;
  readonly position: ReadPosition;
}

export interface EngineRead {
  readonly resumed: boolean;
  /** The files of its tables and their versions. */
  readonly versions: readonly string[];
  readonly batches: AsyncIterable<EngineBatch>;
}

/** DuckDB with the files of a folder as tables: what a warehouse does, in the dialect of DuckDB. */
export interface Engine {
  describeTable(table: TableName, signal: AbortSignal): Promise<readonly TableColumn[]>;
  findVersion(tables: readonly TableName[], signal: AbortSignal): Promise<string>;
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
  const tables = openTableFolder(instance, folder, overflow);
  const running = new Set<RunningStatement>();
  let isClosed = false;

  async function start(sql: string, context: StatementContext, signal: AbortSignal, withHashes = false) {
    if (isClosed) throw createClosedError();
    const run = await reported(context, () =>
      startStatement({ instance, limits: options }, { sql, context, signal, withHashes }),
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

  /** Prepares the tables that a statement reads. */
  async function prepare(names: readonly TableName[], signal: AbortSignal): Promise<readonly TableFile[]> {
    throwIfAborted(signal);
    const files = await reported({ parameters: {}, files: [] }, () => tables.prepare(names, signal));
    throwIfAborted(signal);
    return files;
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

  return {
    async describeTable(table, signal) {
      const files = await prepare([table], signal);
      const name = [table.catalog, table.schema, table.table].map(quoteName).join('.');
      const run = await start(`SELECT * FROM ${name}`, { parameters: {}, files }, signal);
      try {
        return run.columns();
      } finally {
        await finish(run);
      }
    },

    async findVersion(names, signal) {
      throwIfAborted(signal);
      return createFilesVersion(await tables.find(names));
    },

    async countUnreadable(table, signal) {
      return listUnreadableLines(await prepare([table], signal)).length;
    },

    async countRows({ sql, parameters, tables: names, withUnreadable }, signal) {
      const files = await prepare(names, signal);
      const counting = `SELECT COUNT(*) AS total FROM (${sql})`;
      const batches = readBatches({
        start: () => start(counting, { parameters, files }, signal),
        finish,
        checkSources: () => tables.checkUnchanged(files),
        positionAt: () => null,
        covered: 0,
        unreadable: [],
        batchSize: 1,
        signal,
      });
      let total = withUnreadable ? listUnreadableLines(files).length : 0;
      for await (const batch of batches) total += Number(batch.readValues()[0]?.[0]);
      return total;
    },

    async readRows(statement, { batchSize, resumeAfter, withFingerprints, version }, signal) {
      const { sql, parameters, isRepeatable } = statement;
      const files = await prepareVersion(statement.tables, version, signal);
      const fingerprint = isRepeatable ? fingerprintStatement(statement, files) : null;
      const covered = countCoveredRows(resumeAfter, fingerprint);
      const batches = readBatches({
        start: () => start(sql, { parameters, files }, signal, withFingerprints),
        finish,
        checkSources: () => tables.checkUnchanged(files),
        positionAt: (rows) => (fingerprint === null ? null : { rows, fingerprint }),
        covered: covered ?? 0,
        unreadable: statement.withUnreadable ? listUnreadableLines(files) : [],
        batchSize,
        signal,
      });
      return {
        resumed: resumeAfter === null || covered !== null,
        versions: files.map((file) => `${file.path} ${file.version}`),
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

function createClosedError(): WarehouseError {
  return new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
}

/** Fingerprints everything that the order and content of the rows depend on. */
function fingerprintStatement(statement: EngineStatement, files: readonly TableFile[]): string {
  const parameters = Object.entries(statement.parameters).sort(([left], [right]) => (left < right ? -1 : 1));
  return createHash('sha256')
    .update(
      JSON.stringify([version(), statement.sql, parameters, files.map((file) => [file.label, file.version])]),
    )
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
  readonly start: () => Promise<RunningStatement>;
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
  const { start, finish, positionAt, covered, batchSize, signal } = reading;
  const run = await start();
  try {
    let position = 0;
    let pieces: Piece[] = [];
    let size = 0;
    let bytes = 0;
    const countChunk = createChunkCounter();
    let chunk = await run.next();
    while (chunk !== null) {
      countChunk();
      // Rows before the position are read and skipped, because a statement with an OFFSET may return another order.
      let first = Math.min(Math.max(covered - position, 0), chunk.rowCount);
      while (first < chunk.rowCount) {
        let end = first;
        while (end < chunk.rowCount && size < batchSize && bytes < BATCH_BYTES) {
          bytes += chunk.rowBytes[end] ?? 0;
          size += 1;
          end += 1;
        }
        pieces.push({ chunk, first, end });
        first = end;
        // No row keeps a large chunk in memory while the next is read.
        const isEndOfLarge = end === chunk.rowCount && chunk.bytes > LARGE_CHUNK_BYTES;
        if (size < batchSize && bytes < BATCH_BYTES && !isEndOfLarge) continue;
        throwIfAborted(signal);
        yield toBatch({ run, pieces, position: positionAt(position + end) });
        pieces = [];
        size = 0;
        bytes = 0;
      }
      position += chunk.rowCount;
      const isLarge = chunk.bytes > LARGE_CHUNK_BYTES;
      chunk = null;
      if (isLarge) collectGarbage();
      chunk = await run.next();
    }
    throwIfAborted(signal);
    if (size > 0) yield toBatch({ run, pieces, position: positionAt(position) });
    yield* createUnreadableBatches(reading, position);
  } finally {
    await finish(run);
  }
}

/** @param position the number of rows before. */
function* createUnreadableBatches(
  { positionAt, covered, unreadable, batchSize }: BatchReading,
  position: number,
): Generator<EngineBatch> {
  for (let first = Math.max(covered - position, 0); first < unreadable.length; first += batchSize) {
    const lines = unreadable.slice(first, first + batchSize);
    yield {
      ...{ size: lines.length, names: [], readValues: () => [], unreadable: lines, fingerprint: null },
      position: positionAt(position + first + lines.length),
    };
  }
}

/** Lists descriptions of the lines of files that are not rows. */
function listUnreadableLines(files: readonly TableFile[]): readonly string[] {
  const tables = new Map(files.map((file) => [quoteTable(file.name), file]));
  return [...tables.values()].flatMap(({ name: { catalog, schema, table }, unreadable }) =>
    unreadable.map((line) => `Line ${line}: nothing of it was read (${catalog}.${schema}.${table}).`),
  );
}

/** The rows of a chunk from `first` to `end`, exclusive. */
interface Piece {
  readonly chunk: RowChunk;
  readonly first: number;
  readonly end: number;
}

interface Pieces {
  readonly run: RunningStatement;
  readonly pieces: readonly Piece[];
  readonly position: ReadPosition;
}

function toBatch({ run, pieces, position }: Pieces): EngineBatch {
  const names = run.names();
  return {
    size: pieces.reduce((sum, { first, end }) => sum + end - first, 0),
    names,
    readValues() {
      const values: JsonValue[][] = names.map(() => []);
      for (const { chunk, first, end } of pieces) run.readValues(chunk, first, end, values);
      return values;
    },
    fingerprint: fingerprintContent(run, pieces),
    position,
  };
}

function fingerprintContent(run: RunningStatement, pieces: readonly Piece[]): string | null {
  const hashedBy = run.hashedBy();
  if (hashedBy === null) return null;
  const fingerprint = createHash('sha256').update(hashedBy);
  for (const { chunk, first, end } of pieces) fingerprint.update(run.hashes(chunk, first, end));
  return fingerprint.digest('base64url');
}
