import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, vi } from 'vitest';
import type { CreateDataSourceInput, JobFactsFragment, StartSyncInput } from '../generated/graphql.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { readLog } from '../support/job-events.ts';
import { test } from '../support/on-server.ts';
import { JobById, PauseJob, UpdateDataSource } from '../support/operations.ts';
import {
  addSource as addAnySource,
  catalogContent,
  forgetAll,
  storedItems,
  writeQuery,
  writeRows,
  writeText,
} from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
let client: ApiClient;

beforeAll(async () => {
  application = await startTestApplication(SECRET_SETTINGS);
  client = await login('TOP SECRET');
});

afterEach(() => forgetAll(application));

afterAll(async () => {
  await client.close();
  await application.close();
});

const login = async (clearance: string) =>
  createApiClient(application.url, await bearer({ role: 'admin', clearance }));

const addSource = (input: Partial<CreateDataSourceInput> = {}) =>
  addAnySource({ client }, { deletePolicy: 'MARK', ...input });

interface Row {
  readonly item_id?: unknown;
  readonly [column: string]: unknown;
}

const flights = (from: number, to: number, values: Row = {}): Row[] =>
  Array.from({ length: to - from }, (_none, index) => ({
    item_id: `S-${from + index}`,
    flight_hours: from + index,
    classification_marking: 'UNCLASSIFIED',
    ...values,
  }));

const write = (rows: readonly Row[], table = 'sortie') => writeRows(application.warehouseFolder, table, rows);

async function runSync(source: string, input: Partial<StartSyncInput> = {}): Promise<JobFactsFragment> {
  const { id } = await client.startSync({ syncType: 'FULL', dataSourceIds: [source], ...input });
  return client.waitForEnd(id);
}

async function sync(source: string, input: Partial<StartSyncInput> = {}): Promise<JobFactsFragment> {
  const job = await runSync(source, input);
  expect(job.state).toBe('COMPLETED');
  return job;
}

async function findSource(id: string, reader = client): Promise<Record<string, unknown>> {
  const { data, errors } = await reader.sendRaw(
    `{ dataSource(id: "${id}") { deletePolicy maxDeletePercent deletedCount itemCount drift driftMessage lastSyncMessage } }`,
  );
  expect(errors).toBeUndefined();
  return data?.dataSource as Record<string, unknown>;
}

async function change(id: string, settings: object): Promise<void> {
  const { updateDataSource } = await client.send(UpdateDataSource, { input: { id, ...settings } });
  expect(updateDataSource.__typename).toBe('UpdateDataSourceSuccess');
}

/** Lists the ids of items as a list shows them. */
async function list(filter = '{}', reader = client): Promise<string[]> {
  const answer = await reader.sendRaw(
    `{ items(filter: ${filter}, first: 100) { totalCount nodes { itemId deletedAt } } }`,
  );
  expect(answer.errors).toBeUndefined();
  const { items } = answer.data as { items: { totalCount: number; nodes: { itemId: string }[] } };
  expect(items.totalCount).toBe(items.nodes.length);
  return items.nodes.map(({ itemId }) => itemId).sort(byNumber);
}

const byNumber = (one: string, other: string) => one.localeCompare(other, 'en', { numeric: true });

const ids = (from: number, to: number) => flights(from, to).map(({ item_id }) => String(item_id));

async function findItem(itemId: string): Promise<Record<string, unknown> | null> {
  const { data } = await client.sendRaw(
    `{ item(dataType: "sortie", itemId: "${itemId}") { deletedAt updatedAt catalogId uploadedAt job { id } dataSource { name } } }`,
  );
  return data?.item as Record<string, unknown> | null;
}

const readMessages = async ({ id }: { id: string }, reader = client) =>
  (await readLog(reader, id)).map(({ message }) => message);

const countReadIds = async () =>
  (await application.database.pool.query('select count(*)::int as count from read_ids')).rows[0].count;

// A plan that compared each item with each id would take many times what the transaction may.
test('a large table whose rows are gone loses their items in a database that has no statistics yet', async () => {
  const rows = 60_000;
  const select = (from: number) =>
    `SELECT 'S-' || i AS item_id, 1.5 AS flight_hours FROM range(${from}, ${rows}) AS t(i)`;
  await writeQuery(application.warehouseFolder, 'sortie', select(0));
  const source = await addSource();
  await sync(source);
  await writeQuery(application.warehouseFolder, 'sortie', select(100));
  expect(await sync(source)).toMatchObject({ progress: { successCount: rows - 100, deletedCount: 100 } });
});

describe('a source that marks', () => {
  let source: string;

  beforeEach(async () => {
    await write(flights(0, 50));
    source = await addSource();
    await sync(source);
  });

  test('hides items whose rows are gone, and counts them everywhere', async () => {
    await write(flights(5, 50));
    const job = await sync(source);
    expect(job.progress).toMatchObject({ processedItems: 45, successCount: 45, deletedCount: 5 });
    expect(job.progress.byType).toMatchObject([{ dataType: 'sortie', deletedCount: 5 }]);
    expect((await client.send(JobById, { id: job.id })).job?.partitions.nodes).toMatchObject([
      { deletedCount: 5 },
    ]);
    expect(await findSource(source)).toMatchObject({ deletedCount: 5, itemCount: 45, drift: 0 });
    expect(await readMessages(job)).toContain(
      '5 items of Sorties deleted: their rows are gone from the table',
    );
    expect(await readMessages(job)).toContain('Completed: 45 rows done, 5 items deleted');
    expect(await list()).toEqual(ids(5, 50));
    expect(await list('{ includeDeleted: true }')).toEqual(ids(0, 50));
    expect(await list(`{ includeDeleted: true, jobId: "${job.id}" }`)).toEqual(ids(0, 5));
    expect(await list('{ isUploaded: false }')).toEqual([]);
    expect(await findItem('S-3')).toMatchObject({
      deletedAt: expect.any(String),
      catalogId: 'BLADE-sortie-S-3',
      job: { id: job.id },
      dataSource: { name: 'Sorties' },
    });
    expect(await findItem('S-7')).toMatchObject({ deletedAt: null });
    // The catalog keeps what it has.
    expect((await catalogContent(application)).size).toBe(50);
    expect(await countReadIds()).toBe(0);
  });

  test('does so once, and a sync of an unchanged table reads nothing', async () => {
    await write(flights(5, 50));
    await sync(source);
    const { deletedAt } = (await findItem('S-3')) ?? {};
    const again = await sync(source);
    expect(again.progress).toMatchObject({ successCount: 45, deletedCount: 0 });
    expect((await client.send(JobById, { id: again.id })).job?.partitions.nodes).toMatchObject([
      { isUnchanged: true, readItems: 0 },
    ]);
    expect(await findSource(source)).toMatchObject({ deletedCount: 0, itemCount: 45 });
    expect(await findItem('S-3')).toMatchObject({ deletedAt });
  });

  test('shows a row that comes back as its item again, and uploads it', async () => {
    await write(flights(5, 50));
    await sync(source);
    await write(flights(0, 50));
    const job = await sync(source);
    expect(job.progress).toMatchObject({ successCount: 50, deletedCount: 0 });
    expect(await list()).toEqual(ids(0, 50));
    expect(await findItem('S-3')).toMatchObject({ deletedAt: null, uploadedAt: expect.any(String) });
    await write(flights(1, 50));
    expect((await sync(source)).progress.deletedCount).toBe(1);
  });

  test('keeps out of an upload batch, and so without a time of upload, what is deleted and marked lower', async () => {
    const { id } = await client.startQueryJob({
      ...{ dataType: 'sortie', sqlQuery: `SELECT * FROM blade.field.sortie WHERE item_id = 'S-1'` },
      catalogConfig: { classification: 'SECRET', reason: 'a test' },
    });
    expect((await client.waitForEnd(id)).state).toBe('COMPLETED');
    await write(flights(5, 50));
    await sync(source);
    const { data } = await client.sendRaw(
      `mutation { lowerItemMarking(input: { dataType: "sortie", itemId: "S-1", expectedFloor: SECRET, reason: "a test" }) { __typename } }`,
    );
    expect(data?.lowerItemMarking).toEqual({ __typename: 'LowerItemMarkingSuccess' });
    const { pool } = application.database;
    await vi.waitFor(async () => {
      const { rows } = await pool.query(`select state from pgboss.job where name = 'item-uploads'`);
      expect(rows.map(({ state }) => state)).toEqual(['completed']);
    });
    expect(await findItem('S-1')).toMatchObject({
      deletedAt: expect.any(String),
      uploadedAt: null,
      catalogId: 'BLADE-sortie-S-1',
    });
  });

  test('is not kept from deleting by a failed row whose id no item can have', async () => {
    await write([...flights(5, 50), { item_id: 'x'.repeat(513) }, { item_id: 'a\0b', flight_hours: 1 }]);
    const job = await sync(source);
    expect(job.progress).toMatchObject({ errorCount: 2, deletedCount: 5 });
  });

  test('does the same in Parquet files, in every partition of a large table', async () => {
    const writeMany = (from: number) =>
      writeQuery(
        application.warehouseFolder,
        'sortie',
        `SELECT 'P-' || i AS item_id, 1.5 AS flight_hours FROM range(${from}, 5000) AS t(i)`,
      );
    const large = { options: { partitionRows: 1_000, batchSize: 100 } };
    await writeMany(0);
    await change(source, { maxDeletePercent: 100 });
    expect((await sync(source, large)).progress).toMatchObject({ successCount: 5_000, deletedCount: 50 });
    await writeMany(40);
    const job = await sync(source, large);
    expect(job.progress).toMatchObject({ successCount: 4_960, deletedCount: 40 });
    expect((await client.send(JobById, { id: job.id })).job?.partitions.nodes.length).toBeGreaterThan(1);
    expect(await findItem('P-39')).toMatchObject({ deletedAt: expect.any(String) });
    expect(await findItem('P-40')).toMatchObject({ deletedAt: null });
    expect(await countReadIds()).toBe(0);
  });

  test('does so once for each of several sources that are read in several partitions', async () => {
    const tables = ['first', 'second'];
    const writeTables = (from: number) =>
      Promise.all(
        tables.map((name, index) =>
          write(flights(2_000 * index + 2_000 + from, 2_000 * index + 4_000), name),
        ),
      );
    await writeTables(0);
    const sources: string[] = [];
    for (const name of tables) sources.push(await addSource({ name, tableName: name }));
    const input = { dataSourceIds: sources, options: { partitionRows: 1_000 } };
    await sync('', input);
    await writeTables(100);
    const job = await sync('', input);
    expect(job.progress).toMatchObject({ unchangedCount: 3_800, deletedCount: 200 });
    const { job: found } = await client.send(JobById, { id: job.id });
    expect(found?.partitions.nodes).toHaveLength(4);
    for (const source of sources)
      expect(await findSource(source)).toMatchObject({ deletedCount: 100, drift: 0, lastSyncMessage: null });
    const messages = (await readMessages(job)).filter((message) => /delete/.test(message));
    expect(messages).toHaveLength(3);
    // What was read has been recorded, so that it need not be read again.
    expect(await client.send(JobById, { id: (await sync('', input)).id })).toMatchObject({
      job: { partitions: { nodes: [{ isUnchanged: true }, { isUnchanged: true }] } },
    });
  });

  test('deletes nothing in an INCREMENTAL sync', async () => {
    await change(source, { cursorColumn: 'flight_hours' });
    await sync(source, { syncType: 'INCREMENTAL' });
    await write(flights(5, 50));
    const job = await sync(source, { syncType: 'INCREMENTAL' });
    expect(job.progress.deletedCount).toBe(0);
    expect(await list()).toHaveLength(50);
    expect((await sync(source)).progress.deletedCount).toBe(5);
  });

  test.each([
    ['filter', { filter: 'flight_hours < 40' }, 'the filter of the sync leaves rows out'],
    ['limit', { maxItems: 40 }, 'the limit of the sync can leave rows out'],
  ])('deletes nothing in a sync with a %s, and says so', async (_name, input, reason) => {
    await write(flights(5, 50));
    const job = await sync(source, input);
    expect(job.progress.deletedCount).toBe(0);
    expect(await readMessages(job)).toContain(`No items of Sorties were deleted: ${reason}`);
    expect(await list()).toHaveLength(50);
    expect((await sync(source)).progress.deletedCount).toBe(5);
  });

  test('deletes after an INCREMENTAL sync that has read the same table', async () => {
    await write(flights(5, 50));
    expect((await sync(source, { syncType: 'INCREMENTAL' })).progress.deletedCount).toBe(0);
    expect((await sync(source)).progress.deletedCount).toBe(5);
    expect(await list()).toEqual(ids(5, 50));
  });

  test('takes its share of the items that were there before, however many rows are new', async () => {
    await change(source, { maxDeletePercent: 50 });
    await write(flights(50, 140));
    expect((await sync(source)).progress).toMatchObject({ deletedCount: 0, successCount: 90 });
    const refusal = expect.stringContaining('50 of its 50 items have no row');
    expect(await findSource(source)).toMatchObject({ lastSyncMessage: refusal });
    // The new rows are items by now, and still make the share no larger.
    expect((await sync(source)).progress.deletedCount).toBe(0);
    expect(await findSource(source)).toMatchObject({ lastSyncMessage: refusal });
    await change(source, { maxDeletePercent: 100 });
    expect((await sync(source)).progress.deletedCount).toBe(50);
    expect(await list()).toEqual(ids(50, 140));
  });

  test.each([
    ['an INCREMENTAL sync', () => sync(source, { syncType: 'INCREMENTAL' })],
    [
      'a sync whose policy was another',
      async () => {
        await change(source, { deletePolicy: 'KEEP' });
        await change(source, { deletePolicy: 'MARK' });
        await sync(source);
      },
    ],
  ])('takes its share of the items that were there before %s brought others', async (_name, bring) => {
    await change(source, { maxDeletePercent: 50 });
    await write(flights(50, 140));
    await bring();
    const job = await sync(source);
    expect(job.progress.deletedCount).toBe(0);
    expect((await readMessages(job)).join()).toContain('50 of its 50 items have no row');
  });

  test('deletes the items of its earlier data type', async () => {
    await change(source, { dataType: 'deployment', maxDeletePercent: 100 });
    await write(flights(0, 50).map(({ item_id }) => ({ item_id, deployment_id: item_id })));
    expect((await sync(source)).progress.deletedCount).toBe(50);
    expect(await list('{ dataTypes: ["sortie"] }')).toEqual([]);
    expect(await list('{ dataTypes: ["deployment"] }')).toHaveLength(50);
  });

  test('keeps an item that a job under way has written, says so, and lets the next sync decide', async () => {
    const { id } = await client.startQueryJob({
      dataType: 'sortie',
      sqlQuery: `SELECT concat('S-', CAST(id AS STRING)) AS item_id, CAST(id AS DOUBLE) AS flight_hours FROM range(4000)`,
      options: { batchSize: 10 },
    });
    await vi.waitFor(async () => {
      const { job } = await client.send(JobById, { id });
      expect(job?.progress.successCount).toBeGreaterThan(0);
    });
    await client.send(PauseJob, { input: { id } });
    await vi.waitFor(async () => expect((await client.send(JobById, { id })).job?.state).toBe('PAUSED'));
    await write(flights(5, 50));
    await sync(source);
    expect(await findItem('S-0')).toMatchObject({ deletedAt: null });
    expect((await findSource(source)).lastSyncMessage).toMatch(
      /items without a row were kept, because another job wrote them .*: the next FULL sync decides\.$/,
    );
    await client.cancelJob(id);
    await client.waitForEnd(id);
    await sync(source);
    expect(await findItem('S-0')).toMatchObject({ deletedAt: expect.any(String) });
    expect((await findSource(source)).lastSyncMessage).toBeNull();
  });

  test('deletes nothing if more than its share would go, says how many, and does so once it may', async () => {
    await write(flights(11, 50));
    const job = await sync(source);
    const reason =
      '11 of its 50 items have no row in the table any more, and a sync may delete at most 20 percent of them. They wait until ';
    expect(job.progress).toMatchObject({ successCount: 39, deletedCount: 0 });
    expect((await readMessages(job)).join()).toContain(
      `11 items of Sorties wait for an admin before they are deleted: ${reason}`,
    );
    expect(await findSource(source)).toMatchObject({
      lastSyncMessage: expect.stringContaining(`No items were deleted: ${reason}`),
      deletedCount: 0,
      drift: -11,
      driftMessage:
        '11 items have no row in the table any more; a complete FULL sync deletes those that a sync has brought, or says why it does not',
    });
    expect(await list()).toHaveLength(50);
    await change(source, { maxDeletePercent: 22 });
    expect((await sync(source)).progress.deletedCount).toBe(11);
    expect(await findSource(source)).toMatchObject({ lastSyncMessage: null, drift: 0 });
  });

  test('keeps the item of a failed row', async () => {
    await write([...flights(5, 50), { item_id: 'S-3', flight_hours: 'many' }]);
    const job = await sync(source);
    expect(job.progress).toMatchObject({ successCount: 45, errorCount: 1, deletedCount: 4 });
    expect(await list()).toEqual(['S-3', ...ids(5, 50)]);
  });

  test('deletes nothing while a failed row could be that of any item', async () => {
    const lines = flights(5, 50).map((row) => JSON.stringify(row));
    await writeText(application.warehouseFolder, 'sortie.ndjson', `${lines.join('\n')}\n1\n`);
    const job = await sync(source);
    expect(job.progress).toMatchObject({ successCount: 45, errorCount: 1, deletedCount: 0 });
    const reason =
      'a row failed without an id, so it could be that of an item. Repair the row and run a FULL sync';
    expect(await readMessages(job)).toContain(`No items of Sorties were deleted: ${reason}`);
    expect((await findSource(source)).lastSyncMessage).toBe(`No items were deleted: ${reason}`);
    expect(await list()).toHaveLength(50);
    await write(flights(5, 50));
    expect((await sync(source)).progress.deletedCount).toBe(5);
  });

  test('never empties the copy of an empty table', async () => {
    await change(source, { maxDeletePercent: 100 });
    await write([]);
    const job = await sync(source);
    expect(job.progress.deletedCount).toBe(0);
    expect((await findSource(source)).lastSyncMessage).toBe('No items were deleted: the table is empty');
    expect(await list()).toHaveLength(50);
  });

  test('deletes nothing if a partition failed', async () => {
    await write([...flights(5, 50), { item_id: 'S-60', flight_hours: 'many' }]);
    const job = await runSync(source, { options: { maxErrors: 0 } });
    expect(job).toMatchObject({ state: 'FAILED', progress: { deletedCount: 0 } });
    expect(await list()).toHaveLength(50);
    expect(await countReadIds()).toBe(0);
  });

  test('deletes nothing if it is cancelled, and the next sync does it', async () => {
    await change(source, { maxDeletePercent: 100 });
    await writeQuery(
      application.warehouseFolder,
      'sortie',
      `SELECT 'P-' || i AS item_id, 1.5 AS flight_hours FROM range(0, 6000) AS t(i)`,
    );
    const options = { batchSize: 20, partitionRows: 2_000 };
    const { id } = await client.startSync({ syncType: 'FULL', dataSourceIds: [source], options });
    await vi.waitFor(async () => expect(await countReadIds()).toBeGreaterThan(0), { timeout: 20_000 });
    await client.cancelJob(id);
    expect(await client.waitForEnd(id)).toMatchObject({ state: 'CANCELLED', progress: { deletedCount: 0 } });
    expect(await list('{ itemIdPrefix: "S-" }')).toHaveLength(50);
    expect(await countReadIds()).toBe(0);
    expect((await sync(source)).progress.deletedCount).toBe(50);
  });

  test('deletes once if the database fails between the read and the deletes', async () => {
    const { pool } = application.database;
    await pool.query(`create sequence failures;
      create function fail_twice() returns trigger language plpgsql as $$ begin
        if nextval('failures') <= 2 then raise exception 'the disk went away'; end if;
        return new;
      end $$;
      create trigger fail_twice before update of deleted_at on blade_item for each row
        when (new.deleted_at is not null) execute function fail_twice()`);
    try {
      await write(flights(5, 50));
      const job = await sync(source);
      expect(job.progress).toMatchObject({ successCount: 45, deletedCount: 5 });
      expect(await readMessages(job).then((all) => all.filter((one) => one.includes('gone')))).toHaveLength(
        1,
      );
      expect(await list()).toEqual(ids(5, 50));
    } finally {
      await pool.query('drop function fail_twice cascade; drop sequence failures');
    }
  });

  test('shows and counts to each caller only what their clearance covers', async () => {
    await change(source, { maxDeletePercent: 100 });
    await write([...flights(0, 50), ...flights(50, 53, { classification_marking: 'SECRET' })]);
    await sync(source);
    await write(flights(2, 50));
    const both = await sync(source);
    await write(flights(2, 50).concat(flights(60, 62, { classification_marking: 'SECRET' })));
    await sync(source);
    await write(flights(2, 50));
    const secret = await sync(source);
    expect([both, secret].map(({ progress }) => progress.deletedCount)).toEqual([5, 2]);

    const reader = await login('CUI');
    try {
      const { job } = await reader.send(JobById, { id: both.id });
      expect(job?.progress).toMatchObject({ deletedCount: 2, byType: [{ deletedCount: 2 }] });
      expect(job?.partitions.nodes).toMatchObject([{ deletedCount: 2 }]);
      expect(await readMessages(both, reader)).toContain(
        '2 items of Sorties deleted: their rows are gone from the table',
      );
      expect(await readMessages(both, reader)).toContain('Completed: 48 rows done, 2 items deleted');
      expect((await readMessages(secret, reader)).join()).not.toContain('deleted');
      expect(await findSource(source, reader)).toMatchObject({ deletedCount: 0 });
      expect(await list('{ includeDeleted: true, itemIdPrefix: "S-6" }', reader)).toEqual(['S-6']);
    } finally {
      await reader.close();
    }
  });

  test('hides why nothing was deleted from callers who may not count the rows', async () => {
    await write(flights(40, 50));
    const job = await sync(source);
    const reader = await login('SECRET');
    try {
      const waiting = (await readMessages(job, reader)).filter((message) => message.includes('deleted'));
      expect(waiting).toEqual([
        '40 items of Sorties wait for an admin before they are deleted: hidden from principals who are not cleared for it',
      ]);
      expect((await findSource(source, reader)).lastSyncMessage).toMatch(/^hidden/);
    } finally {
      await reader.close();
    }
  });

  test('deletes an item that a query job has touched, but not one that only a query job has made', async () => {
    const query = async (sqlQuery: string) => {
      const { id } = await client.startQueryJob({ dataType: 'sortie', sqlQuery });
      expect((await client.waitForEnd(id)).state).toBe('COMPLETED');
    };
    await query(`SELECT * FROM blade.field.sortie WHERE item_id = 'S-3'`);
    await query(`SELECT 'Q-1' AS item_id, flight_hours FROM blade.field.sortie WHERE item_id = 'S-9'`);
    await write(flights(5, 50));
    expect((await sync(source)).progress.deletedCount).toBe(5);
    expect(await list()).toEqual(['Q-1', ...ids(5, 50)]);
  });

  test('does not bring a deleted item back from an old row that is retried', async () => {
    await write([...flights(0, 50).slice(1), { item_id: 'S-0', flight_hours: 'many' }]);
    const failed = await sync(source);
    expect(failed.progress.errorCount).toBe(1);
    await write(flights(1, 50));
    expect((await sync(source)).progress.deletedCount).toBe(1);
    await client.sendRaw(
      `mutation { retryJob(input: { id: "${failed.id}", mode: FAILED_ITEMS }) { __typename } }`,
    );
    expect(await list()).toEqual(ids(1, 50));
  });

  test('is not changed while it is synced, and reads all rows after the change', async () => {
    await change(source, { deletePolicy: 'KEEP' });
    await write(flights(5, 50));
    expect((await sync(source)).progress.deletedCount).toBe(0);
    expect(await list()).toHaveLength(50);
    expect(await findSource(source)).toMatchObject({
      deletePolicy: 'KEEP',
      driftMessage: '5 items have no row in the table any more; syncs of this source delete no items',
    });
    await change(source, { deletePolicy: 'MARK' });
    expect((await sync(source)).progress.deletedCount).toBe(5);
  });
});

test('a source whose deletes wait for another source of the sync to be read is not changed until then', async () => {
  await write(flights(0, 50));
  const source = await addSource({ maxDeletePercent: 100 });
  await sync(source);
  await write(flights(5, 50));
  await write(flights(100, 3_100), 'other');
  const other = await addSource({ name: 'Other', tableName: 'other' });
  const { id } = await client.startSync({
    ...{ syncType: 'FULL', dataSourceIds: [source, other], options: { batchSize: 1 } },
  });
  await vi.waitFor(
    async () => {
      const { rows } = await application.database.pool.query(
        'select 1 from job_partition where postponed_facts is not null',
      );
      expect(rows).toHaveLength(1);
    },
    { timeout: 30_000 },
  );
  const { updateDataSource } = await client.send(UpdateDataSource, {
    input: { id: source, deletePolicy: 'KEEP' },
  });
  expect(updateDataSource.__typename).toBe('DataSourceInUseError');
  await client.cancelJob(id);
  expect((await client.waitForEnd(id)).state).toBe('CANCELLED');
  await change(source, { deletePolicy: 'KEEP' });
  expect(await list(`{ dataSourceId: "${source}" }`)).toHaveLength(50);
});

describe('an item of two sources', () => {
  let one: string;
  let other: string;

  beforeEach(async () => {
    await write(flights(0, 20));
    await write(flights(0, 20, { classification_marking: 'CUI' }), 'other');
    one = await addSource({ name: 'One' });
    other = await addSource({ name: 'Other', tableName: 'other' });
    await sync(one);
    await sync(other);
  });

  test.each([
    ['the source that it was last read from', () => [other, 'other', one, 'sortie'] as const],
    ['the source that had it before', () => [one, 'sortie', other, 'other'] as const],
  ])('stays while only %s has lost its row, and goes with the last row', async (_name, order) => {
    const [first, firstTable, last, lastTable] = order();
    await write(flights(2, 20), firstTable);
    expect((await sync(first)).progress.deletedCount).toBe(0);
    expect(await list()).toEqual(ids(0, 20));
    await sync(last);
    expect(await list()).toEqual(ids(0, 20));
    await write(flights(2, 20), lastTable);
    expect((await sync(last)).progress.deletedCount).toBe(2);
    expect(await list()).toEqual(ids(2, 20));
  });

  test('keeps its marking until the source that still has it states it again', async () => {
    const marking = async () =>
      (await storedItems(application)).find(({ itemId }) => itemId === 'S-1')?.marking;
    expect(await marking()).toBe('CUI');
    await write(flights(2, 20, { classification_marking: 'CUI' }), 'other');
    await sync(other);
    expect(await marking()).toBe('CUI');
    await sync(one);
    expect(await marking()).toBe('UNCLASSIFIED');
    expect(await findItem('S-1')).toMatchObject({
      dataSource: { name: 'One' },
      uploadedAt: expect.any(String),
    });
  });

  test.each([
    ['one', 'sortie', 'other'],
    ['other', 'other', 'sortie'],
  ])(
    'is not deleted if its row moves from %s to another source of the same sync',
    async (_name, from, to) => {
      await change(one, { maxDeletePercent: 100 });
      await change(other, { maxDeletePercent: 100 });
      await write(flights(20, 40), from);
      await write(flights(50, 60), to);
      const both = { dataSourceIds: [one, other], options: { batchSize: 5 } };
      await sync(one, both);
      await write(flights(30, 40), from);
      await write(flights(20, 30, { classification_marking: 'CUI' }), to);
      const job = await sync(one, both);
      expect(job.progress).toMatchObject({ successCount: 20, deletedCount: 10 });
      expect(await list()).toEqual(ids(20, 40));
      expect(await findItem('S-25')).toMatchObject({
        ...{ deletedAt: null, uploadedAt: expect.any(String) },
        dataSource: { name: to === 'other' ? 'Other' : 'One' },
      });
      expect(await countReadIds()).toBe(0);
      const { rows } = await application.database.pool.query(
        'select count(*)::int as count from job_partition where postponed_facts is not null',
      );
      expect(rows).toEqual([{ count: 0 }]);
    },
  );

  test('goes if the other source was deleted', async () => {
    await client.sendRaw(`mutation { deleteDataSource(input: { id: "${one}" }) { __typename } }`);
    await write(flights(2, 20), 'other');
    expect((await sync(other)).progress.deletedCount).toBe(2);
  });

  test('stays while the other source keeps its items', async () => {
    await change(one, { deletePolicy: 'KEEP' });
    await write(flights(2, 20));
    await sync(one);
    await write(flights(2, 20), 'other');
    expect((await sync(other)).progress.deletedCount).toBe(0);
    expect(await list()).toEqual(ids(0, 20));
  });
});

test('a source without a policy keeps every item', async () => {
  await write(flights(0, 10));
  const source = await addAnySource({ client });
  expect(await findSource(source)).toMatchObject({ deletePolicy: 'KEEP', maxDeletePercent: 20 });
  await sync(source);
  await write(flights(1, 10));
  const job = await sync(source);
  expect(job.progress.deletedCount).toBe(0);
  expect((await readMessages(job)).join()).not.toContain('deleted');
  expect(await list()).toHaveLength(10);
});

test('a share that is no percentage is refused', async () => {
  const answer = await client.sendRaw(
    `mutation { createDataSource(input: { name: "S", dataType: "sortie", catalogName: "blade", schemaName: "field",
      tableName: "sortie", maxDeletePercent: 101 }) { __typename ... on InvalidInputError { issues { path message } } } }`,
  );
  expect(answer.data?.createDataSource).toMatchObject({
    issues: [{ path: ['input', 'maxDeletePercent'], message: 'must be from 0 to 100' }],
  });
});
