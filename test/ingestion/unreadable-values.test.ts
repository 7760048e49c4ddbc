import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { JobFactsFragment } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import { JobErrors } from '../support/operations.ts';
import { addSource, forgetAll, storedItems } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterEach(async () => {
  await forgetAll(application);
  await rm(join(application.warehouseFolder, 'blade'), { recursive: true, force: true });
});

afterAll(() => application.close());

/** Writes the rows of a query of DuckDB as Parquet, and replaces bytes in the file, as only a faulty writer would. */
async function writeParquet(query: string, replaced: readonly (readonly [Buffer, Buffer])[] = []) {
  const path = join(application.warehouseFolder, 'blade', 'field', 'sortie.parquet');
  await mkdir(dirname(path), { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet, COMPRESSION uncompressed)`);
  connection.closeSync();
  instance.closeSync();
  const bytes = await readFile(path);
  for (const [from, to] of replaced) {
    let count = 0;
    for (let place = bytes.indexOf(from); place >= 0; place = bytes.indexOf(from, place + 1)) {
      to.copy(bytes, place);
      count += 1;
    }
    expect(count).toBeGreaterThan(0);
  }
  await writeFile(path, bytes);
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}

async function sync(): Promise<JobFactsFragment> {
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  return application.client.waitForEnd(id);
}

async function findErrors({ id }: JobFactsFragment) {
  const { job } = await application.client.send(JobErrors, { id, first: 100 });
  return job?.errors.edges.map(({ node }) => node) ?? [];
}

describe('a value that cannot be converted costs its row, with a message that names its column', () => {
  test.each([
    ['before midnight', -1n],
    ['behind the end of the day', 90_000_000_000n],
  ])('such as a time of day %s', async (_name, microseconds) => {
    await writeParquet(
      `SELECT 'M' || i AS item_id, CASE WHEN i = 700 THEN TIME '12:34:56.789012' ELSE TIME '08:00:00' END AS local_time
       FROM range(1000) t(i)`,
      [[int64(45_296_789_012n), int64(microseconds)]],
    );
    const job = await sync();
    expect(job).toMatchObject({ state: 'COMPLETED', progress: { successCount: 999, errorCount: 1 } });
    expect(await findErrors(job)).toMatchObject([
      {
        stage: 'TRANSFORM',
        itemId: 'M700',
        message: `Column local_time cannot be read: a time of day ${microseconds} microseconds after midnight does not exist.`,
      },
    ]);
  });

  test('such as a map with a key twice, one of whose values would be lost', async () => {
    await writeParquet(
      `SELECT 'M' || i AS item_id, CASE WHEN i = 7 THEN MAP {'key-one': 1, 'key-two': 2} ELSE MAP {'key-one': i} END AS counts
       FROM range(10) t(i)`,
      [[Buffer.from('key-two'), Buffer.from('key-one')]],
    );
    const job = await sync();
    expect(job).toMatchObject({ state: 'COMPLETED', progress: { successCount: 9, errorCount: 1 } });
    expect(await findErrors(job)).toMatchObject([
      { itemId: 'M7', message: 'Column counts cannot be read: a map has the key "key-one" twice.' },
    ]);
  });

  test('such as a column that the data type knows', async () => {
    await writeParquet(
      `SELECT CASE WHEN i = 1 THEN TIME '12:34:56.789012' ELSE TIME '08:00:00' END AS mission_status, 'M' || i AS item_id
       FROM range(3) t(i)`,
      [[int64(45_296_789_012n), int64(-1n)]],
    );
    const job = await sync();
    expect(await findErrors(job)).toMatchObject([
      {
        itemId: 'M1',
        message:
          'mission_status must be text, not a value that cannot be read (a time of day -1 microseconds after midnight does not exist).',
      },
    ]);
  });
});

test('U+FEFF at the start of a text is kept, however deep the text is', async () => {
  await writeParquet(
    `SELECT 'M1' AS item_id, chr(65279) || 'a' AS short, chr(65279) || 'a text that is longer' AS long,
      {'field': chr(65279) || 'a', 'list': [chr(65279), chr(65279) || 'a text that is longer']} AS tree,
      MAP {chr(65279) || 'key': chr(65279)} AS map`,
  );
  expect(await sync()).toMatchObject({ state: 'COMPLETED', progress: { successCount: 1 } });
  expect((await storedItems(application))[0]?.data).toEqual({
    item_id: 'M1',
    short: '\ufeffa',
    long: '\ufeffa text that is longer',
    tree: { field: '\ufeffa', list: ['\ufeff', '\ufeffa text that is longer'] },
    map: { '\ufeffkey': '\ufeff' },
  });
});

test('a date without end is stored as its name', async () => {
  await writeParquet("SELECT 'M1' AS item_id, 'infinity'::DATE AS ever, ['-infinity'::DATE] AS never");
  await sync();
  expect((await storedItems(application))[0]?.data).toEqual({
    item_id: 'M1',
    ever: 'infinity',
    never: ['-infinity'],
  });
});

test('a text that Parquet says is JSON costs its row if an object in it has a key twice', async () => {
  await writeParquet(
    `SELECT 'M' || i AS item_id, CASE WHEN i = 1 THEN '{"crew":[{"name":"x","name":"y"}]}' ELSE '{"crew":[]}' END::JSON AS tree
     FROM range(3) t(i)`,
  );
  const job = await sync();
  expect(job).toMatchObject({ state: 'COMPLETED', progress: { successCount: 2, errorCount: 1 } });
  expect(await findErrors(job)).toMatchObject([
    { itemId: 'M1', message: 'Column tree cannot be read: it has the key crew[0].name twice.' },
  ]);
});
