import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { JobFactsFragment, StartSyncInput } from '../generated/graphql.ts';
import { test } from '../support/on-every-database.ts';
import { JobById, JobErrors } from '../support/operations.ts';
import {
  addSource,
  catalogContent,
  forgetAll,
  removeTable,
  storedItems,
  uploadedContent,
  uuid,
  writeQuery,
  writeRows,
} from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterEach(() => forgetAll(application));

afterAll(() => application.close());

async function sync(input: Partial<StartSyncInput> = {}): Promise<JobFactsFragment> {
  const { id } = await application.client.startSync({ syncType: 'FULL', ...input });
  return application.client.waitForEnd(id);
}

async function findErrors(id: string) {
  const { job } = await application.client.send(JobErrors, { id, first: 100 });
  return job?.errors.edges.map(({ node }) => node) ?? [];
}

async function findPartitions(id: string) {
  const { job } = await application.client.send(JobById, { id });
  return job?.partitions.nodes ?? [];
}

async function sourceNamed(name: string): Promise<Record<string, unknown>> {
  const { rows } = await application.database.pool.query(
    'select *, item_count::int as item_count from data_source where name = $1',
    [name],
  );
  return rows[0];
}

/** Rows that become items. */
function flights(count: number, change: (index: number) => object = () => ({})): object[] {
  return Array.from({ length: count }, (_, index) => ({
    item_id: `S-${String(index + 1).padStart(4, '0')}`,
    mission_id: `M-${index + 1}`,
    flight_hours: 1.5,
    mission_status: 'COMPLETED',
    ...change(index),
  }));
}

/** Every file of the catalog with its time of last change. */
async function catalogFiles(): Promise<string[]> {
  const names = await readdir(application.catalogFolder, { recursive: true });
  return Promise.all(
    names.sort().map(async (name) => {
      const { mtimeMs, size } = await stat(join(application.catalogFolder, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
}

describe('a row that cannot become an item', () => {
  test('is counted and kept with stage, item id, message and row, and the job goes on', async () => {
    await writeRows(application.warehouseFolder, 'sortie', [
      ...flights(3),
      { item_id: 'S-bad', mission_id: 'M-7', flight_hours: 'many', mission_status: 'PLANNED' },
      { item_id: null, mission_id: null, flight_hours: 2, mission_status: 'LOST' },
      { item_id: 'S-9', mission_id: 'M-9', flight_hours: 1, classification_marking: 'VERY SECRET' },
      ...flights(5).slice(3),
    ]);
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const job = await sync();
    expect(job).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 8, processedItems: 8, successCount: 5, errorCount: 3, percent: 100 },
    });
    const errors = await findErrors(job.id);
    expect(errors).toMatchObject([
      {
        stage: 'TRANSFORM',
        dataType: 'sortie',
        itemId: 'S-bad',
        message: 'flight_hours must be a number, not "many".',
        row: { item_id: 'S-bad', mission_id: 'M-7', flight_hours: 'many', mission_status: 'PLANNED' },
      },
      {
        stage: 'TRANSFORM',
        itemId: null,
        message: 'No id: a sortie row needs item_id or mission_id.',
        row: { mission_status: 'LOST' },
      },
      {
        stage: 'TRANSFORM',
        itemId: 'S-9',
        message: expect.stringContaining('"VERY SECRET"'),
        row: { classification_marking: 'VERY SECRET' },
      },
    ]);
    expect(job.recentErrors).toEqual(errors.map(({ message }) => message));
    expect((await storedItems(application)).map(({ itemId }) => itemId)).toEqual([
      'S-0001',
      'S-0002',
      'S-0003',
      'S-0004',
      'S-0005',
    ]);
  });

  test('since it holds a NUL character costs its row only, whose kept row shows U+FFFD for it', async () => {
    await writeRows(application.warehouseFolder, 'sortie', [
      ...flights(2),
      { item_id: 'S-bad', mission_id: 'a\0b' },
      { item_id: 'S-\0', mission_id: 'M-8' },
      ...flights(4).slice(2),
    ]);
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const job = await sync();
    expect(job).toMatchObject({ state: 'COMPLETED', progress: { successCount: 4, errorCount: 2 } });
    expect(await findErrors(job.id)).toMatchObject([
      { stage: 'TRANSFORM', itemId: 'S-bad', row: { mission_id: 'a\ufffdb' } },
      { stage: 'TRANSFORM', itemId: 'S-\ufffd', row: { item_id: 'S-\ufffd', mission_id: 'M-8' } },
    ]);
  });

  test.each([101, 1_000, 5_000, 50_000])(
    'since it is nested %i levels deep costs its row only',
    async (depth) => {
      const nested = `${'['.repeat(depth)}9007199254740993${']'.repeat(depth)}`;
      await writeQuery(
        application.warehouseFolder,
        'nested',
        `SELECT * FROM (VALUES ('S-1', '[1]'::JSON), ('S-bad', '${nested}'::JSON), ('S-2', '{}'::JSON)) AS t (item_id, crew)`,
      );
      await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'nested' });
      const job = await sync();
      expect(job).toMatchObject({ state: 'COMPLETED', progress: { successCount: 2, errorCount: 1 } });
      expect(await findPartitions(job.id)).toMatchObject([{ attempt: 1 }]);
      expect(await findErrors(job.id)).toMatchObject([
        { stage: 'TRANSFORM', itemId: 'S-bad', message: 'Column crew is nested more than 100 levels deep.' },
      ]);
      expect((await storedItems(application)).map(({ itemId }) => itemId)).toEqual(['S-1', 'S-2']);
    },
  );

  test('since the database refuses it costs its row only, in the stage SAVE', async () => {
    await writeRows(application.warehouseFolder, 'sortie', flights(500));
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const { pool } = application.database;
    await pool.query(
      `alter table blade_item add constraint refused check (item_id not in ('S-0007', 'S-0388'))`,
    );
    try {
      const job = await sync({ options: { batchSize: 250 } });
      expect(job).toMatchObject({
        state: 'COMPLETED',
        progress: { totalItems: 500, successCount: 498, errorCount: 2 },
      });
      expect(await findErrors(job.id)).toMatchObject([
        {
          stage: 'SAVE',
          itemId: 'S-0007',
          message: expect.stringContaining('refused'),
          row: { mission_id: 'M-7' },
        },
        {
          stage: 'SAVE',
          itemId: 'S-0388',
          message: expect.stringContaining('refused'),
          row: { mission_id: 'M-388' },
        },
      ]);
      const items = await storedItems(application);
      expect(items).toHaveLength(498);
      expect(await catalogContent(application)).toEqual(uploadedContent(items));
      expect(await findPartitions(job.id)).toMatchObject([{ attempt: 1 }]);
    } finally {
      await pool.query('alter table blade_item drop constraint refused');
    }
  });

  test('ends its source as FAILED when more fail than maxErrors allows', async () => {
    await writeRows(
      application.warehouseFolder,
      'sortie',
      flights(1_000, (index) => (index % 10 === 0 ? { flight_hours: 'none' } : {})),
    );
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const job = await sync({ options: { batchSize: 20, maxErrors: 5 } });
    expect(job).toMatchObject({
      state: 'FAILED',
      failureReason: expect.stringMatching(
        /^Sorties: more than 5 of its items failed\. [89]\d\d of 1,000 rows were not read\.$/,
      ),
    });
    const { processedItems, successCount, errorCount, totalItems } = job.progress;
    expect(errorCount).toBeGreaterThan(5);
    expect(errorCount).toBeLessThan(100);
    expect(processedItems).toBe(successCount + errorCount);
    expect(totalItems).toBe(1_000);
    expect(await sourceNamed('Sorties')).toMatchObject({
      last_sync_state: 'FAILED',
      last_sync_message: 'more than 5 of its items failed',
      item_count: 0,
    });
    // One that may have as many goes through.
    const allowed = await sync({ options: { batchSize: 20, maxErrors: 100 } });
    expect(allowed).toMatchObject({
      state: 'COMPLETED',
      progress: { successCount: 900, errorCount: 100 },
    });
    expect(await catalogContent(application)).toEqual(uploadedContent(await storedItems(application)));
  });
});

test('a source that was deleted and created again has its items after its next sync', async () => {
  await writeRows(application.warehouseFolder, 'sortie', flights(3));
  const input = { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' };
  const first = await addSource(application, input);
  await sync();
  await application.client.sendRaw(
    'mutation ($id: ID!) { deleteDataSource(input: { id: $id }) { __typename } }',
    { id: `DataSource:${first}` },
  );
  const second = await addSource(application, input);
  expect(await sync()).toMatchObject({ state: 'COMPLETED', progress: { successCount: 3 } });
  const { rows } = await application.database.pool.query(
    'select data_source_id::text as owner from blade_item',
  );
  expect(rows).toEqual([1, 2, 3].map(() => ({ owner: second })));
});

describe('a source that cannot be read', () => {
  test('fails its job, is told by name and counts no row, and the other sources go on', async () => {
    await writeRows(application.warehouseFolder, 'sortie', flights(3));
    await removeTable(application.warehouseFolder, 'gone');
    await addSource(application, { name: 'Depots', dataType: 'logistics', tableName: 'gone' });
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const job = await sync();
    const message = expect.stringContaining(
      'Failed to query logistics from Depots: There is no table blade.field.gone in the warehouse.',
    );
    expect(job).toMatchObject({
      state: 'FAILED',
      failureReason: expect.stringContaining('Depots: There is no table blade.field.gone in the warehouse.'),
      recentErrors: [message],
      progress: {
        // Nobody could count the missing rows.
        percent: null,
        totalItems: 3,
        processedItems: 3,
        successCount: 3,
        errorCount: 0,
        byType: [
          { dataType: 'logistics', totalItems: null, processedItems: 0, successCount: 0, errorCount: 0 },
          { dataType: 'sortie', totalItems: 3, processedItems: 3, successCount: 3, errorCount: 0 },
        ],
      },
    });
    expect(await findErrors(job.id)).toMatchObject([
      { stage: 'READ', dataType: 'logistics', itemId: null, message, row: null },
    ]);
    expect(await sourceNamed('Depots')).toMatchObject({
      last_sync_state: 'FAILED',
      last_sync_message: expect.stringContaining('There is no table blade.field.gone in the warehouse.'),
      last_sync_at: expect.any(Date),
    });
    expect(await sourceNamed('Sorties')).toMatchObject({
      last_sync_state: 'COMPLETED',
      last_sync_message: null,
      item_count: 3,
    });
  });

  test('in a sync where none can be makes the sync FAILED, with every reason', async () => {
    await removeTable(application.warehouseFolder, 'gone');
    await addSource(application, { name: 'Depots', dataType: 'logistics', tableName: 'gone' });
    await addSource(application, { name: 'Units', dataType: 'deployment', tableName: 'gone' });
    const job = await sync();
    expect(job).toMatchObject({
      state: 'FAILED',
      failureReason: expect.stringMatching(
        /^Units: There is no table blade.field.gone .*; Depots: There is no table blade.field.gone /,
      ),
      progress: { totalItems: 0, successCount: 0, errorCount: 0, percent: null },
    });
    expect(await findPartitions(job.id)).toMatchObject([{ percent: null }, { percent: null }]);
  });
});

describe('a second full sync', () => {
  test('of unchanged data writes and uploads nothing', async () => {
    await writeRows(application.warehouseFolder, 'sortie', flights(50));
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    await sync();
    const [items, files] = [await storedItems(application), await catalogFiles()];
    const second = await sync();
    expect(second).toMatchObject({ state: 'COMPLETED', progress: { successCount: 50, errorCount: 0 } });
    expect(await storedItems(application)).toEqual(items);
    expect(await catalogFiles()).toEqual(files);
  });

  test('writes and uploads again exactly what has changed', async () => {
    await writeRows(application.warehouseFolder, 'sortie', flights(50));
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    await sync();
    const before = await storedItems(application);
    await writeRows(
      application.warehouseFolder,
      'sortie',
      flights(51, (index) => (index === 9 ? { mission_status: 'DELAYED' } : {})),
    );
    await sync();
    const after = await storedItems(application);
    const changed = after.filter(
      ({ itemId, writtenBy }) => before.find((item) => item.itemId === itemId)?.writtenBy !== writtenBy,
    );
    expect(changed.map(({ itemId }) => itemId)).toEqual(['S-0010', 'S-0051']);
    expect(changed[0]?.data).toMatchObject({ mission_status: 'DELAYED' });
    expect(await catalogContent(application)).toEqual(uploadedContent(after));
    expect(after.every(({ uploadedAt }) => uploadedAt !== null)).toBe(true);
  });

  test('knows a row without item_id by its content: the same row is the same item', async () => {
    const rows = [{ mission_id: 'M-1' }, { mission_id: 'M-2' }];
    await writeRows(application.warehouseFolder, 'sortie', rows);
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    await sync();
    const items = await storedItems(application);
    expect(items.map(({ itemId }) => itemId)).toEqual([
      expect.stringMatching(/^sha256-[0-9a-f]{32}$/),
      expect.stringMatching(/^sha256-[0-9a-f]{32}$/),
    ]);
    await writeRows(application.warehouseFolder, 'sortie', rows.toReversed());
    await sync();
    expect(await storedItems(application)).toEqual(items);
  });

  test('uploads what an earlier one saved and could not upload', async () => {
    await writeRows(application.warehouseFolder, 'sortie', flights(10));
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    await sync();
    await application.database.pool.query(
      `update blade_item set upload_batch_id = null where item_id = 'S-0004'`,
    );
    await sync();
    expect((await storedItems(application)).filter(({ uploadedAt }) => uploadedAt === null)).toEqual([]);
  });
});

test.each([
  ['in one batch', 100],
  ['in two batches', 2],
])('of two rows with the same id %s the last one counts, and the counts add up', async (_name, batchSize) => {
  await writeRows(application.warehouseFolder, 'sortie', [
    { item_id: 'S-0001', mission_status: 'PLANNED' },
    ...flights(6).slice(1),
    { item_id: 'S-0001', mission_status: 'FLOWN' },
  ]);
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  const job = await sync({ options: { batchSize } });
  expect(job).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: 7, processedItems: 7, successCount: 6, errorCount: 0, duplicateCount: 1 },
  });
  const items = await storedItems(application);
  expect(items).toHaveLength(6);
  expect(items[0]).toMatchObject({ itemId: 'S-0001', data: { mission_status: 'FLOWN' } });
  expect(items.every(({ uploadedAt }) => uploadedAt !== null)).toBe(true);
  expect(await catalogContent(application)).toEqual(uploadedContent(items));
});

describe('what a sync reads', () => {
  beforeAll(() =>
    writeRows(
      application.warehouseFolder,
      'flown',
      flights(40, (index) => ({ flight_hours: index })),
    ),
  );

  test('is narrowed by a filter', async () => {
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'flown' });
    const job = await sync({ filter: `flight_hours >= 38 OR mission_id = 'M-1'` });
    expect(job.progress).toMatchObject({ totalItems: 3, successCount: 3 });
    expect((await storedItems(application)).map(({ itemId }) => itemId)).toEqual([
      'S-0001',
      'S-0039',
      'S-0040',
    ]);
  });

  test('is limited by maxItems for each source', async () => {
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'flown' });
    await addSource(application, { name: 'Short', dataType: 'logistics', tableName: 'short' });
    await writeRows(application.warehouseFolder, 'short', [{ item_id: 'L-1' }, { item_id: 'L-2' }]);
    const job = await sync({ maxItems: 7 });
    expect(job.progress.byType).toMatchObject([
      { dataType: 'logistics', totalItems: 2, successCount: 2 },
      { dataType: 'sortie', totalItems: 7, successCount: 7 },
    ]);
    expect(await storedItems(application)).toHaveLength(9);
  });

  test('goes to the catalog in batches of batchSize', async () => {
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'flown' });
    const job = await sync({ options: { batchSize: 11 } });
    expect(job.progress).toMatchObject({ totalItems: 40, successCount: 40 });
    const [partition] = await findPartitions(job.id);
    const segments = await readdir(join(application.catalogFolder, 'sortie'));
    expect(segments.filter((name) => name.startsWith(uuid(partition?.id ?? 'none')))).toHaveLength(4);
  });

  test('of an empty table is nothing, and the sync is COMPLETED', async () => {
    await writeRows(application.warehouseFolder, 'none', [{ item_id: 'S-1' }]);
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'none' });
    expect(await sync({ filter: 'item_id IS NULL' })).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 0, processedItems: 0, percent: 100 },
    });
  });
});

test("an item carries its row's marking or its type's default, and where it came from", async () => {
  await writeRows(application.warehouseFolder, 'sortie', [
    { item_id: 'S-1', classification_marking: ' secret ' },
    { item_id: 'S-2', classification_marking: null },
  ]);
  await writeRows(application.warehouseFolder, 'supply', [{ item_id: 'L-1', note: 'kept' }]);
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  await addSource(application, { name: 'Supply', dataType: 'logistics', tableName: 'supply' });
  await sync();
  expect(await storedItems(application)).toMatchObject([
    {
      itemId: 'L-1',
      marking: 'UNCLASSIFIED',
      data: { item_id: 'L-1', note: 'kept' },
      metadata: { data_source: 'Supply', source_table: 'blade.field.supply' },
    },
    { itemId: 'S-1', marking: 'SECRET', metadata: { data_source: 'Sorties' } },
    { itemId: 'S-2', marking: 'CONFIDENTIAL' },
  ]);
});

test('a source tells how its last sync went: when, how, how many items and up to where', async () => {
  await writeRows(
    application.warehouseFolder,
    'sortie',
    flights(12, (index) => ({ updated_at: `2026-03-${String(index + 1).padStart(2, '0')} 10:00:00` })),
  );
  await addSource(application, {
    name: 'Sorties',
    dataType: 'sortie',
    tableName: 'sortie',
    cursorColumn: 'updated_at',
  });
  expect(await sourceNamed('Sorties')).toMatchObject({
    last_sync_at: null,
    last_sync_state: null,
    watermark: null,
  });
  const { finishedAt } = await sync();
  const source = await sourceNamed('Sorties');
  expect(source).toMatchObject({
    item_count: 12,
    last_sync_state: 'COMPLETED',
    last_sync_message: null,
    watermark: '2026-03-12 10:00:00',
  });
  const lastSyncAt = source.last_sync_at as Date;
  expect(Math.abs(lastSyncAt.getTime() - new Date(String(finishedAt)).getTime())).toBeLessThan(5_000);
});
