import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { test } from '../support/on-server.ts';
import { JobById, StartQueryJob, StartSync, StopSync, SyncStatus } from '../support/operations.ts';
import { createSortieTable } from '../support/sortie-table.ts';
import { addSource, forgetAll, storedItems, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

async function countRows(application: TestApplication, table: string): Promise<number> {
  const { rows } = await application.database.pool.query(`select count(*)::int as count from ${table}`);
  return rows[0].count;
}

describe('without a worker, so that jobs stay in the queue', () => {
  let application: TestApplication;

  beforeAll(async () => {
    application = await startTestApplication({ BLADE_ROLES: 'api' });
  });

  afterEach(() => forgetAll(application));

  afterAll(() => application.close());

  const query = { dataType: 'sortie', sqlQuery: 'SELECT 1 AS item_id' };

  test('a second sync is refused with the id of the active one', async () => {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const active = await client.startSync({ syncType: 'FULL' });
    expect(active).toMatchObject({ state: 'QUEUED', progress: { currentOperation: 'Waiting for a worker' } });
    expect(await client.send(StartSync, { input: { syncType: 'INCREMENTAL', dataType: 'sortie' } })).toEqual({
      startSync: {
        __typename: 'SyncAlreadyRunningError',
        message: expect.stringContaining('already running'),
        activeJob: { id: active.id, state: 'QUEUED' },
      },
    });
    expect(await countRows(application, 'job')).toBe(1);
  });

  test('of ten concurrent syncs exactly one is started, and the others get its id', async () => {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const queued = await countRows(application, 'pgboss.job');
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => client.send(StartSync, { input: { syncType: 'FULL' } })),
    );
    const started = answers.flatMap(({ startSync }) =>
      startSync.__typename === 'StartSyncSuccess' ? [startSync.job] : [],
    );
    const refused = answers.flatMap(({ startSync }) =>
      startSync.__typename === 'SyncAlreadyRunningError' ? [startSync.activeJob] : [],
    );
    expect(started).toHaveLength(1);
    expect(refused).toEqual(Array.from({ length: 9 }, () => ({ id: started[0]?.id, state: 'QUEUED' })));
    expect(await countRows(application, 'job')).toBe(1);
    expect(await countRows(application, 'job_partition')).toBe(1);
    expect((await countRows(application, 'pgboss.job')) - queued).toBe(1);
  });

  test('a sync that is started while the database is busy for seconds waits for it', async () => {
    const { client, database } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const busy = await database.pool.connect();
    try {
      await busy.query('begin');
      await busy.query('lock table job in exclusive mode');
      const started = client.startSync({ syncType: 'FULL' });
      await busy.query('select pg_sleep(6)');
      await busy.query('commit');
      expect(await started).toMatchObject({ state: 'QUEUED' });
    } finally {
      busy.release();
    }
  });

  test.each([
    [
      'a sync of a source that is being deleted finds none',
      'delete from data_source',
      StartSync,
      'NoDataSourceError',
    ],
    ['a query job of one belongs to none', 'delete from data_source', StartQueryJob, 'StartQueryJobSuccess'],
    [
      'a sync of one that is being disabled finds none',
      'update data_source set enabled = false',
      StartSync,
      'NoDataSourceError',
    ],
  ] as const)('%s', async (_name, change, operation, expected) => {
    const { client, database } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const busy = await database.pool.connect();
    try {
      await busy.query('begin');
      await busy.query('select from data_source for update');
      await busy.query(change);
      const input =
        operation === StartSync
          ? { syncType: 'FULL' }
          : { ...query, sqlQuery: 'SELECT item_id FROM blade.field.sortie' };
      const started = client.sendRaw(operation.toString(), { input });
      await busy.query('select pg_sleep(0.3)');
      await busy.query('commit');
      const { data } = await started;
      expect(Object.values(data ?? {})).toMatchObject([{ __typename: expected }]);
      expect(await countRows(application, 'job_partition where data_source_id is not null')).toBe(0);
    } finally {
      busy.release();
    }
  });

  test('query jobs start during a sync and during each other', async () => {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    await client.startSync({ syncType: 'FULL' });
    await client.startQueryJob(query);
    await client.startQueryJob(query);
    expect(await countRows(application, 'job')).toBe(3);
  });

  test.each([
    ['sync', StartSync, { syncType: 'FULL' }],
    ['query job', StartQueryJob, query],
  ] as const)(
    'a %s that cannot be put into the queue is not made at all',
    async (_name, operation, input) => {
      const { client, database } = application;
      await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
      await database.pool.query(
        'alter table pgboss.job_common add constraint refused check (false) not valid',
      );
      try {
        const { errors } = await client.sendRaw(operation.toString(), { input });
        expect(errors).toHaveLength(1);
        expect(errors?.[0]?.message).not.toContain('pgboss');
      } finally {
        await database.pool.query('alter table pgboss.job_common drop constraint refused');
      }
      expect(await countRows(application, 'job')).toBe(0);
      expect(await countRows(application, 'job_partition')).toBe(0);
      expect(await client.send(SyncStatus, {})).toMatchObject({ syncStatus: { job: null } });
      expect(JSON.stringify(await client.send(operation as typeof StartSync, { input } as never))).toContain(
        'Success',
      );
    },
  );

  test('a sync has a partition for each enabled source of its data type, in the order of their names', async () => {
    const { client } = application;
    await addSource(application, { name: 'East', dataType: 'sortie', tableName: 'east' });
    await addSource(application, { name: 'Depots', dataType: 'logistics', tableName: 'depots' });
    await addSource(application, { name: 'Away', dataType: 'sortie', tableName: 'away' });
    await addSource(application, { name: 'Old', dataType: 'sortie', tableName: 'old', enabled: false });
    const ofType = await client.startSync({ syncType: 'FULL', dataType: 'sortie' });
    expect((await client.send(JobById, { id: ofType.id })).job).toMatchObject({
      dataType: 'sortie',
      partitions: { nodes: [{ sourceName: 'Away' }, { sourceName: 'East' }] },
    });
    await client.cancelJob(ofType.id);
    const ofAll = await client.startSync({ syncType: 'FULL' });
    expect((await client.send(JobById, { id: ofAll.id })).job).toMatchObject({
      dataType: null,
      partitions: { nodes: [{ sourceName: 'Depots' }, { sourceName: 'Away' }, { sourceName: 'East' }] },
    });
  });

  test('without an enabled source of the type nothing is started, and the error names the type', async () => {
    const { client } = application;
    await addSource(application, { name: 'Old', dataType: 'sortie', tableName: 'old', enabled: false });
    expect(await client.send(StartSync, { input: { syncType: 'FULL' } })).toMatchObject({
      startSync: { __typename: 'NoDataSourceError', dataType: null },
    });
    expect(await client.send(StartSync, { input: { syncType: 'FULL', dataType: 'sortie' } })).toMatchObject({
      startSync: { __typename: 'NoDataSourceError', dataType: 'sortie' },
    });
    expect(await countRows(application, 'job')).toBe(0);
  });

  test('stopSync stops the active sync, and says if there is none', async () => {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    expect(await client.send(StopSync, {})).toMatchObject({ stopSync: { __typename: 'NoActiveSyncError' } });
    await client.startQueryJob(query);
    expect(await client.send(StopSync, {})).toMatchObject({ stopSync: { __typename: 'NoActiveSyncError' } });
    const { id } = await client.startSync({ syncType: 'FULL' });
    expect(await client.send(StopSync, {})).toMatchObject({
      stopSync: { __typename: 'StopSyncSuccess', job: { id, state: 'CANCELLED' } },
    });
    expect(await client.send(StopSync, {})).toMatchObject({ stopSync: { __typename: 'NoActiveSyncError' } });
  });
});

describe('with workers', () => {
  let application: TestApplication;

  beforeAll(async () => {
    application = await startTestApplication();
  });

  afterAll(() => application.close());

  test('a sync reads only the enabled sources of its type', async () => {
    const { client, warehouseFolder } = application;
    for (const [table, dataType, enabled] of [
      ['east', 'sortie', true],
      ['west', 'sortie', true],
      ['old', 'sortie', false],
      ['depots', 'logistics', true],
    ] as const) {
      await writeRows(warehouseFolder, table, [{ item_id: `${table}-1` }]);
      await addSource(application, { name: table, dataType, tableName: table, enabled });
    }
    const { id } = await client.startSync({ syncType: 'FULL', dataType: 'sortie' });
    expect(await client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { byType: [{ dataType: 'sortie', totalItems: 2, successCount: 2 }] },
    });
    expect((await storedItems(application)).map(({ itemId }) => itemId)).toEqual(['east-1', 'west-1']);
    const { rows } = await application.database.pool.query(
      'select name from data_source where last_sync_at is null order by name',
    );
    expect(rows).toEqual([{ name: 'depots' }, { name: 'old' }]);
    await forgetAll(application);
  });

  test('query jobs end while a long sync runs', async () => {
    const { client, warehouseFolder } = application;
    const table = { catalog: 'blade', schema: 'field', table: 'large' };
    await createSortieTable({ folder: warehouseFolder, table, rows: 100_000 });
    await addSource(application, { name: 'Large', dataType: 'sortie', tableName: 'large' });
    const sync = await client.startSync({ syncType: 'FULL', options: { batchSize: 50 } });
    const queries = await Promise.all(
      [1, 2, 3].map((number) =>
        client.startQueryJob({ dataType: 'sortie', sqlQuery: `SELECT 'Q-${number}' AS item_id` }),
      ),
    );
    for (const { id } of queries) {
      expect(await client.waitForEnd(id)).toMatchObject({
        state: 'COMPLETED',
        progress: { successCount: 1 },
      });
    }
    expect((await client.send(SyncStatus, {})).syncStatus).toMatchObject({
      state: 'RUNNING',
      job: { id: sync.id },
    });
    await client.cancelJob(sync.id);
    expect(await client.waitForEnd(sync.id)).toMatchObject({ state: 'CANCELLED' });
    await forgetAll(application);
  });
});
