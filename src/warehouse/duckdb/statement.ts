import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBDoubleVector,
  type DuckDBInstance,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  type DuckDBType,
  DuckDBTypeId,
  DuckDBUBigIntVector,
  type DuckDBVector,
  version,
} from '@duckdb/node-api';
import { collectGarbage } from '../../shared/collect-garbage.ts';
import type { JsonValue } from '../../shared/json.ts';
import { throwIfAborted } from '../abort.ts';
import { makeNamesDistinct } from '../distinct-names.ts';
import { VALUE_BYTES } from '../value.ts';
import { type PartRange, type TableColumn, WarehouseError } from '../warehouse.ts';
import { type Guard, interruptOnAbort } from './abort.ts';
import { addTextBytes, type ColumnReader, createColumnReader, isTextType } from './column-reader.ts';
import { createCalledMacros } from './dialect/macros.ts';
import { addEndRow } from './end-row.ts';
import { type MessageContext, reported, type StatementParameters } from './error.ts';
import { selectFiles } from './file-ranges.ts';
import type { TableFile } from './folder.ts';
import { buildRowHash } from './hash.ts';
import { limitMemory, SCAN_SHARE, WORK_SHARE } from './instance.ts';
import { createDiskError, createMemoryError, createTimeoutError, STOP_GRACE_MS } from './overrun.ts';
import { buildNestedBytes } from './row-bytes.ts';
import { END_ROW, FIRST_ROW, type RowWindow } from './row-windows.ts';
import { prepareSelect } from './select.ts';
import { formatDatabricksType } from './type.ts';

/** A statement that runs on its own connection. */
export interface RunningStatement {
  /** Whether it only reads rows. */
  readonly isScan: boolean;
  /** Whether it reads only a window of its table. */
  readonly isWindow: boolean;
  columns(): TableColumn[];
  /** The names of the columns, each another one. */
  names(): readonly string[];
  /** The names of those whose values are texts, or JSON that can hold texts. Known once there is a chunk. */
  textNames(): readonly string[];
  /**
   * The next rows, or null after the last.
   * @throws WarehouseError INTERRUPTED where the engine stopped before the last row without an error that repeats.
   */
  next(): Promise<RowChunk | null>;
  /** Adds the values of the rows of a chunk, from the one at `first` to the one before `end`, to those of each column. */
  readValues(chunk: RowChunk, first: number, end: number, columns: readonly JsonValue[][]): void;
  /** What two chunks must have in common before their hashes are compared; null where there are none. */
  hashedBy(): string | null;
  /** The hashes of the same rows, eight bytes each. */
  hashes(chunk: RowChunk, first: number, end: number): Uint8Array;
  /** Ends it wherever it is. */
  close(): Promise<void>;
}

/** Rows as the engine delivered them. */
export interface RowChunk {
  /** Without the end row, which may follow them in the same chunk. */
  readonly rowCount: number;
  readonly vectors: DuckDBDataChunk;
  /** How large each row is, in bytes. */
  readonly rowBytes: Float64Array;
  /** How large they are together. */
  readonly bytes: number;
}

/** Chunks that are larger than this, in bytes, are read one at a time. */
export const LARGE_CHUNK_BYTES = 32_000_000;

/** What one statement may take of the engine and its process. */
export interface EngineLimits {
  /** The longest that the engine may work for one statement, in milliseconds; null for no end. */
  readonly timeoutMs: number | null;
  /** The most memory of the process, in bytes. */
  readonly memoryBytes: number;
  /** The most temporary disk of the engine, in bytes. */
  readonly diskBytes: number;
  /** Called when a statement that must end does not: only the end of the process helps. */
  readonly onStuck: (reason: WarehouseError) => void;
}

/** What statements run in. */
export interface StatementEngine {
  readonly instance: DuckDBInstance;
  readonly limits: EngineLimits;
}

/** The parameters that are bound, and the files of its tables. */
export interface StatementContext extends MessageContext {
  readonly files: readonly TableFile[];
}

export interface StatementToStart {
  /** In the dialect of DuckDB. */
  readonly sql: string;
  /** Whether the program has composed it of columns and its only table, so that nothing of it is to be checked. */
  readonly isOwn?: boolean;
  readonly context: StatementContext;
  readonly signal: AbortSignal;
  /** Whether rows are to have hashes; they have none where the engine has none for a type. */
  readonly withHashes?: boolean;
  /** Whether it only reads rows, so that the engine may count more of its memory. */
  readonly isScan?: boolean;
  /** Whether another statement of the engine does, which needs what it has. */
  readonly isBesideScan?: boolean;
  /** The rows of its table that it reads; null for all. */
  readonly window?: RowWindow | null;
  /** The files of its only table that it reads; null for all. */
  readonly parts?: PartRange | null;
  /** How long the engine may still work for it. */
  readonly time: WorkTime;
}

/** How long the engine may still work, in milliseconds, for all statements that share it. */
export interface WorkTime {
  leftMs: number;
}

/** Creates the time of a statement. */
export function createWorkTime({ timeoutMs }: EngineLimits): WorkTime {
  return { leftMs: timeoutMs ?? 0 };
}

/**
 * Starts a statement that was checked to only read.
 * @throws WarehouseError STATEMENT_FAILED; AbortError after the signal.
 */
export async function startStatement(
  { instance, limits }: StatementEngine,
  {
    sql,
    isOwn = false,
    context: { parameters, files },
    signal,
    withHashes = false,
    isScan = false,
    isBesideScan = false,
    window = null,
    parts = null,
    time,
  }: StatementToStart,
): Promise<RunningStatement> {
  throwIfAborted(signal);
  const connection = await instance.connect();
  const stop = new AbortController();
  const guard = limitWork(connection, signal, stop, { ...limits, time });
  const bound = (prepared: DuckDBPreparedStatement) => {
    bind(prepared, parameters);
    return prepared;
  };
  const readable = files.map(({ name }) => name);
  const prepare = async (text: string) =>
    bound(await guard(() => (isOwn ? connection.prepare(text) : prepareSelect(connection, text, readable))));
  // Where the value of a parameter decides on the type of a column, nothing is known of any before it is bound.
  const boundNames = async (text: string) => {
    const described = bound(await guard(() => connection.prepare(`DESCRIBE (${text}\n)`)));
    const { column_name: names = [] } = (await guard(() => described.runAndReadAll())).getColumnsObjectJson();
    return names.map(String);
  };
  try {
    // The engine counts what it reads ahead without the texts, and would hold hundreds of megabytes of them.
    await connection.run("SET streaming_buffer_size = '1KB'");
    await limitMemory(
      instance,
      connection,
      limits.memoryBytes,
      isScan || isBesideScan ? SCAN_SHARE : WORK_SHARE,
    );
    await createCalledMacros(instance, connection, sql);
    if (window !== null) {
      await connection.run(`SET VARIABLE ${FIRST_ROW} = ${window.first}`);
      await connection.run(`SET VARIABLE ${END_ROW} = ${window.end}`);
    }
    if (parts !== null) for (const selection of selectFiles(parts)) await connection.run(selection);
    const plain = await prepare(sql);
    const columns = areTypesKnown(plain) ? readColumns(plain) : null;
    plain.destroySync();
    const names = columns?.map(({ name }) => name) ?? (await boundNames(sql));
    const places = names.map((_name, index) => `c${index}`);
    const types = columns?.map(({ type }) => type) ?? null;
    const hash = withHashes && types !== null ? buildRowHash(places, types) : null;
    const bytes = buildNestedBytes(places, types);
    const marked = addEndRow(sql, places, { bytes, hash });
    // Both are the statement that has passed, within text of ours.
    const prepareMarked = async (text: string) => bound(await guard(() => connection.prepare(text)));
    return running(connection, {
      prepareRows: () => prepareMarked(marked.sql),
      context: { parameters, files },
      isScan,
      isWindow: window !== null,
      guard,
      columns: columns ?? [],
      names: makeNamesDistinct(names),
      isHashed: hash !== null,
      isMeasured: bytes !== null,
      async findCause() {
        await guard(async () => (await prepareMarked(marked.causeSql)).run());
      },
    });
  } catch (error) {
    connection.closeSync();
    throw error;
  }
}

/**
 * Creates a guard that also stops the work of a statement when it has taken too long in all, or when the process has grown
 * too large. The engine's own limit does not cover the states of windows and of aggregates such as `mode`.
 * @param stop is aborted with the reason.
 */
function limitWork(
  connection: DuckDBConnection,
  signal: AbortSignal,
  stop: AbortController,
  limits: EngineLimits & { readonly time: WorkTime },
): Guard {
  const { timeoutMs, memoryBytes, onStuck, time } = limits;
  const guard = interruptOnAbort(connection, AbortSignal.any([signal, stop.signal]));
  return async (work) => {
    const start = performance.now();
    let grace: NodeJS.Timeout | undefined;
    const fail = (reason: WarehouseError) => {
      stop.abort(reason);
      grace ??= setTimeout(onStuck, STOP_GRACE_MS, reason);
    };
    const timer =
      timeoutMs === null
        ? undefined
        : setTimeout(() => fail(createTimeoutError(timeoutMs)), Math.min(time.leftMs, MAX_TIMER_MS));
    const watch = setInterval(() => {
      if (process.memoryUsage.rss() <= memoryBytes) return;
      // Chunks that were read are freed only with their objects.
      collectGarbage();
      if (process.memoryUsage.rss() > memoryBytes) fail(createMemoryError(memoryBytes));
    }, MEMORY_INTERVAL_MS);
    try {
      return await guard(work);
    } catch (error) {
      throwIfAborted(signal);
      throw stop.signal.aborted ? stop.signal.reason : nameLimit(error, limits);
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
      clearInterval(watch);
      time.leftMs = Math.max(time.leftMs - (performance.now() - start), 0);
    }
  };
}

/** The engine's own words for a limit advise to change settings that nobody can reach. */
export function nameLimit(
  error: unknown,
  { memoryBytes, diskBytes }: Pick<EngineLimits, 'memoryBytes' | 'diskBytes'>,
): unknown {
  if (!(error instanceof Error) || !/^Out of Memory Error|bad_alloc/.test(error.message)) return error;
  const [, limit, unit = ''] = /failed to offload .*\/([\d.]+) (\w+) used\)/.exec(error.message) ?? [];
  if (limit === undefined) return createMemoryError(memoryBytes);
  // The engine reports a disk that had little space when it was opened as a limit below its own.
  const isOwn = Number(limit) * 1_024 ** UNITS.indexOf(unit) > diskBytes * ROUNDED;
  return isOwn ? createDiskError(diskBytes) : error;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** The engine writes a limit with one digit after the point. */
const ROUNDED = 0.9;

const MEMORY_INTERVAL_MS = 20;

/** The longest that a timer of Node can be set to. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** They are not where one depends on what is bound to a parameter. */
function areTypesKnown(prepared: DuckDBPreparedStatement): boolean {
  const indices = Array.from({ length: prepared.columnCount }, (_, index) => index);
  return indices.every((index) => prepared.columnTypeId(index) !== DuckDBTypeId.INVALID);
}

interface ResultColumn {
  readonly name: string;
  readonly type: DuckDBType;
}

function readColumns(prepared: DuckDBPreparedStatement): ResultColumn[] {
  return Array.from({ length: prepared.columnCount }, (_, index) => ({
    name: prepared.columnName(index),
    type: prepared.columnType(index),
  }));
}

interface Running {
  /** Prepares the statement with the end row, once its rows are wanted. */
  readonly prepareRows: () => Promise<DuckDBPreparedStatement>;
  readonly isScan: boolean;
  readonly isWindow: boolean;
  readonly context: MessageContext;
  readonly guard: Guard;
  /** None where only the values of its parameters decide on their types. */
  readonly columns: readonly ResultColumn[];
  /** Of the columns, each another one. */
  readonly names: readonly string[];
  /** Whether a hash follows the columns. */
  readonly isHashed: boolean;
  /** Whether the size of the row follows them. */
  readonly isMeasured: boolean;
  /** Throws the error that ends the statement early, where it comes again. */
  readonly findCause: () => Promise<void>;
}

function running(
  connection: DuckDBConnection,
  { prepareRows, context, isScan, isWindow, guard, columns, names, isHashed, isMeasured, findCause }: Running,
): RunningStatement {
  const bytesColumn = names.length;
  const hashColumn = bytesColumn + Number(isMeasured);
  const endColumn = hashColumn + Number(isHashed);
  let prepared: DuckDBPreparedStatement | null = null;
  let result: DuckDBResult | null = null;
  let hashedBy: string | null = null;
  let readers: readonly ColumnReader[] = [];
  let textColumns: readonly number[] = [];
  let textNames: readonly string[] = [];
  let ahead: Promise<RowChunk | null> | null = null;
  let ended = false;
  let closed = false;

  function throwIfClosed(): void {
    if (closed) throw new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
  }

  async function open(): Promise<DuckDBResult> {
    const statement = await prepareRows();
    prepared = statement;
    const opened = await guard(() => statement.stream());
    const types = opened.columnTypes().slice(0, names.length);
    readers = types.map(createColumnReader);
    textColumns = [...types.keys()].filter((index) => isTextType(types[index]));
    textNames = names.filter((_name, index) => types[index]?.typeId === DuckDBTypeId.VARCHAR);
    if (isHashed) hashedBy = JSON.stringify([version(), names, types.map(String)]);
    return opened;
  }

  function toChunk(vectors: DuckDBDataChunk, rowCount: number): RowChunk {
    const rowBytes = new Float64Array(rowCount).fill(names.length * VALUE_BYTES);
    for (const column of textColumns) addTextBytes(vectors.getColumnVector(column), rowBytes);
    if (isMeasured) addBytes(vectors.getColumnVector(bytesColumn), rowBytes);
    return { vectors, rowCount, rowBytes, bytes: rowBytes.reduce((sum, bytes) => sum + bytes, 0) };
  }

  async function fetchChunk(): Promise<RowChunk | null> {
    if (ended) return null;
    throwIfClosed();
    result ??= await open();
    const opened = result;
    const vectors = await guard(() => opened.fetchChunk());
    if (vectors === null || vectors.rowCount === 0) {
      throwIfClosed();
      await findCause();
      throw new WarehouseError('INTERRUPTED', 'The rows ended before the last of them.');
    }
    const isLast = vectors.getColumnVector(endColumn).getItem(vectors.rowCount - 1) === true;
    if (!isLast) return toChunk(vectors, vectors.rowCount);
    const more = await guard(() => opened.fetchChunk());
    if (more !== null && more.rowCount > 0) throw new Error('the engine gave rows behind the end row');
    ended = true;
    return vectors.rowCount === 1 ? null : toChunk(vectors, vectors.rowCount - 1);
  }

  return {
    isScan,
    isWindow,
    columns() {
      return columns.map(({ name, type }) => ({ name, type: formatDatabricksType(type) }));
    },
    async next() {
      ahead ??= fetchChunk();
      const current = ahead;
      const chunk = await reported(context, () => current);
      if (chunk !== null && chunk.bytes > LARGE_CHUNK_BYTES) {
        // Two of them may be more than fits in memory.
        ahead = null;
        return chunk;
      }
      // The engine works on the next rows while these are converted and kept.
      ahead = chunk === null ? Promise.resolve(null) : fetchChunk();
      ahead.catch(() => {});
      return chunk;
    },
    names() {
      return names;
    },
    textNames() {
      return textNames;
    },
    readValues({ vectors }, first, end, columns) {
      columns.forEach((values, column) => {
        readers[column]?.(vectors.getColumnVector(column), first, end, values);
      });
    },
    hashedBy() {
      return hashedBy;
    },
    hashes({ vectors }, first, end) {
      return readHashes(vectors, hashColumn, first, end);
    },
    async close() {
      if (closed) return;
      closed = true;
      const interrupting = setInterval(() => connection.interrupt(), 20);
      connection.interrupt();
      await ahead?.catch(() => {});
      clearInterval(interrupting);
      prepared?.destroySync();
      connection.closeSync();
      // The engine keeps what it has read for the result until nothing refers to that.
      result = null;
      ahead = null;
    },
  };
}

function readHashes(chunk: DuckDBDataChunk, column: number, first: number, end: number): Uint8Array {
  const vector = chunk.getColumnVector(column);
  if (!(vector instanceof DuckDBUBigIntVector))
    throw new Error('the hashes of rows are no numbers of 64 bits');
  const hashes = new BigUint64Array(end - first);
  for (let index = first; index < end; index += 1) hashes[index - first] = vector.getItem(index) ?? 0n;
  return new Uint8Array(hashes.buffer);
}

function addBytes(vector: DuckDBVector, bytes: Float64Array): void {
  if (!(vector instanceof DuckDBDoubleVector)) throw new Error('the sizes of rows are no numbers');
  for (const index of bytes.keys()) bytes[index] = (bytes[index] ?? 0) + (vector.getItem(index) ?? 0);
}

function bind(prepared: DuckDBPreparedStatement, parameters: StatementParameters): void {
  // A pattern that was known before stands in the statement itself.
  for (let index = 1; index <= prepared.parameterCount; index += 1) {
    const value = parameters[prepared.parameterName(index)] ?? null;
    if (value === null) prepared.bindNull(index);
    else if (typeof value === 'string') prepared.bindVarchar(index, value);
    else if (typeof value === 'boolean') prepared.bindBoolean(index, value);
    else if (Number.isSafeInteger(value)) prepared.bindBigInt(index, BigInt(value));
    else prepared.bindDouble(index, value);
  }
}
