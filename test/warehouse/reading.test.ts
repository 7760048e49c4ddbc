import { mkdir, stat, utimes } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { type TestTable, warehouseTests } from '../../src/testing/warehouse-tests.ts';
import { openFolderWarehouse } from '../../src/warehouse/duckdb/open.ts';
import type { RowBatch, Warehouse } from '../../src/warehouse/warehouse.ts';
import { folderWarehouse, temporaryFolder } from './folder-warehouse.ts';
import { batchesOf, fieldTable, never, statement } from './reading.ts';
import { toDuckDbQuery } from './test-table.ts';
import { duckDbValueCases } from './value-cases.ts';

const numbers = (rows: number) =>
  `SELECT i AS id, 'name ' || i AS name, i % 7 AS kind FROM range(${rows}) t(i)`;

function listIds(batches: readonly RowBatch[]): unknown[] {
  return batches.flatMap((batch) => batch.rows.map((row) => row.id));
}

/** Other tests go on with what a test closes at its end. */
const keepOpen = (warehouse: Warehouse): Warehouse => ({ ...warehouse, close: async () => {} });

describe('it keeps what every warehouse promises', () => {
  const openWith = (limits?: object) => async () => {
    const { warehouse, write } = await folderWarehouse(limits);
    const rowsFolder = await temporaryFolder();
    return {
      warehouse: limits === undefined ? keepOpen(warehouse) : warehouse,
      writeTable: async (table: TestTable) =>
        write(`${table.name}.parquet`, await toDuckDbQuery(rowsFolder, table)),
    };
  };
  const shared = warehouseTests(openWith());
  for (const [index, { name, run }] of warehouseTests(openWith({})).entries())
    test(name, /clos(ed|ing)/.test(name) ? run : shared[index]?.run);
});

describe('it keeps it for a table of several files', () => {
  const FILES = 5;
  const tests = warehouseTests(async () => {
    const { warehouse, write, path } = await folderWarehouse();
    const rowsFolder = await temporaryFolder();
    return {
      warehouse: keepOpen(warehouse),
      async writeTable(table) {
        await mkdir(path(table.name), { recursive: true });
        const share = Math.ceil(table.rows.length / FILES);
        for (let file = 0; file < FILES; file += 1) {
          const rows = table.rows.slice(file * share, (file + 1) * share);
          const query = await toDuckDbQuery(rowsFolder, { ...table, rows });
          await write(`${table.name}/part-${file}.parquet`, query);
        }
      },
    };
  });
  for (const { name, run } of tests.filter(({ name: one }) => /part|row|position|version/.test(one)))
    test(name, run);
});

test('rows come in the order of the file', async () => {
  const { warehouse, write } = await folderWarehouse();
  await write('many.parquet', numbers(10_007));
  const batches = await batchesOf(warehouse, statement('SELECT * FROM blade.field.many'), 500);
  expect(listIds(batches)).toEqual(Array.from({ length: 10_007 }, (_, index) => index));
});

describe('a type that only DuckDB has is converted to JSON, and described by the name of another', () => {
  test.each(duckDbValueCases)('%s', async (_name, expression, type, expected) => {
    const { warehouse, write, rows } = await folderWarehouse();
    await write('value.parquet', `SELECT ${expression} AS value`);
    expect(await rows('SELECT * FROM blade.field.value')).toEqual([{ value: expected }]);
    expect(await warehouse.describeTable(fieldTable('value'), never)).toEqual([{ name: 'value', type }]);
  });
});

describe('Databricks SQL is understood', () => {
  test.each([
    [
      "SELECT date_format(timestamp_seconds, 'yyyy-MM-dd') AS value FROM (SELECT CAST('2024-05-06' AS TIMESTAMP_NTZ) AS timestamp_seconds)",
      '2024-05-06',
    ],
    ['SELECT concat_ws("-", "a", \'b\') AS value', 'a-b'],
    ["SELECT 'abc' RLIKE '^a' AS value", true],
    ['SELECT 7 DIV 2 AS value', 3],
    ['SELECT 7 / 2 AS value', 3.5],
    ['SELECT size(array(1, 2)) AS value', 2],
    ['SELECT array(10, 20)[1] AS value', 20],
    ['SELECT array(10, 20)[n - 1] AS value FROM (SELECT 1 AS n)', 10],
    ["SELECT map('a', 1)['a'] AS value", 1],
    ['SELECT r.id AS value FROM range(3, 4) r', 3],
    ['SELECT n AS value FROM range(3, 4) r(n)', 3],
    ['SELECT COUNT(*) AS value FROM blade.field.nothing, range(3)', 0],
    ["SELECT nvl(NULL, 'x') AS value", 'x'],
    ["SELECT datediff(DAY, DATE '2024-01-01', DATE '2024-01-31') AS value", 30],
    ['SELECT id AS value FROM range(5) ORDER BY id DESC LIMIT 1', 4],
    ["SELECT current_timestamp() > timestamp '2020-01-01 00:00:00' AS value", true],
  ])('%s', async (sql, value) => {
    const { rows, write } = await folderWarehouse();
    await write('nothing.parquet', numbers(0));
    expect(await rows(sql)).toEqual([{ value }]);
  });
});

describe('resuming', () => {
  const statements = [
    'SELECT * FROM blade.field.many',
    'SELECT * FROM blade.field.many WHERE kind <> 3',
    'SELECT kind AS id, COUNT(*) AS n FROM blade.field.many GROUP BY kind',
    'SELECT DISTINCT id % 5000 AS id FROM blade.field.many',
    'SELECT a.id FROM blade.field.many a JOIN blade.field.many b ON a.id = b.id * 2',
    'SELECT kind AS id FROM blade.field.many ORDER BY kind LIMIT 9000',
    'SELECT id FROM blade.field.many UNION SELECT id + 1 FROM blade.field.many',
    'SELECT id, ROW_NUMBER() OVER (PARTITION BY kind ORDER BY id DESC) AS place FROM blade.field.many',
  ];

  test.each(statements)('%s goes on with the identical rest', async (sql) => {
    const { warehouse, write } = await folderWarehouse();
    await write('many.parquet', numbers(20_000));
    const whole = await batchesOf(warehouse, statement(sql), 700);
    for (const kept of new Set([1, Math.ceil(whole.length / 2), whole.length])) {
      const position = JSON.parse(JSON.stringify(whole[kept - 1]?.position));
      const { resumed, batches } = await warehouse.readRows(statement(sql), {
        batchSize: 700,
        resumeAfter: position,
        signal: never,
      });
      expect(resumed).toBe(true);
      expect(await Array.fromAsync(batches)).toEqual(whole.slice(kept));
    }
  });

  test('works from any row on, also in another instance and with another batch size', async () => {
    const { warehouse, write, folder } = await folderWarehouse();
    await write('many.parquet', numbers(5000));
    const select = statement('SELECT * FROM blade.field.many WHERE id > :low', { low: 10 });
    const [first] = await batchesOf(warehouse, select, 2051);
    const again = await openFolderWarehouse({ folder });
    const rest = await batchesOf(again, select, 100, first?.position);
    await again.close();
    expect(listIds(rest)).toEqual(Array.from({ length: 5000 - 11 - 2051 }, (_, index) => index + 11 + 2051));
  });

  async function resumedAfter(change: (path: string, write: () => Promise<void>) => Promise<void>) {
    const { warehouse, write, path } = await folderWarehouse();
    await write('many.parquet', numbers(3000));
    const select = statement('SELECT * FROM blade.field.many');
    const [first] = await batchesOf(warehouse, select, 1000);
    await change(path('many.parquet'), () => write('many.parquet', numbers(4000)));
    const { resumed, batches } = await warehouse.readRows(select, {
      batchSize: 1000,
      resumeAfter: first?.position ?? null,
      signal: never,
    });
    return { resumed, ids: listIds(await Array.fromAsync(batches)) };
  }

  test('starts over when the file has changed', async () => {
    const { resumed, ids } = await resumedAfter((_path, write) => write());
    expect(resumed).toBe(false);
    expect(ids).toHaveLength(4000);
  });

  test('starts over when only the time of the file has changed', async () => {
    const { resumed, ids } = await resumedAfter(async (path) => {
      const { mtime } = await stat(path);
      await utimes(path, mtime, new Date(mtime.getTime() + 1000));
    });
    expect(resumed).toBe(false);
    expect(ids).toHaveLength(3000);
  });

  test('starts over for another statement, other parameters, or a position of no meaning', async () => {
    const { warehouse, write } = await folderWarehouse();
    await write('many.parquet', numbers(100));
    const select = (low: number) => statement('SELECT * FROM blade.field.many WHERE id > :low', { low });
    const [first] = await batchesOf(warehouse, select(1), 10);
    const options = { batchSize: 10, signal: never };
    for (const resumeAfter of [first?.position ?? null, {}, 'x', { rows: 3 }, { rows: 3, fingerprint: 'x' }])
      expect(await warehouse.readRows(select(2), { ...options, resumeAfter })).toMatchObject({
        resumed: false,
      });
  });

  test('starts over where the statement gives other rows each time', async () => {
    const { warehouse, write } = await folderWarehouse();
    await write('many.parquet', numbers(100));
    const select = statement('SELECT * FROM blade.field.many ORDER BY rand()');
    const [first] = await batchesOf(warehouse, select, 10);
    const resumeAfter = first?.position ?? null;
    expect(resumeAfter).toBeNull();
  });
});

test('a long read takes no more memory than a short one', async () => {
  const { warehouse, write } = await folderWarehouse();
  await write('many.parquet', numbers(400_000));
  const { batches } = await warehouse.readRows(statement('SELECT a.* FROM blade.field.many a, range(3)'), {
    batchSize: 5000,
    resumeAfter: null,
    signal: never,
  });
  let rows = 0;
  let most = 0;
  // Files share the process, and leave something in it.
  const before = process.memoryUsage().heapUsed;
  for await (const batch of batches) {
    rows += batch.rows.length;
    most = Math.max(most, process.memoryUsage().heapUsed);
  }
  expect(rows).toBe(1_200_000);
  expect(most - before).toBeLessThan(200_000_000);
});
