// node hostile-child.ts FOLDER TIMEOUT_MS: runs each statement that it receives in the folder warehouse, or in the engine itself where
// the statement asks for that, and replies with what happened.

import { ANY_SCHEMA } from '../../../src/sql-check/allowed-schemas.ts';
import { parseStatement } from '../../../src/sql-check/checked-statement.ts';
import { openTableFolder } from '../../../src/warehouse/duckdb/folder.ts';
import { openLockedInstance } from '../../../src/warehouse/duckdb/instance.ts';
import { boundSelect, prepareSelect } from '../../../src/warehouse/duckdb/select.ts';
import { openDuckDbWarehouse } from '../../../src/warehouse/duckdb/warehouse.ts';
import { WarehouseError } from '../../../src/warehouse/warehouse.ts';

export interface StatementToTry {
  readonly sql: string;
  /** Whether it is in DuckDB's dialect and skips the check and the translation. */
  readonly isForEngine: boolean;
}

export interface Tried {
  /** What is wrong with the answer; null if it is a value or a readable error. */
  readonly problem: string | null;
  /** Whether it is a value. */
  readonly isValue: boolean;
  readonly message: string;
  readonly milliseconds: number;
  readonly residentMegabytes: number;
}

const [folder = '', timeout = ''] = process.argv.slice(2);
const STATEMENT_TIMEOUT_MS = Number(timeout);
const warehouse = await openDuckDbWarehouse({ folder, statementTimeoutMs: STATEMENT_TIMEOUT_MS });
const overflow = `${folder}-overflow`;
const instance = await openLockedInstance({ folder, overflow });
const table = { catalog: 'blade', schema: 'field', table: 'odd' };
const [file] = await openTableFolder(instance, folder, overflow).prepare(
  [table],
  new AbortController().signal,
);
const tables = new Map(file === undefined ? [] : [['blade.field.odd', file.size] as const]);

async function runInWarehouse(sql: string): Promise<void> {
  const { batches } = await warehouse.readRows(parseStatement({ sql, parameters: {} }, ANY_SCHEMA), {
    batchSize: 1_000,
    resumeAfter: null,
    signal: new AbortController().signal,
    withFingerprints: true,
  });
  for await (const { rows } of batches) rows.length;
}

async function runInEngine(sql: string): Promise<void> {
  const connection = await instance.connect();
  const timer = setTimeout(() => {
    setInterval(() => connection.interrupt(), 20).unref();
  }, STATEMENT_TIMEOUT_MS);
  try {
    const bound = await boundSelect(connection, sql, { parameters: {}, number: 0, tables });
    const prepared = await prepareSelect(connection, bound.sql, [table]);
    await prepared.run();
  } finally {
    clearTimeout(timer);
    connection.closeSync();
  }
}

async function tryStatement({ sql, isForEngine }: StatementToTry): Promise<Tried> {
  const start = performance.now();
  let problem: string | null = null;
  let message = '';
  try {
    await (isForEngine ? runInEngine(sql) : runInWarehouse(sql));
  } catch (error) {
    message = error instanceof Error ? error.message : String(error);
    const isReadable = isForEngine || (error instanceof WarehouseError && error.code === 'STATEMENT_FAILED');
    if (!isReadable || message.length < 10 || /INTERNAL|unreachable|\[object|call stack/.test(message))
      problem = `answers ${error instanceof Error ? error.name : 'something'}: ${message}`;
  }
  return {
    ...{ problem, message, isValue: message === '', milliseconds: performance.now() - start },
    residentMegabytes: process.resourceUsage().maxRSS / 1_024,
  };
}

process.on('message', async (statement: StatementToTry) => process.send?.(await tryStatement(statement)));
