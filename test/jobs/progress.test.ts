import { afterAll, beforeAll, describe, expect, inject, vi } from 'vitest';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { createProgressWriter, recentRate } from '../../src/jobs/progress/progress-writer.ts';
import type { JobFactsFragment } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import { JobErrors, JobProgress } from '../support/operations.ts';
import { addSource, forgetAll, uuid, writeQuery } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

describe('the recent rate', () => {
  test.each([
    ['without a sample is not known', [], null],
    ['of one sample is not known', [{ at: 5, processedItems: 7 }], null],
    [
      'of samples of one moment is not known',
      [
        { at: 5, processedItems: 7 },
        { at: 5, processedItems: 9 },
      ],
      null,
    ],
    [
      'is that from the first sample to the last',
      [
        { at: 1_000, processedItems: 100 },
        { at: 1_200, processedItems: 100 },
        { at: 3_000, processedItems: 600 },
      ],
      250,
    ],
    [
      'of a job that stands still is none',
      [
        { at: 1_000, processedItems: 100 },
        { at: 3_000, processedItems: 100 },
      ],
      0,
    ],
  ])('%s', (_name, samples, rate) => {
    expect(recentRate(samples)).toBe(rate);
  });
});

const INTERVAL_MS = 100;

describe('while a job runs', () => {
  let application: TestApplication;
  let events: JobFactsFragment[];
  let end: JobFactsFragment;

  beforeAll(async () => {
    application = await startTestApplication({ BLADE_PROGRESS_INTERVAL_MS: String(INTERVAL_MS) });
    const { client, warehouseFolder } = application;
    await writeQuery(
      warehouseFolder,
      'sortie',
      `SELECT 'S-' || i AS item_id, CASE WHEN i % 400 = 0 THEN 'none' ELSE '1.5' END AS flight_hours
         FROM range(8000) AS t(i)`,
    );
    await writeQuery(warehouseFolder, 'supply', `SELECT 'L-' || i AS item_id FROM range(2500) AS t(i)`);
    await addSource(application, { name: 'East', dataType: 'sortie', tableName: 'sortie' });
    await addSource(application, { name: 'Gone', dataType: 'sortie', tableName: 'nothing' });
    await addSource(application, { name: 'Supply', dataType: 'logistics', tableName: 'supply' });
    const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 25 } });
    events = [];
    for await (const { jobProgress } of client.watch(JobProgress, { id })) events.push(jobProgress);
    end = events.at(-1) as JobFactsFragment;
  });

  afterAll(async () => {
    await forgetAll(application);
    await application.close();
  });

  test('its end has all counts', () => {
    expect(end).toMatchObject({
      state: 'FAILED',
      outcome: 'SOURCES_FAILED',
      failureReason: expect.stringContaining('Gone: There is no table blade.field.nothing in the warehouse.'),
      progress: {
        currentOperation: 'Sync failed',
        // Nobody knows how many rows the source that is gone has.
        percent: null,
        totalSources: 3,
        completedSources: 2,
        totalItems: 10_500,
        processedItems: 10_500,
        successCount: 10_480,
        errorCount: 20,
        estimatedCompletion: null,
        itemsPerSecond: expect.any(Number),
      },
    });
  });

  test('it is written at most once per interval, however many batches there are', () => {
    const run = new Date(String(end.finishedAt)).getTime() - new Date(String(end.startedAt)).getTime();
    // Beside progress there is its making, its start and its end.
    expect(end.revision).toBeLessThanOrEqual(3 + Math.ceil(run / INTERVAL_MS) + 1);
    expect(end.revision).toBeGreaterThan(3);
  });

  test('its revisions arrive in order', () => {
    const revisions = events.map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].sort((one, other) => one - other));
    expect(events.length).toBeGreaterThan(3);
  });

  test('counts and percent never go back, and percent is an estimate before every row is counted', () => {
    let processed = 0;
    let percent = 0;
    for (const { progress, state } of events) {
      expect(progress.processedItems).toBeGreaterThanOrEqual(processed);
      expect(progress.processedItems).toBe(progress.successCount + progress.errorCount);
      processed = progress.processedItems;
      if (progress.percent == null) {
        if (state !== 'FAILED') expect(percent).toBe(0);
        expect(progress.estimatedCompletion).toBeNull();
      } else {
        expect(progress.percent).toBeLessThan(100);
        // An estimate may fall.
        if (progress.isEstimated) continue;
        expect(progress.percent).toBeGreaterThanOrEqual(percent);
        percent = progress.percent;
      }
    }
    expect(events.some(({ progress }) => progress.percent !== null && progress.percent < 100)).toBe(true);
    expect(events[0]?.progress.percent).toBeNull();
  });

  test('how many sources are done is known from its start, and never falls', () => {
    const done = events.map(({ progress }) => progress.completedSources);
    expect(done).toEqual(done.toSorted((one, other) => one - other));
    expect(done[0]).toBe(0);
    for (const { progress } of events) expect(progress.totalSources).toBe(3);
  });

  test('its estimated end is shown once the rate is known, and is after its start', () => {
    const estimates = events.filter(({ progress }) => progress.estimatedCompletion !== null);
    expect(estimates.length).toBeGreaterThan(0);
    for (const { progress, startedAt } of estimates) {
      expect(progress.itemsPerSecond).toBeGreaterThan(0);
      expect(new Date(String(progress.estimatedCompletion)).getTime()).toBeGreaterThan(
        new Date(String(startedAt)).getTime(),
      );
    }
  });

  test('the counts by data type add up to the total', () => {
    for (const { progress } of events) {
      for (const count of ['processedItems', 'successCount', 'errorCount', 'deletedCount'] as const) {
        const sum = progress.byType.reduce((total, type) => total + type[count], 0);
        expect(sum).toBe(progress[count]);
      }
    }
    expect(end.progress.byType).toEqual([
      {
        dataType: 'logistics',
        totalItems: 2_500,
        processedItems: 2_500,
        successCount: 2_500,
        ...{ insertedCount: 2_500, updatedCount: 0, unchangedCount: 0 },
        errorCount: 0,
        duplicateCount: 0,
        deletedCount: 0,
      },
      {
        dataType: 'sortie',
        totalItems: 8_000,
        processedItems: 8_000,
        successCount: 7_980,
        ...{ insertedCount: 7_980, updatedCount: 0, unchangedCount: 0 },
        errorCount: 20,
        duplicateCount: 0,
        deletedCount: 0,
      },
    ]);
  });

  test('its recent errors are the last ten of all stored ones', async () => {
    const { job } = await application.client.send(JobErrors, { id: end.id, first: 100 });
    const messages = job?.errors.edges.map(({ node }) => node.message) ?? [];
    expect(messages).toHaveLength(21);
    expect(end.recentErrors).toEqual(messages.slice(-10));
    for (const { recentErrors } of events) expect(recentErrors.length).toBeLessThanOrEqual(10);
  });
});

test('the end of a job is written with all counts however long the interval is', async () => {
  const application = await startTestApplication({ BLADE_PROGRESS_INTERVAL_MS: '60000' });
  try {
    const { client, warehouseFolder } = application;
    await writeQuery(warehouseFolder, 'supply', `SELECT 'L-' || i AS item_id FROM range(1000) AS t(i)`);
    await addSource(application, { name: 'Supply', dataType: 'logistics', tableName: 'supply' });
    for (let run = 0; run < 2; run++) {
      const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 10 } });
      const end = await client.waitForEnd(id);
      expect(end).toMatchObject({ state: 'COMPLETED', progress: { totalItems: 1_000, successCount: 1_000 } });
      expect(end.revision).toBeLessThanOrEqual(4);
    }
  } finally {
    await application.close();
  }
});

// The embedded database runs one transaction after the other.
test.runIf(inject('preparedDatabase').kind === 'server')(
  'of two workers that write the progress of a job the later one never tells the older counts',
  async () => {
    const application = await startTestApplication({ BLADE_ROLES: 'api' });
    const { client, database } = application;
    const prisma = createPrismaClient(database.connectionString, { maxConnections: 2 });
    const writer = createProgressWriter(prisma, { intervalMs: 10, onState: () => {}, onError: () => {} });
    const other = await database.pool.connect();
    try {
      await addSource(application, { name: 'Supply', dataType: 'logistics', tableName: 'supply' });
      const id = uuid((await client.startSync({ syncType: 'FULL' })).id);
      await database.pool.query(`update job set state = 'RUNNING', started_at = now() where id = $1`, [id]);
      await other.query('begin');
      await other.query('select 1 from job where id = $1 for update', [id]);
      writer.changed(id, 'Syncing', null);
      await vi.waitFor(async () => {
        const { rowCount } = await database.pool.query(
          `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        expect(rowCount).toBe(1);
      });
      await other.query(
        `update job_partition set total_items = 9, read_items = 9, read_by_level = '{9,0,0,0,0}',
          success_by_level = '{5,0,0,0,0}', processed_items = 5, success_count = 5 where job_id = $1`,
        [id],
      );
      await other.query('commit');
      await vi.waitFor(async () => {
        const { rows } = await database.pool.query('select current_operation, processed_items::int from job');
        expect(rows).toEqual([{ current_operation: 'Syncing', processed_items: 5 }]);
      });
    } finally {
      other.release();
      await writer.close();
      await prisma.$disconnect();
      await application.close();
    }
  },
);
