import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBInstance,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  StatementType,
} from '@duckdb/node-api';
import type { JsonValue } from '../json.ts';
import { throwIfAborted } from './abort.ts';
import { type Guard, interruptOnAbort } from './duckdb-abort.ts';
import { toDuckDbSql } from './duckdb-dialect.ts';
import { reported, type StatementParameters } from './duckdb-error.ts';
import { databricksTypeOf } from './duckdb-type.ts';
import { converterOf, type ValueConverter } from './duckdb-value.ts';
import { setKey } from './value.ts';
import { type Row, type TableColumn, WarehouseError } from './warehouse.ts';

/** A statement that runs on a connection of its own. */
export interface RunningStatement {
  columns(): TableColumn[];
  /** The next rows, or null after the last. */
  next(): Promise<DuckDBDataChunk | null>;
  /** The rows of a chunk from the one at `first` on. */
  rows(chunk: DuckDBDataChunk, first: number): Row[];
  /** Ends it wherever it is. */
  close(): Promise<void>;
}

/**
 * Starts a statement of the Databricks dialect that was checked to only read.
 * @throws WarehouseError STATEMENT_FAILED; AbortError after the signal.
 */
export async function startStatement(
  instance: DuckDBInstance,
  sql: string,
  parameterNames: readonly string[],
  parameters: StatementParameters,
  signal: AbortSignal,
): Promise<RunningStatement> {
  throwIfAborted(signal);
  const connection = await instance.connect();
  const guard = interruptOnAbort(connection, signal);
  try {
    const prepared = await guard(() => connection.prepare(toDuckDbSql(sql)));
    if (prepared.statementType !== StatementType.SELECT)
      throw new WarehouseError('STATEMENT_FAILED', 'Only a SELECT can run here.');
    bind(prepared, parameterNames, parameters);
    return running(connection, prepared, parameters, guard);
  } catch (error) {
    connection.closeSync();
    throw error;
  }
}

function running(
  connection: DuckDBConnection,
  prepared: DuckDBPreparedStatement,
  parameters: StatementParameters,
  guard: Guard,
): RunningStatement {
  let result: DuckDBResult | null = null;
  let names: readonly string[] = [];
  let converters: readonly ValueConverter[] = [];
  let ahead: Promise<DuckDBDataChunk | null> | null = null;
  let closed = false;

  async function fetchChunk(): Promise<DuckDBDataChunk | null> {
    if (closed) throw new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
    if (result === null) {
      result = await guard(() => prepared.stream());
      names = result.deduplicatedColumnNames();
      converters = result.columnTypes().map(converterOf);
    }
    const open = result;
    const chunk = await guard(() => open.fetchChunk());
    return chunk === null || chunk.rowCount === 0 ? null : chunk;
  }

  return {
    columns() {
      return Array.from({ length: prepared.columnCount }, (_, index) => ({
        name: prepared.columnName(index),
        type: databricksTypeOf(prepared.columnType(index)),
      }));
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
    rows(chunk, first) {
      return rowsOf(chunk, names, converters, first);
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
): Row[] {
  const rows: Record<string, JsonValue>[] = [];
  for (let index = first; index < chunk.rowCount; index += 1) rows.push({});
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
