import { describe, expect } from 'vitest';
import type { RowBatch } from '../../../src/warehouse/warehouse.ts';
import { test } from '../../support/slow-parts.ts';
import { folderWarehouse } from '../folder-warehouse.ts';
import { batchesOf, statement } from '../reading.ts';

const listIds = (batches: readonly RowBatch[]) => batches.flatMap(({ rows }) => rows.map(({ id }) => id));
const count = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

/** Selects rows with texts of so many bytes, each another one. */
const selectTexts = (rows: number, bytes: number) =>
  `SELECT 'r' || i AS id, repeat(md5(CAST(i AS VARCHAR)), ${bytes / 32}) AS text FROM range(${rows}) t(i)`;

describe('rows of 100 KB are read in a fraction of the memory that all of them take', {
  timeout: 300_000,
}, () => {
  test.each(['many.csv', 'many.ndjson'])('from %s', async (file) => {
    const { warehouse, write } = await folderWarehouse({ memoryMegabytes: 600 });
    await write(file, selectTexts(8_000, 100_000));
    const ids = new Set(listIds(await batchesOfIds(warehouse)));
    expect(ids.size).toBe(8_000);
  });
});

async function batchesOfIds({ readRows }: Awaited<ReturnType<typeof folderWarehouse>>['warehouse']) {
  const options = { batchSize: 1_000, resumeAfter: null, signal: new AbortController().signal };
  const { batches } = await readRows(statement('SELECT * FROM blade.field.many'), options);
  const ids: RowBatch[] = [];
  for await (const batch of batches) {
    const rows = batch.rows.map(({ id = null, text }) => ({ id, length: String(text).length }));
    expect(rows.length * 100_000).toBeLessThan(10_000_000);
    ids.push({ ...batch, rows });
  }
  return ids;
}

describe('a Parquet file with rows so large that it is read in windows', () => {
  const ROWS = 2_100;

  async function largeTable() {
    const folder = await folderWarehouse({});
    await folder.write(
      'many.parquet',
      `SELECT i AS id, repeat(md5(CAST(i AS VARCHAR)), 6250) AS text FROM range(${ROWS}) t(i)`,
    );
    return folder;
  }

  test.each([
    ['SELECT id, text FROM blade.field.many', 0, ROWS],
    ['SELECT id, text FROM (SELECT * FROM blade.field.many WHERE id >= 500) WHERE id < 2000', 500, 2_000],
    ['SELECT id FROM blade.field.many ORDER BY id', 0, ROWS],
    ['SELECT MAX(id) AS id FROM blade.field.many', ROWS - 1, ROWS],
    ['SELECT id FROM blade.field.many WHERE id = (SELECT MAX(id) FROM blade.field.many)', ROWS - 1, ROWS],
    ['SELECT id FROM blade.field.many LIMIT 1500', 0, 1_500],
  ])('gives every row once, in order: %s', async (sql, from, to) => {
    const { warehouse } = await largeTable();
    const batches = await batchesOf(warehouse, statement(sql), 400);
    expect(listIds(batches).map(String)).toEqual(count(from, to));
  });

  test('is counted as a whole, and goes on with the identical rest', async () => {
    const { warehouse } = await largeTable();
    const select = statement('SELECT id, text FROM blade.field.many WHERE id % 3 = 0');
    expect(await warehouse.countRows(select, new AbortController().signal)).toBe(ROWS / 3);
    const whole = await batchesOf(warehouse, select, 400);
    const middle = whole[Math.floor(whole.length / 2)];
    const rest = await batchesOf(warehouse, select, 100, middle?.position);
    const before = listIds(whole.slice(0, Math.floor(whole.length / 2) + 1)).length;
    expect(listIds(rest)).toEqual(listIds(whole).slice(before));
  });
});

test('a row of 20 MB costs only itself, with a message', async () => {
  const { warehouse, write } = await folderWarehouse({});
  await write(
    'many.parquet',
    `SELECT i AS id, CASE WHEN i = 7 THEN repeat('x', 20000000) ELSE 'x' END AS text FROM range(20) t(i)`,
  );
  const batches = await batchesOf(warehouse, statement('SELECT * FROM blade.field.many'), 5);
  expect(listIds(batches).map(String)).toEqual([...count(0, 7), ...count(8, 20)]);
  expect(batches.reduce((sum, { size }) => sum + size, 0)).toBe(20);
  expect(batches.flatMap(({ unreadable = [] }) => unreadable)).toEqual([
    'Row 8: nothing of it was read, because it takes 20 MB, and a row may take 16 MB. Shorten its cells.',
  ]);
});
