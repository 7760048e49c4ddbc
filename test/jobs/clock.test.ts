import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { startBoss } from '../../src/jobs/queue/boss.ts';
import { openPartitionQueue, PARTITION_QUEUES } from '../../src/jobs/queue/partition-queue.ts';
import { bringQueueBack } from '../../src/jobs/queue/set-back.ts';
import { advanceRetention } from '../../src/jobs/retention.ts';
import type { JobFactsFragment } from '../generated/graphql.ts';
import { type SettableClock, takeClock } from '../support/database-clock.ts';
import { test } from '../support/on-server.ts';
import { JobProgress, Jobs, SyncStatus } from '../support/operations.ts';
import { addSource, forgetAll, uuid, writeQuery } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const HOUR = 3_600;

let application: TestApplication;
let clock: SettableClock;

beforeEach(async () => {
  application = await startTestApplication();
  clock = await takeClock(application.database);
});

afterEach(async () => {
  vi.useRealTimers();
  await forgetAll(application);
  await application.close();
});

async function addRows(rows: number): Promise<string> {
  await writeQuery(
    application.warehouseFolder,
    'sortie',
    `SELECT 'S-' || i AS item_id, i AS flight_hours FROM range(${rows}) AS t(i)`,
  );
  return addSource(application);
}

function startSync(): Promise<JobFactsFragment> {
  return application.client.startSync({ syncType: 'FULL', options: { batchSize: 25 } });
}

const syncToEnd = async () => application.client.waitForEnd((await startSync()).id);

const toTime = (text: string | null) => new Date(String(text)).getTime();

describe('a job in whose middle the clock is set', () => {
  test.each([
    { way: 'back by an hour', seconds: -HOUR },
    { way: 'forward by an hour', seconds: HOUR },
  ])('$way has run as long as it really has, and its rate is never negative', async ({ seconds }) => {
    const { client } = application;
    await addRows(6_000);
    const { id } = await startSync();
    let begun: number | undefined;
    let isSet = false;
    const seen: { job: JobFactsFragment; at: number }[] = [];
    for await (const { jobProgress } of client.watch(JobProgress, { id })) {
      seen.push({ job: jobProgress, at: performance.now() });
      if (jobProgress.startedAt !== null) begun ??= performance.now();
      if (!isSet && (jobProgress.progress.processedItems ?? 0) > 500) {
        isSet = true;
        await clock.setAhead(seconds);
      }
    }
    expect(isSet).toBe(true);
    const last = seen.at(-1);
    if (last === undefined || begun === undefined) throw new Error('the job was never seen to run');
    for (const { job, at } of seen) {
      const { elapsedSeconds, itemsPerSecond } = job.progress;
      // Until the next write, the clock is believed.
      if (seconds < 0 || job === last.job) expect(elapsedSeconds ?? 0).toBeLessThan((at - begun) / 1_000 + 5);
      expect(elapsedSeconds ?? 0).toBeGreaterThanOrEqual(0);
      expect(itemsPerSecond ?? 0).toBeGreaterThanOrEqual(0);
    }
    expect(last.job).toMatchObject({ state: 'COMPLETED', progress: { successCount: 6_000 } });
    expect(last.job.progress.elapsedSeconds).toBeGreaterThan((last.at - begun) / 2_000);
    expect(last.job.progress.itemsPerSecond).toBeGreaterThan(0);
    expect(toTime(last.job.finishedAt)).toBeGreaterThanOrEqual(toTime(last.job.startedAt));
    expect(toTime(last.job.startedAt)).toBeGreaterThanOrEqual(toTime(last.job.createdAt));
  });
});

test('a job that is created after the clock was set back is the newest, in every list, status and filter', async () => {
  const { client } = application;
  await addRows(10);
  const older = await syncToEnd();
  await clock.setAhead(-HOUR);
  const newer = await syncToEnd();
  const newest = await syncToEnd();
  expect(toTime(newer.createdAt)).toBeLessThan(toTime(older.createdAt));
  expect(newest).toMatchObject({ state: 'COMPLETED', progress: { successCount: 10 } });

  expect((await client.send(SyncStatus, {})).syncStatus?.job?.id).toBe(newest.id);
  const order = [newest.id, newer.id, older.id];
  const paged: string[] = [];
  let after: string | null = null;
  do {
    const { jobs }: Awaited<ReturnType<typeof readPage>> = await readPage(after);
    paged.push(...jobs.edges.map(({ node }) => node.id));
    after = jobs.pageInfo.hasNextPage ? jobs.pageInfo.endCursor : null;
  } while (after !== null);
  expect(paged).toEqual(order);

  const find = async (filter: object) =>
    (await client.send(Jobs, { first: 9, filter })).jobs?.edges.map(({ node }) => node.id);
  expect(await find({ createdAfter: older.createdAt })).toEqual(order);
  expect(await find({ createdBefore: older.createdAt })).toEqual([]);

  const { data } = await client.sendRaw('{ auditEntries(first: 9) { nodes { operation jobId } } }');
  const entries = data?.auditEntries as { nodes: { operation: string; jobId: string | null }[] } | undefined;
  expect(
    entries?.nodes.flatMap(({ operation, jobId }) => (operation === 'startSync' ? [jobId] : [])),
  ).toEqual(order);

  async function readPage(cursor: string | null) {
    const { jobs } = await client.send(Jobs, { first: 1, after: cursor });
    if (jobs === null || jobs === undefined) throw new Error('there is no list of jobs');
    return { jobs };
  }
});

test('all times are by the clock of the database, however far that of the process is ahead', async () => {
  await addRows(10);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * HOUR * 1_000 });
  const job = await syncToEnd();
  vi.useRealTimers();
  const now = Date.now();
  const { rows } = await application.database.pool.query<{ place: string; time: Date }>(
    `select 'audit' as place, time from audit_entry union all select 'source created', created_at from data_source
     union all select 'source updated', updated_at from data_source
     union all select 'last sync', last_sync_at from data_source union all select 'job', created_at from job
     union all select 'item', created_at from blade_item union all select 'partition', finished_at from job_partition`,
  );
  for (const { place, time } of rows) expect(time.getTime(), place).toBeLessThan(now + HOUR * 1_000);
  expect(job.progress.elapsedSeconds).toBeGreaterThanOrEqual(0);
  expect(job.progress.elapsedSeconds).toBeLessThan(HOUR);
});

test('after the clock was set back, what waits in the queue does not wait for the old time', async () => {
  await application.stop();
  const { connectionString } = application.database;
  const prisma = createPrismaClient(connectionString, { maxConnections: 1 });
  const boss = await startBoss({
    ...{ connectionString, useNotifications: false, runsSchedules: false },
    onError: () => {},
  });
  try {
    const queue = await openPartitionQueue(boss);
    await clock.setAhead(HOUR);
    await prisma.$transaction((transaction) =>
      queue.enqueue(transaction, ['01890000-0000-7000-8000-000000000001'], 3),
    );
    await clock.setAhead(0);
    const countReady = async () => {
      const { rows } = await application.database.pool.query<{ ready: number }>(
        `select count(*)::int as ready from pgboss.job where name = 'partitions' and state = 'created' and start_after <= now()`,
      );
      return rows[0]?.ready;
    };
    expect(await countReady()).toBe(0);
    await bringQueueBack(boss, PARTITION_QUEUES);
    expect(await countReady()).toBe(1);
  } finally {
    await boss.stop({ graceful: false });
    await prisma.$disconnect();
  }
});

test('retention counts ages by no clock that was set far forward', async () => {
  const prisma = createPrismaClient(application.database.connectionString, { maxConnections: 1 });
  try {
    const first = await advanceRetention(prisma);
    await clock.setAhead(3_650 * 24 * HOUR);
    const ahead = await advanceRetention(prisma);
    expect(ahead.getTime() - first.getTime()).toBe(36 * HOUR * 1_000);
    await clock.setAhead(0);
    const back = await advanceRetention(prisma);
    expect(back.getTime()).toBeLessThan(first.getTime() + HOUR * 1_000);
  } finally {
    await prisma.$disconnect();
  }
});

test('errors are listed as they happened, also after the clock was set back', async () => {
  await writeQuery(
    application.warehouseFolder,
    'sortie',
    `SELECT 'S-' || i AS item_id, 'none' AS flight_hours FROM range(3) AS t(i)`,
  );
  await addSource(application);
  const { id } = await syncToEnd();
  const { rows: before } = await application.database.pool.query('select max(id::text) as id from job_error');
  await clock.setAhead(-HOUR);
  // A session that has added none yet.
  const { rows: added } = await application.database.pool.query(
    `insert into job_error (job_id, partition_id, stage, data_type, message)
     select job_id, id, 'READ', data_type, 'later' from job_partition where job_id = $1 returning id::text`,
    [uuid(id)],
  );
  expect(added[0].id > before[0].id).toBe(true);
});
