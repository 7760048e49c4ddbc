import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openLockedInstance } from '../../../src/warehouse/duckdb/instance.ts';
import { openFolderWarehouse } from '../../../src/warehouse/duckdb/open.ts';
import type { CheckedStatement } from '../../../src/warehouse/warehouse.ts';
import { folderWarehouse, temporaryFolder } from '../folder-warehouse.ts';
import { batchesOf, fieldTable, never, statement } from '../reading.ts';

describe('files of a folder are tables', () => {
  test.each([
    ['parquet', 1, '2024-01-01T00:00:00.5'],
    ['csv', '1', '2024-01-01 00:00:00.5'],
    ['ndjson', 1, '2024-01-01 00:00:00.5'],
  ])('%s', async (ending, id, at) => {
    const { write, rows } = await folderWarehouse();
    await write(
      `sortie.${ending}`,
      "SELECT 1 AS id, 'x' AS name, TIMESTAMP '2024-01-01 00:00:00.5' AS updated_at",
    );
    expect(await rows('SELECT * FROM blade.field.sortie')).toEqual([{ id, name: 'x', updated_at: at }]);
  });

  test('a name is found whatever its case, and however odd', async () => {
    const { write, rows, folder } = await folderWarehouse();
    await write('Sortie.parquet', 'SELECT 1 AS id');
    expect(await rows('SELECT * FROM BLADE.Field.SORTIE')).toEqual([{ id: 1 }]);
    await mkdir(join(folder, "it's", 'a b'), { recursive: true });
    await write('x.csv', 'SELECT 2 AS id');
    await rename(join(folder, 'blade', 'field', 'x.csv'), join(folder, "it's", 'a b', 'c"d.csv'));
    expect(await rows('SELECT * FROM `it\'s`.`a b`.`c"d`')).toEqual([{ id: '2' }]);
  });

  test.each(['parquet', 'csv', 'ndjson'])(
    'a %s file has the columns that it holds, whatever the folders on its path are called',
    async (ending) => {
      const outer = join(await temporaryFolder(), 'env=prod');
      await mkdir(join(outer, 'region=eu', 'day=1'), { recursive: true });
      const warehouse = await openFolderWarehouse({ folder: outer });
      onTestFinished(() => warehouse.close());
      const { write, path } = await folderWarehouse();
      await write(`some.${ending}`, "SELECT 'a' AS item_id, 'us' AS region");
      await rename(path(`some.${ending}`), join(outer, 'region=eu', 'day=1', `some.${ending}`));
      const batches = await batchesOf(warehouse, statement('SELECT * FROM `region=eu`.`day=1`.some'), 10);
      expect(batches.flatMap(({ rows }) => [...rows])).toEqual([{ item_id: 'a', region: 'us' }]);
    },
  );

  test.each(['parquet', 'csv', 'ndjson'])(
    'a %s file is read by its name, even if that looks like a pattern',
    async (ending) => {
      const { write, rows } = await folderWarehouse();
      await write(`a1.${ending}`, "SELECT 'other' AS id");
      await write(`a[1].${ending}`, "SELECT 'its own' AS id");
      expect(await rows('SELECT * FROM blade.field.`a[1]`')).toEqual([{ id: 'its own' }]);
    },
  );

  test('a new file is seen by the next statement, and so is its going', async () => {
    const { write, rows, path } = await folderWarehouse();
    await expect(rows('SELECT * FROM blade.field.late')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
    await write('late.parquet', 'SELECT 1 AS id');
    expect(await rows('SELECT * FROM blade.field.late')).toEqual([{ id: 1 }]);
    await write('late.parquet', "SELECT 'two' AS name, 2 AS id");
    expect(await rows('SELECT * FROM blade.field.late')).toEqual([{ name: 'two', id: 2 }]);
    await rm(path('late.parquet'));
    await write('late.csv', 'SELECT 3 AS id');
    expect(await rows('SELECT * FROM blade.field.late')).toEqual([{ id: '3' }]);
    await rm(path('late.csv'));
    await expect(rows('SELECT * FROM blade.field.late')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  });

  test('a missing table is named in full', async () => {
    const { warehouse, rows } = await folderWarehouse();
    const error = {
      code: 'TABLE_NOT_FOUND',
      message: expect.stringContaining('There is no table blade.field.nothing in the warehouse.'),
    };
    await expect(warehouse.describeTable(fieldTable('nothing'), never)).rejects.toMatchObject(error);
    await expect(rows('SELECT * FROM blade.field.nothing')).rejects.toMatchObject(error);
    await expect(
      warehouse.countRows(statement('SELECT * FROM blade.field.nothing'), never),
    ).rejects.toMatchObject(error);
  });

  test('a missing folder is told when the warehouse is opened', async () => {
    const folder = join(await temporaryFolder(), 'nothing');
    await expect(openFolderWarehouse({ folder })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('cells of another kind stay what they are, and fail nothing', () => {
  test('in CSV', async () => {
    const { path, rows, warehouse } = await folderWarehouse();
    const good = Array.from({ length: 30_000 }, (_, index) => `${index},${index},2024-01-01`).join('\n');
    await writeFile(
      path('mixed.csv'),
      `id,quantity,day\n${good}\n30000,twelve,2024-02-30\n30001,,"a, ""b"""\n`,
    );
    expect(await warehouse.describeTable(fieldTable('mixed'), never)).toEqual([
      { name: 'id', type: 'BIGINT', isInferred: true },
      { name: 'quantity', type: 'STRING', isInferred: true },
      { name: 'day', type: 'STRING', isInferred: true },
    ]);
    const all = await rows('SELECT * FROM blade.field.mixed');
    expect(all.slice(29_999)).toEqual([
      { id: '29999', quantity: '29999', day: '2024-01-01' },
      { id: '30000', quantity: 'twelve', day: '2024-02-30' },
      { id: '30001', quantity: null, day: 'a, "b"' },
    ]);
  });

  test('in CSV with line breaks in cells', async () => {
    const { path, rows } = await folderWarehouse();
    await writeFile(path('broken.csv'), 'id,name,more\n1,"two\nlines",x\n2,one,\n');
    expect(await rows('SELECT * FROM blade.field.broken')).toEqual([
      { id: '1', name: 'two\nlines', more: 'x' },
      { id: '2', name: 'one', more: null },
    ]);
  });

  test('in NDJSON', async () => {
    const { path, rows, warehouse } = await folderWarehouse();
    const lines = [
      { id: 1, n: 2, day: '2024-01-01' },
      { id: 2, n: 'two', day: 'soon', more: { a: [1] } },
      { id: 3 },
    ];
    await writeFile(path('mixed.ndjson'), lines.map((line) => JSON.stringify(line)).join('\n'));
    expect(await warehouse.describeTable(fieldTable('mixed'), never)).toEqual([
      { name: 'id', type: 'BIGINT', isInferred: true },
      { name: 'n', type: 'STRING', isInferred: true },
      { name: 'day', type: 'STRING', isInferred: true },
      { name: 'more', type: 'STRUCT<a: ARRAY<BIGINT>>', isInferred: true },
    ]);
    expect(await rows('SELECT * FROM blade.field.mixed')).toEqual([
      { id: 1, n: 2, day: '2024-01-01', more: null },
      { id: 2, n: 'two', day: 'soon', more: { a: [1] } },
      { id: 3, n: null, day: null, more: null },
    ]);
  });

  test.each([
    ['instants in UTC', ['2026-01-01T00:00:00.5Z', '9999-12-31T23:59:59.123456Z'], 'TIMESTAMP'],
    ['times without a zone', ['2026-01-01T00:00:00', '0001-01-01T23:59:59'], 'TIMESTAMP_NTZ'],
    ['dates', ['2026-01-01', '9999-12-31'], 'DATE'],
    ['words that the engine takes for dates', ['infinity', 'epoch', '-infinity'], 'STRING'],
    ['a word among dates', ['infinity', '2026-01-01'], 'STRING'],
    ['a time of the year 0', ['0000-01-01T00:00:00Z'], 'STRING'],
    ['an instant before all years', ['0001-01-01T00:00:00+23:59'], 'STRING'],
    ['times of day', ['7:00:00', '10:00:00'], 'STRING'],
    ['ids in capitals', ['12345678-1234-1234-1234-1234567890AB'], 'STRING'],
  ])('%s in NDJSON stay what they are', async (_name, texts, type) => {
    const { path, rows, warehouse } = await folderWarehouse();
    const lines = texts.map((text) => ({ value: text, nested: { DATE: text, "it's": [text] } }));
    await writeFile(path('texts.ndjson'), lines.map((line) => JSON.stringify(line)).join('\n'));
    const [column] = await warehouse.describeTable(fieldTable('texts'), never);
    expect(column).toEqual({ name: 'value', type, isInferred: true });
    expect(await rows('SELECT * FROM blade.field.texts')).toEqual(lines);
  });

  test('a time with an offset is compared as the instant that it says, and stays the text that it is', async () => {
    const { path, rows } = await folderWarehouse();
    const texts = ['2026-01-01T02:00:00+02:00', '2025-12-31T19:00-0500', '2026-01-01T01:00Z'];
    await writeFile(path('texts.ndjson'), texts.map((at) => JSON.stringify({ at })).join('\n'));
    const early = "SELECT at FROM blade.field.texts WHERE at <= '2026-01-01T00:00:00Z'";
    expect(await rows(early)).toEqual(texts.slice(0, 2).map((at) => ({ at })));
  });

  test('a file that is not what its name says fails alone, without its path', async () => {
    const { path, rows, write, folder } = await folderWarehouse();
    await writeFile(path('broken.parquet'), 'not parquet');
    await writeFile(path('broken_json.ndjson'), '{"a":1}\n{"a":');
    await write('good.parquet', 'SELECT 1 AS id');
    for (const name of ['broken', 'broken_json']) {
      const error = await rows(`SELECT * FROM blade.field.${name}`).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'STATEMENT_FAILED' });
      expect(String(error)).not.toContain(folder);
    }
    expect(await rows('SELECT * FROM blade.field.good')).toEqual([{ id: 1 }]);
  });
});

describe('errors can be read by people', () => {
  test('an unknown column is named', async () => {
    const { write, rows } = await folderWarehouse();
    await write('some.parquet', 'SELECT 1 AS id');
    const error = { name: 'WarehouseError', message: expect.stringContaining('nothing') };
    await expect(rows('SELECT nothing FROM blade.field.some')).rejects.toMatchObject(error);
  });

  test('and hold neither cells nor parameter values', async () => {
    const { write, rows } = await folderWarehouse();
    await write('some.parquet', "SELECT 'cell-secret' AS name");
    const failing: [string, Record<string, string>][] = [
      ['SELECT CAST(name AS INT) FROM blade.field.some', {}],
      ['SELECT CAST(:value AS INT)', { value: 'parameter-secret' }],
      ['SELECT CAST(:value AS TIMESTAMP_NTZ)', { value: 'parameter-secret' }],
      ['SELECT * FROM blade.field.some WHERE CAST(:value AS DATE) IS NULL', { value: 'parameter-secret\'"' }],
    ];
    for (const [sql, parameters] of failing) {
      const error = await rows(sql, parameters).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'STATEMENT_FAILED' });
      expect(String(error)).not.toContain('secret');
    }
  });
});

describe('the engine itself is locked', () => {
  async function lockedConnection() {
    const folder = await temporaryFolder();
    const outside = await temporaryFolder();
    await writeFile(join(outside, 'secret.csv'), 'a\n1\n');
    await writeFile(join(folder, 'inside.csv'), 'a\n1\n');
    const instance = await openLockedInstance({
      folder,
      overflow: join(outside, 'overflow'),
      memoryBytes: 1e9,
      diskBytes: 1e9,
    });
    const connection = await instance.connect();
    return { connection, folder, outside };
  }

  test.each([
    ['read a file', (outside: string) => `SELECT * FROM read_csv('${outside}/secret.csv')`],
    [
      'read a file by a way around',
      (outside: string) => `SELECT * FROM read_text('${outside}/./secret.csv')`,
    ],
    ['list files', (outside: string) => `SELECT * FROM glob('${outside}/*')`],
    ['write a file', (outside: string) => `COPY (SELECT 1) TO '${outside}/out.csv'`],
    ['attach a database', (outside: string) => `ATTACH '${outside}/x.duckdb' AS x`],
    ['export itself', (outside: string) => `EXPORT DATABASE '${outside}/all'`],
    ['load an extension', () => 'INSTALL httpfs'],
    ['open the lock', () => 'SET enable_external_access = true'],
    ['change a setting', () => 'SET threads = 8'],
    ['widen the folders', () => "SET allowed_directories = ['/']"],
  ])('it cannot %s', async (_name, sql) => {
    const { connection, outside } = await lockedConnection();
    await expect(connection.run(sql(outside))).rejects.toThrow(/Permission|locked|Cannot|disabled/i);
    expect(await readdir(outside)).toEqual(['secret.csv']);
  });

  test('it reads inside, with one thread and in UTC', async () => {
    const { connection, folder } = await lockedConnection();
    const result = await connection.runAndReadAll(
      `SELECT a, current_setting('threads') AS threads, current_setting('TimeZone') AS zone FROM '${folder}/inside.csv'`,
    );
    expect(result.getRowObjectsJson()).toEqual([{ a: '1', threads: '1', zone: 'UTC' }]);
  });

  test('and the warehouse writes nothing within the folder, even if the check had let it through', async () => {
    const { warehouse, folder } = await folderWarehouse();
    const before = await readdir(folder, { recursive: true });
    for (const sql of [
      `COPY (SELECT 1) TO '${folder}/out.csv'`,
      'CREATE TABLE blade.field.x AS SELECT 1',
      "ATTACH ':memory:' AS x",
    ]) {
      const forged = { ...statement('SELECT 1'), sql } as CheckedStatement;
      await expect(batchesOf(warehouse, forged, 1)).rejects.toMatchObject({ code: 'STATEMENT_FAILED' });
    }
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });
});

test.each([
  [`percentile(CASE WHEN code = '$1}|{' THEN 1 ELSE 3 END, 0.5)`, 1],
  [`percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN code = '$1}|{' THEN 1 ELSE 3 END)`, 1],
  [`percentile_approx(CASE WHEN code = '$1}|{' THEN 1 ELSE 3 END, 0.5)`, 1],
  [`max(CASE WHEN code = '$1}|{' THEN 'yes $2' ELSE 'no' END)`, 'yes $2'],
  [`concat('$2', code, '{$1}')`, '$2$1}|{{$1}'],
])('a text in a statement is a text, whatever signs it has: %s', async (expression, value) => {
  const { write, rows } = await folderWarehouse();
  await write('sortie.parquet', "SELECT '$1}|{' AS code");
  expect(await rows(`SELECT ${expression} AS value FROM blade.field.sortie`)).toEqual([{ value }]);
});
