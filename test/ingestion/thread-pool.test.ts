import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import type { PartitionTask } from '../../src/ingestion/partition-task.ts';
import { createThreadPool, type ThreadPool } from '../../src/ingestion/thread-pool.ts';
import { NO_COUNTS } from '../../src/items/level-counts.ts';
import { ANY_SCHEMA } from '../../src/sql-check/allowed-schemas.ts';
import { test } from '../support/on-server.ts';
import { writeQuery } from '../support/tables.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  await writeQuery(folder, 'sortie', `SELECT 'S-1' AS item_id`);
});

afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

function openPool(secrets: readonly string[] = []): ThreadPool {
  return createThreadPool(
    {
      connectionString: database.connectionString,
      preparesStatements: false,
      warehouse: { name: 'duckdb', settings: { folder }, allowedSchemas: ANY_SCHEMA },
      catalog: { name: 'folder', settings: { folder: join(folder, 'catalog') } },
      watermarkAheadMs: 0,
      threads: 2,
      plugins: [],
      secrets,
    },
    2,
  );
}

const table = { catalog: 'blade', schema: 'field', table: 'sortie' };
const source = { table, dataType: 'sortie', cursorColumn: null, watermark: null, lookback: 0 };

test('threads that are still opening can be closed at any moment, and the process lives on', async () => {
  const probe = openPool();
  const startedAt = performance.now();
  expect(await probe.describeTable(source)).toMatchObject({ ok: true, rowCount: 1 });
  const openMs = performance.now() - startedAt;
  await probe.close();
  for (const part of [0, 0.4, 0.6, 0.8, 0.9]) {
    const pool = openPool();
    // The moment is what is tested: some part of the time that opening takes.
    await setTimeout(part * openMs);
    await pool.close();
  }
});

const unplanned: PartitionTask = {
  ...{ jobId: crypto.randomUUID(), partitionId: crypto.randomUUID(), attempt: 1, dataType: 'sortie' },
  ...{ dataSourceId: null, sourceName: 'Sorties', totalItems: null, position: null, plan: null },
  ...{ read: NO_COUNTS, success: NO_COUNTS, errors: NO_COUNTS, duplicates: NO_COUNTS },
  ...{ sourceMetadata: {}, hashedMetadata: {}, query: null },
  ...{ batchSize: 10, maxErrors: null, maxAttempts: 1, earlierStatements: null },
  input: {
    ...{ kind: 'TABLE', table, dataType: 'sortie', syncType: 'FULL', filter: null, maxItems: null },
    ...{ cursorColumn: null, watermark: null, lookback: 0, partitionRows: 100 },
    ...{ watermarkVersion: null, copy: null, schema: null, choice: null, deletesGone: false },
  },
};

test('an attempt that has lost its lease when its plan is saved reads nothing', async () => {
  const pool = openPool();
  const plans: unknown[] = [];
  const outcome = await pool.runPartition(unplanned, {
    ...{ signal: new AbortController().signal, onProgress: () => {} },
    async savePlan(partitions) {
      plans.push(...partitions);
      return false;
    },
  });
  expect(outcome).toEqual({ status: 'LEASE_LOST' });
  expect(plans).toMatchObject([{ totalItems: 1, plan: { kind: 'STATEMENT', rowCount: 1 } }]);
  await pool.close();
});

test('an attempt whose plan cannot be saved fails with the reason, and its thread takes the next one', async () => {
  const pool = openPool();
  const run = pool.runPartition(unplanned, {
    ...{ signal: new AbortController().signal, onProgress: () => {} },
    savePlan: () => Promise.reject(new Error('the database is away')),
  });
  await expect(run).rejects.toThrow('the database is away');
  expect(await pool.describeTable(source)).toMatchObject({ ok: true, rowCount: 1 });
  await pool.close();
});

test('an attempt that is stopped while its plan is saved stops', async () => {
  const pool = openPool();
  const stop = new AbortController();
  const run = pool.runPartition(unplanned, {
    ...{ signal: stop.signal, onProgress: () => {} },
    async savePlan() {
      stop.abort();
      return true;
    },
  });
  expect(await run).toEqual({ status: 'STOPPED' });
  await pool.close();
});

test('threads that work on a statement without end are closed within seconds', async () => {
  const pool = openPool();
  await pool.describeTable(source);
  const statement = {
    sql: `SELECT a.id AS item_id FROM range(1000000) AS a(id) CROSS JOIN range(1000000) AS b(id)
      CROSS JOIN range(1000000) AS c(id) WHERE a.id * b.id + c.id = -1`,
    parameters: {},
  };
  const task: PartitionTask = {
    ...{ jobId: crypto.randomUUID(), partitionId: crypto.randomUUID(), attempt: 1, dataType: 'sortie' },
    ...{ dataSourceId: null, sourceName: 'Sorties', totalItems: null, position: null },
    ...{ read: NO_COUNTS, success: NO_COUNTS, errors: NO_COUNTS, duplicates: NO_COUNTS },
    ...{ sourceMetadata: {}, hashedMetadata: {}, query: null },
    ...{ batchSize: 10, maxErrors: null, maxAttempts: 1, earlierStatements: null },
    input: { kind: 'QUERY', ...statement },
    plan: {
      kind: 'STATEMENT',
      statement,
      watermark: null,
      rowCount: null,
      version: null,
      tableVersion: null,
      read: null,
      measure: null,
      deletes: null,
    },
  };
  const begun = Promise.withResolvers<void>();
  const run = pool.runPartition(task, {
    signal: new AbortController().signal,
    onProgress: () => begun.resolve(),
    savePlan: async () => false,
  });
  await begun.promise;
  const startedAt = performance.now();
  await pool.close();
  expect(performance.now() - startedAt).toBeLessThan(8_000);
  expect(await run).toEqual({ status: 'STOPPED' });
});

async function nicenessOfThreads(): Promise<{ isMain: boolean; nice: number }[]> {
  const threads = await readdir('/proc/self/task');
  return Promise.all(
    threads.map(async (thread) => {
      // One that has ended meanwhile has none.
      const status = await readFile(`/proc/self/task/${thread}/stat`, 'utf8').catch(() => '');
      return { isMain: Number(thread) === process.pid, nice: Number(status.split(') ')[1]?.split(' ')[16]) };
    }),
  );
}

test.runIf(platform() === 'linux')('threads leave the processor to those who ask the API', async () => {
  const pool = openPool();
  // Threads start with their first work.
  await Promise.all(Array.from({ length: pool.threads }, () => pool.describeTable(source)));
  await vi.waitFor(async () => {
    const niceness = await nicenessOfThreads();
    expect(niceness.filter(({ nice }) => nice > 0).length).toBeGreaterThanOrEqual(pool.threads);
    expect(niceness.find(({ isMain }) => isMain)).toMatchObject({ nice: 0 });
  });
  await pool.close();
});

test('what the warehouse says is told without a secret that it repeats', async () => {
  const pool = openPool(['sekret_table']);
  const missing = await pool.describeTable({ ...source, table: { ...table, table: 'sekret_table' } });
  expect(missing).toMatchObject({ ok: false, message: expect.stringContaining('[redacted]') });
  expect(JSON.stringify(missing)).not.toContain('sekret_table');
  await pool.close();
});
