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
  version,
} from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import type { JsonValue } from '../../shared/json.ts';
import { throwIfAborted } from '../abort.ts';
import { makeNamesDistinct } from '../distinct-names.ts';
import { setKey } from '../value.ts';
import { type Row, type TableColumn, WarehouseError } from '../warehouse.ts';
import { type Guard, interruptOnAbort } from './abort.ts';
import { toDuckDbSql } from './dialect.ts';
import { addEndRow } from './end-row.ts';
import { type MessageContext, reported, type StatementParameters } from './error.ts';
import type { TableFile } from './folder.ts';
import { buildRowHash } from './hash.ts';
import { admitStatement, releaseStatement } from './room.ts';
import { buildRowBytes } from './row-bytes.ts';
import { boundSelect, prepareSelect } from './select.ts';
import { formatDatabricksType } from './type.ts';
import { findConverter, type ValueConverter } from './value.ts';

/** A statement that runs on its own connection. */
export interface RunningStatement {
  columns(): TableColumn[];
  /**
   * The next rows, or null after the last.
   * @throws WarehouseError INTERRUPTED where the engine stopped before the last row without an error that repeats.
   */
  next(): Promise<RowChunk | null>;
  /** The rows of a chunk from the one at `first` to the one before `end`. */
  rows(chunk: RowChunk, first: number, end: number): Row[];
  /** What two chunks must have in common before their hashes are compared; null where there are none. */
  hashedBy(): string | null;
  /** The hashes of the same rows, eight bytes each. */
  hashes(chunk: RowChunk, first: number, end: number): Uint8Array;
  /** How large the same rows are, in bytes; 0 where they are no larger than those of the tables. */
  bytes(chunk: RowChunk, first: number, end: number): number;
  /** Ends it wherever it is. */
  close(): Promise<void>;
}

/** Rows as the engine delivered them. */
export interface RowChunk {
  /** Without the end row, which may follow them in the same chunk. */
  readonly rowCount: number;
  readonly vectors: DuckDBDataChunk;
}

/** What statements run in. */
export interface StatementEngine {
  readonly instance: DuckDBInstance;
  /** The longest that the engine may work for one statement, in milliseconds; null for no end. */
  readonly timeoutMs: number | null;
}

/** The parameters that are bound, and the files of its tables. */
export interface StatementContext extends MessageContext {
  readonly files: readonly TableFile[];
}

export interface StatementToStart {
  /** In the Databricks dialect. */
  readonly sql: string;
  readonly context: StatementContext;
  readonly signal: AbortSignal;
  /** Whether rows are to have hashes; they have none where the engine has none for a type. */
  readonly withHashes?: boolean;
}

/**
 * Starts a statement that was checked to only read.
 * @throws WarehouseError STATEMENT_FAILED; AbortError after the signal.
 */
export async function startStatement(
  { instance, timeoutMs }: StatementEngine,
  { sql, context: { parameters, files }, signal, withHashes = false }: StatementToStart,
): Promise<RunningStatement> {
  throwIfAborted(signal);
  const connection = await instance.connect();
  const ending = new AbortController();
  const stop = new AbortController();
  const number = admitStatement(AbortSignal.any([signal, stop.signal, ending.signal]));
  const end = () => {
    ending.abort();
    releaseStatement(number);
  };
  const guard = limitWork(connection, signal, stop, timeoutMs);
  const bound = (prepared: DuckDBPreparedStatement) => {
    bind(prepared, parameters);
    return prepared;
  };
  const readable = files.map(({ name }) => name);
  const prepare = async (text: string) => bound(await guard(() => prepareSelect(connection, text, readable)));
  // Where the value of a parameter decides on the type of a column, nothing is known of any before it is bound.
  const boundNames = async (text: string) => {
    const described = bound(await guard(() => connection.prepare(`DESCRIBE (${text}\n)`)));
    const { column_name: names = [] } = (await guard(() => described.runAndReadAll())).getColumnsObjectJson();
    return names.map(String);
  };
  try {
    const translated = toDuckDbSql(sql);
    const tables = new Map(
      files.map(({ name: { catalog, schema, table }, size }) => [
        asciiLowerCase([catalog, schema, table].join('.')),
        size,
      ]),
    );
    const { sql: text, hasLargeRows } = await guard(() =>
      boundSelect(connection, translated, { parameters, number, tables }),
    );
    const plain = await prepare(text);
    const columns = areTypesKnown(plain) ? readColumns(plain) : null;
    plain.destroySync();
    const names = columns?.map(({ name }) => name) ?? (await boundNames(text));
    const places = names.map((_name, index) => `c${index}`);
    const types = columns?.map(({ type }) => type) ?? null;
    const hash = withHashes && types !== null ? buildRowHash(places, types) : null;
    const bytes = hasLargeRows ? buildRowBytes(places, types, number) : null;
    const marked = addEndRow(text, places, { bytes, hash });
    return running(connection, await prepare(marked.sql), {
      context: { parameters, files },
      guard,
      end,
      columns: columns ?? [],
      names: makeNamesDistinct(names),
      isHashed: hash !== null,
      isMeasured: bytes !== null,
      async findCause() {
        await guard(async () => (await prepare(marked.causeSql)).run());
      },
    });
  } catch (error) {
    end();
    connection.closeSync();
    throw error;
  }
}

/**
 * Creates a guard that also stops the work of a statement when it has taken too long in all, or when the process grows too
 * much meanwhile. The engine's own limit does not cover the states of windows and of aggregates such as `mode`.
 * @param stop is aborted with the reason.
 */
function limitWork(
  connection: DuckDBConnection,
  signal: AbortSignal,
  stop: AbortController,
  timeoutMs: number | null,
): Guard {
  const guard = interruptOnAbort(connection, AbortSignal.any([signal, stop.signal]));
  const fail = (reason: string) => stop.abort(new WarehouseError('STATEMENT_FAILED', reason));
  let leftMs = timeoutMs ?? 0;
  return async (work) => {
    const start = performance.now();
    const timer =
      timeoutMs === null
        ? undefined
        : setTimeout(
            () => fail(`The statement took longer than the ${timeoutMs / 1_000} seconds that one may take.`),
            Math.min(leftMs, MAX_TIMER_MS),
          );
    let before: number | null = null;
    const watch = setInterval(() => {
      const resident = process.memoryUsage.rss();
      before ??= resident;
      if (resident - before <= MAX_GROWTH_BYTES) return;
      fail(
        `The statement needs too much memory: the process grew by more than ${MAX_GROWTH_BYTES / 1e6} MB. Sort, rank or group fewer rows at once.`,
      );
    }, MEMORY_INTERVAL_MS);
    try {
      return await guard(work);
    } catch (error) {
      throwIfAborted(signal);
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      leftMs = Math.max(leftMs - (performance.now() - start), 0);
    }
  };
}

/** How much the process may grow while the engine works on the next rows of a statement. */
const MAX_GROWTH_BYTES = 1e9;
const MEMORY_INTERVAL_MS = 50;

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
  /** Lets nothing of it ask any more. */
  readonly end: () => void;
  /** Throws the error that ends the statement early, where it comes again. */
  readonly findCause: () => Promise<void>;
}

function running(
  connection: DuckDBConnection,
  prepared: DuckDBPreparedStatement,
  { context, guard, end, columns, names, isHashed, isMeasured, findCause }: Running,
): RunningStatement {
  const bytesColumn = names.length;
  const hashColumn = bytesColumn + Number(isMeasured);
  const endColumn = hashColumn + Number(isHashed);
  let result: DuckDBResult | null = null;
  let hashedBy: string | null = null;
  let converters: readonly ValueConverter[] = [];
  let ahead: Promise<RowChunk | null> | null = null;
  let ended = false;
  let closed = false;

  function throwIfClosed(): void {
    if (closed) throw new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
  }

  async function open(): Promise<DuckDBResult> {
    const opened = await guard(() => prepared.stream());
    const types = opened.columnTypes().slice(0, names.length);
    converters = types.map(findConverter);
    if (isHashed) hashedBy = JSON.stringify([version(), names, types.map(String)]);
    return opened;
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
    if (!isLast) return { vectors, rowCount: vectors.rowCount };
    const more = await guard(() => opened.fetchChunk());
    if (more !== null && more.rowCount > 0) throw new Error('the engine gave rows behind the end row');
    ended = true;
    return vectors.rowCount === 1 ? null : { vectors, rowCount: vectors.rowCount - 1 };
  }

  return {
    columns() {
      return columns.map(({ name, type }) => ({ name, type: formatDatabricksType(type) }));
    },
    async next() {
      ahead ??= fetchChunk();
      const current = ahead;
      const chunk = await reported(context, () => current);
      // The engine works on the next rows while these are converted and kept.
      ahead = chunk === null ? Promise.resolve(null) : fetchChunk();
      ahead.catch(() => {});
      return chunk;
    },
    rows({ vectors }, first, end) {
      return readRows(vectors, names, converters, first, end);
    },
    hashedBy() {
      return hashedBy;
    },
    hashes({ vectors }, first, end) {
      return readHashes(vectors, hashColumn, first, end);
    },
    bytes({ vectors }, first, end) {
      return isMeasured ? sumBytes(vectors, bytesColumn, first, end) : 0;
    },
    async close() {
      if (closed) return;
      closed = true;
      end();
      const interrupting = setInterval(() => connection.interrupt(), 20);
      connection.interrupt();
      await ahead?.catch(() => {});
      clearInterval(interrupting);
      prepared.destroySync();
      connection.closeSync();
    },
  };
}

function readRows(
  chunk: DuckDBDataChunk,
  names: readonly string[],
  converters: readonly ValueConverter[],
  first: number,
  end: number,
): Row[] {
  const rows: Record<string, JsonValue>[] = [];
  for (let index = first; index < end; index += 1) rows.push({});
  names.forEach((name, column) => {
    const vector = chunk.getColumnVector(column);
    const convert = converters[column] ?? (() => null);
    const special = name === '__proto__';
    rows.forEach((row, index) => {
      const value = vector.getItem(first + index);
      const converted = value === null ? null : convert(value);
      if (special) setKey(row, name, converted);
      else row[name] = converted;
    });
  });
  return rows;
}

function readHashes(chunk: DuckDBDataChunk, column: number, first: number, end: number): Uint8Array {
  const vector = chunk.getColumnVector(column);
  if (!(vector instanceof DuckDBUBigIntVector))
    throw new Error('the hashes of rows are no numbers of 64 bits');
  const hashes = new BigUint64Array(end - first);
  for (let index = first; index < end; index += 1) hashes[index - first] = vector.getItem(index) ?? 0n;
  return new Uint8Array(hashes.buffer);
}

function sumBytes(chunk: DuckDBDataChunk, column: number, first: number, end: number): number {
  const vector = chunk.getColumnVector(column);
  if (!(vector instanceof DuckDBDoubleVector)) throw new Error('the sizes of rows are no numbers');
  let bytes = 0;
  for (let index = first; index < end; index += 1) bytes += vector.getItem(index) ?? 0;
  return bytes;
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
