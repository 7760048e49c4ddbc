import { expect, inject } from 'vitest';
import { test as base } from '../support/on-spark.ts';
import { JobById, PauseJob } from '../support/operations.ts';
import type { Program } from '../support/program.ts';
import { openSparkEngine } from '../support/spark/connect.ts';
import { listRunning } from '../support/spark/running.ts';
import { selectSorties } from '../support/spark/sorties.ts';
import { addSource, uuid } from '../support/tables.ts';

const spark = inject('spark');

/** Rows that take many minutes to find, and are none. */
const ENDLESS = `SELECT s.* FROM (SELECT SUM(a.id * b.id + c.id) AS total FROM range(0, 3000000, 1, 8) a
  CROSS JOIN range(500) b CROSS JOIN range(500) c) e JOIN (${selectSorties(1, 0)}) s ON e.total < 0`;

const ROWS = 100;

const ENDLESS_QUERY = { dataType: 'sortie', sqlQuery: 'SELECT * FROM spark_catalog.field.endless' };

/** `start` starts programs that read from Spark, one after the other or at once on a server. */
const test = base
  .extend('views', { scope: 'file' }, async ({}, { onCleanup }) => {
    const engine = openSparkEngine(spark);
    onCleanup(() => engine.close());
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run(`CREATE OR REPLACE VIEW blade.field.endless AS ${ENDLESS}`);
    return {
      replace: (select: string) => engine.run(`CREATE OR REPLACE VIEW blade.field.heavy AS ${select}`),
    };
  })
  .extend('start', ({ place, startProgram, views: _views }) => {
    return (settings: Record<string, string> = {}): Promise<Program> =>
      startProgram({
        ...place.settings,
        ...{ SPARK_REMOTE: `sc://${spark.address}`, BLADE_WORKER_THREADS: '1' },
        ...settings,
      });
  });

/** Waits until Spark works on exactly these attempts of a job. */
async function waitForAttempts(jobId: string, attempts: readonly number[], timeout = 120_000): Promise<void> {
  const listAttempts = async () => [
    ...new Set((await listRunning(spark, uuid(jobId))).map((tag) => Number(/attempt (\d+)$/.exec(tag)?.[1]))),
  ];
  await expect.poll(listAttempts, { timeout, interval: 200 }).toEqual(attempts);
}

/** Starts a job that reads without an end, and kills the program while Spark works for it. */
async function startAndKill(program: Program, input: object = {}): Promise<string> {
  const { id } = await program.client.startQueryJob({ ...ENDLESS_QUERY, ...input });
  await waitForAttempts(id, [1]);
  await program.end('SIGKILL');
  // Spark does not notice that nobody listens any more.
  await waitForAttempts(id, [1]);
  return id;
}

/** Spark takes a second or two to end an interrupted statement, and five minutes to end an abandoned one. */
const SOON_MS = 15_000;

test('a sync whose program is killed ends its statement in Spark when the next program takes it up, and stores each row', {
  timeout: 300_000,
}, async ({ views, start }) => {
  await views.replace(ENDLESS);
  const killed = await start();
  await addSource(killed, { catalogName: 'spark_catalog', tableName: 'heavy' });
  const { id } = await killed.client.startSync({ syncType: 'FULL' });
  await waitForAttempts(id, [1]);
  await killed.end('SIGKILL');
  await views.replace(selectSorties(ROWS, 0));
  await waitForAttempts(id, [1]);
  const { client } = await start();
  expect(await client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { successCount: ROWS, errorCount: 0, duplicateCount: 0 },
  });
  await waitForAttempts(id, [], SOON_MS);
});

test.for([
  ['in its own sessions', ''],
  ['in a session that all share', `/;session_id=${crypto.randomUUID()}`],
] as const)(
  'after a kill, Spark works on the statement of the next attempt alone, which a cancel ends: %s',
  {
    timeout: 300_000,
  },
  async ([, parameters], { start }) => {
    const settings = { SPARK_REMOTE: `sc://${spark.address}${parameters}` };
    const id = await startAndKill(await start(settings));
    const { client } = await start(settings);
    await waitForAttempts(id, [2]);
    await client.cancelJob(id);
    expect(await client.waitForEnd(id)).toMatchObject({ state: 'CANCELLED' });
    await waitForAttempts(id, [], SOON_MS);
  },
);

test.for(['cancelJob', 'pauseJob'] as const)(
  '%s of a job whose worker was killed ends its statement',
  {
    timeout: 300_000,
  },
  async (operation, { start }) => {
    const id = await startAndKill(await start());
    const api = await start({ BLADE_ROLES: 'api' });
    if (operation === 'cancelJob') await api.client.cancelJob(id);
    else await api.client.send(PauseJob, { input: { id } });
    await waitForAttempts(id, [1]);
    await api.end('SIGTERM');
    const { client } = await start();
    await waitForAttempts(id, []);
    const { job } = await client.send(JobById, { id });
    expect(job?.state).toBe(operation === 'cancelJob' ? 'CANCELLED' : 'PAUSED');
  },
);

test('a job that is given up because its program was killed ends its statement', {
  timeout: 300_000,
}, async ({ start }) => {
  const id = await startAndKill(await start(), { options: { maxAttempts: 1 } });
  const { client } = await start();
  expect(await client.waitForEnd(id)).toMatchObject({ state: 'FAILED' });
  await waitForAttempts(id, [], SOON_MS);
});

test('a program that takes over from a killed one leaves the statements of others alone', {
  timeout: 300_000,
}, async ({ place, start, skip }) => {
  skip(place.databaseUrl === undefined, 'needs a PostgreSQL server');
  const living = await start();
  const { id } = await living.client.startQueryJob(ENDLESS_QUERY);
  await waitForAttempts(id, [1]);
  // The other one has a thread left for it.
  const other = await startAndKill(await start());
  const { client } = await start();
  await waitForAttempts(other, [2]);
  await waitForAttempts(id, [1]);
  for (const job of [id, other]) {
    await client.cancelJob(job);
    expect(await client.waitForEnd(job)).toMatchObject({ state: 'CANCELLED' });
    await waitForAttempts(job, [], SOON_MS);
  }
});
