import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { groupBuckets } from '../../src/ingestion/split-partition.ts';
import { test } from '../support/on-server.ts';
import { DataSources, JobById } from '../support/operations.ts';
import { createSortieTable } from '../support/sortie-table.ts';
import { addSource, catalogContent, writeQuery, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const ROWS = 10_000;

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
  const table = { catalog: 'blade', schema: 'field', table: 'sortie' };
  await createSortieTable({ folder: application.warehouseFolder, table, rows: ROWS });
  await addSource(application, {
    name: 'Sorties',
    dataType: 'sortie',
    tableName: 'sortie',
    cursorColumn: 'updated_at',
  });
});

afterEach(async () => {
  await application.database.pool.query('truncate blade_item');
});

afterAll(() => application.close());

async function listPartitions(id: string) {
  return (await application.client.send(JobById, { id })).job?.partitions.nodes ?? [];
}

async function sources() {
  return (await application.client.send(DataSources, {})).dataSources.nodes;
}

test('a large source is read in partitions of about the same size, each row in exactly one of them', async () => {
  const { client, database } = application;
  const { id } = await client.startSync({ syncType: 'FULL', options: { partitionRows: 2_500 } });
  expect(await client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: ROWS, processedItems: ROWS, successCount: ROWS, percent: 100 },
  });
  const partitions = await listPartitions(id);
  expect(partitions).toHaveLength(4);
  for (const { state, totalItems, readItems } of partitions) {
    expect(state).toBe('COMPLETED');
    expect(readItems).toBe(totalItems);
    expect(readItems).toBeGreaterThan(2_000);
    expect(readItems).toBeLessThan(3_000);
  }
  const { rows } = await database.pool.query('select count(*)::int as stored from blade_item');
  expect(rows[0].stored).toBe(ROWS);
  expect((await catalogContent(application)).size).toBe(ROWS);
  const [source] = await sources();
  const greatest = await database.pool.query(`select max(data ->> 'updated_at') as cursor from blade_item`);
  expect(source).toMatchObject({ itemCount: ROWS, lastSyncState: 'COMPLETED' });
  expect(source?.watermark?.replace(' ', 'T')).toBe(greatest.rows[0].cursor);
});

test('a small source, and a limited read of a large one, stay one partition', async () => {
  const { client } = application;
  const whole = await client.startSync({ syncType: 'FULL' });
  await client.waitForEnd(whole.id);
  expect(await listPartitions(whole.id)).toHaveLength(1);
  const limited = await client.startSync({
    syncType: 'FULL',
    maxItems: 5_000,
    options: { partitionRows: 1_000 },
  });
  expect(await client.waitForEnd(limited.id)).toMatchObject({ progress: { processedItems: 5_000 } });
  expect(await listPartitions(limited.id)).toHaveLength(1);
});

test('rows without an id and rows with the same id are each in one partition, too', async () => {
  const { client, warehouseFolder } = application;
  await writeQuery(
    warehouseFolder,
    'shipment',
    `select case when i % 10 = 0 then null when i % 10 = 1 then 'SAME' else 'L-' || i end as item_id,
       'SHP-' || i as shipment_id, i as quantity from range(6000) as r(i)`,
  );
  await addSource(application, { name: 'Shipments', dataType: 'logistics', tableName: 'shipment' });
  const { id } = await client.startSync({
    syncType: 'FULL',
    dataType: 'logistics',
    options: { partitionRows: 1_000 },
  });
  expect(await client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: 6_000, successCount: 5_401, duplicateCount: 599, errorCount: 0 },
  });
  expect((await listPartitions(id)).length).toBeGreaterThan(2);
  const { rows } = await application.database.pool.query('select count(*)::int as stored from blade_item');
  expect(rows[0].stored).toBe(600 + 1 + 4_800);
});

test('a source in which one id is no text is read in one partition, and only that row is another', async () => {
  const { client, warehouseFolder } = application;
  const rows = Array.from({ length: 2_500 }, (_none, index) => ({
    item_id: index === 7 ? ['D-7'] : index % 2 === 0 ? index : `D-${index}`,
    deployment_id: `DEP-${index}`,
  }));
  await writeRows(warehouseFolder, 'deployment', rows);
  await addSource(application, { name: 'Deployments', dataType: 'deployment', tableName: 'deployment' });
  const { id } = await client.startSync({
    syncType: 'FULL',
    dataType: 'deployment',
    options: { partitionRows: 1_000 },
  });
  const job = await client.waitForEnd(id);
  expect(job).toMatchObject({ state: 'COMPLETED', progress: { totalItems: 2_500, processedItems: 2_500 } });
  expect(await listPartitions(id)).toHaveLength(1);
  const { rows: stored } = await application.database.pool.query(
    `select count(*)::int as stored from blade_item where item_id ~ '^(D-)?[0-9]+$'`,
  );
  expect(stored).toEqual([{ stored: 2_499 }]);
});

test('the watermark does not move when one of the partitions is cancelled with its job', async () => {
  const { client, database } = application;
  await database.pool.query(`update data_source set watermark = null where name = 'Sorties'`);
  const { id } = await client.startSync({
    syncType: 'INCREMENTAL',
    dataType: 'sortie',
    options: { partitionRows: 1_000, batchSize: 10 },
  });
  await client.cancelJob(id);
  expect(await client.waitForEnd(id)).toMatchObject({ state: 'CANCELLED' });
  const source = (await sources()).find(({ name }) => name === 'Sorties');
  expect(source).toMatchObject({ watermark: null });
});

test.each([
  [[], 4, []],
  [[['00', 5]], 4, [['', 'ff', 5]]],
  [
    [
      ['00', 5],
      ['40', 5],
      ['80', 5],
      ['c0', 5],
    ],
    2,
    [
      ['', '40', 10],
      ['40', 'ff', 10],
    ],
  ],
  [
    [
      ['00', 100],
      ['40', 1],
      ['80', 1],
    ],
    3,
    [
      ['', '00', 100],
      ['00', '40', 1],
      ['40', 'ff', 1],
    ],
  ],
  [
    [
      ['00', 1],
      ['40', 1],
      ['80', 100],
    ],
    2,
    [['', 'ff', 102]],
  ],
] as [[string, number][], number, [string, string, number][]][])(
  'buckets %j make at most %i groups: %j',
  (buckets, wanted, groups) => {
    const cut = groupBuckets(
      buckets.map(([name, total]) => ({ name, total })),
      wanted,
    );
    expect(cut.map(({ after, last, total }) => [after, last, total])).toEqual(groups);
  },
);
