import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, vi } from 'vitest';
import type { JobFactsFragment } from '../generated/graphql.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { type CatalogServer, startCatalogServer } from '../support/catalog-server.ts';
import { createBlade } from '../support/command-line.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { JobById, UpdateDataSource } from '../support/operations.ts';
import { addSource, catalogContent, forgetAll, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
let server: CatalogServer;
let client: ApiClient;
let source: string;

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

const ids = (from: number, to: number) => flights(from, to).map(({ item_id }) => String(item_id));

const write = (rows: readonly Row[]) => writeRows(application.warehouseFolder, 'sortie', rows);

async function sync(): Promise<JobFactsFragment> {
  const { id } = await client.startSync({ syncType: 'FULL', dataSourceIds: [source] });
  const job = await client.waitForEnd(id);
  expect(job.state).toBe('COMPLETED');
  return job;
}

async function list(filter = '{}', reader = client): Promise<string[]> {
  const { data } = await reader.sendRaw(`{ items(filter: ${filter}, first: 100) { nodes { itemId } } }`);
  const { items } = data as { items: { nodes: { itemId: string }[] } };
  return items.nodes
    .map(({ itemId }) => itemId)
    .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));
}

async function findSource(reader = client): Promise<Record<string, unknown>> {
  const { data } = await reader.sendRaw(
    `{ dataSource(id: "${source}") { deletePolicy deletedCount pendingRemovals removalMessage drift } }`,
  );
  return data?.dataSource as Record<string, unknown>;
}

async function change(settings: object): Promise<void> {
  const { updateDataSource } = await client.send(UpdateDataSource, { input: { id: source, ...settings } });
  expect(updateDataSource.__typename).toBe('UpdateDataSourceSuccess');
}

const query = async (text: string) => (await application.database.pool.query(text)).rows;

const countOrders = async () => (await query('select count(*)::int as count from item_removal'))[0].count;

const waitUntilSettled = () => vi.waitFor(async () => expect(await countOrders()).toBe(0), PATIENCE);

/** Lets orders that wait for their next attempt be due. The program looks at them when a job ends. */
async function retryNow(): Promise<void> {
  await query('update item_removal set retry_at = blade_now()');
  await sync();
}

const PATIENCE = { timeout: 30_000, interval: 50 };

async function start(catalog?: CatalogServer): Promise<void> {
  application = await startTestApplication(
    SECRET_SETTINGS,
    catalog === undefined ? {} : { catalog: catalog.choice },
  );
  client = createApiClient(application.url, await bearer({ role: 'admin', clearance: 'TOP SECRET' }));
}

async function begin(rows = flights(0, 50)): Promise<void> {
  await write(rows);
  source = await addSource({ client }, { deletePolicy: 'REMOVE' });
  await sync();
}

async function end(): Promise<void> {
  await client.close();
  await application.close();
}

describe('a source that removes, with a folder', () => {
  beforeAll(() => start());
  afterEach(async () => {
    await query('delete from item_removal');
    await forgetAll(application);
  });
  afterAll(end);

  test('removes items whose rows are gone here and in the catalog, and makes new ones of rows that come back', async () => {
    await begin();
    await write(flights(5, 50));
    const job = await sync();
    expect(job.progress).toMatchObject({ successCount: 45, deletedCount: 5 });
    await waitUntilSettled();
    expect(await list('{ includeDeleted: true }')).toEqual(ids(5, 50));
    expect([...(await catalogContent(application)).keys()].sort()).toEqual(
      ids(5, 50)
        .map((id) => `BLADE-sortie-${id}`)
        .sort(),
    );
    expect(await findSource()).toEqual({
      ...{ deletePolicy: 'REMOVE', deletedCount: 5, pendingRemovals: 0, removalMessage: null, drift: 0 },
    });
    // The catalog has lost nothing, and nothing has to be read again.
    const again = await sync();
    expect((await client.send(JobById, { id: again.id })).job?.partitions.nodes).toMatchObject([
      { isUnchanged: true, readItems: 0 },
    ]);
    expect(await query('select id from upload_batch where lost_at is not null')).toEqual([]);

    await write(flights(0, 50));
    const back = await sync();
    expect(back.progress).toMatchObject({ successCount: 50, deletedCount: 0 });
    expect(await list()).toEqual(ids(0, 50));
    expect((await catalogContent(application)).size).toBe(50);
  });

  test('removes those that it has marked before', async () => {
    await begin();
    await change({ deletePolicy: 'MARK' });
    await write(flights(5, 50));
    await sync();
    expect(await list('{ includeDeleted: true }')).toHaveLength(50);
    await change({ deletePolicy: 'REMOVE' });
    expect((await sync()).progress.deletedCount).toBe(0);
    await waitUntilSettled();
    expect(await list('{ includeDeleted: true }')).toEqual(ids(5, 50));
    expect((await catalogContent(application)).size).toBe(45);
  });

  test('keeps the row of an item whose marking was raised, so that it cannot come back with a lower one', async () => {
    await begin();
    const { id } = await client.startQueryJob({
      ...{ dataType: 'sortie', sqlQuery: `SELECT * FROM blade.field.sortie WHERE item_id = 'S-1'` },
      catalogConfig: { classification: 'SECRET', reason: 'a test' },
    });
    expect((await client.waitForEnd(id)).state).toBe('COMPLETED');
    await write(flights(5, 50));
    expect((await sync()).progress.deletedCount).toBe(5);
    await waitUntilSettled();
    expect((await catalogContent(application)).size).toBe(45);
    expect(await list('{ includeDeleted: true }')).toEqual(['S-1', ...ids(5, 50)]);
    // It is not ordered again and again.
    await write(flights(6, 50));
    await sync();
    await waitUntilSettled();
    await write(flights(1, 50));
    await sync();
    const { data } = await client.sendRaw(
      `{ item(dataType: "sortie", itemId: "S-1") { classificationMarking deletedAt uploadedAt } }`,
    );
    expect(data?.item).toMatchObject({
      classificationMarking: 'SECRET',
      deletedAt: null,
      uploadedAt: expect.any(String),
    });
  });

  test('does not bring a removed item back from an old row that is retried', async () => {
    await begin([...flights(1, 50), { item_id: 'S-0', flight_hours: 1 }]);
    await write([...flights(1, 50), { item_id: 'S-0', flight_hours: 'many' }]);
    const failed = await sync();
    expect(failed.progress.errorCount).toBe(1);
    await write(flights(1, 50));
    expect((await sync()).progress.deletedCount).toBe(1);
    await waitUntilSettled();
    const { data } = await client.sendRaw(
      `mutation { retryJob(input: { id: "${failed.id}", mode: FAILED_ITEMS }) { __typename } }`,
    );
    expect(data?.retryJob).toEqual({ __typename: 'NothingToRetryError' });
    expect(await list('{ includeDeleted: true }')).toEqual(ids(1, 50));
  });
});

describe('a source that removes, with a service', () => {
  beforeAll(async () => {
    server = await startCatalogServer();
    await start(server);
  });
  beforeEach(() => begin([...flights(0, 49), ...flights(49, 50, { classification_marking: 'SECRET' })]));
  afterEach(async () => {
    server.removeWith('ALWAYS_204');
    server.answerWith(() => null);
    server.reset();
    await query('delete from item_removal');
    await forgetAll(application);
  });
  afterAll(async () => {
    await end();
    await server.close();
  });

  test.each(['ALWAYS_204', '404_IF_MISSING'] as const)(
    'removes its items, also those that the service does not have (%s)',
    async (removal) => {
      server.removeWith(removal);
      server.damage('BLADE:sortie/S-0', null);
      await write(flights(5, 50));
      expect((await sync()).progress.deletedCount).toBe(5);
      await waitUntilSettled();
      expect(server.items.size).toBe(45);
      expect(await list('{ includeDeleted: true }')).toEqual(ids(5, 50));
    },
  );

  test.each([404, 405, 501] as const)(
    'keeps its items marked and says so where the service knows no removal (%s), and removes them once it does',
    async (status) => {
      server.removeWith(status);
      await write(flights(5, 49));
      expect((await sync()).progress.deletedCount).toBe(6);
      await vi.waitFor(
        async () =>
          expect(await findSource()).toMatchObject({
            pendingRemovals: 6,
            removalMessage: expect.stringMatching(
              /^The catalog does not support the removal of items.* MARK/,
            ),
          }),
        PATIENCE,
      );
      expect(await list()).toEqual(ids(5, 49));
      expect(await list('{ includeDeleted: true }')).toEqual(ids(0, 50));
      expect(server.items.size).toBe(50);
      const reader = createApiClient(application.url, await bearer({ role: 'viewer', clearance: 'CUI' }));
      expect(await findSource(reader)).toMatchObject({ pendingRemovals: 5, deletedCount: 5 });
      await reader.close();

      server.removeWith('ALWAYS_204');
      await retryNow();
      await waitUntilSettled();
      expect(server.items.size).toBe(44);
      expect(await list('{ includeDeleted: true }')).toEqual(ids(5, 49));
    },
  );

  test('withdraws what was not removed once it only marks, and says why a service refused', async () => {
    server.removeWith(403);
    await write(flights(5, 50));
    await sync();
    await vi.waitFor(
      async () =>
        expect(await findSource()).toMatchObject({
          pendingRemovals: 5,
          removalMessage: expect.stringContaining('answered 403'),
        }),
      PATIENCE,
    );
    const token = (await bearer({ role: 'viewer', clearance: 'TOP SECRET' })).replace('Bearer ', '');
    const blade = createBlade({ BLADE_URL: application.url, BLADE_TOKEN: token });
    expect((await blade('sources', 'list')).err).toMatch(
      /: 5 deleted items still in the catalog\. .*answered 403/,
    );
    await change({ deletePolicy: 'MARK' });
    server.removeWith('ALWAYS_204');
    await retryNow();
    await waitUntilSettled();
    expect(server.items.size).toBe(50);
    expect(await list('{ includeDeleted: true }')).toEqual(ids(0, 50));
  });

  test('a row that comes back while its item is removed wins', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    server.removeWith(() => promise);
    await write(flights(5, 50));
    await sync();
    await vi.waitFor(
      () => expect(server.requests.some(({ method }) => method === 'DELETE')).toBe(true),
      PATIENCE,
    );
    await write(flights(3, 50));
    await sync();
    expect(await list()).toEqual(ids(3, 50));
    resolve();
    await waitUntilSettled();
    expect(await list('{ includeDeleted: true }')).toEqual(ids(3, 50));
    await vi.waitFor(() => expect(server.items.size).toBe(47), PATIENCE);
    expect([...server.items.keys()].sort()).toEqual(
      ids(3, 50)
        .map((id) => `BLADE:sortie/${id}`)
        .sort(),
    );
  });

  test('an item that came back after its removal was sent by a process that died is uploaded again', async () => {
    await query(
      `insert into item_removal (data_type, item_id, data_source_id, sent_at) values ('sortie', 'S-3', '${source}', blade_now())`,
    );
    server.damage('BLADE:sortie/S-3', null);
    await retryNow();
    await waitUntilSettled();
    expect(server.items.size).toBe(50);
    expect(await list()).toEqual(ids(0, 50));
  });
});
