import { createHash, randomUUID } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  StatementType,
  version,
} from '@duckdb/node-api';
import type { JsonValue } from '../json.ts';
import { toDuckDbSql } from './duckdb-dialect.ts';
import { failedStatement } from './duckdb-error.ts';
import { openTableFolder, type TableFile, type TableFolder } from './duckdb-folder.ts';
import { databricksTypeOf } from './duckdb-type.ts';
import { converterOf, type ValueConverter } from './duckdb-value.ts';
import { type CheckedQuery, checkQuery, maxStatementBytes, qualifiedName } from './statement.ts';
import { setKey } from './value.ts';
import {
  type ParameterValue,
  type ReadPosition,
  type Row,
  type RowBatch,
  type SelectStatement,
  type Warehouse,
  WarehouseError,
} from './warehouse.ts';

/** Where a folder warehouse is: `<folder>/<catalog>/<schema>/<table>.(parquet|csv|ndjson)`. */
export interface DuckDbOptions {
  readonly folder: string;
}

/**
 * Opens a folder of files as a warehouse. Nothing outside the folder can be read and nothing can be written; a file
 * that is new or has changed is seen by the next statement.
 * @throws WarehouseError UNAVAILABLE where there is no such folder.
 */
export async function openDuckDbWarehouse({ folder }: DuckDbOptions): Promise<Warehouse> {
  const root = await realpath(folder).catch(() => {
    throw new WarehouseError('UNAVAILABLE', 'The folder of the warehouse does not exist or cannot be read.');
  });
  // Big sorts and joins go to disk, in a folder of this instance alone.
  const overflow = join(tmpdir(), `blade-warehouse-${randomUUID()}`);
  const instance = await lockedInstance(root, overflow);
  const admin = await instance.connect();
  const tables = openTableFolder(admin, root);
  const running = new Set<Running>();
  let closed = false;

  async function start(checked: CheckedQuery, sql: string, parameters: Parameters, signal: AbortSignal) {
    if (closed) throw new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
    const run = await startStatement(instance, sql, checked, parameters, signal);
    running.add(run);
    return run;
  }

  async function finish(run: Running): Promise<void> {
    running.delete(run);
    await run.close();
  }

  return {
    async describeTable(table, signal) {
      const sql = `SELECT * FROM ${qualifiedName(table)}`;
      return await reported({}, async () => {
        const checked = checkedStatement(sql);
        await preparedTables(tables, checked, signal);
        const run = await start(checked, checked.sql, {}, signal);
        try {
          return run.columns();
        } finally {
          await finish(run);
        }
      });
    },

    async countRows({ sql, parameters }, signal) {
      return await reported(parameters, async () => {
        const checked = checkedStatement(sql);
        await preparedTables(tables, checked, signal);
        const run = await start(
          checked,
          `SELECT COUNT(*) AS total FROM (${checked.sql})`,
          parameters,
          signal,
        );
        try {
          const chunk = await run.next();
          return Number(chunk?.getColumnVector(0).getItem(0) ?? 0);
        } finally {
          await finish(run);
        }
      });
    },

    async readRows(statement, options) {
      const { parameters } = statement;
      return await reported(parameters, async () => {
        const checked = checkedStatement(statement.sql);
        const files = await preparedTables(tables, checked, options.signal);
        const fingerprint = checked.repeatable ? fingerprintOf(statement, files) : null;
        const covered = coveredRows(options.resumeAfter, fingerprint);
        const batches = readBatches({
          start: () => reported(parameters, () => start(checked, checked.sql, parameters, options.signal)),
          finish,
          positionAt: (rows) => (fingerprint === null ? null : { rows, fingerprint }),
          covered: covered ?? 0,
          batchSize: options.batchSize,
          signal: options.signal,
        });
        return { resumed: options.resumeAfter === null || covered !== null, batches };
      });
    },

    async close() {
      closed = true;
      await Promise.all([...running].map(finish));
      admin.closeSync();
      instance.closeSync();
      await rm(overflow, { recursive: true, force: true });
    },
  };
}

type Parameters = Readonly<Record<string, ParameterValue>>;

/** A private instance of DuckDB that can read the folder, write its overflow, and do nothing else. */
async function lockedInstance(root: string, overflow: string): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    // One thread gives the rows of a statement in the same order each time, which resuming relies on.
    threads: '1',
    memory_limit: '512MB',
    temp_directory: overflow,
    max_temp_directory_size: '8GB',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
    // It would keep content of files that have changed since.
    enable_external_file_cache: 'false',
  });
  const connection = await instance.connect();
  await connection.run("SET GLOBAL TimeZone = 'UTC'");
  await connection.run(`SET allowed_directories = ['${join(root, '/').replaceAll("'", "''")}']`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  connection.closeSync();
  return instance;
}

function checkedStatement(sql: string): CheckedQuery {
  // Statements that the product makes around what people wrote are a little longer.
  const checked = checkQuery(sql, 3 * maxStatementBytes);
  if (!checked.ok) throw new WarehouseError('STATEMENT_FAILED', checked.message);
  return checked;
}

async function preparedTables(
  tables: TableFolder,
  checked: CheckedQuery,
  signal: AbortSignal,
): Promise<readonly TableFile[]> {
  throwIfAborted(signal);
  const files = await tables.prepare(checked.tables);
  throwIfAborted(signal);
  return files;
}

/** Runs something of the warehouse and turns its errors into those that people may read. */
async function reported<Result>(parameters: Parameters, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AbortError) throw error;
    throw failedStatement(error, parameters);
  }
}

/** What the order and the content of the rows depend on. */
function fingerprintOf(statement: SelectStatement, files: readonly TableFile[]): string {
  const parameters = Object.entries(statement.parameters).sort(([left], [right]) => (left < right ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([version(), statement.sql, parameters, files]))
    .digest('base64url');
}

/** How many rows the position covers, or null where it is of other data or of another statement. */
function coveredRows(position: ReadPosition, fingerprint: string | null): number | null {
  if (typeof position !== 'object' || position === null || fingerprint === null) return null;
  if (!('rows' in position) || !('fingerprint' in position)) return null;
  if (position.fingerprint !== fingerprint) return null;
  return typeof position.rows === 'number' && position.rows >= 0 ? position.rows : null;
}

interface BatchReading {
  readonly start: () => Promise<Running>;
  readonly finish: (run: Running) => Promise<void>;
  readonly positionAt: (rows: number) => ReadPosition;
  /** Rows that an earlier read has kept. */
  readonly covered: number;
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

async function* readBatches(reading: BatchReading): AsyncGenerator<RowBatch, void, undefined> {
  const { start, finish, positionAt, covered, batchSize, signal } = reading;
  const run = await start();
  try {
    let position = 0;
    let rows: Row[] = [];
    for (let chunk = await run.next(); chunk !== null; chunk = await run.next()) {
      // Rows before the position are read and left: the same statement gives the same order, one with an OFFSET may not.
      const first = Math.min(Math.max(covered - position, 0), chunk.rowCount);
      let row = position + first;
      position += chunk.rowCount;
      for (const converted of run.rows(chunk, first)) {
        row += 1;
        rows.push(converted);
        if (rows.length < batchSize) continue;
        throwIfAborted(signal);
        yield { rows, position: positionAt(row) };
        rows = [];
      }
    }
    throwIfAborted(signal);
    if (rows.length > 0) yield { rows, position: positionAt(position) };
  } finally {
    await finish(run);
  }
}

/** A statement that runs on a connection of its own. */
interface Running {
  columns(): { name: string; type: string }[];
  /** The next rows, or null after the last. */
  next(): Promise<DuckDBDataChunk | null>;
  /** The rows of a chunk from the one at `first` on. */
  rows(chunk: DuckDBDataChunk, first: number): Row[];
  /** Ends it wherever it is. */
  close(): Promise<void>;
}

async function startStatement(
  instance: DuckDBInstance,
  sql: string,
  checked: CheckedQuery,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<Running> {
  throwIfAborted(signal);
  const connection = await instance.connect();
  const guard = interruptOnAbort(connection, signal);
  try {
    const prepared = await guard(() => connection.prepare(toDuckDbSql(sql)));
    if (prepared.statementType !== StatementType.SELECT)
      throw new WarehouseError('STATEMENT_FAILED', 'Only a SELECT can run here.');
    bind(prepared, checked, parameters);
    return running(connection, prepared, parameters, guard);
  } catch (error) {
    connection.closeSync();
    throw error;
  }
}

type Guard = <Result>(work: () => Promise<Result>) => Promise<Result>;

function running(
  connection: DuckDBConnection,
  prepared: DuckDBPreparedStatement,
  parameters: Parameters,
  guard: Guard,
): Running {
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

function bind(prepared: DuckDBPreparedStatement, checked: CheckedQuery, parameters: Parameters): void {
  for (const name of checked.parameterNames) {
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

/** Makes work on a connection end soon after the signal, wherever in the statement it is. */
function interruptOnAbort(connection: DuckDBConnection, signal: AbortSignal): Guard {
  return async (work) => {
    throwIfAborted(signal);
    let again: NodeJS.Timeout | undefined;
    const interrupt = () => {
      connection.interrupt();
      // An interrupt that comes before the engine has taken up the work is lost.
      again = setInterval(() => connection.interrupt(), 20);
    };
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      const result = await work();
      // A stream that was interrupted between two chunks ends as if it were complete.
      throwIfAborted(signal);
      return result;
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    } finally {
      signal.removeEventListener('abort', interrupt);
      clearInterval(again);
    }
  };
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new AbortError(signal.reason);
}

class AbortError extends Error {
  override readonly name = 'AbortError';

  constructor(reason: unknown) {
    super('The statement was aborted.', { cause: reason });
  }
}
