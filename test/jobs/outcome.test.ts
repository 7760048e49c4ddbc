import { afterEach, describe, expect, vi } from 'vitest';
import type { JobByIdQuery, StartSyncInput } from '../generated/graphql.ts';
import { insertJob } from '../support/job-rows.ts';
import { test as base } from '../support/on-server.ts';
import { CancelJob, JobById, RetryJob } from '../support/operations.ts';
import { addSource, forgetAll, writeQuery, writeRows } from '../support/tables.ts';
import type { TestApplication } from '../support/test-application.ts';

type Job = NonNullable<JobByIdQuery['job']>;

const test = base.extend('settings', { BLADE_PROGRESS_INTERVAL_MS: '20' });

let emptied: TestApplication | undefined;

test.beforeEach(({ application }) => {
  emptied = application;
});

afterEach(async () => {
  if (emptied !== undefined) await forgetAll(emptied);
});

async function readJob({ client }: TestApplication, id: string): Promise<Job> {
  const { job } = await client.send(JobById, { id });
  if (job === null) throw new Error(`there is no job ${id}`);
  return job;
}

async function sync(application: TestApplication, input: Partial<StartSyncInput> = {}): Promise<Job> {
  const { id } = await application.client.startSync({ syncType: 'FULL', ...input });
  await application.client.waitForEnd(id);
  return readJob(application, id);
}

async function retryFailedItems(application: TestApplication, id: string): Promise<Job> {
  const { retryJob } = await application.client.send(RetryJob, { input: { id, mode: 'FAILED_ITEMS' } });
  if (retryJob.__typename !== 'RetryJobSuccess') throw new Error(JSON.stringify(retryJob));
  await application.client.waitForEnd(retryJob.job.id);
  return readJob(application, retryJob.job.id);
}

const GOOD = Array.from({ length: 20 }, (_, index) => ({ item_id: `S-${index}`, flight_hours: '1.5' }));
const BAD = Array.from({ length: 5 }, (_, index) => ({ item_id: `B-${index}`, flight_hours: 'many' }));

/** Adds a source of sorties with these rows. */
async function addTable(
  application: TestApplication,
  name: string,
  rows: readonly object[],
): Promise<string> {
  await writeRows(application.warehouseFolder, name.toLowerCase(), rows);
  return addSource(application, { name, tableName: name.toLowerCase() });
}

/** Adds a source whose table is missing. */
const addMissing = (application: TestApplication, name: string) =>
  addSource(application, { name, tableName: `no_${name.toLowerCase()}` });

describe('the outcome of a job', () => {
  test('is SUCCEEDED if every row of every source is stored and uploaded', async ({ application }) => {
    await addTable(application, 'East', GOOD);
    await addTable(application, 'West', []);
    expect(await sync(application)).toMatchObject({
      ...{ state: 'COMPLETED', outcome: 'SUCCEEDED', failedSources: [] },
      progress: { percent: 100, totalSources: 2, completedSources: 2, totalItems: 20 },
    });
  });

  test('is SUCCEEDED if there was nothing new to read', async ({ application }) => {
    await addTable(application, 'East', []);
    expect(await sync(application, { syncType: 'INCREMENTAL' })).toMatchObject({
      ...{ state: 'COMPLETED', outcome: 'SUCCEEDED' },
      progress: { percent: 100, totalItems: 0 },
    });
  });

  test('is ITEMS_FAILED if some rows failed', async ({ application }) => {
    await addTable(application, 'East', [...GOOD, ...BAD]);
    expect(await sync(application)).toMatchObject({
      ...{ state: 'COMPLETED', outcome: 'ITEMS_FAILED', failedSources: [] },
      progress: { percent: 100, successCount: 20, errorCount: 5 },
    });
  });

  test.for<[why: string, rows: readonly object[]]>([
    ['lack an id', Array.from({ length: 1_000 }, () => ({ item_id: null }))],
    ['do not fit their data type', BAD],
    ['are not marked with a known marking', [{ item_id: 'S-1', classification_marking: 'COSMIC' }]],
  ])(
    'is NOTHING_SUCCEEDED if all rows %s, although all of them were read',
    async ([, rows], { application }) => {
      await addTable(application, 'East', rows);
      await addTable(application, 'West', []);
      expect(await sync(application)).toMatchObject({
        ...{ state: 'COMPLETED', outcome: 'NOTHING_SUCCEEDED', failedSources: [] },
        progress: { successCount: 0, errorCount: rows.length, completedSources: 2 },
      });
    },
  );

  test('is NOTHING_SUCCEEDED for a retry whose items all fail again', async ({ application }) => {
    await addTable(application, 'East', [...GOOD, ...BAD]);
    const { id } = await sync(application);
    expect(await retryFailedItems(application, id)).toMatchObject({
      ...{ state: 'COMPLETED', outcome: 'NOTHING_SUCCEEDED', retryMode: 'FAILED_ITEMS' },
      progress: { totalItems: 5, successCount: 0, errorCount: 5, totalSources: 1, completedSources: 1 },
    });
  });

  test('is SOURCES_FAILED if one source of four cannot be read, which counts neither as a row nor as an error', async ({
    application,
  }) => {
    for (const name of ['East', 'North', 'West']) await addTable(application, name, GOOD);
    await addMissing(application, 'South');
    expect(await sync(application)).toMatchObject({
      ...{ state: 'FAILED', outcome: 'SOURCES_FAILED' },
      failedSources: [
        {
          ...{ sourceName: 'South', dataType: 'sortie', dataSource: { name: 'South' }, isRetryable: true },
          message: expect.stringContaining('There is no table blade.field.no_south in the warehouse.'),
        },
      ],
      failureReason: expect.stringContaining(
        'South: There is no table blade.field.no_south in the warehouse.',
      ),
      progress: {
        ...{ totalSources: 4, completedSources: 3 },
        // The rows of the missing table are not known, so neither is the share of all rows.
        ...{ percent: null, totalItems: 60, processedItems: 60, successCount: 60, errorCount: 0 },
        byType: [{ totalItems: 60, processedItems: 60, errorCount: 0 }],
      },
      partitions: {
        nodes: expect.arrayContaining([
          expect.objectContaining({ sourceName: 'South', state: 'FAILED', totalItems: null, percent: null }),
        ]),
      },
    });
  });

  test('is SOURCES_FAILED if what else could be read is empty', async ({ application }) => {
    await addTable(application, 'East', []);
    await addMissing(application, 'South');
    expect(await sync(application)).toMatchObject({ state: 'FAILED', outcome: 'SOURCES_FAILED' });
  });

  test('is SOURCES_FAILED if a source fails after some of its rows are stored', async ({ application }) => {
    await addTable(application, 'East', [...GOOD, ...BAD]);
    expect(await sync(application, { options: { batchSize: 10, maxErrors: 1 } })).toMatchObject({
      ...{ state: 'FAILED', outcome: 'SOURCES_FAILED', failedSources: [{ sourceName: 'East' }] },
      progress: { completedSources: 0, totalItems: 25 },
    });
  });

  test.for<[what: string, rows: readonly object[] | null]>([
    ['no other source could be read', null],
    ['all rows of the others failed', BAD],
  ])('is NOTHING_SUCCEEDED if a source failed and %s', async ([, rows], { application }) => {
    if (rows === null) await addMissing(application, 'East');
    else await addTable(application, 'East', rows);
    await addMissing(application, 'South');
    const job = await sync(application);
    expect(job).toMatchObject({ state: 'FAILED', outcome: 'NOTHING_SUCCEEDED' });
    expect(job.progress).toMatchObject({
      totalItems: rows?.length ?? 0,
      errorCount: rows?.length ?? 0,
      percent: null,
    });
    expect(job.failedSources.map(({ sourceName }) => sourceName)).toEqual(
      rows === null ? ['East', 'South'] : ['South'],
    );
  });

  test('of a query counts the query as its source', async ({ application }) => {
    await addTable(application, 'East', [...GOOD, ...BAD]);
    const run = async (sqlQuery: string) => {
      const { id } = await application.client.startQueryJob({ dataType: 'sortie', sqlQuery });
      await application.client.waitForEnd(id);
      return readJob(application, id);
    };
    expect(await run('SELECT * FROM blade.field.east')).toMatchObject({
      ...{ outcome: 'ITEMS_FAILED', progress: { totalSources: 1, completedSources: 1 } },
    });
    expect(await run('SELECT * FROM blade.field.nothing')).toMatchObject({
      ...{ state: 'FAILED', outcome: 'NOTHING_SUCCEEDED' },
      failedSources: [{ message: expect.stringContaining('nothing'), isRetryable: true }],
      progress: { totalSources: 1, completedSources: 0, totalItems: 0, errorCount: 0, percent: null },
    });
  });

  test('is null for a job that was cancelled, whose uncounted rows are not made up', async ({
    application,
  }) => {
    await writeQuery(
      application.warehouseFolder,
      'many',
      `SELECT 'S-' || i AS item_id FROM range(200000) AS t(i)`,
    );
    await addSource(application, { name: 'Many', tableName: 'many' });
    const { client } = application;
    const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 10 } });
    await vi.waitFor(async () => {
      const { progress, outcome } = await readJob(application, id);
      expect(outcome).toBeNull();
      expect(progress.processedItems).toBeGreaterThan(0);
    });
    await client.send(CancelJob, { input: { id } });
    await client.waitForEnd(id);
    const { progress, ...job } = await readJob(application, id);
    expect(job).toMatchObject({ state: 'CANCELLED', outcome: null, failedSources: [] });
    expect(progress).toMatchObject({ totalSources: 1, completedSources: 0 });
    expect(progress.percent).toBeLessThan(100);
  });
});

describe('the percentage of a job', () => {
  test('is below 100 until the job has ended, even if every row is processed', async ({ application }) => {
    const id = await insertJob(application.database, { kind: 'SYNC', state: 'RUNNING' });
    const { pool } = application.database;
    await pool.query(
      `update job set total_items = 3000000, processed_items = 3000000, success_count = 3000000, is_total_known = true
       where id = $1`,
      [id],
    );
    expect((await readJob(application, id)).progress.percent).toBe(99.9);
    await pool.query(
      `update job set state = 'COMPLETED', outcome = 'SUCCEEDED', finished_at = now() where id = $1`,
      [id],
    );
    expect((await readJob(application, id)).progress.percent).toBe(100);
  });

  test('is not known for a job that was cancelled before its rows were counted', async ({ application }) => {
    const { client, database } = application;
    // In no queue: one source is done, and the other is not counted yet.
    const job = await insertJob(database, { kind: 'SYNC', state: 'QUEUED' });
    await database.pool.query(
      `insert into job_partition (id, job_id, ordinal, state, data_type, source_name, finished_at, total_items,
         read_items, processed_items, success_count, read_by_level, success_by_level)
       values (gen_random_uuid(), $1, 0, 'COMPLETED', 'sortie', 'East', now(), 10, 10, 10, 10, '{10,0,0,0,0}', '{10,0,0,0,0}'),
         (gen_random_uuid(), $1, 1, 'PENDING', 'sortie', 'West', null, null, 0, 0, 0, '{0,0,0,0,0}', '{0,0,0,0,0}')`,
      [job],
    );
    await client.send(CancelJob, { input: { id: job } });
    expect(await readJob(application, job)).toMatchObject({
      ...{ state: 'CANCELLED', outcome: null },
      progress: { percent: null, totalItems: 10, processedItems: 10, totalSources: 2, completedSources: 1 },
    });
  });
});
