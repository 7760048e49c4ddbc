import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { prune } from '../../src/jobs/retention.ts';
import type { JobFactsFragment, StartSyncInput } from '../generated/graphql.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { readLog } from '../support/job-events.ts';
import { test } from '../support/on-server.ts';
import { UpdateDataSource } from '../support/operations.ts';
import { addSource, catalogContent, forgetAll, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
let client: ApiClient;
let source: string;

const login = async (clearance: string) =>
  createApiClient(application.url, await bearer({ sub: 'the admin', role: 'admin', clearance }));

beforeAll(async () => {
  application = await startTestApplication(SECRET_SETTINGS);
  client = await login('TOP SECRET');
});

beforeEach(async () => {
  await write([...flights(0, 45), ...flights(45, 50, 'SECRET')]);
  source = await addSource({ client }, { deletePolicy: 'MARK', cursorColumn: 'flight_hours' });
  await sync();
});

afterEach(() => forgetAll(application));

afterAll(async () => {
  await client.close();
  await application.close();
});

const flights = (from: number, to: number, marking = 'UNCLASSIFIED') =>
  Array.from({ length: to - from }, (_none, index) => ({
    ...{ item_id: `S-${from + index}`, flight_hours: from + index, classification_marking: marking },
  }));

const ids = (from: number, to: number) => flights(from, to).map(({ item_id }) => item_id);

const write = (rows: readonly object[]) => writeRows(application.warehouseFolder, 'sortie', rows);

async function sync(input: Partial<StartSyncInput> = {}): Promise<JobFactsFragment> {
  const { id } = await client.startSync({ syncType: 'FULL', dataSourceIds: [source], ...input });
  const job = await client.waitForEnd(id);
  expect(job.state).toBe('COMPLETED');
  return job;
}

async function list(filter = '{}'): Promise<string[]> {
  const { data } = await client.sendRaw(`{ items(filter: ${filter}, first: 100) { nodes { itemId } } }`);
  const { items } = data as { items: { nodes: { itemId: string }[] } };
  return items.nodes
    .map(({ itemId }) => itemId)
    .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));
}

async function findSource(reader = client): Promise<Record<string, unknown>> {
  const { data, errors } = await reader.sendRaw(
    `{ dataSource(id: "${source}") { deletedCount drift driftMessage lastSyncMessage waitingDeletes { jobId count expiresAt } } }`,
  );
  expect(errors).toBeUndefined();
  return data?.dataSource as Record<string, unknown>;
}

const APPROVED =
  '... on DeleteCountChangedError { currentCount } ... on ApproveDeletesSuccess { deletedCount dataSource { deletedCount } }';

async function decide(field: string, input: string, by = client): Promise<Record<string, unknown>> {
  const { data, errors } = await by.sendRaw(
    `mutation { ${field}Deletes(input: { ${input} }) { __typename
      ... on UserError { message } ${field === 'approve' ? APPROVED : ''} } }`,
  );
  expect(errors).toBeUndefined();
  return data?.[`${field}Deletes`] as Record<string, unknown>;
}

const approve = ({ id }: { id: string }, expectedCount: number, by = client) =>
  decide('approve', `jobId: "${id}", expectedCount: ${expectedCount}`, by);

const readMessages = async ({ id }: { id: string }, reader = client) =>
  (await readLog(reader, id)).map(({ message }) => message);

const countReadIds = async () =>
  (await application.database.pool.query('select count(*)::int as count from read_ids')).rows[0].count;

const change = (settings: object) =>
  client.send(UpdateDataSource, { input: { id: source, ...settings } }).then(({ updateDataSource }) => {
    expect(updateDataSource.__typename).toBe('UpdateDataSourceSuccess');
  });

const REPLACED = { __typename: 'DeletesNotWaitingError' };

test('too many deletes wait for an admin, who approves as many as expected', async () => {
  await write(flights(20, 45));
  const job = await sync();
  expect(job.progress.deletedCount).toBe(0);
  expect(await findSource()).toMatchObject({
    waitingDeletes: { jobId: job.id, count: 25, expiresAt: expect.any(String) },
    lastSyncMessage: expect.stringMatching(
      /^No items were deleted: 25 of its 50 items .* at most 20 percent of them\. They wait until .* for an admin/,
    ),
    drift: -25,
  });
  expect(await list()).toHaveLength(50);
  expect(await approve(job, 24)).toMatchObject({ __typename: 'DeleteCountChangedError', currentCount: 25 });
  expect(await list()).toHaveLength(50);

  expect(await approve(job, 25)).toEqual({
    ...{ __typename: 'ApproveDeletesSuccess', deletedCount: 25, dataSource: { deletedCount: 25 } },
  });
  expect(await list()).toEqual(ids(20, 45));
  expect(await list(`{ includeDeleted: true, jobId: "${job.id}" }`)).toHaveLength(25);
  expect(await findSource()).toEqual({
    ...{ deletedCount: 25, drift: 0, driftMessage: null, lastSyncMessage: null, waitingDeletes: null },
  });
  expect(await countReadIds()).toBe(0);
  expect((await readMessages(job)).at(-1)).toBe('25 items of Sorties deleted, as approved by the admin');
  const { data } = await client.sendRaw(
    `{ auditEntries(first: 1, filter: { operations: ["approveDeletes"] }) { nodes { outcome principal { name } details } } }`,
  );
  expect(data?.auditEntries).toMatchObject({
    nodes: [{ outcome: 'DONE', principal: { name: 'the admin' }, details: { count: 25, name: 'Sorties' } }],
  });
  expect(await approve(job, 25)).toMatchObject(REPLACED);
  // The share is of what is left.
  await write(flights(21, 45));
  expect((await sync()).progress.deletedCount).toBe(1);
});

test('approved deletes of a source that removes go from the catalog, too', async () => {
  await change({ deletePolicy: 'REMOVE' });
  await write(flights(20, 45));
  const job = await sync();
  expect(await approve(job, 25)).toMatchObject({ deletedCount: 25 });
  // Jobs that end look for removals.
  await sync();
  await vi.waitFor(async () => expect(await list('{ includeDeleted: true }')).toHaveLength(25), {
    timeout: 30_000,
  });
  expect((await catalogContent(application)).size).toBe(25);
});

test('rejected deletes delete nothing, until a FULL sync proposes them again', async () => {
  await write(flights(20, 45));
  const job = await sync();
  expect(await decide('reject', `jobId: "${job.id}"`)).toEqual({ __typename: 'RejectDeletesSuccess' });
  expect(await findSource()).toMatchObject({ waitingDeletes: null, lastSyncMessage: null });
  expect((await readMessages(job)).at(-1)).toBe('Deletes of 25 items of Sorties rejected by the admin');
  expect(await countReadIds()).toBe(0);
  expect(await approve(job, 25)).toMatchObject(REPLACED);
  expect(await decide('reject', `jobId: "${job.id}"`)).toMatchObject(REPLACED);
  expect(await list()).toHaveLength(50);
  const again = await sync();
  expect(await approve(again, 25)).toMatchObject({ deletedCount: 25 });
});

test('a later FULL sync replaces what waits', async () => {
  await write(flights(20, 45));
  const job = await sync();
  await write(flights(0, 45));
  expect((await sync()).progress.deletedCount).toBe(5);
  expect(await approve(job, 25)).toMatchObject(REPLACED);
  expect(await findSource()).toMatchObject({ waitingDeletes: null, deletedCount: 5 });
  expect(await countReadIds()).toBe(0);
});

test('rows that any other sync has seen since stay, changed or not, and so does what else was written', async () => {
  await write(flights(20, 45));
  const job = await sync();
  // The table is restored, which an INCREMENTAL sync reads from the beginning.
  await write(flights(10, 45));
  await sync({ filter: 'flight_hours < 12' });
  await application.database.pool.query(`update data_source set watermark = null, watermark_type = null`);
  await sync({ syncType: 'INCREMENTAL', filter: 'flight_hours < 15' });
  const { id } = await client.startQueryJob({
    ...{ dataType: 'sortie', sqlQuery: `SELECT 'S-1' AS item_id, 3.5 AS flight_hours` },
  });
  expect((await client.waitForEnd(id)).state).toBe('COMPLETED');
  expect(await findSource()).toMatchObject({ waitingDeletes: { count: 25 } });
  expect(await approve(job, 25)).toMatchObject({ deletedCount: 19 });
  expect(await list()).toEqual(['S-1', ...ids(10, 15), ...ids(20, 45)]);
  expect(await countReadIds()).toBe(0);
});

test('expired deletes are not approved, and retention forgets them', async () => {
  await write(flights(20, 45));
  const job = await sync();
  await application.database.pool.query(
    `update delete_approval set expires_at = blade_now() - interval '1 second'`,
  );
  expect(await findSource()).toMatchObject({ waitingDeletes: null });
  expect(await approve(job, 25)).toMatchObject({ ...REPLACED, message: expect.stringContaining('expired') });
  expect(await countReadIds()).toBeGreaterThan(0);
  const prisma = createPrismaClient(application.database.connectionString, { maxConnections: 1 });
  await prune(prisma, { historyDays: null, itemDays: null, auditDays: null }, new Date());
  await prisma.$disconnect();
  expect(await countReadIds()).toBe(0);
  expect(await list()).toHaveLength(50);
});

test.each([
  ['another table', { tableName: 'other' }, { tableName: 'sortie' }],
  ['another delete policy', { deletePolicy: 'KEEP' }, { deletePolicy: 'MARK' }],
])(
  'a source that gets %s has no deletes that wait, also once it is as before',
  async (_what, there, back) => {
    await write(flights(20, 45));
    const job = await sync();
    await change(there);
    expect(await findSource()).toMatchObject({ waitingDeletes: null, lastSyncMessage: null });
    expect(await approve(job, 25)).toMatchObject(REPLACED);
    await change(back);
    expect(await findSource()).toMatchObject({ waitingDeletes: null });
    expect(await approve(job, 25)).toMatchObject(REPLACED);
    expect(await list()).toHaveLength(50);
    expect(await countReadIds()).toBe(0);
  },
);

test('the drift of a source says what becomes of its items under the policy that it has now', async () => {
  await write(flights(20, 45));
  await sync();
  await change({ deletePolicy: 'KEEP' });
  expect(await findSource()).toMatchObject({
    ...{
      drift: -25,
      driftMessage: expect.stringMatching(/^25 items .*; syncs of this source delete no items$/),
    },
  });
});

test('an approval corrects the drift by what has left the source, in words, too', async () => {
  // Five of the items without a row belong to another source too. For each of the rest, a failing row keeps the row count the same.
  await writeRows(application.warehouseFolder, 'other', flights(0, 5));
  const other = await addSource({ client }, { name: 'Others', tableName: 'other' });
  await sync({ dataSourceIds: [other] });
  await write(flights(0, 50));
  await sync();
  await write([...flights(25, 45), ...flights(60, 83, 'BOGUS')]);
  const job = await sync();
  expect(await findSource()).toMatchObject({ drift: -7, waitingDeletes: { count: 25 } });
  expect(await approve(job, 25)).toMatchObject({ deletedCount: 25 });
  expect(await findSource()).toMatchObject({
    ...{
      drift: 23,
      driftMessage: expect.stringMatching(/^23 rows of the table are not in the copy, because they failed/),
    },
  });
});

test.each([
  ['approval', (job: { id: string }) => approve(job, 25)],
  ['rejection', ({ id }: { id: string }) => decide('reject', `jobId: "${id}"`)],
])('an %s leaves what else the sync had to say', async (_what, decideOn) => {
  await change({ cursorColumn: 'landed_at' });
  const landed = flights(20, 45).map((row) => ({ ...row, landed_at: '2999-01-01T00:00:00Z' }));
  await write(landed);
  const job = await sync();
  expect(await findSource()).toMatchObject({
    lastSyncMessage: expect.stringMatching(/^landed_at has times after .*\. No items were deleted: 25 /),
  });
  expect((await decideOn(job)).__typename).toMatch(/Success$/);
  expect(await findSource()).toMatchObject({
    ...{
      lastSyncMessage: expect.stringMatching(
        /^landed_at has times after .* the watermark stays before them$/,
      ),
    },
  });
});

test('an empty table waits for nobody', async () => {
  await write([]);
  await sync();
  expect(await findSource()).toMatchObject({
    waitingDeletes: null,
    lastSyncMessage: 'No items were deleted: the table is empty',
  });
});

test('callers count and approve what their clearance covers', async () => {
  await write(flights(20, 45));
  const job = await sync();
  const cui = await login('CUI');
  try {
    expect(await findSource(cui)).toMatchObject({ waitingDeletes: { count: 20 } });
    expect((await readMessages(job, cui)).join()).toContain(
      '20 items of Sorties wait for an admin before they are deleted: hidden',
    );
    expect(await approve(job, 25, cui)).toMatchObject({ currentCount: 20 });
    expect(await approve(job, 20, cui)).toMatchObject({ deletedCount: 20, dataSource: { deletedCount: 20 } });
    expect(await list()).toEqual(ids(20, 45));
    expect((await readMessages(job, cui)).at(-1)).toBe(
      '20 items of Sorties deleted, as approved by the admin',
    );
  } finally {
    await cui.close();
  }
});
