import { copyFile, open, rename, stat, truncate, unlink, utimes } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ParameterValue, Row } from '../../src/warehouse/warehouse.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';
import { type FolderWarehouse, folderWarehouse } from './folder-warehouse.ts';
import { batchesOf, never, statement } from './reading.ts';

interface Reading {
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly withFingerprints?: boolean;
  /** Runs once the first batch is there. */
  readonly afterFirstBatch?: () => Promise<unknown>;
}

/** All rows of a statement; rejects where it breaks off. */
async function readAll({ warehouse }: FolderWarehouse, sql: string, reading: Reading = {}): Promise<Row[]> {
  const { parameters = {}, withFingerprints = false, afterFirstBatch } = reading;
  const options = { batchSize: 1_000, resumeAfter: null, signal: never, withFingerprints };
  const all: Row[] = [];
  for await (const { rows } of (await warehouse.readRows(statement(sql, parameters), options)).batches) {
    if (all.length === 0) await afterFirstBatch?.();
    all.push(...rows);
  }
  return all;
}

/** The statement that shows the fault: its stream breaks off behind the first rows. */
const LATE = `SELECT id, CAST(CASE WHEN id = 150000 THEN 'x' ELSE '1' END AS INT) AS v FROM range(300000)`;

describe('an error behind the first rows of a statement is an error of the read', () => {
  test.each([
    LATE,
    `SELECT * FROM (${LATE}) AS late LIMIT 200000`,
    `SELECT * FROM (${LATE}) AS late ORDER BY id`,
    `SELECT * FROM (${LATE}) AS late ORDER BY v DESC, id LIMIT 7`,
    `WITH late AS (${LATE}) SELECT * FROM late`,
    `SELECT id FROM (${LATE}) AS late WHERE v > 0`,
    `SELECT * FROM (${LATE}) AS late UNION ALL SELECT 1, 1`,
    `SELECT 1 AS id, 1 AS v UNION ALL ${LATE}`,
    `SELECT * FROM (${LATE}) AS late UNION SELECT 1, 1`,
    `SELECT DISTINCT v, id FROM (${LATE}) AS late`,
    `SELECT id, named_struct('v', v, 'list', array(v, id)) AS nested FROM (${LATE}) AS late`,
    `SELECT id, map('v', array(named_struct('v', v))) AS nested FROM (${LATE}) AS late`,
    `SELECT id % 1000 AS id, SUM(v) AS v FROM (${LATE}) AS late GROUP BY id % 1000`,
    `SELECT COUNT(v) AS id FROM (${LATE}) AS late`,
    `SELECT id, SUM(v) OVER (PARTITION BY id % 7 ORDER BY id) AS v FROM (${LATE}) AS late`,
    `SELECT late.id, v FROM (${LATE}) AS late JOIN range(300000) AS other ON late.id = other.id`,
    `SELECT id, (SELECT MAX(id) FROM range(3)) + v AS v FROM (${LATE}) AS late`,
    `SELECT v, v, id FROM (${LATE}) AS late`,
    `SELECT :value AS value, v FROM (${LATE}) AS late`,
  ])('%s', async (sql) => {
    const folder = await folderWarehouse();
    await expect(readAll(folder, sql, { parameters: { value: 'p' } })).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message: expect.stringMatching(/^Conversion Error: Could not convert string '…' to INT32/),
    });
  });

  test('also where the rows have fingerprints', async () => {
    const folder = await folderWarehouse();
    await expect(readAll(folder, LATE, { withFingerprints: true })).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
    });
  });

  test('of an overflow as well as of a cast', async () => {
    const folder = await folderWarehouse();
    const sql = `SELECT id, CAST(9223372036854675807 AS BIGINT) + id AS v FROM range(300000)`;
    await expect(readAll(folder, sql)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message: expect.stringContaining('Overflow'),
    });
  });

  test('and none of what a LIMIT leaves out', async () => {
    const folder = await folderWarehouse();
    expect(await readAll(folder, `SELECT * FROM (${LATE}) AS late LIMIT 100000`)).toHaveLength(100_000);
  });
});

describe('the row that proves the end', () => {
  test.each([
    ['SELECT id FROM range(9) WHERE id > 100', []],
    ['SELECT NULL AS a, NULL AS b', [{ a: null, b: null }]],
    ['SELECT true AS a, true AS b', [{ a: true, b: true }]],
    ['SELECT 1 AS c0, 2 AS C0, 3 AS c0', [{ c0: 1, C0: 2, 'c0:1': 3 }]],
    ['SELECT :p AS a, 1 AS a, :p AS `a:1`', [{ a: 'p', 'a:1': 1, 'a:1:1': 'p' }]],
    ['SELECT :p AS a, 1 AS a FROM range(9) LIMIT 1', [{ a: 'p', 'a:1': 1 }]],
    ["SELECT array() AS a, map('k', 1) AS b", [{ a: [], b: { k: 1 } }]],
    ['SELECT 1 AS a -- the end', [{ a: 1 }]],
    ['SELECT id AS a FROM range(3) ORDER BY id DESC LIMIT 2', [{ a: 2 }, { a: 1 }]],
  ])('is not among those of %s', async (sql, expected) => {
    expect(await readAll(await folderWarehouse(), sql, { parameters: { p: 'p' } })).toEqual(expected);
  });

  test.each([1, 2_047, 2_048, 2_049, 10_240])('is not among %i rows, whose order stays', async (rows) => {
    const folder = await folderWarehouse();
    const read = await readAll(folder, `SELECT id FROM range(${rows}) ORDER BY id DESC`);
    expect(read).toEqual(Array.from({ length: rows }, (_, index) => ({ id: rows - 1 - index })));
    expect(await folder.warehouse.countRows(statement(`SELECT * FROM range(${rows})`), never)).toBe(rows);
  });
});

describe('any statement with a bad row anywhere', () => {
  const base = (bad: string) =>
    `SELECT id, name, CAST(CASE WHEN id = ${bad} THEN 'x' ELSE CAST(id AS STRING) END AS INT) AS v FROM blade.field.some`;
  const shape = fc.oneof(
    fc.constantFrom<(query: string) => string>(
      (query) => `SELECT * FROM (${query}) AS s`,
      (query) => `WITH w AS (${query}) SELECT * FROM w`,
      (query) => `SELECT * FROM (${query}) AS s ORDER BY id`,
      (query) => `SELECT * FROM (${query}) AS s ORDER BY v DESC, name`,
      (query) => `SELECT * FROM (${query}) AS s WHERE v % 3 <> 1`,
      (query) => `SELECT * FROM (${query}) AS s WHERE id % 2 = 0`,
      (query) => `SELECT DISTINCT * FROM (${query}) AS s`,
      (query) => `SELECT id, name, v FROM (${query}) AS s UNION ALL SELECT -1, 'more', 1`,
      (query) => `SELECT -1 AS id, 'more' AS name, 1 AS v UNION ALL SELECT id, name, v FROM (${query}) AS s`,
      (query) => `SELECT id, name, v FROM (${query}) AS s UNION SELECT -1, 'more', 1`,
      (query) => `SELECT id, MAX(name) AS name, MAX(v) AS v FROM (${query}) AS s GROUP BY id`,
      (query) =>
        `SELECT id % 100 AS id, MIN(name) AS name, COUNT(v) AS v FROM (${query}) AS s GROUP BY id % 100`,
      (query) => `SELECT id, name, SUM(v) OVER (PARTITION BY id % 9 ORDER BY id) AS v FROM (${query}) AS s`,
      (query) =>
        `SELECT id, name, n.v AS v FROM (SELECT id, name, named_struct('v', v) AS n FROM (${query}) AS s) AS t`,
      (query) =>
        `SELECT id, name, l[0] AS v FROM (SELECT id, name, array(v, 1) AS l FROM (${query}) AS s) AS t`,
      (query) => `SELECT s.id, s.name, s.v FROM (${query}) AS s JOIN blade.field.some AS o ON s.id = o.id`,
      (query) =>
        `SELECT s.id, s.name, s.v FROM (${query}) AS s LEFT JOIN blade.field.some AS o ON s.id = o.id + 7`,
    ),
    fc.tuple(fc.nat(40_000), fc.nat(20_000)).map(
      ([limit, offset]) =>
        (query: string) =>
          `SELECT * FROM (${query}) AS s LIMIT ${limit} OFFSET ${offset}`,
    ),
  );

  test('gives all its rows or fails, and never a part of them', async () => {
    const folder = await folderWarehouse();
    await folder.write(
      'some.parquet',
      `SELECT i AS id, rpad('name ' || i, 60, '-') AS name FROM range(40_000) t(i)`,
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(shape, { maxLength: 4 }),
        fc.constantFrom('*', 'id', 'v, v, id', "named_struct('n', name, 'v', array(v)) AS nested"),
        fc.nat(39_999),
        fc.boolean(),
        async (shapes, columns, badRow, withFingerprints) => {
          const query = shapes.reduce((inner, wrap) => wrap(inner), base(':bad'));
          const sql = `SELECT ${columns} FROM (${query}) AS result`;
          const read = (bad: number) => readAll(folder, sql, { parameters: { bad }, withFingerprints });
          const whole = await read(-9);
          const rows = await read(badRow).catch((error: unknown) => {
            expect(error).toMatchObject({ code: 'STATEMENT_FAILED' });
            return null;
          });
          if (rows !== null) expect(rows).toEqual(whole);
        },
      ),
      fuzzParameters(0.1, 'bad row'),
    );
  });
});

describe('a Parquet file that is damaged in its middle', () => {
  test.each(['snappy', 'zstd'])(
    '%s: ends the read with the reason, and with the name of the file if there are several',
    async (codec) => {
      const folder = await folderWarehouse();
      await folder.write('some.parquet', wideRows(60_000), `COMPRESSION ${codec}, ROW_GROUP_SIZE 10000`);
      const path = folder.path('some.parquet');
      const file = await open(path, 'r+');
      await file.write(Buffer.alloc(4_000, 0xff), 0, 4_000, Math.floor((await file.stat()).size / 2));
      await file.close();
      await folder.write('other.parquet', wideRows(10));
      const PROBLEM = 'The Parquet file is damaged: a part of it cannot be decompressed.';
      await expect(readAll(folder, 'SELECT * FROM blade.field.some')).rejects.toMatchObject({
        code: 'STATEMENT_FAILED',
        message: PROBLEM,
      });
      await expect(
        readAll(
          folder,
          'SELECT b.* FROM blade.field.other AS a RIGHT JOIN blade.field.some AS b ON a.id = b.id',
        ),
      ).rejects.toMatchObject({
        code: 'STATEMENT_FAILED',
        message: `${PROBLEM} (in blade/field/some.parquet)`,
      });
    },
  );
});

const wideRows = (rows: number) =>
  `SELECT i AS id, 'item ' || i AS name, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS text FROM range(${rows}) t(i)`;

describe.each([
  ['parquet', 60_000],
  ['csv', 20_000],
  ['ndjson', 20_000],
] as const)('a file of %s', (format, size) => {
  const file = `some.${format}`;
  const changes: readonly (readonly [string, (folder: FolderWarehouse) => Promise<void>])[] = [
    ['is cut', async ({ path }) => truncate(path(file), Math.floor((await stat(path(file))).size / 2))],
    ['is emptied', ({ path }) => truncate(path(file), 0)],
    ['is overwritten', ({ path }) => copyFile(path(`other.${format}`), path(file))],
    ['is replaced', ({ path }) => rename(path(`other.${format}`), path(file))],
    ['is deleted', ({ path }) => unlink(path(file))],
    [
      'is written to in its middle, with its size and time as before',
      async ({ path }) => {
        const { size: length, atime, mtime } = await stat(path(file));
        const handle = await open(path(file), 'r+');
        await handle.write(Buffer.alloc(100, 0x41), 0, 100, Math.floor(length / 2));
        await handle.close();
        await utimes(path(file), atime, mtime);
      },
    ],
    [
      'has rows added at its end',
      async ({ path }) => {
        const handle = await open(path(file), 'a');
        await handle.write('\n');
        await handle.close();
      },
    ],
  ];

  test.each(changes)('that %s while it is read ends the read', async (_name, change) => {
    const folder = await folderWarehouse();
    await folder.write(file, wideRows(size));
    await folder.write(`other.${format}`, wideRows(size / 2));
    await expect(
      readAll(folder, 'SELECT * FROM blade.field.some', { afterFirstBatch: () => change(folder) }),
    ).rejects.toMatchObject({
      code: 'CHANGED',
      message: expect.stringMatching(/^blade\/field\/some\.\w+ was (changed|deleted) while it was read\.$/),
    });
  });
});

test('a file of a join that changes ends the read, whichever it is', async () => {
  const folder = await folderWarehouse();
  await folder.write('some.parquet', wideRows(60_000));
  await folder.write('other.parquet', wideRows(60_000));
  const sql = 'SELECT s.* FROM blade.field.some AS s JOIN blade.field.other AS o ON s.id = o.id';
  await expect(
    readAll(folder, sql, { afterFirstBatch: () => truncate(folder.path('other.parquet'), 9) }),
  ).rejects.toMatchObject({ code: 'CHANGED', message: expect.stringContaining('other.parquet') });
});

test('a file that stays as it is may be read at any time of its change', async () => {
  const folder = await folderWarehouse();
  await folder.write('some.parquet', wideRows(100));
  expect(await batchesOf(folder.warehouse, statement('SELECT * FROM blade.field.some'), 60)).toHaveLength(2);
  await folder.write('some.parquet', wideRows(200));
  expect(await folder.rows('SELECT * FROM blade.field.some')).toHaveLength(200);
});
