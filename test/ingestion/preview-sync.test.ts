import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { UpdateDataSource } from '../support/operations.ts';
import { addSource, forgetAll, removeTable, storedItems, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
let client: ApiClient;
let source: string;

const login = async (clearance: string) =>
  createApiClient(application.url, await bearer({ role: 'admin', clearance }));

beforeAll(async () => {
  application = await startTestApplication(SECRET_SETTINGS);
  client = await login('TOP SECRET');
});

beforeEach(async () => {
  await write([...flights(0, 45), ...flights(45, 50, { classification_marking: 'SECRET' })]);
  source = await addSource({ client }, { deletePolicy: 'MARK' });
  await sync();
});

afterEach(() => forgetAll(application));

afterAll(async () => {
  await client.close();
  await application.close();
});

const flights = (from: number, to: number, values: object = {}) =>
  Array.from({ length: to - from }, (_none, index) => ({
    ...{ item_id: `S-${from + index}`, flight_hours: from + index, classification_marking: 'UNCLASSIFIED' },
    ...values,
  }));

const write = (rows: readonly object[]) => writeRows(application.warehouseFolder, 'sortie', rows);

async function sync() {
  const { id } = await client.startSync({ syncType: 'FULL', dataSourceIds: [source] });
  return client.waitForEnd(id);
}

async function preview(reader = client): Promise<Record<string, unknown>> {
  const { data, errors } = await reader.sendRaw(
    `mutation { previewSync(dataSourceId: "${source}") { ... on PreviewSyncSuccess {
      isReadable problem insertedCount updatedCount unchangedCount failedCount deletedCount keptBecause } } }`,
  );
  expect(errors).toBeUndefined();
  return data?.previewSync as Record<string, unknown>;
}

const changed = [
  ...flights(4, 10, { flight_hours: 0.5 }),
  ...flights(10, 47),
  ...flights(60, 63),
  ...flights(61, 62),
  { item_id: 'S-47', flight_hours: 'many' },
];

test('a preview counts what a sync would do, which then does it', async () => {
  await write(changed);
  const before = await storedItems(application);
  expect(await preview()).toEqual({
    ...{ isReadable: true, problem: null, insertedCount: 3, updatedCount: 8, unchangedCount: 35 },
    ...{ failedCount: 1, deletedCount: 6, keptBecause: null },
  });
  expect(await storedItems(application)).toEqual(before);
  const job = await sync();
  expect(job.progress).toMatchObject({ successCount: 46, errorCount: 1, duplicateCount: 1, deletedCount: 6 });
  expect(await preview()).toMatchObject({
    ...{ insertedCount: 0, updatedCount: 0, unchangedCount: 46, failedCount: 1, deletedCount: 0 },
  });
});

test('a preview says why items would be kept', async () => {
  await write(flights(20, 50));
  expect(await preview()).toMatchObject({
    deletedCount: 0,
    keptBecause: 'they are more than 20 percent of its items, and would wait for an admin',
  });
  await client.send(UpdateDataSource, { input: { id: source, deletePolicy: 'KEEP' } });
  expect(await preview()).toMatchObject({
    deletedCount: 0,
    keptBecause: 'the source keeps items whose rows are gone',
  });
  await client.send(UpdateDataSource, { input: { id: source, deletePolicy: 'REMOVE' } });
  await write([]);
  expect(await preview()).toMatchObject({
    ...{ insertedCount: 0, deletedCount: 0, keptBecause: 'the table is empty' },
  });
});

test('a preview counts for callers what their clearance covers, and says if the table cannot be read', async () => {
  await write(flights(0, 44));
  const cui = await login('CUI');
  try {
    expect(await preview(cui)).toMatchObject({ unchangedCount: 44, deletedCount: 1 });
    expect(await preview()).toMatchObject({ unchangedCount: 44, deletedCount: 6 });
  } finally {
    await cui.close();
  }
  await removeTable(application.warehouseFolder, 'sortie');
  expect(await preview()).toMatchObject({
    ...{ isReadable: false, problem: expect.stringContaining('There is no table'), insertedCount: null },
  });
});
