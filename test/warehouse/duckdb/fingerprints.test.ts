import { writeFile } from 'node:fs/promises';
import { INTEGER, LIST, MAP, STRUCT, UNION, VARCHAR, VARIANT } from '@duckdb/node-api';
import { describe, expect, test } from 'vitest';
import { buildRowHash } from '../../../src/warehouse/duckdb/hash.ts';
import type { ParameterValue, ReadPosition, RowBatch, RowStream } from '../../../src/warehouse/warehouse.ts';
import { type FolderWarehouse, folderWarehouse } from '../folder-warehouse.ts';
import { batchesOf as batchesWithout, never, statement } from '../reading.ts';

const ALL = 'SELECT * FROM blade.field.some';

interface Reading {
  readonly sql?: string;
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly batchSize?: number;
  readonly resumeAfter?: ReadPosition;
}

function readRows({ warehouse }: FolderWarehouse, reading: Reading = {}): Promise<RowStream> {
  const { sql = ALL, parameters, batchSize = 1_000, resumeAfter = null } = reading;
  const options = { batchSize, resumeAfter, signal: never, withFingerprints: true };
  return warehouse.readRows(statement(sql, parameters), options);
}

async function readBatches(folder: FolderWarehouse, reading?: Reading): Promise<RowBatch[]> {
  return await Array.fromAsync((await readRows(folder, reading)).batches);
}

const readFingerprints = async (folder: FolderWarehouse, reading?: Reading) =>
  (await readBatches(folder, reading)).map(({ fingerprint }) => fingerprint);

/** The fingerprint of the rows of a query, stored as a table. */
async function readFingerprint(query: string): Promise<string> {
  const folder = await folderWarehouse();
  await folder.write('some.parquet', query);
  const [fingerprint, ...others] = await readFingerprints(folder);
  if (typeof fingerprint !== 'string' || others.length > 0) throw new Error(`no fingerprint for ${query}`);
  return fingerprint;
}

const MANY = "SELECT i AS id, 'name ' || i AS name, i * 0.5 AS hours FROM range(7_000) t(i)";

describe('the fingerprints of batches', () => {
  test('are the same for the same rows, however often and from wherever they are read', async () => {
    const folder = await folderWarehouse();
    await folder.write('some.parquet', MANY);
    const first = await readFingerprints(folder);
    expect(new Set(first).size).toBe(7);
    expect(await readFingerprints(folder)).toEqual(first);
    // The same rows in another file.
    await folder.write('some.parquet', MANY);
    expect(await readFingerprints(folder)).toEqual(first);
    const position = (await readBatches(folder))[2]?.position ?? null;
    const { resumed, batches } = await readRows(folder, { resumeAfter: position });
    expect(resumed).toBe(true);
    expect((await Array.fromAsync(batches)).map(({ fingerprint }) => fingerprint)).toEqual(first.slice(3));
  });

  test.each([1, 2, 999, 2_048, 5_000])('are those of the rows in batches of %i', async (batchSize) => {
    const folder = await folderWarehouse();
    await folder.write('some.parquet', MANY);
    const all = await readBatches(folder, { batchSize });
    expect(all.reduce((sum, { size }) => sum + size, 0)).toBe(7_000);
    expect(all.every(({ rows, size }) => rows.length === size)).toBe(true);
    expect(new Set(all.map(({ fingerprint }) => fingerprint)).size).toBe(all.length);
    const part = await readFingerprints(folder, {
      sql: `SELECT * FROM blade.field.some WHERE id >= ${batchSize}`,
      batchSize,
    });
    expect(part).toEqual(all.slice(1).map(({ fingerprint }) => fingerprint));
  });

  test('tell of the one batch in which a row has changed', async () => {
    const folder = await folderWarehouse();
    await folder.write('some.parquet', MANY);
    const before = await readFingerprints(folder);
    await folder.write(
      'some.parquet',
      `SELECT * REPLACE (CASE id WHEN 4321 THEN 0 ELSE hours END AS hours) FROM (${MANY})`,
    );
    const after = await readFingerprints(folder);
    expect(after.map((fingerprint, index) => fingerprint === before[index])).toEqual([
      ...[true, true, true, true],
      false,
      ...[true, true],
    ]);
  });

  const types = [
    ['a number', '1', ['2', '-1', '1::UTINYINT', '1.0::DOUBLE', '1::DECIMAL(9,2)', 'NULL::INTEGER']],
    ['a decimal', '1.20::DECIMAL(9,2)', ['1.20::DECIMAL(9,3)', '1.21::DECIMAL(9,2)']],
    ['a double', '0.1::DOUBLE', ['0.1::FLOAT', '0.1::DOUBLE + 1e-17', "'NaN'::DOUBLE", "'Infinity'::DOUBLE"]],
    ['a text', "'a'", ["'A'", "'a '", "''", 'NULL::VARCHAR', "'a'::BLOB", "'é'"]],
    [
      'a long text',
      "repeat('x', 100_000) || 'a'",
      ["repeat('x', 100_000) || 'b'", "repeat('x', 99_999) || 'a'"],
    ],
    [
      'a time',
      "TIMESTAMP '2026-01-01 00:00:00'",
      ["TIMESTAMP '2026-01-01 00:00:00.000001'", "TIMESTAMPTZ '2026-01-01 00:00:00+00'", "DATE '2026-01-01'"],
    ],
    ['a list', '[1, 2]', ['[2, 1]', '[1, 2, NULL]', '[1, 2]::BIGINT[]', '[]::INTEGER[]', 'NULL::INTEGER[]']],
    [
      'a struct',
      "{'a': 1, 'b': 2}",
      ["{'a': 2, 'b': 1}", "{'b': 1, 'a': 2}", "{'a': 1, 'c': 2}", "{'a': 1, 'b': NULL::INTEGER}"],
    ],
    ['a list of structs', "[{'a': 'x'}]", ["[{'a': 'y'}]", "[{'a': 'x'}, {'a': 'x'}]"]],
    ['a map', "MAP {'a': 1}", ["MAP {'a': 2}", "MAP {'b': 1}", "MAP {'a': 1, 'b': 2}"]],
    [
      'a struct in a list',
      "[{'a': [1], 'b': NULL::INTEGER}]",
      ["[{'a': [], 'b': NULL::INTEGER}]", "[{'a': NULL::INTEGER[], 'b': NULL::INTEGER}]"],
    ],
    ['an empty struct', "{'a': NULL::INTEGER}", ['NULL::STRUCT(a INTEGER)']],
    ['a word of a list of words', "'b'::ENUM ('a', 'b')", ["'a'::ENUM ('a', 'b')", "NULL::ENUM ('a', 'b')"]],
    ['a span of time', "INTERVAL '1 month'", ["INTERVAL '30 days'", "INTERVAL '720 hours'"]],
    ['nested lists', '[[1], [2]]', ['[[1, 2]]', '[[2], [1]]', '[[1], [2], []]']],
  ] as const;

  test.each(types)('tell %s from others like it', async (_name, value, others) => {
    const fingerprint = await readFingerprint(`SELECT 1 AS id, ${value} AS value`);
    expect(await readFingerprint(`SELECT 1 AS id, ${value} AS value`)).toBe(fingerprint);
    const all = [fingerprint];
    for (const other of others) all.push(await readFingerprint(`SELECT 1 AS id, ${other} AS value`));
    expect(new Set(all).size).toBe(all.length);
  });

  test('tell which column a value is in, which row, and what the columns are called', async () => {
    const all = [
      "SELECT 'a' AS x, NULL::VARCHAR AS y",
      "SELECT NULL::VARCHAR AS x, 'a' AS y",
      "SELECT 'a' AS y, NULL::VARCHAR AS x",
      "SELECT 'a' AS x",
      "SELECT 'a' AS x, NULL::VARCHAR AS y UNION ALL SELECT 'b', NULL",
      "SELECT 'b' AS x, NULL::VARCHAR AS y UNION ALL SELECT 'a', NULL",
      "SELECT 'ab' AS x, '' AS y",
      "SELECT 'a' AS x, 'b' AS y",
      "SELECT 'b' AS x, 'a' AS y",
      "SELECT 'a' AS x, 'a' AS y",
      "SELECT 'b' AS x, 'b' AS y",
    ];
    const fingerprints = [];
    for (const query of all) fingerprints.push(await readFingerprint(query));
    expect(new Set(fingerprints).size).toBe(all.length);
  });

  test('are there for a read with parameters, unless the type of a column depends on one', async () => {
    const folder = await folderWarehouse();
    await folder.write('some.parquet', MANY);
    const read = async (sql: string) => {
      const batches = await readBatches(folder, { sql, parameters: { low: '6999' } });
      return batches.map(({ fingerprint, rows: [row] }) => ({ ...row, fingerprint }));
    };
    const row = { id: 6999, name: 'name 6999', hours: '3499.5' };
    expect(await read(`${ALL} WHERE id >= CAST(:low AS BIGINT)`)).toEqual([
      { ...row, fingerprint: expect.any(String) },
    ]);
    expect(await read(`SELECT *, :low AS low FROM (${ALL}) WHERE id = 6999`)).toEqual([
      { ...row, low: '6999', fingerprint: null },
    ]);
  });

  test('cost no column whose name is used for them', async () => {
    const folder = await folderWarehouse();
    await folder.write(
      'some.parquet',
      `SELECT 1 AS hash, 2 AS "COLUMNS", 3 AS "*", 4 AS unnamed_subquery, 5 AS "a""b", 6 AS "hash(x)"`,
    );
    const [batch] = await readBatches(folder);
    expect(batch?.rows).toEqual([
      { hash: 1, COLUMNS: 2, '*': 3, unnamed_subquery: 4, 'a"b': 5, 'hash(x)': 6 },
    ]);
    expect(batch?.fingerprint).toEqual(expect.any(String));
  });

  test.each([
    ['a union', UNION({ a: INTEGER })],
    ['a variant', VARIANT],
    ['a list of variants', LIST(VARIANT)],
    ['a struct with a variant', STRUCT({ a: INTEGER, b: VARIANT })],
    ['a map of unions', MAP(VARCHAR, UNION({ a: INTEGER }))],
  ])('are not there with %s, whose values no hash tells from each other', (_name, type) => {
    expect(buildRowHash(['a', 'b'], [INTEGER, type])).toBeNull();
  });

  test('are there for text files', async () => {
    for (const [file, text] of [
      ['some.csv', 'id,name\n1,a\n'],
      ['some.ndjson', '{"id":1,"tree":{"a":[1,{"b":null}]}}\n7\n'],
    ] as const) {
      const folder = await folderWarehouse({});
      await writeFile(folder.path(file), text);
      expect(await readFingerprints(folder)).toEqual([expect.any(String)]);
    }
  });

  test('are there only where they are asked for', async () => {
    const folder = await folderWarehouse();
    await folder.write('some.parquet', MANY);
    const batches = await batchesWithout(folder.warehouse, statement(ALL), 1_000);
    for (const { fingerprint } of batches) expect(fingerprint).toBeNull();
  });
});

test('rows can be asked for when the reading of them has long ended', async () => {
  const folder = await folderWarehouse({});
  await folder.write('some.parquet', MANY);
  const batches = await readBatches(folder);
  await folder.warehouse.close();
  const ids = batches.flatMap(({ rows }) => rows.map(({ id }) => id));
  expect(ids).toEqual(Array.from({ length: 7_000 }, (_, index) => index));
});
