import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { JobOptionsInput } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import { JobById, UpdateDataSource } from '../support/operations.ts';
import { addSource, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
let source: string;

beforeAll(async () => {
  application = await startTestApplication();
  source = await addSource(application, { deletePolicy: 'MARK', maxDeletePercent: 100 });
});

beforeEach(async () => {
  await application.database.pool.query('truncate blade_item, upload_batch, read_batch');
  await application.database.pool.query('update data_source set synced = null');
});

afterAll(() => application.close());

const ONE_BATCH = { batchSize: 100 };
const BATCH_PER_ROW = { batchSize: 1 };

interface Counts {
  readonly inserted?: number;
  readonly updated?: number;
  readonly unchanged?: number;
  readonly failed?: number;
  readonly duplicate?: number;
  readonly deleted?: number;
}

/** Writes a table of ids with their hours, and expects the same counts of a sync wherever they are shown. */
async function expectSync(
  rows: readonly (readonly [id: string, hours: number | string])[],
  options: JobOptionsInput,
  counts: Counts,
): Promise<void> {
  const table = rows.map(([item_id, flight_hours]) => ({ item_id, flight_hours }));
  await writeRows(application.warehouseFolder, 'sortie', table);
  const { client } = application;
  const { id } = await client.startSync({ syncType: 'FULL', options });
  await client.waitForEnd(id);
  const { inserted = 0, updated = 0, unchanged = 0, failed = 0, duplicate = 0, deleted = 0 } = counts;
  const byKind = { insertedCount: inserted, updatedCount: updated, unchangedCount: unchanged };
  const expected = { ...byKind, errorCount: failed, duplicateCount: duplicate, deletedCount: deleted };
  const successCount = inserted + updated + unchanged;
  const ended = { ...expected, successCount };
  const all = { ...ended, processedItems: rows.length };
  expect(successCount + failed + duplicate).toBe(rows.length);

  const { job } = await client.send(JobById, { id });
  expect(job).toMatchObject({ state: 'COMPLETED', progress: { ...all, byType: [all] } });
  const partitions = job?.partitions.nodes ?? [];
  for (const key of Object.keys(all) as (keyof typeof all)[])
    expect([key, partitions.reduce((sum, partition) => sum + (partition[key] ?? Number.NaN), 0)]).toEqual([
      key,
      all[key],
    ]);
  const { data } = await client.sendRaw(`{
    job(id: "${id}") { events(last: 1) { nodes { ... on JobEndedEvent {
      successCount insertedCount updatedCount unchangedCount errorCount duplicateCount deletedCount
    } } } }
    dataSource(id: "${source}") { insertedCount updatedCount unchangedCount failedCount deletedCount }
  }`);
  expect(data).toEqual({
    job: { events: { nodes: [ended] } },
    dataSource: { ...byKind, failedCount: failed, deletedCount: deleted },
  });
}

test('of rows of one batch with one id, the last one is what is new, changed or unchanged', async () => {
  const first = [
    ['A', 1],
    ['A', 2],
    ['B', 1],
  ] as const;
  await expectSync(first, ONE_BATCH, { inserted: 2, duplicate: 1 });
  await expectSync(first, ONE_BATCH, { unchanged: 2, duplicate: 1 });
  await expectSync(
    [
      ['A', 9],
      ['A', 2],
      ['B', 1],
    ],
    ONE_BATCH,
    { unchanged: 2, duplicate: 1 },
  );
  await expectSync(
    [
      ['A', 9],
      ['A', 3],
      ['B', 1],
    ],
    ONE_BATCH,
    { updated: 1, unchanged: 1, duplicate: 1 },
  );
  await expectSync(
    [
      ['A', 3],
      ['B', 1],
    ],
    ONE_BATCH,
    { unchanged: 2 },
  );
  await expectSync(
    [
      ['B', 1],
      ['B', 1],
      ['B', 1],
    ],
    ONE_BATCH,
    { unchanged: 1, duplicate: 2, deleted: 1 },
  );
  await expectSync(
    [
      ['A', 3],
      ['A', 3],
      ['B', 1],
    ],
    ONE_BATCH,
    { inserted: 1, unchanged: 1, duplicate: 1 },
  );
});

test('of rows of several batches with one id, the first one counts, and the last one is kept', async () => {
  const first = [
    ['A', 1],
    ['A', 2],
    ['B', 1],
  ] as const;
  await expectSync(first, BATCH_PER_ROW, { inserted: 2, duplicate: 1 });
  // The first row of A changes what the second one has left, although that restores it.
  await expectSync(first, BATCH_PER_ROW, { updated: 1, unchanged: 1, duplicate: 1 });
  await expectSync(
    [
      ['A', 2],
      ['A', 2],
      ['B', 1],
    ],
    BATCH_PER_ROW,
    { unchanged: 2, duplicate: 1 },
  );
  await expectSync(
    [
      ['A', 2],
      ['A', 5],
      ['B', 1],
    ],
    BATCH_PER_ROW,
    { unchanged: 2, duplicate: 1 },
  );
  await expectSync(
    [
      ['A', 5],
      ['B', 1],
    ],
    BATCH_PER_ROW,
    { unchanged: 2 },
  );
});

test('a row that fails is no duplicate, before or after the row that is kept', async () => {
  for (const options of [ONE_BATCH, BATCH_PER_ROW]) {
    await application.database.pool.query('truncate blade_item, upload_batch, read_batch');
    await expectSync(
      [
        ['A', 'many'],
        ['A', 1],
        ['A', 1],
      ],
      options,
      { inserted: 1, failed: 1, duplicate: 1 },
    );
    await expectSync(
      [
        ['A', 1],
        ['A', 'many'],
        ['A', 1],
      ],
      options,
      { unchanged: 1, failed: 1, duplicate: 1 },
    );
    await expectSync(
      [
        ['A', 2],
        ['A', 2],
        ['A', 'many'],
      ],
      options,
      { updated: 1, failed: 1, duplicate: 1 },
    );
  }
});

test('the counts of several partitions add up', async () => {
  const twice = (toHours: (index: number, time: number) => number) =>
    Array.from({ length: 2_000 }, (_none, row) => {
      const index = Math.floor(row / 2);
      return [`S-${index}`, toHours(index, row % 2)] as const;
    });
  const options = { partitionRows: 1_000, batchSize: 100 };
  await expectSync(
    twice((_index, time) => time),
    options,
    { inserted: 1_000, duplicate: 1_000 },
  );
  await expectSync(
    twice((_index, time) => time),
    options,
    { unchanged: 1_000, duplicate: 1_000 },
  );
  const changed = twice((index, time) => (index < 10 ? time + 5 : time));
  await expectSync(changed, options, { updated: 10, unchanged: 990, duplicate: 1_000 });
});

test('an INCREMENTAL sync counts the duplicates of the rows that it reads', async () => {
  const { client } = application;
  const input = { id: `DataSource:${source}`, cursorColumn: 'flight_hours' };
  expect(await client.send(UpdateDataSource, { input })).toMatchObject({
    updateDataSource: { __typename: 'UpdateDataSourceSuccess' },
  });
  await expectSync(
    [
      ['A', 1],
      ['B', 2],
    ],
    ONE_BATCH,
    { inserted: 2 },
  );
  await writeRows(application.warehouseFolder, 'sortie', [
    { item_id: 'A', flight_hours: 1 },
    { item_id: 'B', flight_hours: 2 },
    { item_id: 'A', flight_hours: 3 },
    { item_id: 'C', flight_hours: 4 },
    { item_id: 'C', flight_hours: 5 },
  ]);
  const { id } = await client.startSync({ syncType: 'INCREMENTAL' });
  expect(await client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: {
      ...{ processedItems: 4, insertedCount: 1, updatedCount: 1, unchangedCount: 1 },
      ...{ duplicateCount: 1, errorCount: 0 },
    },
  });
});
