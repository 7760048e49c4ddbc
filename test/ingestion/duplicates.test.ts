import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import type { JobOptionsInput } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import { DataSources, JobById } from '../support/operations.ts';
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

const write = (rows: readonly object[]) => writeRows(application.warehouseFolder, 'sortie', rows);

/** Rows that share a few ids; the later ones have more hours. */
function rowsOfIds(rows: number, ids: number): object[] {
  return Array.from({ length: rows }, (_none, index) => ({
    item_id: `S-${String(index % ids).padStart(5, '0')}`,
    flight_hours: index,
  }));
}

async function sync(options: JobOptionsInput = {}) {
  const { id } = await application.client.startSync({ syncType: 'FULL', options });
  await application.client.waitForEnd(id);
  const { job } = await application.client.send(JobById, { id });
  if (job === null) throw new Error('the job is gone');
  return job;
}

test('rows that share an id are counted as duplicates, with an example, and the last one is kept', async () => {
  await write(rowsOfIds(20_000, 50));
  await addSource(application);
  for (const _again of [1, 2]) {
    const job = await sync();
    expect(job).toMatchObject({
      state: 'COMPLETED',
      outcome: 'SUCCEEDED',
      progress: {
        ...{ processedItems: 20_000, totalItems: 20_000, percent: 100 },
        ...{ successCount: 50, errorCount: 0, duplicateCount: 19_950 },
        byType: [{ processedItems: 20_000, successCount: 50, duplicateCount: 19_950 }],
      },
      partitions: { nodes: [{ duplicateCount: 19_950, duplicateItemId: expect.stringMatching(/^S-000/) }] },
    });
    const items = await storedItems(application);
    expect(items.map(({ data }) => data.flight_hours)).toEqual(
      Array.from({ length: 50 }, (_none, index) => 19_950 + index),
    );
    expect(await catalogContent(application)).toEqual(uploadedContent(items));
    expect((await application.client.send(DataSources, {})).dataSources.nodes).toMatchObject([
      { itemCount: 50 },
    ]);
  }
});

test('rows that are written twice are counted, also where most batches are known from an earlier sync', async () => {
  const once = rowsOfIds(4_000, 4_000);
  await write(once);
  await addSource(application);
  const batches = { batchSize: 1_000 };
  expect(await sync(batches)).toMatchObject({ progress: { successCount: 4_000, duplicateCount: 0 } });
  await write([...once, ...once, ...once.slice(0, 1_500)]);
  for (const _again of [1, 2]) {
    expect(await sync(batches)).toMatchObject({ progress: { successCount: 4_000, duplicateCount: 5_500 } });
  }
  await write(once);
  expect(await sync(batches)).toMatchObject({ progress: { successCount: 4_000, duplicateCount: 0 } });
});

test('rows whose ids differ only in white space at their ends are counted, in however many partitions they are read', async () => {
  const spaces = ['', ' ', '\t', '\r\n', '\u00a0', '\u2003', '\u3000', '\ufeff'];
  const ids = Array.from({ length: 500 }, (_none, index) => `S-${index}`);
  await write(
    spaces.flatMap((space) => ids.map((id) => ({ item_id: `${space}${id}${space}`, flight_hours: 1 }))),
  );
  await addSource(application);
  const job = await sync({ partitionRows: 1_000 });
  expect(job.partitions.nodes.length).toBe(4);
  expect(job).toMatchObject({
    outcome: 'SUCCEEDED',
    progress: { successCount: 500, errorCount: 0, duplicateCount: 3_500 },
  });
});

test('equal rows without an id are one item, and are counted', async () => {
  await write([
    ...Array.from({ length: 2_500 }, () => ({ mission_id: 'M-1', flight_hours: 2 })),
    { mission_id: 'M-1', flight_hours: 3 },
  ]);
  await addSource(application);
  expect(await sync()).toMatchObject({ progress: { successCount: 2, duplicateCount: 2_499 } });
});

test('every partition of a source that is split finds its own, and they add up', async () => {
  await write(rowsOfIds(6_000, 2_000));
  await addSource(application);
  const job = await sync({ partitionRows: 1_500, batchSize: 100 });
  expect(job.partitions.nodes.length).toBeGreaterThan(2);
  expect(job).toMatchObject({ progress: { successCount: 2_000, duplicateCount: 4_000 } });
});

test('an invalid row with the id of another is an error, and neither replaces it nor counts as a duplicate', async () => {
  await write([
    { item_id: 'A', flight_hours: 1 },
    { item_id: 'A', flight_hours: 'many' },
    { item_id: 'A', flight_hours: 2 },
  ]);
  await addSource(application);
  expect(await sync()).toMatchObject({
    outcome: 'ITEMS_FAILED',
    progress: { processedItems: 3, successCount: 1, errorCount: 1, duplicateCount: 1 },
  });
});

test('counts are exact when attempts fail in the middle', async () => {
  const { client, catalogFolder } = application;
  await write(rowsOfIds(5_000, 700));
  await addSource(application);
  await rm(join(catalogFolder, 'sortie'), { recursive: true, force: true });
  await mkdir(catalogFolder, { recursive: true });
  await writeFile(join(catalogFolder, 'uploads.ndjson'), '', { flag: 'a' });
  await writeFile(join(catalogFolder, 'sortie'), '');
  const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 300 } });
  await vi.waitFor(
    async () =>
      expect((await client.send(JobById, { id })).job?.progress.currentOperation).toMatch(/^Waiting to try/),
    { timeout: 30_000, interval: 50 },
  );
  await rm(join(catalogFolder, 'sortie'));
  expect(await client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { processedItems: 5_000, successCount: 700, errorCount: 0, duplicateCount: 4_300 },
  });
  const { rows } = await application.database.pool.query('select count(*)::int as kept from read_ids');
  expect(rows).toEqual([{ kept: 0 }]);
});
