import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBInstance,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  type DuckDBType,
  DuckDBTypeId,
  DuckDBUBigIntVector,
  version,
} from '@duckdb/node-api';
import type { JsonValue } from '../../shared/json.ts';
import type { CheckedQuery } from '../../sql-check/statement.ts';
import { throwIfAborted } from '../abort.ts';
import { setKey } from '../value.ts';
import { type Row, type TableColumn, WarehouseError } from '../warehouse.ts';
import { type Guard, interruptOnAbort } from './abort.ts';
import { toDuckDbSql } from './dialect.ts';
import { reported, type StatementParameters } from './error.ts';
import { hashedSelect } from './hash.ts';
import { prepareSelect } from './select.ts';
import { databricksTypeOf } from './type.ts';
import { converterOf, type ValueConverter } from './value.ts';

/** A statement that runs on a connection of its own. */
export interface RunningStatement {
  columns(): TableColumn[];
  /** The next rows, or null after the last. */
  next(): Promise<DuckDBDataChunk | null>;
  /** The rows of a chunk from the one at `first` to the one before `end`. */
  rows(chunk: DuckDBDataChunk, first: number, end: number): Row[];
  /** What two chunks have to have in common for their hashes to be compared; null where there are none. */
  hashedBy(): string | null;
  /** The hashes of the same rows, eight bytes each. */
  hashes(chunk: DuckDBDataChunk, first: number, end: number): Uint8Array;
  /** Ends it wherever it is. */
  close(): Promise<void>;
}

/** What statements run in. */
export interface StatementEngine {
  readonly instance: DuckDBInstance;
  /** The longest that the engine may work for one statement, in milliseconds; null for no end. */
  readonly timeoutMs: number | null;
}

export interface StatementToStart {
  /** In the Databricks dialect. */
  readonly sql: string;
  /** What the check of it, or of what is nested in it, found. */
  readonly checked: CheckedQuery;
  readonly parameters: StatementParameters;
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
  { sql, checked, parameters, signal, withHashes = false }: StatementToStart,
): Promise<RunningStatement> {
  throwIfAborted(signal);
  const connection = await instance.connect();
  const guard = timeLimited(connection, signal, timeoutMs);
  try {
    const prepare = (text: string) => guard(() => prepareSelect(connection, text, checked.tables));
    const text = toDuckDbSql(sql);
    const plain = await prepare(text);
    const columns = withHashes && areTypesKnown(plain) ? columnsOf(plain) : [];
    const hashed = hashedSelect(
      text,
      columns.map(({ type }) => type),
    );
    const prepared = hashed === null ? plain : await prepare(hashed);
    if (prepared !== plain) plain.destroySync();
    bind(prepared, checked.parameterNames, parameters);
    const hashedNames = hashed === null ? null : columns.map(({ name }) => name);
    return running(connection, prepared, { parameters, guard, hashedNames });
  } catch (error) {
    connection.closeSync();
    throw error;
  }
}

/** Ends work on a connection at the signal, and when all of it together has taken longer than it may. */
function timeLimited(connection: DuckDBConnection, signal: AbortSignal, timeoutMs: number | null): Guard {
  if (timeoutMs === null) return interruptOnAbort(connection, signal);
  const timeout = new AbortController();
  const guard = interruptOnAbort(connection, AbortSignal.any([signal, timeout.signal]));
  let leftMs = timeoutMs;
  return async (work) => {
    const start = performance.now();
    const timer = setTimeout(() => timeout.abort(), Math.min(leftMs, MAX_TIMER_MS));
    try {
      return await guard(work);
    } catch (error) {
      throwIfAborted(signal);
      if (timeout.signal.aborted)
        throw new WarehouseError(
          'STATEMENT_FAILED',
          `The statement took longer than the ${timeoutMs / 1_000} seconds that one may take.`,
        );
      throw error;
    } finally {
      clearTimeout(timer);
      leftMs = Math.max(leftMs - (performance.now() - start), 0);
    }
  };
}

/** The longest that a timer of Node can be set to. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** They are not where one depends on what is bound to a parameter. */
function areTypesKnown(prepared: DuckDBPreparedStatement): boolean {
  const indices = Array.from({ length: prepared.columnCount }, (_, index) => index);
  return indices.every((index) => prepared.columnTypeId(index) !== DuckDBTypeId.INVALID);
}

function columnsOf(prepared: DuckDBPreparedStatement): { name: string; type: DuckDBType }[] {
  return Array.from({ length: prepared.columnCount }, (_, index) => ({
    name: prepared.columnName(index),
    type: prepared.columnType(index),
  }));
}

interface Running {
  readonly parameters: StatementParameters;
  readonly guard: Guard;
  /** The names of the columns before the last, which is the hash of these; null where there is no such column. */
  readonly hashedNames: readonly string[] | null;
}

function running(
  connection: DuckDBConnection,
  prepared: DuckDBPreparedStatement,
  { parameters, guard, hashedNames }: Running,
): RunningStatement {
  let result: DuckDBResult | null = null;
  let names: readonly string[] = [];
  let hashedBy: string | null = null;
  let converters: readonly ValueConverter[] = [];
  let ahead: Promise<DuckDBDataChunk | null> | null = null;
  let closed = false;

  async function fetchChunk(): Promise<DuckDBDataChunk | null> {
    if (closed) throw new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
    if (result === null) {
      result = await guard(() => prepared.stream());
      names = hashedNames ?? result.deduplicatedColumnNames();
      const types = result.columnTypes();
      converters = types.map(converterOf);
      if (hashedNames !== null) hashedBy = JSON.stringify([version(), names, types.map(String)]);
    }
    const open = result;
    const chunk = await guard(() => open.fetchChunk());
    return chunk === null || chunk.rowCount === 0 ? null : chunk;
  }

  return {
    columns() {
      return columnsOf(prepared).map(({ name, type }) => ({ name, type: databricksTypeOf(type) }));
    },
    async next() {
      ahead ??= fetchChunk();
      const current = ahead;
      const chunk = await reported(parameters, () => current);
      // The engine works on the next rows while these are converted and kept.
      ahead = chunk === null ? Promise.resolve(null) : fetchChunk();
      ahead.catch(() => {});
      return chunk;
    },
    rows(chunk, first, end) {
      return rowsOf(chunk, names, converters, first, end);
    },
    hashedBy() {
      return hashedBy;
    },
    hashes(chunk, first, end) {
      return hashesOf(chunk, names.length, first, end);
    },
    async close() {
      if (closed) return;
      closed = true;
      const interrupting = setInterval(() => connection.interrupt(), 20);
      connection.interrupt();
      await ahead?.catch(() => {});
      clearInterval(interrupting);
      prepared.destroySync();
      connection.closeSync();
    },
  };
}

function rowsOf(
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

function hashesOf(chunk: DuckDBDataChunk, column: number, first: number, end: number): Uint8Array {
  const vector = chunk.getColumnVector(column);
  if (!(vector instanceof DuckDBUBigIntVector))
    throw new Error('the hashes of rows are no numbers of 64 bits');
  const hashes = new BigUint64Array(end - first);
  for (let index = first; index < end; index += 1) hashes[index - first] = vector.getItem(index) ?? 0n;
  return new Uint8Array(hashes.buffer);
}

function bind(
  prepared: DuckDBPreparedStatement,
  parameterNames: readonly string[],
  parameters: StatementParameters,
): void {
  for (const name of parameterNames) {
    const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (value === undefined)
      throw new WarehouseError('STATEMENT_FAILED', `The parameter :${name} has no value.`);
    const index = prepared.parameterIndex(name);
    if (value === null) prepared.bindNull(index);
    else if (typeof value === 'string') prepared.bindVarchar(index, value);
    else if (typeof value === 'boolean') prepared.bindBoolean(index, value);
    else if (Number.isSafeInteger(value)) prepared.bindBigInt(index, BigInt(value));
    else prepared.bindDouble(index, value);
  }
}
