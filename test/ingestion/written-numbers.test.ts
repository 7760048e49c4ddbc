import { hash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { type CatalogServer, startCatalogServer } from '../support/catalog-server.ts';
import { test } from '../support/on-server.ts';
import { JobErrors, RetryJob } from '../support/operations.ts';
import { addSource, forgetAll, storedItems, writeQuery, writeText } from '../support/tables.ts';
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

const addDeployments = () =>
  addSource(application, { name: 'Deployments', dataType: 'deployment', tableName: 'deployment' });
const addShipments = () =>
  addSource(application, { name: 'Shipments', dataType: 'logistics', tableName: 'logistics' });

async function sync() {
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  return application.client.waitForEnd(id);
}

const write = (file: string, lines: readonly string[]) =>
  writeText(application.warehouseFolder, file, `${lines.join('\n')}\n`);

describe('a text in a column that its data type has as numbers is the number that it says, digit by digit', () => {
  const NUMBERS: readonly (readonly [string, number | string])[] = [
    ...(['0', '12', '-3', '12.5', '-0.25', '0.1', '9007199254740991', '0.30000000000000004'] as const).map(
      (text) => [text, Number(text)] as const,
    ),
    // Written in another way than JSON writes them, or not exactly held by JavaScript.
    ...(['19.90', '007', '1e3', '+5', '-0', '.5', '5.', '1.0', '12345678901234567890'] as const).map(
      (text) => [text, text] as const,
    ),
    ...(['9007199254740993', '0.1000000000000000055511151231257827', '0.0000001', ' 5', '5 '] as const).map(
      (text) => [text, text] as const,
    ),
  ];

  test.each([
    [
      'CSV',
      'logistics.csv',
      ['item_id,quantity,priority', ...NUMBERS.map(([text], i) => `${i},"${text}",7`)],
    ],
    [
      'NDJSON',
      'logistics.ndjson',
      NUMBERS.map(([quantity], i) => JSON.stringify({ item_id: String(i), quantity, priority: '7' })),
    ],
  ])('in %s', async (_name, file, lines) => {
    await write(file, lines);
    await addShipments();
    expect(await sync()).toMatchObject({ outcome: 'SUCCEEDED', progress: { successCount: NUMBERS.length } });
    const items = new Map((await storedItems(application)).map(({ itemId, data }) => [itemId, data]));
    NUMBERS.forEach(([text, quantity], i) => {
      // Ids and other texts stay texts.
      expect(items.get(String(i)), text).toEqual({ item_id: String(i), quantity, priority: '7' });
    });
  });

  test('in the catalog as well, and nothing is uploaded again for a table that has not changed', async () => {
    await write('deployment.csv', ['item_id,personnel_count', 'D1,12', 'D2,12.0']);
    await addDeployments();
    await sync();
    const held = ['D1', 'D2'].map((id) => catalog.items.get(`BLADE:deployment/${id}`)?.data ?? '');
    expect(held.map((data) => JSON.parse(data))).toEqual([
      { item_id: 'D1', personnel_count: 12 },
      { item_id: 'D2', personnel_count: '12.0' },
    ]);
    const before = await storedItems(application);
    await write('deployment.csv', ['item_id,personnel_count', 'D1,12', 'D2,12.0', 'D3,1']);
    await sync();
    expect((await storedItems(application)).slice(0, 2)).toEqual(before);
  });

  test('as it is a number of Parquet', async () => {
    await write('logistics.csv', ['item_id,quantity', 'a,12.5', 'b,-7', 'c,12.51']);
    await addShipments();
    await sync();
    const fromCsv = (await storedItems(application)).map(({ data, contentHash }) => [data, contentHash]);
    await writeQuery(
      application.warehouseFolder,
      'logistics',
      "SELECT * FROM (VALUES ('a', 12.5::DOUBLE), ('b', -7), ('c', 12.51)) t(item_id, quantity)",
    );
    await sync();
    expect((await storedItems(application)).map(({ data, contentHash }) => [data, contentHash])).toEqual(
      fromCsv,
    );
  });

  test('and a text that says no number still costs its row', async () => {
    await write('deployment.csv', ['item_id,personnel_count', 'D1,twelve', 'D2,12.5', 'D3,3']);
    await addDeployments();
    const job = await sync();
    expect(job).toMatchObject({ state: 'COMPLETED', progress: { successCount: 1, errorCount: 2 } });
    const { job: found } = await application.client.send(JobErrors, { id: job.id, first: 10 });
    expect(found?.errors.edges.map(({ node }) => node.message)).toEqual([
      'personnel_count must be a whole number, not "twelve".',
      'personnel_count must be a whole number, not "12.5".',
    ]);
  });
});

test('an item whose id comes from its row keeps it when its upload is retried from the store', async () => {
  await write('logistics.csv', ['shipment_id,quantity', 'S1,12', 'S2,13.5']);
  await addShipments();
  catalog.answerWith(() => ({ status: 400, body: 'no' }));
  const job = await sync();
  expect(job).toMatchObject({ progress: { successCount: 0, errorCount: 2 } });
  const before = (await storedItems(application)).map(({ itemId, data }) => [itemId, data]);
  catalog.answerWith(() => null);
  const { retryJob } = await application.client.send(RetryJob, {
    input: { id: job.id, mode: 'FAILED_ITEMS' },
  });
  if (retryJob.__typename !== 'RetryJobSuccess') throw new Error(JSON.stringify(retryJob));
  expect(await application.client.waitForEnd(retryJob.job.id)).toMatchObject({
    progress: { successCount: 2 },
  });
  expect((await storedItems(application)).map(({ itemId, data }) => [itemId, data])).toEqual(before);
  // As the text of the row says it, so that it is the id that the row had before there were numbers.
  expect(before.map(([itemId]) => itemId)).toContain(
    `sha256-${hash('sha256', '{"quantity":"12","shipment_id":"S1"}').slice(0, 32)}`,
  );
});
