import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { copyRows } from '../../src/warehouse/demo/copy-table.ts';
import type { StartSyncInput } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import { DataSources, JobById } from '../support/operations.ts';
import { addSource, catalogContent, storedItems } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const FILES = 8;
const ROWS_PER_FILE = 500;
const ROWS = FILES * ROWS_PER_FILE;

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
  await writeFiles(FILES);
  await addSource(application, { cursorColumn: 'updated_at' });
});

beforeEach(async () => {
  await application.database.pool.query('truncate blade_item, upload_batch, read_batch');
  await application.database.pool.query(
    'update data_source set synced = null, watermark = null, watermark_type = null',
  );
});

afterAll(() => application.close());

/** Writes the table of sorties as so many files. */
async function writeFiles(
  count: number,
  toId = (row: string, _file: number) => `'S-' || ${row}`,
  rowsOf = (_file: number) => ROWS_PER_FILE,
): Promise<void> {
  const folder = join(application.warehouseFolder, 'blade', 'field', 'sortie');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (let file = 0; file < count; file += 1) {
    const row = `(i + ${file * ROWS_PER_FILE})`;
    await copyRows(
      connection,
      `SELECT ${toId(row, file)} AS item_id, 'file ' || ${file} AS mission_id,
        TIMESTAMP '2024-01-01' + to_seconds(${row}) AS updated_at FROM range(${rowsOf(file)}) t(i)`,
      join(folder, `part-${String(file).padStart(2, '0')}.parquet`),
    );
  }
  connection.closeSync();
  instance.closeSync();
}

async function sync(input: Partial<StartSyncInput> = {}) {
  const { client, database } = application;
  const options = { partitionRows: 1_000, batchSize: 100 };
  const { id } = await client.startSync({ syncType: 'FULL', options, ...input });
  const job = await client.waitForEnd(id);
  const { job: found } = await client.send(JobById, { id });
  const { rows } = await database.pool.query<{ statement: { sql: string; parts?: object } }>(
    `select plan -> 'statement' as statement from job_partition
     where job_id = (select id from job order by created_at desc limit 1) order by ordinal`,
  );
  return {
    job,
    partitions: found?.partitions.nodes ?? [],
    statements: rows.map(({ statement }) => statement),
  };
}

test('a folder is read by its files, as if it were read in one partition', async () => {
  const whole = await sync({ options: { partitionRows: 1_000_000 } });
  expect(whole.job).toMatchObject({ state: 'COMPLETED', progress: { successCount: ROWS } });
  const before = await storedItems(application);
  await application.database.pool.query('truncate blade_item, upload_batch, read_batch');
  await application.database.pool.query('update data_source set synced = null');

  const { job, partitions, statements } = await sync();
  expect(job).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: ROWS, successCount: ROWS, duplicateCount: 0, percent: 100 },
  });
  expect(statements.map(({ parts }) => parts)).toEqual(
    [0, 2, 4, 6].map((first) => ({ first, end: first + 2 })),
  );
  expect(new Set(statements.map(({ sql }) => sql)).size).toBe(1);
  for (const { totalItems, readItems } of partitions) expect([totalItems, readItems]).toEqual([1_000, 1_000]);
  const after = await storedItems(application);
  const toContent = ({ itemId, contentHash, data }: (typeof after)[number]) => ({
    itemId,
    contentHash,
    data,
  });
  expect(after.map(toContent)).toEqual(before.map(toContent));
  expect((await catalogContent(application)).size).toBe(ROWS);
  const { dataSources } = await application.client.send(DataSources, {});
  expect(dataSources.nodes[0]).toMatchObject({ itemCount: ROWS, lastSyncState: 'COMPLETED', drift: 0 });
});

test('an incremental sync reads the new files alone, and shares them by a hash if they are few', async () => {
  await sync({ syncType: 'INCREMENTAL' });
  await writeFiles(FILES + 3);
  const { job, statements } = await sync({
    syncType: 'INCREMENTAL',
    options: { partitionRows: 1_000, batchSize: 100 },
  });
  // The last row of the first sync is at the watermark, so it is read again.
  expect(job).toMatchObject({ state: 'COMPLETED', progress: { totalItems: 3 * ROWS_PER_FILE + 1 } });
  expect(statements.length).toBeGreaterThan(1);
  for (const { parts } of statements) expect(parts).toBeUndefined();
  expect(await storedItems(application)).toHaveLength(ROWS + 3 * ROWS_PER_FILE);
  await writeFiles(FILES);
});

test('of rows in several files with one id, the same one wins as in one partition', async () => {
  const toId = (row: string, file: number) => (file % 4 === 3 ? `'S-' || (${row} % 100)` : `'S-' || ${row}`);
  await writeFiles(FILES, toId);
  const count = async () => {
    const items = await storedItems(application);
    return items.map(({ itemId, data }) => [itemId, data.mission_id]);
  };
  const whole = await sync({ options: { partitionRows: 1_000_000 } });
  const before = await count();
  await application.database.pool.query('truncate blade_item, upload_batch, read_batch');
  await application.database.pool.query('update data_source set synced = null');
  const { job, statements } = await sync();
  expect(job.progress.duplicateCount).toBe(whole.job.progress.duplicateCount);
  expect(job.progress.duplicateCount).toBeGreaterThan(900);
  expect(await count()).toEqual(before);
  expect(statements.length).toBeGreaterThan(1);
  for (const { parts } of statements) expect(parts).toBeUndefined();
  await writeFiles(FILES);
});

test('rows with one id that are in neighbouring files stay in one partition of files', async () => {
  const toId = (row: string, file: number) => `'S-${Math.floor(file / 2)}-' || (${row} % 700)`;
  await writeFiles(FILES, toId);
  const { job, statements } = await sync();
  expect(statements.map(({ parts }) => parts)).toEqual(
    [0, 2, 4, 6].map((first) => ({ first, end: first + 2 })),
  );
  expect(job.progress).toMatchObject({
    totalItems: ROWS,
    duplicateCount: ROWS - 4 * 700,
    successCount: 2_800,
  });
  const items = await storedItems(application);
  // The later file has the row that wins.
  expect(items.find(({ itemId }) => itemId === 'S-0-300')?.data.mission_id).toBe('file 0');
  expect(items.find(({ itemId }) => itemId === 'S-0-0')?.data.mission_id).toBe('file 1');
  await writeFiles(FILES);
});

test('files of very different sizes are shared by a hash', async () => {
  await writeFiles(FILES, undefined, (file) => (file === 3 ? 4 * ROWS_PER_FILE : 50));
  const { job, partitions, statements } = await sync({ options: { partitionRows: 1_000, batchSize: 100 } });
  expect(job).toMatchObject({ state: 'COMPLETED', progress: { processedItems: 4 * ROWS_PER_FILE + 7 * 50 } });
  for (const { parts } of statements) expect(parts).toBeUndefined();
  for (const { totalItems } of partitions) expect(totalItems).toBeLessThan(1_100);
  await writeFiles(FILES);
});
