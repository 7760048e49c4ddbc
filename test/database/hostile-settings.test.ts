import { describe, expect, inject } from 'vitest';
import { createClient, createPool } from '../../src/database/connection.ts';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { createJobFeeds } from '../../src/jobs/events/job-feeds.ts';
import type { JobNotifications } from '../../src/jobs/events/job-notifications.ts';
import { startBoss } from '../../src/jobs/queue/boss.ts';
import { HOSTILE_SETTINGS, openHostileDatabase } from '../support/hostile-database.ts';
import { insertJob } from '../support/job-rows.ts';
import { test as base } from '../support/on-server.ts';
import { addSource, uuid, writeQuery } from '../support/tables.ts';
import type { TestDatabase } from '../support/test-database.ts';

const prepared = inject('preparedDatabase');
const server = prepared.kind === 'server' ? prepared.url : '';

/** On a database whose settings, and those of its role, change how values are read and written. */
const test = base.extend('database', { scope: 'file' }, async ({}, { onCleanup }): Promise<TestDatabase> => {
  const database = await openHostileDatabase(server);
  onCleanup(() => database.close());
  return database;
});

/** The clocks of the server and this process are the same, but for the time that a look at them takes. */
const TOLERANCE_MS = 1_000;

function expectWithin(time: unknown, from: number, to: number): void {
  const at = new Date(String(time)).getTime();
  expect(at).toBeGreaterThanOrEqual(from - TOLERANCE_MS);
  expect(at).toBeLessThanOrEqual(to + TOLERANCE_MS);
}

const JOB = `id state createdAt startedAt finishedAt
  progress { elapsedSeconds itemsPerSecond estimatedCompletion successCount }`;

interface JobTimes {
  readonly id: string;
  readonly state: string;
  readonly createdAt: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly progress: Readonly<Record<string, unknown>> & { readonly elapsedSeconds: number };
}

function expectTimesOfRun(job: JobTimes, from: number, to: number): void {
  for (const time of [job.createdAt, job.startedAt, job.finishedAt]) expectWithin(time, from, to);
  expect(job.progress.elapsedSeconds).toBeGreaterThanOrEqual(0);
  expect(job.progress.elapsedSeconds).toBeLessThanOrEqual((to - from + TOLERANCE_MS) / 1_000);
}

describe.skipIf(prepared.kind !== 'server')('on a database whose settings change how values are read', () => {
  test('every time of a sync is the true one, in the answers, the lists and the feed', async ({
    application,
    database,
  }) => {
    const { client, warehouseFolder } = application;
    const writeDay = (day: number) =>
      writeQuery(
        warehouseFolder,
        'sortie',
        `SELECT 'S-' || i AS item_id, TIMESTAMP '2026-03-0${day} 04:05:06.789' + to_seconds(i) AS updated_at,
           0.1::DOUBLE + 0.2::DOUBLE AS flight_hours FROM range(300) AS t(i)`,
      );
    await writeDay(2);
    const before = Date.now();
    const sourceId = await addSource(application, { cursorColumn: 'updated_at', lookback: 0.1 + 0.2 });

    const watched = client.sendRaw(`mutation { startSync(input: { syncType: INCREMENTAL }) {
      ... on StartSyncSuccess { job { ${JOB} } } } }`);
    const started = (await watched).data as { startSync: { job: JobTimes } };
    const { id } = started.startSync.job;
    expectWithin(started.startSync.job.createdAt, before, Date.now());
    expect(await client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { successCount: 300 },
    });
    const after = Date.now();

    const { data } = await client.sendRaw(
      `query ($id: ID!, $after: DateTime!, $source: ID!) {
        job(id: $id) { ${JOB} partitions(first: 9) { nodes { startedAt finishedAt } } }
        jobs(first: 9, filter: { createdAfter: $after, finishedAfter: $after }) { nodes { ${JOB} } }
        items(first: 9) { nodes { createdAt updatedAt uploadedAt data } }
        auditEntries(first: 9) { nodes { time } }
        dataSource(id: $source) { createdAt updatedAt lastSyncAt watermark lookback }
      }`,
      { id, after: new Date(before - TOLERANCE_MS).toISOString(), source: `DataSource:${sourceId}` },
    );
    const { job, jobs, items, auditEntries, dataSource } = data as never as {
      job: JobTimes & { partitions: { nodes: { startedAt: string; finishedAt: string }[] } };
      jobs: { nodes: JobTimes[] };
      items: {
        nodes: { createdAt: string; updatedAt: string; uploadedAt: string; data: { flight_hours: number } }[];
      };
      auditEntries: { nodes: { time: string }[] };
      dataSource: Readonly<Record<string, unknown>>;
    };
    expectTimesOfRun(job, before, after);
    expect(jobs.nodes).toHaveLength(1);
    for (const listed of jobs.nodes) expectTimesOfRun(listed, before, after);
    for (const partition of job.partitions.nodes)
      for (const time of [partition.startedAt, partition.finishedAt]) expectWithin(time, before, after);
    expect(items.nodes).toHaveLength(9);
    for (const item of items.nodes) {
      for (const time of [item.createdAt, item.updatedAt, item.uploadedAt]) expectWithin(time, before, after);
      expect(item.data.flight_hours).toBe(0.1 + 0.2);
    }
    expect(auditEntries.nodes.length).toBeGreaterThan(0);
    for (const { time } of auditEntries.nodes) expectWithin(time, before, after);
    for (const name of ['createdAt', 'updatedAt', 'lastSyncAt'])
      expectWithin(dataSource[name], before, after);
    expect(dataSource).toMatchObject({ lookback: 0.1 + 0.2 });
    expect(new Date(String(dataSource.watermark)).toISOString()).toBe('2026-03-02T04:10:05.789Z');

    // As the server sees them, whatever the driver makes of them.
    const { rows } = await database.pool.query<{ started: string; finished: string }>(
      `select extract(epoch from started_at) * 1000 as started, extract(epoch from finished_at) * 1000 as finished
       from job where id = $1`,
      [uuid(id)],
    );
    expect(rows.map(({ started, finished }) => [Number(started), Number(finished)])).toEqual([
      [Date.parse(job.startedAt), Date.parse(String(job.finishedAt))],
    ]);

    await writeDay(3);
    const next = await client.waitForEnd((await client.startSync({ syncType: 'INCREMENTAL' })).id);
    expect(next).toMatchObject({ state: 'COMPLETED', progress: { successCount: 300 } });
    const last = await client.waitForEnd((await client.startSync({ syncType: 'INCREMENTAL' })).id);
    // The table has not changed since.
    expect(last).toMatchObject({ state: 'COMPLETED', progress: { successCount: 0 } });
  });

  test('a job that the feed missed while its connection was down comes once it is back', async ({
    database,
  }) => {
    const prisma = createPrismaClient(database.connectionString, { maxConnections: 2 });
    const subscribed = Promise.withResolvers<Parameters<JobNotifications['subscribe']>[0]>();
    const silent: JobNotifications = {
      subscribe(listener) {
        subscribed.resolve(listener);
        return () => {};
      },
      close: async () => {},
    };
    const feeds = createJobFeeds(silent, (error) => expect(error).toBeUndefined());
    try {
      const changes = await feeds.seenBy(prisma, 'TOP SECRET').watchChanges({}, 'BEGINNING');
      expect(await changes.next()).toMatchObject({ done: false, value: { value: null } });
      const id = await insertJob(database);
      (await subscribed.promise).onReconnect();
      for await (const entry of changes) if ('value' in entry && entry.value?.job.id === id) break;
    } finally {
      feeds.close();
      await prisma.$disconnect();
    }
  });

  test('every way to connect sets its own', async ({ database }) => {
    const { connectionString } = database;
    const names = Object.keys(HOSTILE_SETTINGS);
    const query = `select name, current_setting(name) as value from unnest('{${names.join(',')}}'::text[]) as name`;
    const client = createClient(connectionString);
    await client.connect();
    const pool = createPool(connectionString, { max: 1 });
    const prisma = createPrismaClient(connectionString, { maxConnections: 1 });
    const boss = await startBoss({
      ...{ connectionString, useNotifications: true, runsSchedules: false },
      onError: () => {},
    });
    try {
      const found = [
        (await client.query(query)).rows,
        (await pool.query(query)).rows,
        await prisma.$queryRawUnsafe(query),
        (await boss.getDb().executeSql(query)).rows,
      ] as readonly { name: string; value: string }[][];
      for (const rows of found) {
        expect(Object.fromEntries(rows.map(({ name, value }) => [name, value]))).toMatchObject({
          TimeZone: 'UTC',
          DateStyle: 'ISO, MDY',
          IntervalStyle: 'postgres',
          bytea_output: 'hex',
          extra_float_digits: '1',
          standard_conforming_strings: 'on',
          array_nulls: 'on',
          transform_null_equals: 'off',
          search_path: 'public',
          default_transaction_isolation: 'read committed',
          default_transaction_read_only: 'off',
          default_transaction_deferrable: 'off',
          client_encoding: 'UTF8',
          statement_timeout: '0',
          lock_timeout: '0',
          idle_session_timeout: '0',
          idle_in_transaction_session_timeout: '10s',
        });
      }
    } finally {
      await Promise.all([client.end(), pool.end(), prisma.$disconnect(), boss.stop({ graceful: false })]);
    }
  });
});
