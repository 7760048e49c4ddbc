import { expect, inject } from 'vitest';
import { parseRemote, type SparkRemote } from '../../src/warehouse/spark-connect/connection-string.ts';
import { openSparkWarehouse } from '../../src/warehouse/spark-connect/warehouse.ts';
import { startProxy } from '../support/cut-off.ts';
import { test as base } from '../support/on-spark.ts';
import { JobById, JobProgress } from '../support/operations.ts';
import { openSparkEngine } from '../support/spark/connect.ts';
import { startConnectProxy } from '../support/spark/connect-proxy.ts';
import { launchSpark } from '../support/spark/launch.ts';
import { selectSorties } from '../support/spark/sorties.ts';
import { addSource, storedItems, uuid } from '../support/tables.ts';
import { startTestApplication } from '../support/test-application.ts';
import { fieldTable, never, statement } from '../warehouse/reading.ts';

const ROWS = 300_000;

const SOME = '(SELECT id FROM blade.field.many WHERE id < 500)';

/** A statement that takes minutes. Spark ends one only between two batches of its first table, which take a second here. */
const ENDLESS = `SELECT SUM(a.id * b.id + c.id) AS total FROM blade.field.many a CROSS JOIN ${SOME} b CROSS JOIN ${SOME} c`;

/** `connection` leads to Spark, and can be cut; `proxy` behind it notes what comes through. */
const test = base
  .extend('proxy', ({ open }) => open(startConnectProxy(inject('spark'))))
  .extend('connection', ({ open, proxy }) => open(startProxy(`http://127.0.0.1:${proxy.remote.port}`)))
  .extend('remote', ({ connection }) => toRemote(Number(new URL(connection.url).port)))
  .extend('many', { scope: 'file' }, async ({}, { onCleanup }) => {
    const engine = openSparkEngine(inject('spark'));
    onCleanup(() => engine.close());
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run(
      `CREATE OR REPLACE TABLE blade.field.many USING DELTA AS SELECT id, concat(repeat('x', 100), id) AS name FROM range(0, ${ROWS}, 1, 8)`,
    );
    return { all: statement('SELECT * FROM blade.field.many'), endless: ENDLESS };
  });

function toRemote(port: number): SparkRemote {
  const parsed = parseRemote(`sc://127.0.0.1:${port}`);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.remote;
}

const countCalls = (calls: readonly string[], name: string) => calls.filter((call) => call === name).length;

test('a read whose connection breaks again and again continues after the last batch, without another statement', {
  timeout: 300_000,
}, async ({ many, open, proxy, connection, remote }) => {
  const warehouse = await open(openSparkWarehouse({ remote, retryDelayMs: 20 }));
  const options = { batchSize: 20_000, resumeAfter: null, signal: never };
  const { batches } = await warehouse.readRows(many.all, options);
  const ids = new Set<unknown>();
  let rows = 0;
  let cuts = 0;
  for await (const batch of batches) {
    for (const { id } of batch.rows) ids.add(id);
    rows += batch.size;
    if (rows < (cuts + 1) * (ROWS / 6)) continue;
    connection.cut();
    cuts += 1;
  }
  expect([rows, ids.size]).toEqual([ROWS, ROWS]);
  expect(cuts).toBeGreaterThan(3);
  expect(countCalls(proxy.calls, 'ExecutePlan')).toBe(1);
  expect(countCalls(proxy.calls, 'ReattachExecute')).toBeGreaterThan(1);
});

test('Spark need not keep what was read: each batch is released, and the statement at its end', {
  timeout: 300_000,
}, async ({ many, open, proxy }) => {
  const warehouse = await open(openSparkWarehouse({ remote: proxy.remote }));
  const { batches } = await warehouse.readRows(many.all, {
    batchSize: 20_000,
    resumeAfter: null,
    signal: never,
  });
  await Array.fromAsync(batches);
  expect(countCalls(proxy.calls, 'ReleaseExecute')).toBeGreaterThan(5);
  expect(proxy.calls.slice(proxy.calls.indexOf('ExecutePlan'))).not.toContain('ReattachExecute');
});

test('a connection that breaks before the first answer costs nothing but a moment', {
  timeout: 300_000,
}, async ({ many, open, proxy, connection, remote }) => {
  const warehouse = await open(openSparkWarehouse({ remote, retryDelayMs: 20 }));
  await warehouse.findVersion([fieldTable('many')], never);
  connection.cut();
  expect(await warehouse.countRows(many.all, never)).toBe(ROWS);
  const counting = warehouse.countRows(
    statement('SELECT name FROM blade.field.many ORDER BY MD5(name)'),
    never,
  );
  await expect.poll(() => proxy.statements.at(-1)?.sql).toMatch(/ORDER BY/);
  connection.cut();
  expect(await counting).toBe(ROWS);
});

test('a statement that takes longer than it may is ended in Spark, and says which setting that is', {
  timeout: 300_000,
}, async ({ many, open, proxy }) => {
  const warehouse = await open(openSparkWarehouse({ remote: proxy.remote, statementTimeoutMs: 3_000 }));
  await expect(warehouse.countRows(statement(many.endless), never)).rejects.toMatchObject({
    code: 'STATEMENT_FAILED',
    message: expect.stringMatching(/took longer than the 3 seconds .*BLADE_STATEMENT_TIMEOUT_SECONDS/),
  });
  expect(proxy.interrupted).toHaveLength(1);
});

test('a job shows how far Spark is; cancelled, it ends its statement there, whose tag names the job', {
  timeout: 300_000,
}, async ({ many, open, proxy }) => {
  const { client, url } = await open(
    startTestApplication({ SPARK_REMOTE: `sc://127.0.0.1:${proxy.remote.port}/;user_id=tester` }),
  );
  expect(await (await fetch(new URL('/health/ready', url))).json()).toMatchObject({
    parts: { warehouse: { ok: true } },
  });
  const { id } = await client.startQueryJob({ dataType: 'sortie', sqlQuery: many.endless });
  await expect
    .poll(() => proxy.statements.map(({ tag }) => tag), { timeout: 60_000 })
    .toEqual([expect.stringContaining(`BLADE job ${uuid(id)}`)]);
  for await (const { jobProgress } of client.watch(JobProgress, { id })) {
    if (/^Executing query \(Spark: \d+ of \d+ tasks\)$/.test(jobProgress.progress.currentOperation)) break;
  }
  await expect
    .poll(async () => (await client.send(JobById, { id })).job?.partitions.nodes[0]?.currentOperation)
    .toMatch(/^Executing query \(Spark: \d+ of \d+ tasks\)$/);
  await client.cancelJob(id);
  expect(await client.waitForEnd(id)).toMatchObject({ state: 'CANCELLED' });
  expect(proxy.interrupted).toHaveLength(1);
});

test('a session that Spark has ended is opened again, with its settings', {
  timeout: 300_000,
}, async ({ many, open, proxy }) => {
  const warehouse = await open(openSparkWarehouse({ remote: proxy.remote, retryDelayMs: 20 }));
  const midnight = statement(`SELECT CAST(TIMESTAMP '2026-01-01T00:00:00Z' AS STRING) AS text`);
  const read = async () => {
    const { batches } = await warehouse.readRows(midnight, {
      batchSize: 1,
      resumeAfter: null,
      signal: never,
    });
    return (await Array.fromAsync(batches)).flatMap(({ rows }) => [...rows]);
  };
  expect(await read()).toEqual([{ text: '2026-01-01 00:00:00' }]);
  await proxy.endSessions();
  expect(await read()).toEqual([{ text: '2026-01-01 00:00:00' }]);
  expect(await warehouse.countRows(many.all, never)).toBe(ROWS);
  expect(countCalls(proxy.calls, 'Config')).toBe(2);
});

test('a wrong address and a Spark that is not there are said so', async ({ open }) => {
  const warehouse = await open(openSparkWarehouse({ remote: toRemote(1), retryDelayMs: 1 }));
  await expect(warehouse.countRows(statement('SELECT 1'), never)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'Spark cannot be reached (ECONNREFUSED).',
  });
});

test('a sync whose Spark is killed and started again reads the partition again, and stores each row once', {
  timeout: 300_000,
}, async ({ open, folder }) => {
  let spark = await launchSpark(folder);
  await open({ close: () => spark.kill() });
  let isAway = false;
  const rows = 60_000;
  async function createTable(select = ''): Promise<void> {
    const engine = openSparkEngine({ ...inject('spark'), address: `127.0.0.1:${spark.port}` });
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run(`CREATE TABLE blade.field.sortie USING DELTA LOCATION '${folder}/kept' ${select}`);
    await engine.close();
  }
  await createTable(`AS ${selectSorties(rows, 0)}`);
  const connection = await open(startProxy(() => `http://127.0.0.1:${isAway ? 1 : spark.port}`));
  const application = await open(
    startTestApplication({
      BLADE_WORKER_THREADS: '1',
      SPARK_REMOTE: `sc://127.0.0.1:${new URL(connection.url).port}`,
    }),
  );
  const { client } = application;
  await addSource(application, { catalogName: 'spark_catalog' });
  const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 1_000 } });
  for await (const { jobProgress } of client.watch(JobProgress, { id })) {
    if (jobProgress.progress.successCount > 0) break;
  }
  isAway = true;
  await spark.kill();
  spark = await launchSpark(folder);
  // Spark forgets the names of tables that no metastore keeps.
  await createTable();
  isAway = false;
  expect(await client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { successCount: rows, errorCount: 0 },
  });
  expect(await storedItems(application)).toHaveLength(rows);
});
