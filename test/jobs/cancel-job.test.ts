import { afterAll, afterEach, beforeAll, describe, expect, vi } from 'vitest';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { claimPartition } from '../../src/jobs/partitions/claim-partition.ts';
import type { JobFactsFragment } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import { CancelJob, JobById, StopSync } from '../support/operations.ts';
import { createSortieTable } from '../support/sortie-table.ts';
import {
  addSource,
  catalogContent,
  forgetAll,
  storedItems,
  uploadedContent,
  writeRows,
} from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

describe('a job that no worker has taken', () => {
  let application: TestApplication;

  beforeAll(async () => {
    application = await startTestApplication({ BLADE_ROLES: 'api' });
  });

  afterEach(() => forgetAll(application));

  afterAll(() => application.close());

  test('is cancelled immediately, and the next sync can start', async () => {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const { id } = await client.startSync({ syncType: 'FULL' });
    expect(await client.cancelJob(id)).toMatchObject({
      state: 'CANCELLED',
      startedAt: null,
      finishedAt: expect.any(String),
      progress: { currentOperation: 'Sync cancelled', totalItems: 0, processedItems: 0 },
    });
    expect((await client.send(JobById, { id })).job?.partitions.nodes).toMatchObject([
      { state: 'CANCELLED' },
    ]);
    expect(await client.startSync({ syncType: 'FULL' })).toMatchObject({ state: 'QUEUED' });
  });

  test('is cancelled by one of two concurrent callers, and the other learns that it has ended', async () => {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const { id } = await client.startSync({ syncType: 'FULL' });
    const answers = await Promise.all([1, 2].map(() => client.send(CancelJob, { input: { id } })));
    expect(answers.map(({ cancelJob }) => cancelJob.__typename).sort()).toEqual([
      'CancelJobSuccess',
      'JobAlreadyFinishedError',
    ]);
  });

  test('does not run when a worker claims it later', async () => {
    const { client, database } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const { id } = await client.startSync({ syncType: 'FULL' });
    await client.cancelJob(id);
    const { rows } = await database.pool.query('select attempt, state from job_partition');
    const prisma = createPrismaClient(database.connectionString, { maxConnections: 1 });
    try {
      const partition = await prisma.jobPartition.findFirstOrThrow();
      expect(await claimPartition(prisma, partition.id)).toEqual({ status: 'ENDED', leftStatements: null });
      expect((await database.pool.query('select attempt, state from job_partition')).rows).toEqual(rows);
    } finally {
      await prisma.$disconnect();
    }
  });
});

describe('a running job', () => {
  let application: TestApplication;

  beforeAll(async () => {
    application = await startTestApplication();
    const table = { catalog: 'blade', schema: 'field', table: 'large' };
    await createSortieTable({ folder: application.warehouseFolder, table, rows: 20_000 });
  });

  afterEach(() => forgetAll(application));

  afterAll(() => application.close());

  // Gives no row for hours.
  const endless = {
    dataType: 'sortie',
    sqlQuery: `SELECT CAST(a.id AS STRING) AS item_id FROM range(1000000) AS a(id) CROSS JOIN range(1000000) AS b(id)
      CROSS JOIN range(1000) AS c(id) WHERE a.id * b.id + c.id = -1`,
  };

  async function untilRunning(id: string): Promise<void> {
    await vi.waitFor(async () => {
      const { job } = await application.client.send(JobById, { id });
      expect(job?.state).toBe('RUNNING');
    });
  }

  /** Starts a sync of 20,000 rows and waits until some of them are in the catalog. */
  async function syncUnderWay(): Promise<JobFactsFragment> {
    const { client } = application;
    const job = await client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
    await vi.waitFor(async () => expect((await catalogContent(application)).size).toBeGreaterThan(0), 30_000);
    return job;
  }

  test('a query that would return no row for hours is CANCELLED within seconds', async () => {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'large' });
    const { id } = await client.startQueryJob(endless);
    await untilRunning(id);
    const startedAt = performance.now();
    expect((await client.cancelJob(id)).state).toMatch(/^CANCELL(ING|ED)$/);
    expect(await client.waitForEnd(id)).toMatchObject({
      state: 'CANCELLED',
      progress: { currentOperation: 'Query job cancelled', processedItems: 0 },
    });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    // The thread is free again.
    const next = await client.startQueryJob({ dataType: 'sortie', sqlQuery: `SELECT 'S-1' AS item_id` });
    expect(await client.waitForEnd(next.id)).toMatchObject({ state: 'COMPLETED' });
  });

  test('a sync ends with counts that add up, and the next one completes what it left', async () => {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'large' });
    const { id } = await syncUnderWay();
    await client.cancelJob(id);
    const cancelled = await client.waitForEnd(id);
    expect(cancelled).toMatchObject({
      state: 'CANCELLED',
      progress: { totalItems: 20_000, errorCount: 0, estimatedCompletion: null },
    });
    const { processedItems, successCount } = cancelled.progress;
    expect(processedItems).toBe(successCount);
    expect(processedItems).toBeGreaterThan(0);
    expect(processedItems).toBeLessThan(20_000);
    // What was read is stored and uploaded.
    const items = await storedItems(application);
    expect(items).toHaveLength(successCount);
    expect(await catalogContent(application)).toEqual(uploadedContent(items));
    const { rows } = await application.database.pool.query(
      'select last_sync_state, watermark from data_source',
    );
    expect(rows).toEqual([{ last_sync_state: 'CANCELLED', watermark: null }]);

    const next = await client.startSync({ syncType: 'FULL' });
    expect(await client.waitForEnd(next.id)).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 20_000, successCount: 20_000 },
    });
    const all = await storedItems(application);
    expect(all).toHaveLength(20_000);
    expect(all.every(({ uploadedAt }) => uploadedAt !== null)).toBe(true);
    expect(await catalogContent(application)).toEqual(uploadedContent(all));
  });

  test('stopSync stops it, with the sources that have not started', async () => {
    const { client, warehouseFolder } = application;
    for (const number of [1, 2, 3, 4]) {
      await addSource(application, { name: `Sorties ${number}`, dataType: 'sortie', tableName: 'large' });
    }
    await writeRows(warehouseFolder, 'small', [{ item_id: 'L-1' }]);
    const { id } = await syncUnderWay();
    expect(await client.send(StopSync, {})).toMatchObject({
      stopSync: { __typename: 'StopSyncSuccess', job: { id } },
    });
    expect(await client.waitForEnd(id)).toMatchObject({ state: 'CANCELLED' });
    const { job } = await client.send(JobById, { id });
    expect(job?.partitions.nodes.map(({ state, attempt }) => ({ state, attempt }))).toEqual([
      { state: 'CANCELLED', attempt: 1 },
      { state: 'CANCELLED', attempt: 1 },
      { state: 'CANCELLED', attempt: 0 },
      { state: 'CANCELLED', attempt: 0 },
    ]);
  });

  test('does not affect other jobs when it is cancelled', async () => {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'large' });
    const query = await client.startQueryJob(endless);
    await untilRunning(query.id);
    const sync = await client.startSync({ syncType: 'FULL' });
    await client.cancelJob(query.id);
    expect(await client.waitForEnd(query.id)).toMatchObject({ state: 'CANCELLED' });
    expect(await client.waitForEnd(sync.id)).toMatchObject({
      state: 'COMPLETED',
      progress: { successCount: 20_000 },
    });
  });

  test('can be cancelled twice, but not once it has ended', async () => {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'large' });
    const { id } = await syncUnderWay();
    const answers = await Promise.all([1, 2].map(() => client.send(CancelJob, { input: { id } })));
    for (const { cancelJob } of answers) {
      expect(['CancelJobSuccess', 'JobAlreadyFinishedError']).toContain(cancelJob.__typename);
    }
    expect(answers.map(({ cancelJob }) => cancelJob.__typename)).toContain('CancelJobSuccess');
    await client.waitForEnd(id);
    expect(await client.send(CancelJob, { input: { id } })).toEqual({
      cancelJob: {
        __typename: 'JobAlreadyFinishedError',
        jobId: expect.stringContaining(id),
        state: 'CANCELLED',
        message: expect.stringContaining('CANCELLED'),
      },
    });
  });

  test('that has completed cannot be cancelled, and stays as it is', async () => {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'large' });
    const { id } = await client.startQueryJob({ dataType: 'sortie', sqlQuery: `SELECT 'S-1' AS item_id` });
    const end = await client.waitForEnd(id);
    expect(await client.send(CancelJob, { input: { id } })).toMatchObject({
      cancelJob: { __typename: 'JobAlreadyFinishedError', state: 'COMPLETED' },
    });
    expect((await client.send(JobById, { id })).job).toMatchObject(end);
  });

  test('that does not exist is reported as not found', async () => {
    const id = `Job:${crypto.randomUUID()}`;
    expect(await application.client.send(CancelJob, { input: { id } })).toMatchObject({
      cancelJob: { __typename: 'JobNotFoundError' },
    });
  });
});
