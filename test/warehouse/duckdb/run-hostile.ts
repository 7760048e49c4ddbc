import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { ANY_SCHEMA } from '../../../src/sql-check/allowed-schemas.ts';
import { parseStatement } from '../../../src/sql-check/parse-statement.ts';
import { toDuckDbSql } from '../../../src/warehouse/duckdb/dialect.ts';
import type { EngineStatement } from '../../../src/warehouse/duckdb/engine.ts';
import { type EngineClient, startEngine } from '../../../src/warehouse/duckdb/engine-client.ts';
import type { PreparedRead } from '../../../src/warehouse/duckdb/engine-messages.ts';
import { reported } from '../../../src/warehouse/duckdb/error.ts';
import { WarehouseError } from '../../../src/warehouse/warehouse.ts';
import { never } from '../reading.ts';
import { findEngines } from './find-engines.ts';

/** Starts statements that may crash their engine, and finds what is wrong with what happened. */
export interface HostileRun {
  /** How many statements gave rows. */
  readonly values: number;
  readonly problems: readonly string[];
}

export interface HostileRunOptions {
  readonly folder: string;
  readonly table: string;
  /** Whether the statements are in DuckDB's dialect, and skip the check and the translation. */
  readonly areForEngine: boolean;
}

const MEMORY_MEGABYTES = 1_000;

/** An engine is ended at a quarter more than its memory, and may grow until that was seen. */
const MOST_MEGABYTES = 2_000;

const TIMEOUT_MS = 2_000;

/** Several times the three seconds after which an engine is killed, for a busy machine. */
const MOST_MILLISECONDS = 30_000;

/** More would only make a failing test take longer. */
const ENOUGH_PROBLEMS = 5;

/** Runs each statement in an engine, which is replaced when it has ended. */
export async function runHostile(
  statements: readonly string[],
  { folder, table, areForEngine }: HostileRunOptions,
): Promise<HostileRun> {
  const problems: string[] = [];
  let values = 0;
  let engine: EngineClient | null = null;
  const stop = new AbortController();
  const largest = watchMemory(stop.signal);
  for (const sql of statements) {
    if (problems.length === ENOUGH_PROBLEMS) break;
    if (engine === null || engine.isRetired) engine = start(folder);
    const begin = performance.now();
    try {
      await readAll(engine, areForEngine ? toStatement(sql, table) : await translate(sql));
      values += 1;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const isReadable = error instanceof WarehouseError && error.code === 'STATEMENT_FAILED';
      if (!isReadable || message.length < 10 || /INTERNAL|unreachable|\[object|call stack|0x/.test(message))
        problems.push(`${sql} answers ${message}`);
    }
    const milliseconds = performance.now() - begin;
    if (milliseconds > MOST_MILLISECONDS) problems.push(`${sql} takes ${Math.round(milliseconds)} ms`);
  }
  await engine?.close();
  stop.abort();
  const megabytes = await largest;
  if (megabytes > MOST_MEGABYTES) problems.push(`an engine took ${Math.round(megabytes)} MB`);
  return { problems, values };
}

function start(folder: string): EngineClient {
  return startEngine({
    folder,
    overflow: join(tmpdir(), `blade-warehouse-${randomUUID()}`),
    timeoutMs: TIMEOUT_MS,
    memoryBytes: MEMORY_MEGABYTES * 1e6,
    diskBytes: 8e9,
  });
}

/** @returns the most megabytes that an engine of this process was seen with until the signal. */
async function watchMemory(signal: AbortSignal): Promise<number> {
  let most = 0;
  try {
    for await (const _tick of setInterval(100, null, { signal }))
      most = Math.max(most, ...findEngines().map(({ megabytes }) => megabytes));
  } catch {
    // The signal ends it.
  }
  return most;
}

async function translate(sql: string): Promise<EngineStatement> {
  const { tables, isRepeatable, withUnreadable, parts, ...checked } = parseStatement(
    { sql, parameters: {} },
    ANY_SCHEMA,
  );
  const translated = await reported({ parameters: {}, files: [] }, async () => toDuckDbSql(checked.sql));
  return {
    sql: translated,
    parameters: {},
    tables,
    isWholeTable: false,
    isRepeatable,
    withUnreadable,
    parts,
  };
}

function toStatement(sql: string, table: string): EngineStatement {
  const name = { catalog: 'blade', schema: 'field', table };
  return {
    ...{ sql, parameters: {}, tables: [name], isWholeTable: false },
    ...{ isRepeatable: true, withUnreadable: false, parts: null },
  };
}

async function readAll(engine: EngineClient, statement: EngineStatement): Promise<void> {
  const options = { batchSize: 1_000, resumeAfter: null, withFingerprints: true, version: null };
  const { versions } = await engine.ask<PreparedRead>({ method: 'prepareRead', statement, options }, never);
  const reading = engine.read({ statement, options, versions }, never, undefined);
  for (let batch = await reading.next(); batch !== null; batch = await reading.next()) batch.values?.();
}
