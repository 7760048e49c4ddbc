import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import type { JobFactsFragment, StartSyncInput, UpdateDataSourceInput } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import {
  JobReads,
  LowerItemMarking,
  SetWatermark,
  SourceReads,
  UpdateDataSource,
} from '../support/operations.ts';
import {
  addSource,
  catalogContent,
  forgetAll,
  storedItems,
  uploadedContent,
  writeRows,
} from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
let source: string;

beforeAll(async () => {
  application = await startTestApplication();
});

const flights = (count: number, status = 'FLOWN') =>
  Array.from({ length: count }, (_none, index) => ({
    item_id: `S-${index + 100}`,
    mission_status: status,
    flight_hours: index,
    classification_marking: index % 2 === 0 ? 'UNCLASSIFIED' : 'SECRET',
  }));

beforeEach(async () => {
  await writeRows(application.warehouseFolder, 'sortie', flights(20));
  source = await addSource(application, { cursorColumn: 'flight_hours' });
  await sync();
});

afterEach(() => forgetAll(application));

afterAll(() => application.close());

async function sync(input: Partial<StartSyncInput> = {}): Promise<JobFactsFragment> {
  const { id } = await application.client.startSync({ syncType: 'FULL', dataSourceIds: [source], ...input });
  const job = await application.client.waitForEnd(id);
  expect(job).toMatchObject({ state: 'COMPLETED', outcome: 'SUCCEEDED' });
  return job;
}

/** Syncs, and returns what the job and its only partition did. */
async function syncOnce(input: Partial<StartSyncInput> = {}) {
  const { id } = await sync(input);
  const { job } = await application.client.send(JobReads, { id });
  return { progress: job?.progress, ...job?.partitions.nodes[0] };
}

async function findSource() {
  const { dataSource } = await application.client.send(SourceReads, { id: source });
  return dataSource;
}

const READ = { isUnchanged: false };

test('a FULL sync of a table that holds what it held reads no row, and confirms all items', async () => {
  const items = await storedItems(application);
  expect(await syncOnce()).toEqual({
    ...{ isUnchanged: true, readItems: 0, successCount: 20, percent: 100 },
    ...{ tableVersion: null, tableTimestamp: null },
    progress: { percent: 100, totalItems: 20, successCount: 20 },
  });
  expect(await storedItems(application)).toEqual(items);
  expect(await findSource()).toMatchObject({ itemCount: 20, lastSyncState: 'COMPLETED', watermark: '19' });
});

test('an INCREMENTAL sync of it has nothing to do, and keeps the number of items', async () => {
  expect(await syncOnce({ syncType: 'INCREMENTAL' })).toMatchObject({
    ...{ isUnchanged: true, readItems: 0, successCount: 0, percent: 100 },
    progress: { percent: 100, totalItems: 0 },
  });
  expect(await findSource()).toMatchObject({ itemCount: 20 });
});

test('a FULL sync after an INCREMENTAL one reads what that did not', async () => {
  await writeRows(application.warehouseFolder, 'sortie', [
    ...flights(20, 'DIVERTED'),
    { item_id: 'S-900', flight_hours: 99 },
  ]);
  expect(await syncOnce({ syncType: 'INCREMENTAL' })).toMatchObject({ isUnchanged: false, readItems: 2 });
  expect(await syncOnce({ syncType: 'INCREMENTAL' })).toMatchObject({ isUnchanged: true });
  expect(await syncOnce()).toMatchObject({ isUnchanged: false, readItems: 21 });
  expect((await storedItems(application)).map(({ data }) => data.mission_status)).not.toContain('FLOWN');
  expect(await syncOnce()).toMatchObject({ isUnchanged: true, successCount: 21 });
});

describe('a table is read again', () => {
  test.each<[name: string, input: Partial<StartSyncInput>]>([
    ['a filter', { filter: 'flight_hours < 5' }],
    ['a limit', { maxItems: 3 }],
  ])('by a sync with %s, and by the one after it', async (_name, input) => {
    expect(await syncOnce(input)).toMatchObject(READ);
    expect(await syncOnce()).toMatchObject(READ);
    expect(await syncOnce()).toMatchObject({ isUnchanged: true });
  });

  test('if it has other rows, even in a file of the same size and times', async () => {
    const file = join(application.warehouseFolder, 'blade/field/sortie.ndjson');
    const { size, atime, mtime } = await stat(file);
    await writeFile(file, (await readFile(file, 'utf8')).replace('"flight_hours":0', '"flight_hours":7'));
    await utimes(file, atime, mtime);
    expect(await stat(file)).toMatchObject({ size, mtime });
    expect(await syncOnce()).toMatchObject(READ);
    expect((await storedItems(application))[0]?.data).toMatchObject({ flight_hours: 7 });
  });

  test('not if its file was written anew with the same rows', async () => {
    await writeRows(application.warehouseFolder, 'sortie', flights(20));
    expect(await syncOnce()).toMatchObject({ isUnchanged: true });
  });

  test('if it held other rows in between, which another sync has read', async () => {
    await writeRows(application.warehouseFolder, 'sortie', flights(20, 'DIVERTED'));
    await syncOnce({ filter: 'flight_hours < 5' });
    await writeRows(application.warehouseFolder, 'sortie', flights(20));
    expect(await syncOnce()).toMatchObject(READ);
    expect((await storedItems(application)).map(({ data }) => data.mission_status)).not.toContain('DIVERTED');
  });

  test('after a sync some of whose rows failed, or came twice', async () => {
    const rows = [...flights(20), { mission_status: 'FLOWN' }];
    await writeRows(application.warehouseFolder, 'sortie', rows);
    for (const _again of [1, 2]) {
      const { id } = await application.client.startSync({ syncType: 'FULL' });
      expect(await application.client.waitForEnd(id)).toMatchObject({ outcome: 'ITEMS_FAILED' });
    }
    await writeRows(application.warehouseFolder, 'sortie', [...flights(20), ...flights(1)]);
    expect((await sync()).progress.duplicateCount).toBe(1);
    expect((await sync()).progress.duplicateCount).toBe(1);
  });

  test('after another source has brought one of its items', async () => {
    await writeRows(application.warehouseFolder, 'other', [{ item_id: 'S-105', mission_status: 'OTHER' }]);
    const other = await addSource(application, { name: 'Other', tableName: 'other' });
    await sync({ dataSourceIds: [other] });
    expect(await syncOnce()).toMatchObject(READ);
    expect((await storedItems(application)).map(({ data }) => data.mission_status)).not.toContain('OTHER');
    expect(await syncOnce()).toMatchObject({ isUnchanged: true });
    // And the other one, whose item it has written over.
    expect(await syncOnce({ dataSourceIds: [other] })).toMatchObject(READ);
  });

  test('not after another source has brought other items', async () => {
    await writeRows(application.warehouseFolder, 'other', [{ item_id: 'T-1', mission_status: 'OTHER' }]);
    const other = await addSource(application, { name: 'Other', tableName: 'other' });
    await sync({ dataSourceIds: [other] });
    expect(await syncOnce()).toMatchObject({ isUnchanged: true });
  });

  test('after a query job has written one of its items', async () => {
    const { id } = await application.client.startQueryJob({
      dataType: 'sortie',
      sqlQuery: `SELECT item_id, 'QUERIED' AS mission_status FROM blade.field.sortie WHERE item_id = 'S-105'`,
    });
    expect(await application.client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED' });
    expect(await syncOnce()).toMatchObject(READ);
    expect((await storedItems(application)).map(({ data }) => data.mission_status)).not.toContain('QUERIED');
  });

  test('after the marking of one of its items was raised and lowered', async () => {
    const { id } = await application.client.startQueryJob({
      dataType: 'sortie',
      catalogConfig: { classification: 'SECRET', reason: 'A test' },
      sqlQuery: `SELECT * FROM blade.field.sortie WHERE item_id = 'S-100'`,
    });
    expect(await application.client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED' });
    await syncOnce();
    expect(await syncOnce()).toMatchObject({ isUnchanged: true });
    const { lowerItemMarking } = await application.client.send(LowerItemMarking, {
      input: {
        dataType: 'sortie',
        itemId: 'S-100',
        expectedFloor: 'SECRET',
        newFloor: null,
        reason: 'A test',
      },
    });
    expect(lowerItemMarking.__typename).toBe('LowerItemMarkingSuccess');
    expect(await syncOnce()).toMatchObject(READ);
  });

  test.each([
    ['an item was deleted', `delete from blade_item where item_id = 'S-105'`],
    ['all items were truncated', 'truncate blade_item'],
    ['all upload batches were truncated', 'truncate upload_batch'],
    [
      'the upload batch of an item was deleted',
      `delete from upload_batch where id = (select upload_batch_id from blade_item where item_id = 'S-105')`,
    ],
  ])('after %s', async (_name, statement) => {
    await application.database.pool.query(statement);
    await rm(application.catalogFolder, { recursive: true });
    expect(await syncOnce()).toMatchObject(READ);
    const items = await storedItems(application);
    expect(items).toHaveLength(20);
    expect(await catalogContent(application)).toEqual(uploadedContent(items));
  });

  test.each([
    ['the data of an item', `data = data || '{"flight_hours": 99}'`],
    ['the data of an item and its hash', `data = '{"item_id": "S-105"}', content_hash = 'edited'`],
    ['the hash of an item', `content_hash = 'edited'`],
    ['the metadata of an item', `metadata = '{}'`],
    ['the id of an item', `item_id = 'S-105-moved'`],
  ])('after somebody edited %s in SQL, and restores it', async (_name, change) => {
    const before = await storedItems(application);
    await application.database.pool.query(`update blade_item set ${change} where item_id = 'S-105'`);
    expect(await syncOnce()).toMatchObject(READ);
    const after = await storedItems(application);
    expect(after.filter(({ itemId }) => itemId !== 'S-105-moved')).toMatchObject(
      before.map(({ itemId, data, metadata }) => ({ itemId, data, metadata })),
    );
  });

  test('after its watermark was set', async () => {
    const input = { id: source, value: '10', expected: '19' };
    const { setWatermark } = await application.client.send(SetWatermark, { input });
    expect(setWatermark?.__typename).toBe('SetWatermarkSuccess');
    expect(await syncOnce({ syncType: 'INCREMENTAL' })).toMatchObject({ isUnchanged: false, readItems: 10 });
  });

  test('by an INCREMENTAL sync after its source was told to look back further', async () => {
    const input = { id: source, lookback: 5 };
    const { updateDataSource } = await application.client.send(UpdateDataSource, { input });
    expect(updateDataSource.__typename).toBe('UpdateDataSourceSuccess');
    expect(await syncOnce({ syncType: 'INCREMENTAL' })).toMatchObject({ isUnchanged: false, readItems: 6 });
    expect(await syncOnce({ syncType: 'INCREMENTAL' })).toMatchObject({ isUnchanged: true });
  });

  test('after its source was given another cursor column, and not after it was renamed', async () => {
    const update = async (changes: Partial<UpdateDataSourceInput>) => {
      const { updateDataSource } = await application.client.send(UpdateDataSource, {
        input: { id: source, ...changes },
      });
      expect(updateDataSource.__typename).toBe('UpdateDataSourceSuccess');
    };
    await update({ name: 'Flights' });
    expect(await syncOnce()).toMatchObject({ isUnchanged: true });
    await update({ cursorColumn: null });
    expect(await syncOnce()).toMatchObject(READ);
  });
});

test('an item that something else changes is no change of its source', async () => {
  const read = async () =>
    (
      await application.database.pool.query(
        'select item_changes, revision, updated_at from data_source where id = $1',
        [source],
      )
    ).rows[0];
  const before = await read();
  await application.database.pool.query(`delete from blade_item where item_id = 'S-105'`);
  expect(await read()).toEqual({ ...before, item_changes: '1' });
});

test('what the catalog lost of an unchanged table is uploaded again', async () => {
  await rm(application.catalogFolder, { recursive: true });
  expect(await syncOnce()).toMatchObject({ isUnchanged: true, successCount: 20 });
  expect(await catalogContent(application)).toEqual(uploadedContent(await storedItems(application)));
});
