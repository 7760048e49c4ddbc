import { createHash, randomUUID } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { version } from '@duckdb/node-api';
import { quoteTable } from '../../sql-check/statement.ts';
import { AbortError, throwIfAborted } from '../abort.ts';
import {
  type CheckedStatement,
  type ReadPosition,
  type RowBatch,
  type TableName,
  type Warehouse,
  WarehouseError,
} from '../warehouse.ts';
import type { ReadingLimits } from '../warehouse-definition.ts';
import { reported } from './error.ts';
import { areSameFiles, createFilesVersion } from './files-version.ts';
import { openTableFolder, type TableFile } from './folder.ts';
import { openLockedInstance } from './instance.ts';
import { type ChunkMemory, createChunkMemory } from './memory.ts';
import { MAX_BATCH_BYTES } from './row-bytes.ts';
import { type RowChunk, type RunningStatement, type StatementContext, startStatement } from './statement.ts';

/** The folder of a folder warehouse: `<folder>/<catalog>/<schema>/<table>.(parquet|csv|ndjson)`. */
export interface DuckDbOptions extends ReadingLimits {
  readonly folder: string;
}

/**
 * Opens a folder of files as a warehouse. Nothing outside the folder can be read, and nothing can be written. The next
 * statement sees new and changed files.
 * @throws WarehouseError UNAVAILABLE if the folder does not exist.
 */
export async function openDuckDbWarehouse({ folder, statementTimeoutMs }: DuckDbOptions): Promise<Warehouse> {
  const root = await realpath(folder).catch(() => {
    throw new WarehouseError('UNAVAILABLE', 'The folder of the warehouse does not exist or cannot be read.');
  });
  // Large sorts and joins spill to disk, into a folder of this instance.
  const overflow = join(tmpdir(), `blade-warehouse-${randomUUID()}`);
  const instance = await openLockedInstance({ folder: root, overflow });
  const tables = openTableFolder(instance, root, overflow);
  const running = new Set<RunningStatement>();
  let isClosed = false;

  async function start(sql: string, context: StatementContext, signal: AbortSignal, withHashes = false) {
    if (isClosed) throw createClosedError();
    const run = await reported(context, () =>
      startStatement(
        { instance, timeoutMs: statementTimeoutMs ?? null },
        { sql, context, signal, withHashes },
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
      const run = await start(`SELECT * FROM ${quoteTable(table)}`, { parameters: {}, files }, signal);
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
      for await (const { rows } of batches) total += Number(rows[0]?.total);
      return total;
    },

    async readRows(statement, options) {
      const { sql, parameters, isRepeatable } = statement;
      const { signal, withFingerprints, version = null } = options;
      const files = await prepareVersion(statement.tables, version, signal);
      const fingerprint = isRepeatable ? fingerprintStatement(statement, files) : null;
      const covered = countCoveredRows(options.resumeAfter, fingerprint);
      const batches = readBatches({
        start: () => start(sql, { parameters, files }, signal, withFingerprints),
        finish,
        checkSources: () => tables.checkUnchanged(files),
        positionAt: (rows) => (fingerprint === null ? null : { rows, fingerprint }),
        covered: covered ?? 0,
        unreadable: statement.withUnreadable ? listUnreadableLines(files) : [],
        batchSize: options.batchSize,
        signal,
      });
      return { resumed: options.resumeAfter === null || covered !== null, batches };
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
function fingerprintStatement(statement: CheckedStatement, files: readonly TableFile[]): string {
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

async function* readBatches(reading: BatchReading): AsyncGenerator<RowBatch, void, undefined> {
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

async function* readUnchecked(reading: BatchReading): AsyncGenerator<RowBatch, void, undefined> {
  const { start, finish, positionAt, covered, batchSize, signal } = reading;
  const run = await start();
  try {
    let position = 0;
    let pieces: Piece[] = [];
    let size = 0;
    let bytes = 0;
    const memory = createChunkMemory();
    for (let chunk = await run.next(); chunk !== null; chunk = await run.next()) {
      memory.noteChunk();
      // Rows before the position are read and skipped, because a statement with an OFFSET may return another order.
      let first = Math.min(Math.max(covered - position, 0), chunk.rowCount);
      while (first < chunk.rowCount) {
        const end = Math.min(chunk.rowCount, first + batchSize - size);
        pieces.push({ chunk, first, end });
        size += end - first;
        bytes += run.bytes(chunk, first, end);
        if (bytes > MAX_BATCH_BYTES) throw rowsTooLarge(batchSize);
        first = end;
        if (size < batchSize) continue;
        throwIfAborted(signal);
        yield toBatch({ run, memory, pieces, position: positionAt(position + end) });
        pieces = [];
        size = 0;
        bytes = 0;
      }
      position += chunk.rowCount;
    }
    throwIfAborted(signal);
    if (size > 0) yield toBatch({ run, memory, pieces, position: positionAt(position) });
    yield* createUnreadableBatches(reading, position);
  } finally {
    await finish(run);
  }
}

function rowsTooLarge(batchSize: number): WarehouseError {
  return new WarehouseError(
    'STATEMENT_FAILED',
    `${batchSize.toLocaleString('en')} rows of the statement are larger than ${MAX_BATCH_BYTES >> 20} MB: give it fewer or shorter columns.`,
  );
}

/** @param position the number of rows before. */
function* createUnreadableBatches(
  { positionAt, covered, unreadable, batchSize }: BatchReading,
  position: number,
): Generator<RowBatch> {
  for (let first = Math.max(covered - position, 0); first < unreadable.length; first += batchSize) {
    const lines = unreadable.slice(first, first + batchSize);
    yield {
      ...{ size: lines.length, rows: [], unreadable: lines, fingerprint: null },
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
  readonly memory: ChunkMemory;
  readonly pieces: readonly Piece[];
  readonly position: ReadPosition;
}

function toBatch({ run, memory, pieces, position }: Pieces): RowBatch {
  return {
    size: pieces.reduce((sum, { first, end }) => sum + end - first, 0),
    get rows() {
      memory.noteRows();
      return pieces.flatMap(({ chunk, first, end }) => run.rows(chunk, first, end));
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
