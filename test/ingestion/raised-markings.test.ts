import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { JobFactsFragment, StartQueryJobInput, StartSyncInput } from '../generated/graphql.ts';
import { catalogItems } from '../support/catalog-items.ts';
import { test } from '../support/on-server.ts';
import { ItemWithMarkings, RetryJob, UpdateDataSource } from '../support/operations.ts';
import { addSource, forgetAll, storedItems, uuid, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterEach(() => forgetAll(application));

afterAll(() => application.close());

const writeSorties = (rows: readonly object[], table = 'sortie') =>
  writeRows(application.warehouseFolder, table, rows);

const addSorties = (name = 'Sorties', tableName = 'sortie') =>
  addSource(application, { name, dataType: 'sortie', tableName, cursorColumn: 'updated_at' });

async function ended({ id }: JobFactsFragment): Promise<JobFactsFragment> {
  const job = await application.client.waitForEnd(id);
  expect(job.state).toBe('COMPLETED');
  return job;
}

async function sync(input: Partial<StartSyncInput> = {}): Promise<JobFactsFragment> {
  return ended(await application.client.startSync({ syncType: 'FULL', ...input }));
}

async function query(
  sqlQuery: string,
  catalogConfig: StartQueryJobInput['catalogConfig'] = {},
): Promise<JobFactsFragment> {
  return ended(await application.client.startQueryJob({ dataType: 'sortie', sqlQuery, catalogConfig }));
}

const ALL = 'SELECT * FROM blade.field.sortie';

async function itemNamed(itemId: string) {
  const { item } = await application.client.send(ItemWithMarkings, { dataType: 'sortie', itemId });
  if (!item) throw new Error(`there is no item ${itemId}`);
  return item;
}

async function markings(): Promise<Record<string, string>> {
  const items = await storedItems(application);
  return Object.fromEntries(items.map(({ itemId, marking }) => [itemId, marking]));
}

/** The catalog's copy of each item is marked as the store's, and has its metadata. */
async function expectCatalogAsStored(): Promise<void> {
  const items = await catalogItems(application);
  const stored = await storedItems(application);
  expect([...items.keys()].sort()).toEqual(stored.map(({ itemId }) => itemId));
  for (const { itemId, marking, metadata } of stored) {
    expect(items.get(itemId)).toMatchObject({ classificationMarking: marking, metadata });
  }
}

const STATED = { item_id: 'S-1', classification_marking: 'CONFIDENTIAL', flight_hours: 1 };

describe('the marking that a query job gives an item', () => {
  test('stays when its source is synced again, with who raised it, when and why', async () => {
    await writeSorties([STATED, { ...STATED, item_id: 'S-2' }]);
    await addSorties();
    await sync();
    const job = await query(`${ALL} WHERE item_id = 'S-1'`, {
      classification: 'TS',
      reason: ' They name a source. ',
    });
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'TS', 'S-2': 'CONFIDENTIAL' });
    await writeSorties([{ ...STATED, flight_hours: 2 }]);
    await sync();
    expect(await itemNamed('S-1')).toMatchObject({
      ...{ classificationMarking: 'TS', rowMarking: 'CONFIDENTIAL', data: { flight_hours: 2 } },
      markingFloor: {
        ...{ marking: 'TS', raisedBy: { id: 'Principal:local', name: 'Local user' }, job: { id: job.id } },
        ...{ reason: 'They name a source.', raisedAt: expect.any(String) },
      },
    });
    expect(await itemNamed('S-2')).toMatchObject({ rowMarking: 'CONFIDENTIAL', markingFloor: null });
    await expectCatalogAsStored();
  });

  test('stays through an INCREMENTAL sync, a retry and an item that the query itself marks lower', async () => {
    await writeSorties([{ ...STATED, updated_at: '2026-01-01T00:00:00Z' }]);
    await addSorties();
    const first = await sync({ syncType: 'INCREMENTAL' });
    await query(ALL, { classification: 'SECRET' });
    await writeSorties([{ ...STATED, classification_marking: 'U', updated_at: '2026-01-02T00:00:00Z' }]);
    await sync({ syncType: 'INCREMENTAL' });
    expect(await markings()).toEqual({ 'S-1': 'SECRET' });
    const { retryJob } = await application.client.send(RetryJob, { input: { id: first.id, mode: 'ALL' } });
    if (retryJob.__typename !== 'RetryJobSuccess') throw new Error(JSON.stringify(retryJob));
    await application.client.waitForEnd(retryJob.job.id);
    await query(`SELECT 'S-1' AS item_id, 'U' AS classification_marking`);
    expect(await itemNamed('S-1')).toMatchObject({
      classificationMarking: 'SECRET',
      markingFloor: { marking: 'SECRET', reason: 'The query job is marked SECRET' },
    });
    await expectCatalogAsStored();
  });

  test('is that of the row where the query gives it a higher one, and says so', async () => {
    await writeSorties([STATED]);
    await addSorties();
    await sync();
    await query(`SELECT item_id, 'TOP SECRET' AS classification_marking FROM blade.field.sortie`);
    await sync();
    expect(await itemNamed('S-1')).toMatchObject({
      classificationMarking: 'TOP_SECRET',
      markingFloor: { marking: 'TOP_SECRET', reason: 'The query marks its row so' },
    });
  });

  test('covers the job whose metadata the item has, so that the source cannot mark it lower than that', async () => {
    await writeSorties([{ ...STATED, classification_marking: 'U' }]);
    await addSorties();
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'U' });
    await query(ALL);
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'CONFIDENTIAL' });
  });

  test('does not lower what the source states, and an unmarked item has no floor of the lowest marking', async () => {
    await writeRows(application.warehouseFolder, 'parts', [
      { item_id: 'P-1', classification_marking: 'SECRET' },
      { item_id: 'P-2' },
    ]);
    await addSource(application, { name: 'Parts', dataType: 'logistics', tableName: 'parts' });
    await sync();
    await ended(
      await application.client.startQueryJob({
        dataType: 'logistics',
        sqlQuery: `SELECT item_id FROM blade.field.parts`,
      }),
    );
    expect(await markings()).toEqual({ 'P-1': 'SECRET', 'P-2': 'UNCLASSIFIED' });
    const { rows } = await application.database.pool.query(
      'select floor_marking, query_marking from blade_item',
    );
    expect(rows).toEqual([
      { floor_marking: null, query_marking: 'UNCLASSIFIED' },
      { floor_marking: null, query_marking: 'UNCLASSIFIED' },
    ]);
  });

  test('stays when items are deleted for their age: such an item is kept', async () => {
    await writeSorties([STATED, { ...STATED, item_id: 'S-2' }]);
    await addSorties();
    await sync();
    await query(`${ALL} WHERE item_id = 'S-1'`, { classification: 'TS' });
    const { pool } = application.database;
    await expect(pool.query('delete from blade_item')).rejects.toThrow(
      'The marking of sortie item S-1 was raised to TS: it has to be lowered first',
    );
    await pool.query('delete from blade_item where floor_marking is null');
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'TS', 'S-2': 'CONFIDENTIAL' });
  });

  test('cannot be taken away by any statement that is not the lowering of it', async () => {
    await writeSorties([STATED]);
    await addSorties();
    await query(ALL, { classification: 'TS' });
    const { pool } = application.database;
    for (const change of [
      `classification_marking = 'SECRET'`,
      `floor_marking = 'SECRET', classification_marking = 'SECRET'`,
      `floor_marking = null, floor_job_id = null, floor_by_id = null, floor_by_name = null, floor_at = null,
        floor_reason = null, query_metadata = null, query_marking = null, classification_marking = 'CONFIDENTIAL',
        row_marking = null`,
      `floor_reason = null`,
      `query_marking = null`,
      `row_marking = 'TS'`,
      `other_markings = '{"00000000-0000-0000-0000-000000000000": "TS"}', classification_marking = 'S'`,
    ]) {
      await expect(pool.query(`update blade_item set ${change}`), change).rejects.toMatchObject({
        code: '23514',
      });
    }
  });
});

describe('the metadata of a query job', () => {
  test('stays beside that of the source, and both are uploaded', async () => {
    await writeSorties([STATED]);
    await addSorties();
    await sync();
    const job = await query(ALL, { metadata: { case: 'X-1', source_table: 'mine' } });
    await writeSorties([{ ...STATED, flight_hours: 7 }]);
    await sync();
    const queryMetadata = {
      ...{ query_job_id: uuid(job.id), query_time: job.startedAt },
      ...{ case: 'X-1', source_table: 'mine' },
    };
    expect(await itemNamed('S-1')).toMatchObject({
      data: { flight_hours: 7 },
      metadata: { data_source: 'Sorties', ...queryMetadata },
      sourceMetadata: { data_source: 'Sorties', source_table: 'blade.field.sortie' },
      queryMetadata,
    });
    expect((await catalogItems(application)).get('S-1')).toMatchObject({
      data: { flight_hours: 7 },
      metadata: { data_source: 'Sorties', ...queryMetadata },
    });
  });

  test('is added to that of earlier ones: of a key that both have, the later value counts', async () => {
    await writeSorties([STATED]);
    await addSorties();
    await query(ALL, { metadata: { case: 'X-1', step: 1 }, classification: 'SECRET' });
    const later = await query(ALL, { metadata: { step: 2, exercise: true } });
    expect(await itemNamed('S-1')).toMatchObject({
      classificationMarking: 'SECRET',
      queryMetadata: { case: 'X-1', step: 2, exercise: true, query_job_id: uuid(later.id) },
    });
    await sync();
    await expectCatalogAsStored();
    expect((await catalogItems(application)).get('S-1')?.metadata).toMatchObject({
      ...{ case: 'X-1', step: 2, data_source: 'Sorties', source_table: 'blade.field.sortie' },
    });
  });
});

describe('a row without a marking', () => {
  test.each([
    ['is null', [{ ...STATED, item_id: 'S-1', classification_marking: null }]],
    ['is blank', [{ ...STATED, item_id: 'S-1', classification_marking: '  ' }]],
    ['is in a column that is gone', [{ item_id: 'S-1', flight_hours: 1 }]],
  ])('leaves the item the one that it has, where it %s', async (_name, rows) => {
    await writeSorties([{ ...STATED, classification_marking: 'TOP SECRET' }]);
    await addSorties();
    await sync();
    await writeSorties(rows);
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'TOP SECRET' });
    await writeSorties([{ ...rows[0], flight_hours: 3 }]);
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'TOP SECRET' });
    await expectCatalogAsStored();
  });

  test('gives the default of the data type where that is higher, and to a new item', async () => {
    await writeSorties([{ ...STATED, classification_marking: 'U' }]);
    await addSorties();
    await sync();
    await writeSorties([{ item_id: 'S-1' }, { item_id: 'S-2' }]);
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'CONFIDENTIAL', 'S-2': 'CONFIDENTIAL' });
  });

  test('does not lower what an earlier row of the same batch states', async () => {
    await writeSorties([{ ...STATED, classification_marking: 'TS' }, { item_id: 'S-1' }]);
    await addSorties();
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'TS' });
  });

  test('is followed by one that states a lower marking, which lowers it', async () => {
    await writeSorties([{ ...STATED, classification_marking: 'TS' }]);
    await addSorties();
    await sync();
    await writeSorties([{ item_id: 'S-1' }]);
    await sync();
    await writeSorties([{ ...STATED, classification_marking: 'U' }]);
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'U' });
    await expectCatalogAsStored();
  });
});

describe('an item that two sources have', () => {
  test('is marked with the higher of what they state, and follows each of them', async () => {
    await writeSorties([{ ...STATED, classification_marking: 'TS' }]);
    await writeSorties([{ ...STATED, classification_marking: 'U' }], 'other');
    await addSorties();
    await addSorties('Z other', 'other');
    await sync();
    const item = await itemNamed('S-1');
    expect(item).toMatchObject({ classificationMarking: 'TS' });
    // Of the source that wrote it last: the two run side by side.
    expect(['U', 'TS']).toContain(item.rowMarking);
    await writeSorties([{ ...STATED, classification_marking: 'SECRET' }]);
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'SECRET' });
    await writeSorties([{ item_id: 'S-1', classification_marking: 'TOP SECRET' }], 'other');
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'TOP SECRET' });
    await writeSorties([{ ...STATED, classification_marking: 'U' }], 'other');
    await writeSorties([{ ...STATED, classification_marking: 'U' }]);
    await sync();
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'U' });
    await expectCatalogAsStored();
  });

  test('is no more marked by a source that is deleted, once the other one says it again', async () => {
    await writeSorties([{ ...STATED, classification_marking: 'TS' }]);
    const first = await addSorties();
    await sync();
    await application.client.sendRaw(
      'mutation ($id: ID!) { deleteDataSource(input: { id: $id }) { __typename } }',
      {
        id: `DataSource:${first}`,
      },
    );
    await addSorties('Sorties anew');
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'TS' });
    await writeSorties([{ ...STATED, classification_marking: 'CUI' }]);
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'CUI' });
  });
});

describe('a retry of failed items', () => {
  test('marks none of them lower than it is: the kept rows may be older', async () => {
    await writeSorties([{ item_id: 'S-1', classification_marking: 'U', flight_hours: 'no' }]);
    await addSorties();
    const failed = await application.client.waitForEnd(
      (await application.client.startSync({ syncType: 'FULL' })).id,
    );
    expect(failed.progress.errorCount).toBe(1);
    await application.database.pool.query(
      `update job_error set "row" = '{"item_id": "S-1", "classification_marking": "U", "flight_hours": 1}'`,
    );
    await application.database.pool.query(
      `insert into blade_item (data_type, item_id, classification_marking, data, metadata, content_hash, job_id, updated_at)
       values ('sortie', 'S-1', 'TS', '{}', '{"source_table":"x"}', 'another', gen_random_uuid(), '2000-01-01')`,
    );
    const { retryJob } = await application.client.send(RetryJob, {
      input: { id: failed.id, mode: 'FAILED_ITEMS' },
    });
    if (retryJob.__typename !== 'RetryJobSuccess') throw new Error(JSON.stringify(retryJob));
    await application.client.waitForEnd(retryJob.job.id);
    expect(await itemNamed('S-1')).toMatchObject({
      classificationMarking: 'TS',
      data: { flight_hours: 1 },
    });
    // What the source states counts, although it is the very row that was retried.
    await writeSorties([{ item_id: 'S-1', classification_marking: 'U', flight_hours: 1 }]);
    await sync();
    expect(await markings()).toEqual({ 'S-1': 'U' });
    await expectCatalogAsStored();
  });
});

describe('a source that is renamed', () => {
  test('has none of its items written or uploaded again, and they have its new name', async () => {
    await writeSorties([STATED, { ...STATED, item_id: 'S-2' }]);
    const id = await addSorties();
    await sync();
    const before = await storedItems(application);
    const save = async (name: string) => {
      const { updateDataSource } = await application.client.send(UpdateDataSource, {
        input: {
          id: `DataSource:${id}`,
          name,
        },
      });
      expect(updateDataSource.__typename).toBe('UpdateDataSourceSuccess');
    };
    for (const name of ['Flights', 'Flown', 'Sorties', 'Flown again']) {
      await save(name);
      const job = await sync();
      expect(job.progress).toMatchObject({ successCount: 2, errorCount: 0 });
      expect(await storedItems(application)).toEqual(before);
      expect(await itemNamed('S-1')).toMatchObject({
        ...{ metadata: { data_source: name }, sourceMetadata: { data_source: name } },
        dataSource: { name },
      });
    }
    await writeSorties([{ ...STATED, flight_hours: 2 }]);
    await sync();
    const copies = await catalogItems(application);
    expect(copies.get('S-1')?.metadata).toMatchObject({ data_source: 'Flown again' });
    expect(copies.get('S-2')?.metadata).toMatchObject({ data_source: 'Sorties' });
  });
});
