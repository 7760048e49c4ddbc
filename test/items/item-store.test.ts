import { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, vi } from 'vitest';
import type { BladeItem, RowItem } from '../../src/data-types/blade-item.ts';
import { LeaseLostError, type PartitionLease } from '../../src/database/partition-lease.ts';
import { NO_CHANGES } from '../../src/items/change-counts.ts';
import type { SaveBatch, UploadBatch } from '../../src/items/item-batches.ts';
import { createItemStore, type ItemStore } from '../../src/items/item-store.ts';
import { countItemsByLevel, NO_COUNTS } from '../../src/items/level-counts.ts';
import { test } from '../support/on-every-database.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

beforeEach(async () => {
  await database.pool.query('truncate job, blade_item, upload_batch, read_batch cascade');
});

afterAll(() => database.close());

const isServer = inject('preparedDatabase').kind === 'server';

/** A partition of a running query job, claimed for the first time. */
async function claimed(): Promise<PartitionLease> {
  const lease = { jobId: crypto.randomUUID(), partitionId: crypto.randomUUID(), attempt: 1 };
  await database.pool.query(
    `insert into job (id, kind, state, sql_query, data_type, started_at)
     values ($1, 'QUERY', 'RUNNING', 'select 1', 'sortie', now())`,
    [lease.jobId],
  );
  await database.pool.query(
    `insert into job_partition (id, job_id, ordinal, state, attempt, data_type, source_name, total_items)
     values ($1, $2, 0, 'RUNNING', 1, 'sortie', 'Sorties', 100)`,
    [lease.partitionId, lease.jobId],
  );
  return lease;
}

function openStore(lease: PartitionLease): ItemStore {
  return createItemStore(database.pool, lease);
}

function item(itemId: string, version = 1): RowItem {
  return {
    dataType: 'sortie',
    itemId,
    classificationMarking: 'CONFIDENTIAL',
    statesMarking: true,
    data: JSON.stringify({ item_id: itemId, version }),
    metadata: '{}',
    queryMetadata: null,
    contentHash: `${itemId} ${version}`,
  };
}

/** The same as the database gives it. */
function stored(itemId: string, version = 1): BladeItem {
  const { statesMarking, ...rest } = item(itemId, version);
  return rest;
}

function batch(items: readonly RowItem[], rest: Partial<SaveBatch> = {}): SaveBatch {
  return {
    dataType: 'sortie',
    defaultMarking: 'CONFIDENTIAL',
    dataSourceId: null,
    markingRule: { kind: 'SOURCE' },
    metadata: '{}',
    items,
    superseded: [],
    errors: [],
    position: items.length,
    fingerprint: null,
    ...rest,
  };
}

/** Saves a batch of which something has to be uploaded. */
async function saved(store: ItemStore, items: readonly RowItem[], rest: Partial<SaveBatch> = {}) {
  const pending = await store.saveBatch(batch(items, rest));
  if (pending === null) throw new Error('there is nothing to upload');
  return pending;
}

function uploaded(
  {
    id,
    readBatch,
    repeatedIds = new Set(),
  }: Pick<UploadBatch, 'id' | 'readBatch'> & Partial<Pick<UploadBatch, 'repeatedIds'>>,
  accepted: readonly BladeItem[],
  rejected: readonly BladeItem[] = [],
) {
  return {
    id,
    receipt: { generation: 'folder:1', key: `key-${id}` },
    isRestored: false,
    countsRestored: false,
    readBatch,
    dataType: 'sortie',
    accepted,
    rejected: rejected.map((item) => ({ item, message: `no ${item.itemId}` })),
    countsRejections: true,
    success: countItemsByLevel(accepted.filter(({ itemId }) => !repeatedIds.has(itemId))),
    changes: NO_CHANGES,
    failedDuplicates: countItemsByLevel(rejected.filter(({ itemId }) => repeatedIds.has(itemId))),
  };
}

/** What a partition owes the catalog. */
async function owed(store: ItemStore): Promise<BladeItem[]> {
  const batches = await store.findPendingBatches();
  const items = (await Promise.all(batches.map(({ id }) => store.findBatchItems(id)))).flat();
  // As jsonb, it comes back with other white space.
  return items.map(({ change: _change, ...item }) => ({
    ...item,
    data: JSON.stringify(JSON.parse(item.data)),
  }));
}

/** Whether each item is uploaded, and whether the catalog has accepted an older content of it. */
async function uploads() {
  const { rows } = await database.pool.query(
    `select item_id, uploaded_at is not null as uploaded, was_uploaded as before, data->'version' as version
     from blade_item left join upload_batch on id = upload_batch_id order by item_id`,
  );
  return rows;
}

async function counts({ partitionId }: PartitionLease) {
  const { rows } = await database.pool.query(
    `select position, total_items::int as total, read_items::int as read, processed_items::int as processed,
       success_count::int as success, error_count::int as errors, duplicate_count::int as duplicates from job_partition where id = $1`,
    [partitionId],
  );
  return rows[0];
}

/** All that a store could write. */
async function everything() {
  const tables = ['job_partition', 'blade_item', 'upload_batch', 'job_error'].map(async (table) => {
    const { rows } = await database.pool.query(`select xmin::text, t.* from ${table} t order by t::text`);
    return rows;
  });
  return Promise.all(tables);
}

const rowError = {
  stage: 'TRANSFORM',
  itemId: 'bad',
  message: 'it is bad',
  marking: 'SECRET',
  row: '{"item_id":"bad"}',
} as const;

describe('the counts of a batch', () => {
  test('an item that must be uploaded counts once it is uploaded, an unchanged one immediately', async () => {
    const lease = await claimed();
    const store = openStore(lease);
    const first = await saved(store, [item('a'), item('b')]);
    expect(first.items).toEqual([item('a'), item('b')]);
    expect(await counts(lease)).toEqual({
      position: 2,
      total: 100,
      read: 2,
      processed: 0,
      success: 0,
      errors: 0,
      duplicates: 0,
    });
    await store.markUploaded(uploaded(first, first.items));
    expect(await counts(lease)).toMatchObject({ read: 2, processed: 2, success: 2 });
    const nextLease = await claimed();
    const next = [item('a'), item('b', 2), item('c')];
    expect((await saved(openStore(nextLease), next)).items).toEqual([item('b', 2), item('c')]);
    expect(await counts(nextLease)).toMatchObject({ position: 3, read: 3, processed: 1, success: 1 });
  });

  test('replaced rows count as duplicates and failed ones as errors, which are stored', async () => {
    const lease = await claimed();
    const store = openStore(lease);
    const pending = await saved(store, [item('a')], {
      superseded: [item('a', 2), item('a', 3), item('a', 4)],
      errors: [rowError],
    });
    expect(await counts(lease)).toMatchObject({
      ...{ read: 5, processed: 4, success: 0, errors: 1, duplicates: 3 },
    });
    await store.markUploaded(uploaded(pending, [], [item('a')]));
    expect(await counts(lease)).toMatchObject({
      ...{ read: 5, processed: 5, success: 0, errors: 2, duplicates: 3 },
    });
    const { rows } = await database.pool.query(
      'select job_id, stage, item_id, message, "row" from job_error order by id',
    );
    expect(rows).toEqual([
      {
        job_id: lease.jobId,
        stage: 'TRANSFORM',
        item_id: 'bad',
        message: 'it is bad',
        row: { item_id: 'bad' },
      },
      { job_id: lease.jobId, stage: 'UPLOAD', item_id: 'a', message: 'no a', row: null },
    ]);
  });

  test('the total grows if there are more rows than were counted', async () => {
    const lease = await claimed();
    await database.pool.query('update job_partition set total_items = 1');
    await openStore(lease).saveBatch(batch([item('a'), item('b')]));
    expect(await counts(lease)).toMatchObject({ total: 2, read: 2 });
  });

  test('the total of rows that nobody counted is not made up from those read so far', async () => {
    const lease = await claimed();
    await database.pool.query('update job_partition set total_items = null');
    const store = openStore(lease);
    const first = await saved(store, [item('a'), item('b')], { errors: [rowError] });
    await store.markUploaded(uploaded(first, first.items.slice(1), first.items.slice(0, 1)));
    await store.saveBatch(batch([item('b')]));
    await store.countSuccess(NO_COUNTS, NO_CHANGES);
    expect(await counts(lease)).toMatchObject({ total: null, read: 4, processed: 4 });
    await store.saveTotal(9);
    expect(await counts(lease)).toMatchObject({ total: 9 });
  });

  test('starting over resets position, counts and errors, and keeps the items', async () => {
    const lease = await claimed();
    const store = openStore(lease);
    await store.saveBatch(batch([item('a')], { errors: [rowError] }));
    await store.startOver();
    expect(await counts(lease)).toEqual({
      position: null,
      total: 100,
      read: 0,
      processed: 0,
      success: 0,
      errors: 0,
      duplicates: 0,
    });
    expect((await database.pool.query('select 1 from job_error')).rowCount).toBe(0);
    expect(await store.findItems({ dataType: 'sortie', itemIds: ['a'] })).toHaveLength(1);
  });
});

describe('rows with the id of an earlier row', () => {
  const next = async (lease: PartitionLease, attempt: number) => {
    await database.pool.query('update job_partition set attempt = $2 where id = $1', [
      lease.partitionId,
      attempt,
    ]);
    return openStore({ ...lease, attempt });
  };

  test('count once each, whether their items have changed, are the same or were replaced in their batch', async () => {
    const lease = await claimed();
    const store = openStore(lease);
    const first = await saved(store, [item('a'), item('b')]);
    await store.markUploaded(uploaded(first, first.items));
    const second = await saved(store, [item('a'), item('b', 3), item('c')], { superseded: [item('b', 2)] });
    expect(second).toMatchObject({ repeatedIds: new Set(['a', 'b']), readBatch: null });
    expect(await counts(lease)).toMatchObject({ read: 6, processed: 5, success: 2, duplicates: 3 });
    await store.markUploaded(uploaded(second, second.items));
    expect(await counts(lease)).toMatchObject({ read: 6, processed: 6, success: 3, duplicates: 3 });
    expect(await store.saveBatch(batch([item('c')]))).toBeNull();
    expect(await counts(lease)).toMatchObject({ read: 7, processed: 7, success: 3, duplicates: 4 });
    const { rows } = await database.pool.query(
      `select duplicate_item_id, duplicate_marking, duplicate_by_level::int[] as by_level, success_by_level::int[] as success
       from job_partition where id = $1`,
      [lease.partitionId],
    );
    expect(rows).toEqual([
      {
        ...{ duplicate_item_id: 'a', duplicate_marking: 'CONFIDENTIAL' },
        ...{ by_level: [0, 0, 4, 0, 0], success: [0, 0, 3, 0, 0] },
      },
    ]);
  });

  test('are recognized by an attempt that resumes, and none by one that starts over', async () => {
    const lease = await claimed();
    await openStore(lease).saveBatch(batch([item('a'), item('b')]));
    const second = await next(lease, 2);
    await second.loadSeenIds();
    const pending = await saved(second, [item('b', 2), item('c')]);
    expect(pending.repeatedIds).toEqual(new Set(['b']));
    const third = await next(lease, 3);
    await third.loadSeenIds();
    expect(await third.findPendingBatches()).toMatchObject([
      {},
      { id: pending.id, repeatedIds: new Set(['b']) },
    ]);
    await third.saveBatch(batch([item('a', 2), item('c', 2)]));
    expect(await counts(lease)).toMatchObject({ read: 6, duplicates: 3, processed: 3 });
    const fourth = await next(lease, 4);
    await fourth.startOver();
    await fourth.loadSeenIds();
    await fourth.saveBatch(batch([item('a', 2), item('c', 2)]));
    expect(await counts(lease)).toMatchObject({ read: 2, duplicates: 0 });
  });

  test('are errors once the catalog rejects them', async () => {
    const lease = await claimed();
    const store = openStore(lease);
    const first = await saved(store, [item('a'), item('b')]);
    await store.markUploaded(uploaded(first, first.items));
    const second = await saved(store, [item('a', 2), item('b', 2)]);
    expect(await counts(lease)).toMatchObject({ processed: 4, success: 2, duplicates: 2, errors: 0 });
    await store.markUploaded(uploaded(second, [item('b', 2)], [item('a', 2)]));
    expect(await counts(lease)).toMatchObject({ processed: 4, success: 2, duplicates: 1, errors: 1 });
  });

  test('belong to one read: another one may have the same ids', async () => {
    await openStore(await claimed()).saveBatch(batch([item('a')]));
    const lease = await claimed();
    await openStore(lease).saveBatch(batch([item('a', 2)]));
    expect(await counts(lease)).toMatchObject({ duplicates: 0 });
  });
});

describe('a saved item', () => {
  test('is pending until it is marked as uploaded', async () => {
    const store = openStore(await claimed());
    const first = await saved(store, [item('b'), item('a')]);
    const second = await saved(store, [item('c'), item('d')]);
    expect(await store.findPendingBatches()).toMatchObject([{ id: first.id }, { id: second.id }]);
    expect((await store.findBatchItems(first.id)).map(({ itemId }) => itemId)).toEqual(['a', 'b']);
    await store.markUploaded(uploaded(first, first.items));
    expect(await owed(store)).toEqual([stored('c'), stored('d')]);
    await store.markUploaded(uploaded(second, [item('c')], [item('d')]));
    expect(await owed(store)).toEqual([]);
    expect(await uploads()).toMatchObject([
      { item_id: 'a', uploaded: true },
      { item_id: 'b', uploaded: true },
      { item_id: 'c', uploaded: true },
      { item_id: 'd', uploaded: false },
    ]);
  });

  test('that was never marked as uploaded is uploaded by the next job that reads it, without being changed', async () => {
    const first = openStore(await claimed());
    await first.saveBatch(batch([item('a')]));
    const before = await database.pool.query('select updated_at from blade_item');
    await database.pool.query('select pg_sleep(0.01)');
    const next = openStore(await claimed());
    expect((await saved(next, [item('a')])).items).toEqual([item('a')]);
    expect(await owed(next)).toHaveLength(1);
    expect(await owed(first)).toEqual([]);
    expect((await database.pool.query('select updated_at from blade_item')).rows).toEqual(before.rows);
  });

  test('that the catalog rejected is uploaded by the next job that reads it', async () => {
    const first = openStore(await claimed());
    await first.markUploaded(uploaded(await saved(first, [item('a')]), [], [item('a')]));
    const again = await saved(openStore(await claimed()), [item('a')]);
    expect(again.items).toEqual([item('a')]);
    // It comes into the catalog only now.
    expect(again.changed).toEqual({ inserted: null, updated: new Set() });
  });

  test('whose new content the catalog rejected is updated by the next job that reads it', async () => {
    const first = openStore(await claimed());
    await first.markUploaded(uploaded(await saved(first, [item('a')]), [item('a')]));
    const second = openStore(await claimed());
    await second.markUploaded(uploaded(await saved(second, [item('a', 2)]), [], [item('a', 2)]));
    const { changed } = await saved(openStore(await claimed()), [item('a', 2)]);
    expect(changed).toEqual({ inserted: new Set(), updated: null });
  });

  test('of a partition that an earlier version of the program began leaves its changes unknown', async () => {
    const lease = await claimed();
    await database.pool.query(
      `update job_partition set inserted_by_level = '{}', updated_by_level = '{}' where id = $1`,
      [lease.partitionId],
    );
    const store = openStore(lease);
    await store.markUploaded(uploaded(await saved(store, [item('a')]), [item('a')]));
    await store.countSuccess([1, 0, 0, 0, 0], NO_CHANGES);
    await store.startOver();
    await openStore(lease).saveBatch(batch([item('a')]));
    const { rows } = await database.pool.query(
      'select success_count::int as success, inserted_by_level as inserted, updated_by_level as updated from job_partition where id = $1',
      [lease.partitionId],
    );
    expect(rows).toEqual([{ success: 1, inserted: [], updated: [] }]);
  });

  test('that its own job reads once more is what the job has made of it', async () => {
    const before = openStore(await claimed());
    await before.markUploaded(uploaded(await saved(before, [item('b')]), [item('b')]));
    const lease = await claimed();
    const items = [item('a'), item('b', 2), item('c')];
    const store = openStore(lease);
    await store.markUploaded(uploaded(await saved(store, items), items));
    await store.startOver();
    expect(await openStore(lease).saveBatch(batch(items))).toBeNull();
    const { rows } = await database.pool.query(
      `select success_count::int as success, inserted_by_level::int[] as inserted, updated_by_level::int[] as updated
       from job_partition where id = $1`,
      [lease.partitionId],
    );
    expect(rows).toEqual([{ success: 3, inserted: [0, 0, 2, 0, 0], updated: [0, 0, 1, 0, 0] }]);
  });

  test('whose content changed is known to be in the catalog with its older content', async () => {
    const store = openStore(await claimed());
    await store.markUploaded(uploaded(await saved(store, [item('a'), item('b')]), [item('a'), item('b')]));
    await saved(store, [item('a', 2), item('c')]);
    expect(await uploads()).toMatchObject([
      { item_id: 'a', uploaded: false, before: true },
      { item_id: 'b', uploaded: true, before: false },
      { item_id: 'c', uploaded: false, before: false },
    ]);
  });

  test('that another job changed during its upload is pending again with its new content', async () => {
    const store = openStore(await claimed());
    const other = openStore(await claimed());
    const pending = await saved(store, [item('a'), item('b')]);
    await other.markUploaded(uploaded(await saved(other, [item('a', 2)]), [item('a', 2)]));
    await store.markUploaded(uploaded(pending, pending.items));
    expect(await uploads()).toEqual([
      { item_id: 'a', uploaded: false, before: true, version: 2 },
      { item_id: 'b', uploaded: true, before: false, version: 1 },
    ]);
    expect(await owed(store)).toEqual([stored('a', 2)]);
    const [again] = await store.findPendingBatches();
    await store.markUploaded({
      ...uploaded({ id: again?.id ?? '', readBatch: null }, [item('a', 2)]),
      success: NO_COUNTS,
    });
    expect(await owed(store)).toEqual([]);
    expect(await uploads()).toMatchObject([{ uploaded: true }, { uploaded: true }]);
  });

  test('that a later batch of the same job has changed is pending in that batch only', async () => {
    const store = openStore(await claimed());
    const first = await saved(store, [item('a'), item('b')]);
    const second = await saved(store, [item('a', 2)]);
    await store.markUploaded(uploaded(first, first.items));
    expect(await store.findPendingBatches()).toMatchObject([
      { id: second.id, repeatedIds: new Set(['a']), changes: NO_CHANGES },
    ]);
    await store.markUploaded(uploaded(second, second.items));
    expect(await store.findPendingBatches()).toEqual([]);
    expect(await uploads()).toMatchObject([{ uploaded: true, version: 2 }, { uploaded: true }]);
  });
});

describe('unchanged items', () => {
  const many = Array.from({ length: 60 }, (_, index) => item(`item-${index}`));

  test.each([
    ['at the beginning', []],
    ['after batches of changed ones', [item('x'), item('y'), item('z')]],
  ])('are not written at all %s', async (_name, others) => {
    const first = openStore(await claimed());
    await first.markUploaded(uploaded(await saved(first, many), many));
    const lease = await claimed();
    const store = openStore(lease);
    for (const other of others) await saved(store, [other]);
    const before = await database.pool.query(`select xmin, xmax from blade_item where item_id like 'item-%'`);
    const isAsked = others.length === 0;
    // Without the question, the conflict with a row locks it.
    const columns = isAsked ? 'xmin, xmax' : 'xmin';
    expect(await store.saveBatch(batch(many))).toBeNull();
    const after = await database.pool.query(`select ${columns} from blade_item where item_id like 'item-%'`);
    expect(after.rows).toEqual(before.rows.map(({ xmin, xmax }) => (isAsked ? { xmin, xmax } : { xmin })));
    expect(await counts(lease)).toMatchObject({ read: 60 + others.length, success: 60, processed: 60 });
    const next = await claimed();
    const changed = [...many.slice(1), item('item-0', 2), item('new')];
    expect((await saved(openStore(next), changed)).items).toEqual([item('item-0', 2), item('new')]);
    expect(await counts(next)).toMatchObject({ read: 61, success: 59, processed: 59 });
  });
});

test('texts and rows come in as they are, whatever characters they have', async () => {
  const store = openStore(await claimed());
  const text = 'Zażółć "gęślą" \\ jaźń 🛩 \u2028 {,} NULL';
  const strange: RowItem = { ...item(text), data: JSON.stringify({ item_id: text }) };
  await store.saveBatch(
    batch([strange], {
      errors: [
        { stage: 'TRANSFORM', itemId: null, message: text, marking: 'SECRET', row: null },
        { stage: 'TRANSFORM', itemId: text, message: '', marking: 'SECRET', row: JSON.stringify([text]) },
      ],
    }),
  );
  expect(await owed(store)).toEqual([{ ...stored(text), data: strange.data }]);
  const { rows } = await database.pool.query('select item_id, message, "row" from job_error order by id');
  expect(rows).toEqual([
    { item_id: null, message: text, row: null },
    { item_id: text, message: '', row: [text] },
  ]);
});

describe('rows that come again', () => {
  const dataSourceId = crypto.randomUUID();
  const fingerprint = 'these rows';
  const rows = { dataSourceId, fingerprint };
  const again = { size: 2, position: { rows: 2 } };
  const items = [item('a'), item('b')];

  /** A new attempt's store, after these rows were saved and uploaded. */
  async function afterUpload(rest: Partial<SaveBatch> = {}) {
    const store = openStore(await claimed());
    const pending = await saved(store, items, { ...rows, ...rest });
    await store.markUploaded(uploaded(pending, pending.items));
    const lease = await claimed();
    return { lease, store: openStore(lease) };
  }

  test('are counted as success, and the checkpoint moves past them', async () => {
    const { store, lease } = await afterUpload();
    expect(await store.loadFingerprints(dataSourceId)).toEqual(new Set([fingerprint]));
    expect(await store.confirm(rows, again)).toBe(true);
    expect(await counts(lease)).toMatchObject({
      ...{ position: again.position, read: 2, processed: 2, success: 2, errors: 0 },
    });
    const levels = await database.pool.query(
      'select read_by_level::int[] as read, success_by_level::int[] as success from job_partition where id = $1',
      [lease.partitionId],
    );
    const expected = countItemsByLevel(items);
    expect(levels.rows).toEqual([{ read: expected, success: expected }]);
  });

  test('are known by their source alone', async () => {
    const { store, lease } = await afterUpload();
    const other = { ...rows, dataSourceId: crypto.randomUUID() };
    expect(await store.loadFingerprints(other.dataSourceId)).toEqual(new Set());
    const before = await counts(lease);
    expect(await store.confirm(other, again)).toBe(false);
    expect(await store.confirm({ ...rows, fingerprint: 'other rows' }, again)).toBe(false);
    expect(await counts(lease)).toEqual(before);
  });

  test('are not known if a row replaced another one', async () => {
    const { store } = await afterUpload({ superseded: [item('a', 7)] });
    expect(await store.confirm(rows, { ...again, size: 3 })).toBe(false);
  });

  test('are not known if an earlier row of the read has an id of theirs', async () => {
    const { store, lease } = await afterUpload();
    await store.saveBatch(batch([item('a'), item('z')]));
    expect(await store.confirm(rows, again)).toBe(false);
    const copy = { dataSourceId, fingerprint: 'other rows with these ids' };
    expect((await openStore(await claimed()).saveBatch(batch(items, copy)))?.readBatch ?? null).toBeNull();
    await store.saveBatch(batch(items, rows));
    expect(await counts(lease)).toMatchObject({ read: 4, duplicates: 1 });
  });

  test.each([
    ['before all of them are uploaded', async (store: ItemStore) => void (await saved(store, items, rows))],
    [
      'when one of them failed',
      async (store: ItemStore) => {
        const pending = await saved(store, items, { ...rows, errors: [rowError] });
        await store.markUploaded(uploaded(pending, pending.items));
      },
    ],
    [
      'when the catalog rejected one of them',
      async (store: ItemStore) => {
        const pending = await saved(store, items, rows);
        await store.markUploaded(uploaded(pending, items.slice(1), items.slice(0, 1)));
      },
    ],
    [
      'when another job wrote one of them while they were uploaded',
      async (store: ItemStore) => {
        const pending = await saved(store, items, rows);
        await saved(openStore(await claimed()), [item('a', 2)]);
        await store.markUploaded(uploaded(pending, pending.items));
      },
    ],
  ])('are not known %s', async (_name, work) => {
    const store = openStore(await claimed());
    await work(store);
    expect(await openStore(await claimed()).confirm(rows, again)).toBe(false);
  });

  test.each([
    ['has another content', async () => void (await saved(openStore(await claimed()), [item('b', 2)]))],
    ['is deleted', () => database.pool.query("delete from blade_item where item_id = 'b'")],
    ['was never uploaded', () => database.pool.query('update blade_item set upload_batch_id = null')],
    ['is in a batch that is gone', () => database.pool.query('delete from upload_batch')],
  ])('are no longer known when one of their items %s', async (_name, change) => {
    const { store } = await afterUpload();
    await change();
    expect(await store.confirm(rows, again)).toBe(false);
  });

  test('are no longer known when an item has its old content again', async () => {
    const { store } = await afterUpload();
    for (const version of [2, 1]) {
      const writer = openStore(await claimed());
      const pending = await saved(writer, [item('b', version)]);
      await writer.markUploaded(uploaded(pending, pending.items));
    }
    expect(await store.confirm(rows, again)).toBe(false);
  });

  test('are known if all of them were unchanged, whatever batches they are in', async () => {
    const many = Array.from({ length: 60 }, (_, index) => item(`item-${index}`));
    for (const some of [many.slice(0, 13), many.slice(13)]) {
      const store = openStore(await claimed());
      const pending = await saved(store, some);
      await store.markUploaded(uploaded(pending, pending.items));
    }
    expect(await openStore(await claimed()).saveBatch(batch(many, rows))).toBeNull();
    const confirmAgain = async () => openStore(await claimed()).confirm(rows, { ...again, size: 60 });
    expect(await confirmAgain()).toBe(true);
    await saved(openStore(await claimed()), [item('item-7', 2)]);
    expect(await confirmAgain()).toBe(false);
  });

  test('are compared again if their items are in so many batches that counting would take as long', async () => {
    const many = Array.from({ length: 60 }, (_, index) => item(`item-${index}`));
    for (const some of Array.from({ length: 20 }, (_, index) => many.slice(index * 3, index * 3 + 3))) {
      const store = openStore(await claimed());
      const pending = await saved(store, some);
      await store.markUploaded(uploaded(pending, pending.items));
    }
    const store = openStore(await claimed());
    expect(await store.saveBatch(batch(many, rows))).toBeNull();
    expect(await store.loadFingerprints(dataSourceId)).toEqual(new Set());
  });

  test('are not confirmed for an attempt that is no longer current', async () => {
    const { store, lease } = await afterUpload();
    await database.pool.query('update job_partition set attempt = 2 where id = $1', [lease.partitionId]);
    const before = await everything();
    await expect(store.confirm(rows, again)).rejects.toThrow(LeaseLostError);
    expect(await everything()).toEqual(before);
  });
});

describe('an item that the database refuses', () => {
  beforeEach(() =>
    database.pool.query(`alter table blade_item add constraint refused check (item_id not like 'poison%')`),
  );

  afterEachDrop('blade_item', 'refused');

  test.skipIf(!isServer)(
    'rejects where the connection is lost while it is looked for, and ends nothing else',
    async () => {
      const store = openStore(await claimed());
      await store.saveBatch(batch([item('z')]));
      const other = await database.pool.connect();
      await other.query(`begin; select from blade_item where item_id = 'z' for update`);
      const saved = store.saveBatch(batch([item('poison'), item('z', 2)]));
      const failed = expect(saved).rejects.toThrow('terminating connection');
      await vi.waitFor(async () => {
        const { rowCount } = await database.pool.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
        );
        expect(rowCount).toBe(1);
      }, 10_000);
      await failed;
      await other.query('rollback');
      other.release();
    },
  );

  test.each([
    ['alone', ['poison']],
    ['among others', ['a', 'poison1', 'b', 'c', 'd', 'poison2', 'e']],
    ['beside another', ['poison1', 'poison2']],
  ])('%s fails only its row, which is stored as an error of the stage SAVE', async (_name, ids) => {
    const lease = await claimed();
    const good = ids.filter((id) => !id.startsWith('poison'));
    const pending = await openStore(lease).saveBatch(
      batch(
        ids.map((id) => item(id)),
        { errors: [rowError] },
      ),
    );
    expect((pending?.items ?? []).map(({ itemId }) => itemId)).toEqual(good);
    const errors = ids.length - good.length + 1;
    expect(await counts(lease)).toMatchObject({
      read: ids.length + 1,
      processed: errors,
      success: 0,
      errors,
    });
    const { rows } = await database.pool.query(
      `select item_id, message, "row" from job_error where stage = 'SAVE' order by item_id`,
    );
    expect(rows).toEqual(
      ids
        .filter((id) => id.startsWith('poison'))
        .map((id) => ({
          item_id: id,
          message: expect.stringContaining('refused'),
          row: { item_id: id, version: 1 },
        })),
    );
  });

  test('cannot be found by an attempt that is no longer current', async () => {
    const lease = await claimed();
    await database.pool.query('update job_partition set attempt = 2');
    await expect(openStore(lease).saveBatch(batch([item('poison'), item('a')]))).rejects.toThrow(
      LeaseLostError,
    );
  });
});

function afterEachDrop(table: string, constraint: string) {
  beforeEach(() => async () => {
    await database.pool.query(`alter table ${table} drop constraint ${constraint}`);
  });
}

describe('items, errors and checkpoint are saved together', () => {
  beforeEach(() =>
    database.pool.query(
      'alter table job_partition add constraint short check (read_items < 4 and success_count < 2)',
    ),
  );

  afterEachDrop('job_partition', 'short');

  test('so that nothing is saved if the checkpoint cannot be', async () => {
    const lease = await claimed();
    const store = openStore(lease);
    const pending = await saved(store, [item('a'), item('b')]);
    const before = await everything();
    await expect(store.saveBatch(batch([item('c')], { errors: [rowError] }))).rejects.toMatchObject({
      constraint: 'short',
    });
    expect(await everything()).toEqual(before);
    await expect(store.markUploaded(uploaded(pending, pending.items))).rejects.toMatchObject({
      constraint: 'short',
    });
    expect(await everything()).toEqual(before);
  });
});

describe('an attempt that is no longer current', () => {
  const calls: Record<string, (store: ItemStore, pending: UploadBatch) => Promise<unknown>> = {
    startOver: (store) => store.startOver(),
    saveBatch: (store) => store.saveBatch(batch([item('a', 2), item('new')], { errors: [rowError] })),
    markUploaded: (store, pending) => store.markUploaded(uploaded(pending, [item('a')], [item('b')])),
    countSuccess: (store) => store.countSuccess([1, 0, 0, 0, 0], NO_CHANGES),
  };

  const losses: Record<string, string> = {
    'after another has taken the partition over': 'update job_partition set attempt = attempt + 1',
    'after the partition has ended': `update job_partition set state = 'CANCELLED', finished_at = now()`,
    'after the partition was handed back': `update job_partition set state = 'PENDING'`,
    'after the job was deleted': 'delete from job',
  };

  for (const [when, loss] of Object.entries(losses)) {
    test.each(Object.keys(calls))(`writes nothing with %s ${when}`, async (call) => {
      const store = openStore(await claimed());
      const pending = await saved(store, [item('a'), item('b')], { errors: [rowError] });
      await database.pool.query(loss);
      const before = await everything();
      await expect(calls[call]?.(store, pending)).rejects.toThrow(LeaseLostError);
      expect(await everything()).toEqual(before);
    });
  }

  // The embedded database runs one statement after the other.
  describe.runIf(isServer)('since it was taken over', () => {
    test.each(['saveBatch', 'markUploaded'])('while its %s ran, writes nothing', async (call) => {
      const store = openStore(await claimed());
      const pending = await saved(store, [item('a'), item('b')], { errors: [rowError] });
      const holder = await database.pool.connect();
      try {
        await holder.query('begin');
        await holder.query('select 1 from blade_item for update');
        const written = calls[call]?.(store, pending).catch((error: unknown) => error);
        await untilSomeoneWaits();
        await database.pool.query('update job_partition set attempt = attempt + 1');
        const before = await everything();
        await holder.query('commit');
        expect(await written).toBeInstanceOf(LeaseLostError);
        expect(await everything()).toEqual(before);
      } finally {
        await holder.query('rollback');
        holder.release();
      }
    });
  });
});

async function untilSomeoneWaits(): Promise<void> {
  await vi.waitFor(async () => {
    const { rowCount } = await database.pool.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(rowCount).toBeGreaterThan(0);
  });
}

test('concurrent jobs that write the same items in opposite orders all succeed', async () => {
  const ids = Array.from({ length: 1_500 }, (_, index) => `item-${String(index).padStart(4, '0')}`);
  const writers = await Promise.all(
    [ids, ids.toReversed(), ids, ids.toReversed()].map(async (order, writer) => {
      const pool = new Pool({ connectionString: database.connectionString, max: 2 });
      pool.on('error', () => {}); // Removing the database may end a connection that the pool is ending.
      return { pool, order, store: createItemStore(pool, await claimed()), writer };
    }),
  );
  try {
    await Promise.all(
      writers.map(async ({ store, order, writer }) => {
        for (let round = 0; round < 8; round++) {
          const items = order.map((id) => item(id, round * 10 + writer));
          const pending = await store.saveBatch(batch(items));
          if (pending !== null) await store.markUploaded(uploaded(pending, pending.items));
        }
      }),
    );
  } finally {
    await Promise.all(writers.map(({ pool }) => pool.end()));
  }
});
