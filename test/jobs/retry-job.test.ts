import { afterAll, afterEach, beforeAll, describe, expect, vi } from 'vitest';
import type { JobFactsFragment, RetryMode, StartSyncInput } from '../generated/graphql.ts';
import { type CatalogServer, startCatalogServer } from '../support/catalog-server.ts';
import { test } from '../support/on-server.ts';
import { DeleteDataSource, JobById, JobErrors, RetryJob, UpdateDataSource } from '../support/operations.ts';
import { addSource, forgetAll, removeTable, storedItems, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let catalog: CatalogServer;
let application: TestApplication;

beforeAll(async () => {
  catalog = await startCatalogServer();
  application = await startTestApplication({}, { catalog: catalog.choice });
});

afterEach(async () => {
  catalog.answerWith(() => null);
  await forgetAll(application);
});

afterAll(async () => {
  await application.close();
  await catalog.close();
});

async function sync(input: Partial<StartSyncInput> = {}): Promise<JobFactsFragment> {
  const { id } = await application.client.startSync({ syncType: 'FULL', ...input });
  return application.client.waitForEnd(id);
}

function send(id: string, mode: RetryMode) {
  return application.client.send(RetryJob, { input: { id, mode } });
}

/** Retries a job that has to be retried, and waits for the end of the retry. */
async function retry(id: string, mode: RetryMode = 'ALL') {
  const { retryJob } = await send(id, mode);
  if (retryJob.__typename !== 'RetryJobSuccess') throw new Error(JSON.stringify(retryJob));
  expect(retryJob.job).toMatchObject({ retryOf: { id }, retryMode: mode, outcome: null });
  return application.client.waitForEnd(retryJob.job.id);
}

/** Reads the names of the sources that a job reads. */
async function readSources(id: string) {
  const { job } = await application.client.send(JobById, { id });
  return job?.partitions.nodes.map(({ sourceName }) => sourceName);
}

async function listErrors(id: string) {
  const { job } = await application.client.send(JobErrors, { id, first: 100 });
  return job?.errors.edges.map(({ node }) => node) ?? [];
}

async function addSorties(rows: readonly object[]): Promise<string> {
  await writeRows(application.warehouseFolder, 'sortie', rows);
  return addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
}

const flights = Array.from({ length: 20 }, (_, index) => ({
  item_id: `S-${String(index + 1).padStart(2, '0')}`,
  mission_id: `M-${index + 1}`,
  flight_hours: '1.5',
}));

function refuseUploads(...itemIds: string[]): void {
  catalog.answerWith(({ item }) => (itemIds.includes(item.itemId) ? { status: 400, body: 'no' } : null));
}

describe('a retry of a whole job', () => {
  test('that completed reads everything again, with the same configuration', async () => {
    await addSorties(flights);
    const options = { batchSize: 7, maxErrors: 3 };
    const first = await sync({ dataType: 'sortie', filter: "item_id <> 'S-01'", maxItems: 15, options });
    const again = await retry(first.id);
    expect(again).toMatchObject({
      state: 'COMPLETED',
      kind: 'SYNC',
      dataType: 'sortie',
      progress: { totalItems: 15 },
    });
    const [one, other] = await Promise.all(
      [first, again].map(({ id }) => application.client.send(JobById, { id })),
    );
    expect(other?.job?.configuration).toEqual(one?.job?.configuration);
  });

  test('that failed succeeds once its source can be read', async () => {
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    await removeTable(application.warehouseFolder, 'sortie');
    const failed = await sync();
    expect(failed.state).toBe('FAILED');
    await writeRows(application.warehouseFolder, 'sortie', flights);
    expect(await retry(failed.id)).toMatchObject({ state: 'COMPLETED', progress: { successCount: 20 } });
  });

  test('that was cancelled reads everything, including what was read before', async () => {
    await addSorties(flights);
    catalog.answerWith(() => ({ status: 201, after: 50 }));
    const { id } = await application.client.startSync({ syncType: 'FULL', options: { batchSize: 1 } });
    await vi.waitFor(async () => expect(await storedItems(application)).not.toHaveLength(0));
    await application.client.cancelJob(id);
    expect(await application.client.waitForEnd(id)).toMatchObject({ state: 'CANCELLED' });
    expect(await retry(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 20, successCount: 20 },
    });
    expect((await storedItems(application)).every(({ uploadedAt }) => uploadedAt !== null)).toBe(true);
  });

  test('that was a query binds the same parameters, and its items name the retry', async () => {
    await addSorties(flights);
    const { id } = await application.client.startQueryJob({
      dataType: 'sortie',
      sqlQuery: 'SELECT * FROM blade.field.sortie WHERE item_id = :id',
      parameters: { id: 'S-07' },
      catalogConfig: { classification: 'SECRET', metadata: { reason: 'exercise' } },
    });
    await application.client.waitForEnd(id);
    const again = await retry(id);
    expect(again).toMatchObject({ state: 'COMPLETED', kind: 'QUERY', progress: { successCount: 1 } });
    expect(await storedItems(application)).toMatchObject([
      {
        itemId: 'S-07',
        marking: 'SECRET',
        metadata: { reason: 'exercise', query_job_id: again.id.slice('Job:'.length) },
      },
    ]);
  });

  test('that was split into partitions reads each source once', async () => {
    await addSorties(
      Array.from({ length: 2_500 }, (_, index) => ({ item_id: `S-${10_000 + index}`, flight_hours: 'none' })),
    );
    const first = await sync({ options: { partitionRows: 1_000 } });
    const { job } = await application.client.send(JobById, { id: first.id });
    expect(job?.partitions.nodes.length).toBeGreaterThan(1);
    expect(await retry(first.id)).toMatchObject({ state: 'COMPLETED', progress: { totalItems: 2_500 } });
  });

  test.each(['ALL', 'FAILED_SOURCES'] as const)(
    'reads a source as it is now, and leaves the items of its new data type alone (%s)',
    async (mode) => {
      const source = await addSource(application, { maxDeletePercent: 100, deletePolicy: 'MARK' });
      await removeTable(application.warehouseFolder, 'sortie');
      const failed = await sync({ dataType: 'sortie' });
      expect(failed.state).toBe('FAILED');
      await writeRows(
        application.warehouseFolder,
        'sortie',
        flights.map((row) => ({ ...row, deployment_id: row.mission_id })),
      );
      const { updateDataSource } = await application.client.send(UpdateDataSource, {
        input: { id: source, dataType: 'deployment', name: 'Deployments' },
      });
      expect(updateDataSource.__typename).toBe('UpdateDataSourceSuccess');
      await sync();
      expect(await retry(failed.id, mode)).toMatchObject({
        ...{ state: 'COMPLETED', dataType: null },
        progress: { unchangedCount: 20, deletedCount: 0 },
      });
      const items = await storedItems(application);
      expect(new Set(items.map(({ dataType, metadata }) => `${dataType} ${metadata.data_source}`))).toEqual(
        new Set(['deployment Deployments']),
      );
    },
  );

  test('whose source has been deleted fails at once and says so', async () => {
    const sourceId = await addSorties(flights);
    const { id } = await sync();
    await application.client.send(DeleteDataSource, { input: { id: `DataSource:${sourceId}` } });
    expect(await retry(id)).toMatchObject({
      state: 'FAILED',
      failureReason: 'Sorties: the data source has been deleted',
      recentErrors: ['Failed to query sortie from Sorties: the data source has been deleted'],
    });
  });
});

describe('a retry of only the failed items', () => {
  test('reads failed rows from the errors, without reading the warehouse', async () => {
    await addSorties([
      ...flights,
      { item_id: 'bad-1', flight_hours: 'many' },
      { item_id: 'bad-2', flight_hours: 'few' },
    ]);
    const first = await sync();
    expect(first.progress).toMatchObject({ successCount: 20, errorCount: 2 });
    await removeTable(application.warehouseFolder, 'sortie');
    // Somebody puts one of the kept rows right.
    await application.database.pool.query(
      `update job_error set "row" = '{"item_id":"bad-1","flight_hours":3}' where item_id = 'bad-1'`,
    );
    const again = await retry(first.id, 'FAILED_ITEMS');
    expect(again).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 2, processedItems: 2, successCount: 1, errorCount: 1 },
    });
    expect(await listErrors(again.id)).toMatchObject([
      { stage: 'TRANSFORM', itemId: 'bad-2', message: 'flight_hours must be a number, not "few".' },
    ]);
    expect((await storedItems(application)).map(({ itemId }) => itemId)).toEqual([
      ...flights.map((flight) => flight.item_id),
      'bad-1',
    ]);
    // What failed again can be tried again.
    expect(await retry(again.id, 'FAILED_ITEMS')).toMatchObject({
      progress: { totalItems: 1, errorCount: 1 },
    });
  });

  test('stores what the database refused, once it accepts it', async () => {
    const { pool } = application.database;
    await addSorties(flights);
    await pool.query(`alter table blade_item add constraint refused check (item_id <> 'S-05')`);
    const first = await sync().finally(() => pool.query('alter table blade_item drop constraint refused'));
    expect(first.progress).toMatchObject({ successCount: 19, errorCount: 1 });
    await removeTable(application.warehouseFolder, 'sortie');
    expect(await retry(first.id, 'FAILED_ITEMS')).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 1, successCount: 1, errorCount: 0 },
    });
    expect(await storedItems(application)).toHaveLength(20);
  });

  test('uploads what the catalog refused, once it accepts it', async () => {
    await addSorties(flights);
    refuseUploads('S-03', 'S-11');
    const first = await sync({ options: { batchSize: 6 } });
    expect(first).toMatchObject({ state: 'COMPLETED', progress: { successCount: 18, errorCount: 2 } });
    expect(await listErrors(first.id)).toMatchObject([
      { stage: 'UPLOAD', itemId: 'S-03', message: expect.stringContaining('400') },
      { stage: 'UPLOAD', itemId: 'S-11' },
    ]);
    const notUploaded = (await storedItems(application)).filter(({ uploadedAt }) => uploadedAt === null);
    expect(notUploaded.map(({ itemId }) => itemId)).toEqual(['S-03', 'S-11']);
    await removeTable(application.warehouseFolder, 'sortie');
    refuseUploads('S-11');
    const again = await retry(first.id, 'FAILED_ITEMS');
    expect(again.progress).toMatchObject({ totalItems: 2, successCount: 1, errorCount: 1 });
    catalog.answerWith(() => null);
    expect(await retry(again.id, 'FAILED_ITEMS')).toMatchObject({
      progress: { totalItems: 1, successCount: 1 },
    });
    expect((await storedItems(application)).every(({ uploadedAt }) => uploadedAt !== null)).toBe(true);
    expect(catalog.items.has('BLADE:sortie/S-03')).toBe(true);
    expect(catalog.items.has('BLADE:sortie/S-11')).toBe(true);
  });

  test('does not bring back what the catalog refused and a sync has deleted since', async () => {
    await writeRows(application.warehouseFolder, 'sortie', flights);
    await addSource(application, { deletePolicy: 'MARK', maxDeletePercent: 100 });
    refuseUploads('S-01', 'S-02');
    const first = await sync();
    expect(first.progress.errorCount).toBe(2);
    await writeRows(application.warehouseFolder, 'sortie', flights.slice(1));
    expect((await sync()).progress.deletedCount).toBe(1);
    catalog.answerWith(() => null);
    expect(await retry(first.id, 'FAILED_ITEMS')).toMatchObject({
      progress: { totalItems: 1, insertedCount: 1 },
    });
    const { data } = await application.client.sendRaw('{ items(first: 1) { totalCount } }');
    expect(data?.items).toEqual({ totalCount: 19 });
  });

  test('does not replace newer content with an older row', async () => {
    const { pool } = application.database;
    await addSorties([{ item_id: 'S-05', mission_status: 'PLANNED' }]);
    await pool.query(`alter table blade_item add constraint refused check (item_id <> 'S-05')`);
    const first = await sync().finally(() => pool.query('alter table blade_item drop constraint refused'));
    await writeRows(application.warehouseFolder, 'sortie', [{ item_id: 'S-05', mission_status: 'FLOWN' }]);
    await sync();
    expect(await send(first.id, 'FAILED_ITEMS')).toMatchObject({
      retryJob: { __typename: 'NothingToRetryError' },
    });
    expect(await storedItems(application)).toMatchObject([{ data: { mission_status: 'FLOWN' } }]);
  });

  test('applies the rows of one item in the order in which they were read, in however many batches', async () => {
    const { pool } = application.database;
    await addSorties([
      { item_id: 'S-05', mission_status: 'PLANNED' },
      ...Array.from({ length: 20 }, (_, index) => ({ item_id: `S-05-${index}` })),
      { item_id: 'S-05', mission_status: 'FLOWN' },
    ]);
    await pool.query(`alter table blade_item add constraint refused check (item_id not like 'S-05%')`);
    const first = await sync({ options: { batchSize: 1 } }).finally(() =>
      pool.query('alter table blade_item drop constraint refused'),
    );
    expect(await retry(first.id, 'FAILED_ITEMS')).toMatchObject({
      progress: { totalItems: 22, successCount: 21, duplicateCount: 1 },
    });
    const [item] = await storedItems(application);
    expect(item).toMatchObject({ itemId: 'S-05', data: { mission_status: 'FLOWN' } });
  });

  test('creates no item from a row that could not be stored unchanged', async () => {
    await addSorties([
      { item_id: 'S-01', mission_id: 'a\0b' },
      { item_id: 'S-02', flight_hours: 'many' },
    ]);
    const first = await sync();
    expect(first.progress).toMatchObject({ errorCount: 2 });
    expect(await retry(first.id, 'FAILED_ITEMS')).toMatchObject({
      progress: { totalItems: 1, errorCount: 1 },
    });
    expect(await storedItems(application)).toEqual([]);
  });

  test('does not change the last sync of the source', async () => {
    await addSorties(flights);
    refuseUploads('S-03');
    const first = await sync();
    const read = () =>
      application.database.pool.query(
        `select item_count, to_jsonb(s) - 'item_changes' as source from data_source s`,
      );
    const before = (await read()).rows;
    expect(before).toMatchObject([{ item_count: '19' }]);
    await retry(first.id, 'FAILED_ITEMS');
    expect((await read()).rows).toEqual(before);
  });

  test('still retries only failed items if it is itself retried as a whole', async () => {
    await addSorties(flights);
    refuseUploads('S-03');
    const first = await sync();
    const again = await retry(first.id, 'FAILED_ITEMS');
    expect(again.progress).toMatchObject({ totalItems: 1, errorCount: 1 });
    catalog.answerWith(() => null);
    const { retryJob } = await send(again.id, 'ALL');
    expect(retryJob).toMatchObject({ __typename: 'RetryJobSuccess', job: { retryMode: 'FAILED_ITEMS' } });
    if (retryJob.__typename !== 'RetryJobSuccess') return;
    expect(await application.client.waitForEnd(retryJob.job.id)).toMatchObject({
      progress: { totalItems: 1, successCount: 1 },
    });
  });

  test('is refused if nothing failed, and if only a source could not be read', async () => {
    await addSorties(flights);
    const { id } = await sync();
    expect(await send(id, 'FAILED_ITEMS')).toMatchObject({
      retryJob: { __typename: 'NothingToRetryError', jobId: id },
    });
    await removeTable(application.warehouseFolder, 'sortie');
    const unread = await sync();
    expect(unread).toMatchObject({ state: 'FAILED', progress: { errorCount: 0 } });
    expect(await send(unread.id, 'FAILED_ITEMS')).toMatchObject({
      retryJob: { __typename: 'NothingToRetryError' },
    });
  });
});

describe('a retry of the failed sources', () => {
  test('reads only these again, and skips their unchanged items', async () => {
    await addSorties(flights);
    await addSource(application, { name: 'Gone', dataType: 'sortie', tableName: 'gone' });
    await addSource(application, { name: 'Lost', dataType: 'sortie', tableName: 'lost' });
    const failed = await sync();
    expect(failed).toMatchObject({
      ...{ state: 'FAILED', outcome: 'SOURCES_FAILED' },
      progress: { totalSources: 3, completedSources: 1 },
    });
    await writeRows(application.warehouseFolder, 'gone', [{ item_id: 'G-1' }, { item_id: 'G-2' }]);
    const again = await retry(failed.id, 'FAILED_SOURCES');
    expect(await readSources(again.id)).toEqual(['Gone', 'Lost']);
    expect(again).toMatchObject({
      ...{ state: 'FAILED', outcome: 'SOURCES_FAILED' },
      progress: { totalSources: 2, completedSources: 1, totalItems: 2, successCount: 2 },
    });
    await writeRows(application.warehouseFolder, 'lost', [{ item_id: 'L-1' }]);
    const last = await retry(again.id, 'FAILED_SOURCES');
    expect(await readSources(last.id)).toEqual(['Lost']);
    expect(last).toMatchObject({ outcome: 'SUCCEEDED', progress: { totalSources: 1, successCount: 1 } });
    expect(await storedItems(application)).toHaveLength(23);
  });

  test('reads the whole source again if one of its partitions failed, and lists it once', async () => {
    const rows = Array.from({ length: 2_500 }, (_, index) => ({ item_id: `S-${10_000 + index}` }));
    await addSorties([...rows, { item_id: 'bad', flight_hours: 'many' }]);
    const failed = await sync({ options: { partitionRows: 1_000, maxErrors: 0 } });
    const { job } = await application.client.send(JobById, { id: failed.id });
    expect(job?.partitions.nodes.filter(({ state }) => state === 'COMPLETED').length).toBeGreaterThan(0);
    expect(job).toMatchObject({
      ...{ outcome: 'SOURCES_FAILED', failedSources: [{ sourceName: 'Sorties' }] },
      progress: { totalSources: 1, completedSources: 0 },
    });
    await writeRows(application.warehouseFolder, 'sortie', rows);
    expect(await retry(failed.id, 'FAILED_SOURCES')).toMatchObject({
      outcome: 'SUCCEEDED',
      progress: { totalItems: 2_500, successCount: 2_500 },
    });
  });

  test('of an INCREMENTAL sync moves the watermark that the failed one left', async () => {
    const readWatermark = async () =>
      (await application.database.pool.query('select watermark from data_source')).rows[0].watermark;
    await addSource(application, { cursorColumn: 'mission_id' });
    await removeTable(application.warehouseFolder, 'sortie');
    const failed = await sync({ syncType: 'INCREMENTAL' });
    expect(await readWatermark()).toBeNull();
    await writeRows(application.warehouseFolder, 'sortie', flights);
    expect(await retry(failed.id, 'FAILED_SOURCES')).toMatchObject({ outcome: 'SUCCEEDED' });
    expect(await readWatermark()).toBe('M-9');
  });

  test('runs a query again that failed', async () => {
    await addSorties(flights);
    const { client, warehouseFolder } = application;
    await removeTable(warehouseFolder, 'gone');
    const { id } = await client.startQueryJob({
      dataType: 'sortie',
      sqlQuery: 'SELECT * FROM blade.field.gone WHERE item_id = :id',
      parameters: { id: 'G-1' },
    });
    expect(await client.waitForEnd(id)).toMatchObject({ outcome: 'NOTHING_SUCCEEDED' });
    await writeRows(warehouseFolder, 'gone', [{ item_id: 'G-1' }, { item_id: 'G-2' }]);
    expect(await retry(id, 'FAILED_SOURCES')).toMatchObject({
      ...{ kind: 'QUERY', outcome: 'SUCCEEDED' },
      progress: { totalItems: 1 },
    });
  });

  test('leaves out a source that is disabled by now, and is refused with that reason if nothing else is left', async () => {
    const { client, warehouseFolder } = application;
    const names = ['Gone', 'Off'];
    await Promise.all(names.map((name) => removeTable(warehouseFolder, name.toLowerCase())));
    const ids = await Promise.all(
      names.map((name) =>
        addSource(application, { name, dataType: 'sortie', tableName: name.toLowerCase() }),
      ),
    );
    const failed = await sync();
    await Promise.all(
      names.map((name) => writeRows(warehouseFolder, name.toLowerCase(), [{ item_id: name }])),
    );
    const enable = (id: string | undefined, enabled: boolean) =>
      client.send(UpdateDataSource, { input: { id: `DataSource:${id}`, enabled } });
    await enable(ids[1], false);
    const { job } = await client.send(JobById, { id: failed.id });
    expect(job?.failedSources).toMatchObject([
      { sourceName: 'Gone', isRetryable: true },
      { sourceName: 'Off', isRetryable: false },
    ]);
    for (const mode of ['FAILED_SOURCES', 'ALL'] as const)
      expect(await readSources((await retry(failed.id, mode)).id)).toEqual(['Gone']);
    await enable(ids[0], false);
    for (const mode of ['FAILED_SOURCES', 'ALL'] as const)
      expect(await send(failed.id, mode)).toMatchObject({
        retryJob: {
          __typename: 'InvalidInputError',
          issues: [
            { path: ['input', 'id'], message: '"Gone" is disabled: enable it first' },
            { path: ['input', 'id'], message: '"Off" is disabled: enable it first' },
          ],
        },
      });
    await enable(ids[1], true);
    expect(await readSources((await retry(failed.id, 'ALL')).id)).toEqual(['Off']);
  });

  test('keeps its mode if it is itself retried as a whole', async () => {
    await addSorties(flights);
    await addSource(application, { name: 'Gone', dataType: 'sortie', tableName: 'gone' });
    await removeTable(application.warehouseFolder, 'gone');
    const again = await retry((await sync()).id, 'FAILED_SOURCES');
    const { retryJob } = await send(again.id, 'ALL');
    expect(retryJob).toMatchObject({ job: { retryMode: 'FAILED_SOURCES' } });
    if (retryJob.__typename !== 'RetryJobSuccess') return;
    await application.client.waitForEnd(retryJob.job.id);
    expect(await readSources(retryJob.job.id)).toEqual(['Gone']);
  });

  test('is refused if no source failed, or only one that has been deleted since', async () => {
    await addSorties([...flights, { item_id: 'bad', flight_hours: 'many' }]);
    const whole = await sync();
    expect(whole.outcome).toBe('ITEMS_FAILED');
    const refusal = { __typename: 'NothingToRetryError', mode: 'FAILED_SOURCES' };
    expect(await send(whole.id, 'FAILED_SOURCES')).toMatchObject({
      retryJob: { ...refusal, jobId: whole.id, message: expect.stringContaining('no failed sources') },
    });
    const id = await addSource(application, { name: 'Gone', dataType: 'sortie', tableName: 'gone' });
    await removeTable(application.warehouseFolder, 'gone');
    const failed = await sync();
    await application.client.send(DeleteDataSource, { input: { id: `DataSource:${id}` } });
    const { job } = await application.client.send(JobById, { id: failed.id });
    expect(job?.failedSources).toMatchObject([
      { sourceName: 'Gone', dataSource: null, isRetryable: false, message: expect.stringContaining('gone') },
    ]);
    expect(await send(failed.id, 'FAILED_SOURCES')).toMatchObject({ retryJob: refusal });
  });
});

describe('a retry is refused', () => {
  test('for an unknown job', async () => {
    const id = `Job:${crypto.randomUUID()}`;
    expect(await send(id, 'ALL')).toMatchObject({ retryJob: { __typename: 'JobNotFoundError' } });
  });

  test('for a job that has not ended, and for a sync while another one is active', async () => {
    await addSorties(flights);
    refuseUploads('S-01');
    await addSource(application, { name: 'Gone', dataType: 'sortie', tableName: 'gone' });
    await removeTable(application.warehouseFolder, 'gone');
    const failed = await sync();
    catalog.answerWith(() => ({ status: 201, after: 200 }));
    await writeRows(
      application.warehouseFolder,
      'sortie',
      flights.map((flight) => ({ ...flight, flight_hours: '2.5' })),
    );
    const active = await application.client.startSync({ syncType: 'FULL', options: { batchSize: 1 } });
    expect(await send(active.id, 'ALL')).toMatchObject({
      retryJob: { __typename: 'JobNotFinishedError', jobId: active.id },
    });
    for (const mode of ['ALL', 'FAILED_SOURCES', 'FAILED_ITEMS'] as const) {
      const { retryJob } = await send(failed.id, mode);
      expect(retryJob).toMatchObject({
        ...{ __typename: 'SyncAlreadyRunningError', activeJob: { id: active.id } },
      });
    }
    await application.client.cancelJob(active.id);
    await application.client.waitForEnd(active.id);
  });
});
