import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  type DuckDBResult,
  type DuckDBValue,
} from '@duckdb/node-api';
import { type Guard, interruptOnAbort } from '../../../src/warehouse/duckdb/abort.ts';
import { createCalledMacros } from '../../../src/warehouse/duckdb/dialect/macros.ts';
import type { TableTypes } from '../../../src/warehouse/duckdb/dialect/scope.ts';
import { toDuckDbSql } from '../../../src/warehouse/duckdb/dialect.ts';
import { addEndRow } from '../../../src/warehouse/duckdb/end-row.ts';
import { quoteName } from '../../../src/warehouse/duckdb/text.ts';
import { formatDatabricksType } from '../../../src/warehouse/duckdb/type.ts';
import { batchBytes, fileBytes, type ResultColumn, schemaBytes } from './arrow-form.ts';
import { toColumn, toTypeId } from './column-form.ts';
import type { ResultPage, ResultSchema } from './result.ts';

/** A parameter as it comes over the wire. */
export interface BoundParameter {
  readonly name?: string;
  readonly type?: string;
  readonly value?: { readonly stringValue?: string };
}

/** The engine behind the test's warehouse, asked in the dialect of Databricks. */
export interface Engine {
  /** Runs statements of the engine, to make tables in the catalog `blade`. */
  run(sql: string): Promise<void>;
  execute(sql: string, parameters: readonly BoundParameter[]): Execution;
  /** Ends the statements that still run: each would keep a thread of the process for good. */
  close(): Promise<void>;
}

/** A statement that runs. */
export interface Execution {
  /** Resolves when its first rows are there; rejects with a DatabricksFault. */
  readonly ready: Promise<ResultSchema>;
  /** Up to about that many of the next rows; null after the last. */
  next(rows: number): Promise<ResultPage | null>;
  /** Ends it and resolves when it has ended. */
  cancel(): Promise<void>;
}

/** An error as Databricks words it. */
export class DatabricksFault extends Error {
  readonly sqlState: string;

  constructor(message: string, sqlState: string) {
    super(message);
    this.sqlState = sqlState;
  }
}

/** DuckDB as the engine. */
export async function openEngine(): Promise<Engine> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const admin = await instance.connect();
  await admin.run("ATTACH ':memory:' AS blade");
  await admin.run('CREATE SCHEMA blade.field');
  await admin.run("SET GLOBAL TimeZone = 'UTC'");
  const executions: Execution[] = [];
  return {
    async run(sql) {
      await admin.run(sql);
    },
    execute(sql, parameters) {
      // Its translation reads statements as they were composed, without the comment that names the job.
      const execution = execute(instance, sql.replace(/\n\/\* .* \*\/$/, ''), parameters);
      executions.push(execution);
      return execution;
    },
    async close() {
      await Promise.all(executions.map((execution) => execution.cancel()));
      admin.closeSync();
      instance.closeSync();
    },
  };
}

function execute(instance: DuckDBInstance, sql: string, parameters: readonly BoundParameter[]): Execution {
  const cancelled = new AbortController();
  let guard: Guard = (work) => work();
  let end = () => {};
  let result: DuckDBResult | null = null;
  let rest: DuckDBValue[][] | null = null;
  let hasEnded = false;
  let fault: DatabricksFault | null = null;
  let findCause: () => Promise<unknown> = async () => {};

  async function start(): Promise<readonly ResultColumn[]> {
    const connection = await instance.connect();
    guard = interruptOnAbort(connection, cancelled.signal);
    end = () => connection.closeSync();
    return await guard(() => open(connection));
  }

  async function open(connection: DuckDBConnection): Promise<readonly ResultColumn[]> {
    const select = await toSelect(connection, sql, parameters);
    await createCalledMacros(instance, connection, select);
    const prepare = async (statement: string) => {
      const prepared = await connection.prepare(statement);
      if (parameters.length > 0) bind(prepared, parameters);
      return prepared;
    };
    const described = await (await prepare(`DESCRIBE (${select}\n)`)).runAndReadAll();
    const names = described.getColumnsObjectJson().column_name ?? [];
    // Types that depend on a parameter are known once it is bound.
    const types = (await (await prepare(`SELECT * FROM (${select}\n) LIMIT 0`)).stream()).columnTypes();
    const columns = types.map((type, index) => ({ name: String(names[index]), type }));
    const marked = addEndRow(
      select,
      columns.map((_column, index) => `c${index}`),
      { hash: null, bytes: null },
    );
    result = await (await prepare(marked.sql)).stream();
    findCause = async () => (await prepare(marked.causeSql)).run();
    // The first rows are there when a statement is finished.
    rest = await nextChunk();
    return columns;
  }

  async function nextChunk(): Promise<DuckDBValue[][] | null> {
    if (hasEnded) return null;
    const chunk = await result?.fetchChunk();
    if (!chunk || chunk.rowCount === 0) {
      await findCause();
      throw new Error('the statement broke off');
    }
    const marks = chunk.getColumnValues(chunk.columnCount - 1);
    hasEnded = marks.at(-1) === true;
    if (hasEnded) end();
    if (hasEnded && marks.length === 1) return null;
    const columns = chunk.getColumns().slice(0, -1);
    return hasEnded ? columns.map((column) => column.slice(0, -1)) : columns;
  }

  /** An error behind rows is an answer of its own, after these. */
  function keepFault(error: unknown): DuckDBValue[][] {
    fault = toFault(error instanceof Error ? error.message : String(error));
    return [];
  }

  let columns: readonly ResultColumn[] = [];
  const ready = start()
    .then((found) => {
      columns = found;
      return {
        columns: found.map(({ name, type }) => ({ name, typeId: toTypeId(type) })),
        arrowSchema: schemaBytes(found),
      };
    })
    .catch((error: unknown) => {
      throw toFault(error instanceof Error ? error.message : String(error));
    });
  let work: Promise<unknown> = ready;
  ready.catch(() => {});
  return {
    ready,
    async next(rows) {
      await ready;
      if (rest === null) return null;
      if (fault !== null) throw fault;
      const page: DuckDBValue[][] = rest.map(() => []);
      let length = 0;
      while (rest !== null && length < rows) {
        const chunk: DuckDBValue[][] = rest;
        const missing = rows - length;
        page.forEach((column, index) => {
          for (const value of (chunk[index] ?? []).slice(0, missing)) column.push(value);
        });
        length = page[0]?.length ?? 0;
        const isLonger = (chunk[0]?.length ?? 0) > missing;
        if (isLonger) {
          rest = chunk.map((column) => column.slice(missing));
          continue;
        }
        const following = guard(nextChunk).catch(keepFault);
        work = following;
        rest = await following;
        if (fault !== null) break;
      }
      return toPage(columns, page);
    },
    async cancel() {
      cancelled.abort();
      await work.catch(() => {});
    },
  };
}

function toPage(columns: readonly ResultColumn[], values: DuckDBValue[][]): ResultPage {
  return {
    rowCount: values[0]?.length ?? 0,
    toBatch: () => batchBytes(columns, values),
    toFile: () => fileBytes(columns, values),
    toColumns: () => columns.map(({ type }, index) => toColumn(type, values[index] ?? [])),
  };
}

/** The query of DuckDB that gives what a statement gives on Databricks. */
async function toSelect(
  connection: DuckDBConnection,
  sql: string,
  bound: readonly BoundParameter[],
): Promise<string> {
  const types = { parameters: toValues(bound), tables: await describeTables(connection) };
  const [, kind, subject = ''] = /^DESCRIBE (QUERY|DETAIL|HISTORY) (.*?)(?: LIMIT \d+)?$/s.exec(sql) ?? [];
  switch (kind) {
    case 'QUERY':
      return describedRows(await connection.prepare(toDuckDbSql(subject, types)));
    case 'DETAIL':
      // It fails where there is no such table.
      await connection.prepare(toDuckDbSql(`SELECT * FROM ${subject}`));
      return `SELECT NULL::VARCHAR AS id, 'parquet' AS format`;
    case 'HISTORY':
      await connection.prepare(toDuckDbSql(`SELECT * FROM ${subject}`));
      throw new DatabricksFault(
        `[DELTA_TABLE_ONLY_OPERATION] ${subject} is not a Delta table. DESCRIBE HISTORY is only supported for Delta tables. SQLSTATE: 0AKDD`,
        '0AKDD',
      );
    default:
      return toDuckDbSql(sql, types);
  }
}

/** Rows as DESCRIBE QUERY gives them. */
function describedRows(prepared: DuckDBPreparedStatement): string {
  const lines = Array.from({ length: prepared.columnCount }, (_, index) => [
    prepared.columnName(index),
    formatDatabricksType(prepared.columnType(index)).toLowerCase(),
  ]);
  const quoted = (text: string | undefined) => `'${(text ?? '').replaceAll("'", "''")}'`;
  const values = lines.map(([name, type]) => `(${quoted(name)}, ${quoted(type)}, NULL::VARCHAR)`);
  return `SELECT * FROM (VALUES ${values.join(', ')}) described(col_name, data_type, comment)`;
}

/** Describes the columns of all tables: a statement is translated by their types. */
async function describeTables(connection: DuckDBConnection): Promise<TableTypes> {
  const names = await connection.runAndReadAll(
    'SELECT database_name, schema_name, table_name FROM duckdb_tables()',
  );
  const tables = new Map<string, ReadonlyMap<string, string>>();
  for (const name of names.getRowsJson().map((row) => row.map(String))) {
    const prepared = await connection.prepare(`SELECT * FROM ${name.map(quoteName).join('.')}`);
    const columns = Array.from(
      { length: prepared.columnCount },
      (_none, index) =>
        [prepared.columnName(index), formatDatabricksType(prepared.columnType(index))] as const,
    );
    tables.set(name.join('.').toLowerCase(), new Map(columns));
  }
  return tables;
}

/** The values of parameters, by whose types a statement is translated. */
function toValues(parameters: readonly BoundParameter[]): Record<string, string | number | boolean | null> {
  return Object.fromEntries(
    parameters.map(({ name, type, value }) => {
      const text = value?.stringValue ?? null;
      if (text === null || type === 'STRING') return [name ?? '', text];
      return [name ?? '', type === 'BOOLEAN' ? text === 'TRUE' : Number(text)];
    }),
  );
}

function bind(prepared: DuckDBPreparedStatement, parameters: readonly BoundParameter[]): void {
  for (const { name, type, value } of parameters) {
    const index = prepared.parameterIndex(name ?? '');
    const text = value?.stringValue;
    if (text === undefined) prepared.bindNull(index);
    else if (type === 'INTEGER' || type === 'BIGINT') prepared.bindBigInt(index, BigInt(text));
    else if (type === 'DOUBLE') prepared.bindDouble(index, Number(text));
    else if (type === 'BOOLEAN') prepared.bindBoolean(index, text === 'TRUE');
    else if (type === 'STRING') prepared.bindVarchar(index, text);
    else throw new Error(`a parameter of type ${type}`);
  }
}

function toFault(message: string): DatabricksFault {
  const missing = /Table with name (\S+) does not exist|(?:Catalog|Schema) "?(\S+?)"? does not exist/.exec(
    message,
  );
  if (missing)
    return new DatabricksFault(
      `[TABLE_OR_VIEW_NOT_FOUND] The table or view \`${missing[1] ?? missing[2]}\` cannot be found. Verify the spelling and correctness of the schema and catalog. SQLSTATE: 42P01; line 1 pos 14;\n'Project [*]\n+- 'UnresolvedRelation [secret_plan], [], false\n`,
      '42P01',
    );
  const malformed = /Could not convert string '(.*?)' to (\w+)/.exec(message);
  if (malformed)
    return new DatabricksFault(
      `org.apache.hive.service.cli.HiveSQLException: Error running query: [CAST_INVALID_INPUT] org.apache.spark.SparkNumberFormatException: [CAST_INVALID_INPUT] The value '${malformed[1]}' of the type "STRING" cannot be cast to "${malformed[2]}" because it is malformed. SQLSTATE: 22018\n\tat org.apache.spark.sql.errors.QueryExecutionErrors$.invalidInput(QueryExecutionErrors.scala:139)`,
      '22018',
    );
  return new DatabricksFault(`[INTERNAL] ${message.split('\n')[0]} SQLSTATE: XX000`, 'XX000');
}
