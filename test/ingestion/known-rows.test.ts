import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { JobFactsFragment, JobOptionsInput } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
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

beforeAll(async () => {
  application = await startTestApplication();
});

afterEach(() => forgetAll(application));

afterAll(() => application.close());

const MARKINGS = ['UNCLASSIFIED', 'CONFIDENTIAL', 'SECRET'];

function flights(count: number, change: (index: number) => object = () => ({})): object[] {
  return Array.from({ length: count }, (_, index) => ({
    item_id: `S-${String(index).padStart(5, '0')}`,
    flight_hours: index % 7,
    mission_status: 'COMPLETED',
    classification_marking: MARKINGS[index % MARKINGS.length],
    ...change(index),
  }));
}

const writeSorties = (rows: readonly object[]) => writeRows(application.warehouseFolder, 'sortie', rows);

const addSorties = (name = 'Sorties') =>
  addSource(application, { name, dataType: 'sortie', tableName: 'sortie' });

/** Filtered, because an unfiltered sync does not read a table that has not changed. */
async function sync(options: JobOptionsInput = { batchSize: 1_000 }): Promise<JobFactsFragment> {
  const { id } = await application.client.startSync({ syncType: 'FULL', filter: '1 = 1', options });
  return application.client.waitForEnd(id);
}

/** How many batches have been made into items so far. */
async function transformedBatches(): Promise<number> {
  const text = await (await fetch(new URL('/metrics', application.url))).text();
  const series = 'blade_stage_duration_seconds_count{stage="transform"}';
  const line = text.split('\n').find((one) => one.startsWith(series));
  if (line === undefined) throw new Error(`there is no ${series}`);
  return Number(line.slice(series.length + 1));
}

/** How many batches a sync makes into items. */
async function transformedBy(work: () => Promise<unknown>): Promise<number> {
  const before = await transformedBatches();
  await work();
  return (await transformedBatches()) - before;
}

describe('a sync of rows that are stored as they are', () => {
  test('looks at none of them, and tells the same of them as the first', async () => {
    await writeSorties(flights(5_500));
    await addSorties();
    const first = await sync();
    const items = await storedItems(application);
    const catalog = await catalogContent(application);
    let again: JobFactsFragment | undefined;
    expect(
      await transformedBy(async () => {
        again = await sync();
      }),
    ).toBe(0);
    expect(again).toMatchObject({
      state: 'COMPLETED',
      progress: { successCount: 5_500, errorCount: 0, percent: 100 },
    });
    const { byType, ...counts } = first.progress;
    expect(counts).toMatchObject({ insertedCount: 5_500, updatedCount: 0, unchangedCount: 0 });
    expect(again?.progress.byType).toEqual(
      byType.map((type) => ({ ...type, insertedCount: 0, unchangedCount: 5_500 })),
    );
    expect(await storedItems(application)).toEqual(items);
    expect(await catalogContent(application)).toEqual(catalog);
    const { rows } = await application.database.pool.query(
      'select read_by_level, success_by_level from job_partition order by id',
    );
    expect(rows[1]).toEqual(rows[0]);
  });

  test('looks at the batch of a row that has changed, and at the others no more', async () => {
    await writeSorties(flights(5_000));
    await addSorties();
    await sync();
    const items = await storedItems(application);
    await writeSorties(flights(5_000, (index) => (index === 2_345 ? { mission_status: 'DIVERTED' } : {})));
    expect(await transformedBy(() => sync())).toBe(1);
    const after = await storedItems(application);
    const changed = after.filter(({ writtenBy }, index) => writtenBy !== items[index]?.writtenBy);
    expect(changed).toMatchObject([{ itemId: 'S-02345', data: { mission_status: 'DIVERTED' } }]);
    expect(await catalogContent(application)).toEqual(uploadedContent(after));
    // The next one finds out where the items of that batch are now, and the one after knows it.
    expect(await transformedBy(() => sync())).toBe(1);
    expect(await transformedBy(() => sync())).toBe(0);
    expect(await storedItems(application)).toEqual(after);
  });

  test('finds rows that have moved, come or gone', async () => {
    await writeSorties(flights(3_000));
    await addSorties();
    await sync();
    const moved = [{ item_id: 'S-new', mission_status: 'PLANNED' }, ...flights(3_000).slice(1)];
    await writeSorties(moved);
    const job = await sync();
    expect(job).toMatchObject({ state: 'COMPLETED', progress: { successCount: 3_000 } });
    expect((await storedItems(application)).length).toBe(3_001);
    await sync();
    expect(await transformedBy(() => sync())).toBe(0);
  });

  test('looks at them where other batches are asked for, or another data type', async () => {
    await writeSorties(flights(2_000));
    await addSorties();
    await sync();
    expect(await transformedBy(() => sync({ batchSize: 500 }))).toBe(4);
    expect(await transformedBy(() => sync({ batchSize: 500 }))).toBe(0);
    expect(await transformedBy(() => sync())).toBe(0);
    await addSource(application, { name: 'Deployments', dataType: 'deployment', tableName: 'sortie' });
    expect(await transformedBy(() => sync())).toBe(2);
    expect((await storedItems(application)).length).toBe(4_000);
  });

  test('puts back what another source has written over', async () => {
    await writeSorties(flights(2_000));
    await addSorties();
    await sync();
    const items = await storedItems(application);
    await writeRows(application.warehouseFolder, 'other', [
      { item_id: 'S-01500', mission_status: 'UNKNOWN' },
    ]);
    const other = await addSource(application, { name: 'Other', dataType: 'sortie', tableName: 'other' });
    await sync();
    await application.client.sendRaw(
      'mutation ($id: ID!) { deleteDataSource(input: { id: $id }) { __typename } }',
      {
        id: `DataSource:${other}`,
      },
    );
    expect(await transformedBy(() => sync())).toBe(1);
    const after = await storedItems(application);
    expect(after.map(({ data }) => data)).toEqual(items.map(({ data }) => data));
    expect(await catalogContent(application)).toEqual(uploadedContent(after));
  });

  test('looks at them where an item has been deleted, or is not in the catalog', async () => {
    await writeSorties(flights(2_000));
    await addSorties();
    await sync();
    const items = await storedItems(application);
    await application.database.pool.query("delete from blade_item where item_id = 'S-00001'");
    await application.database.pool.query(
      "update blade_item set upload_batch_id = null where item_id = 'S-01001'",
    );
    expect(await transformedBy(() => sync())).toBe(2);
    const after = await storedItems(application);
    expect(uploadedContent(after)).toEqual(uploadedContent(items));
    expect(await catalogContent(application)).toEqual(uploadedContent(after));
  });
});

test('rows that failed are told of by every sync', async () => {
  await writeSorties(flights(3_000, (index) => (index === 1_500 ? { flight_hours: 'many' } : {})));
  await addSorties();
  for (let count = 1; count <= 3; count++) {
    const transformed = await transformedBy(async () => {
      expect(await sync()).toMatchObject({
        state: 'COMPLETED',
        progress: { successCount: 2_999, errorCount: 1 },
        recentErrors: ['flight_hours must be a number, not "many".'],
      });
    });
    expect(transformed).toBe(count === 1 ? 3 : 1);
  }
});

test('of two rows with the same id the last one counts in every sync', async () => {
  await writeSorties([
    ...flights(2_500),
    { item_id: 'S-00100', mission_status: 'LAST' },
    { item_id: 'S-02400', mission_status: 'LAST' },
  ]);
  await addSorties();
  for (let count = 1; count <= 3; count++) {
    expect(await sync()).toMatchObject({
      state: 'COMPLETED',
      progress: { successCount: 2_500, errorCount: 0, duplicateCount: 2 },
    });
    const items = await storedItems(application);
    const last = items.filter(({ data }) => data.mission_status === 'LAST');
    expect(last.map(({ itemId }) => itemId)).toEqual(['S-00100', 'S-02400']);
    expect(await catalogContent(application)).toEqual(uploadedContent(items));
  }
});
