import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { folderWarehouse } from '../folder-warehouse.ts';
import { never } from '../reading.ts';

const table = { catalog: 'blade', schema: 'field', table: 'lines' };
const READ = 'SELECT * FROM blade.field.lines';

/** Makes the table of these lines, and reads all of it. */
async function readLines(file: string, lines: readonly (string | Buffer)[]) {
  const { path, rows, warehouse } = await folderWarehouse();
  await writeFile(path(file), Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')])));
  return { rows: () => rows(READ), columns: () => warehouse.describeTable(table, never) };
}

const withBytes = (before: string, ...bytes: number[]) =>
  Buffer.concat([Buffer.from(before), Buffer.from(bytes)]);

describe('a line of NDJSON that is no row like the others fails alone', () => {
  const [first, last] = ['{"id":"a","n":1}', '{"id":"b","n":2}'];
  const kept = [
    { id: 'a', n: 1 },
    { id: null, n: null },
    { id: 'b', n: 2 },
  ];

  test.each([
    ['a list', '[1,2]'],
    ['a list of objects', '[{"id":"c"}]'],
    ['a number', '1'],
    ['a text', '"text"'],
    ['null', 'null'],
    ['an object with an empty key', '{"id":"c","":1}'],
    ['an object with NUL in a key', '{"id":"c","a\\u0000b":1}'],
    ['an object with a key twice but for its case', '{"id":"c","Id":"d"}'],
    ['an object with a key in another case', '{"ID":"c","n":3}'],
  ])('%s', async (_name, line) => {
    const { rows } = await readLines('lines.ndjson', [first, line, last]);
    expect(await rows()).toEqual(kept);
  });

  test('a key twice, beside a line that is no object', async () => {
    const { rows } = await readLines('lines.ndjson', [first, '1', '{"id":"c","id":"d"}', last]);
    expect(await rows()).toEqual([kept[0], kept[1], kept[1], kept[2]]);
  });

  test('and its neighbours keep their types as far as they are told by JSON alone', async () => {
    const { rows, columns } = await readLines('lines.ndjson', [
      '{"id":"a","n":-1,"x":1.5,"yes":true,"tree":{"a":[1]},"mixed":1,"none":null,"large":9223372036854775808}',
      '3',
      '{"id":"b","n":2,"x":2,"tree":[{"b":"c"}],"mixed":"two","largest":1}',
    ]);
    expect(await columns()).toEqual([
      { name: 'id', type: 'STRING' },
      { name: 'n', type: 'DECIMAL(38,0)' },
      { name: 'x', type: 'DOUBLE' },
      { name: 'yes', type: 'BOOLEAN' },
      { name: 'tree', type: 'VARIANT' },
      { name: 'mixed', type: 'STRING' },
      { name: 'none', type: 'STRING' },
      { name: 'large', type: 'DECIMAL(38,0)' },
      { name: 'largest', type: 'DECIMAL(38,0)' },
    ]);
    expect((await rows())[0]).toEqual({
      ...{ id: 'a', n: -1, x: 1.5, yes: true, tree: { a: [1] }, mixed: '1', none: null },
      ...{ large: '9223372036854775808', largest: null },
    });
    expect((await rows())[2]).toMatchObject({ id: 'b', x: 2, tree: [{ b: 'c' }], mixed: 'two' });
  });

  test('columns with names that the engine gives as well are read as they are', async () => {
    const line = { C1: 1, id: 'a', id_1: 'b', x_2: 'c' };
    const { rows } = await readLines('lines.ndjson', [JSON.stringify(line)]);
    expect(await rows()).toEqual([line]);
  });

  test.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('%s within each other by the ten thousands do not end the process', async (_name, open, close) => {
    const deep = `{"id":"deep","tree":${open.repeat(50_000)}1${close.repeat(50_000)}}`;
    const { rows, columns } = await readLines('lines.ndjson', [first, deep, last]);
    expect(await columns()).toContainEqual({ name: 'tree', type: 'VARIANT' });
    expect((await rows()).map(({ id }) => id)).toEqual(['a', 'deep', 'b']);
  });

  test('brackets in texts and many beside each other are not deep', async () => {
    const lines = [
      JSON.stringify({
        id: 'a',
        note: `"\\"${'['.repeat(500)}`,
        list: Array.from({ length: 500 }, () => ({ a: [1] })),
      }),
      JSON.stringify({ id: 'b', note: 'x', list: [] }),
    ];
    const { columns } = await readLines('lines.ndjson', lines);
    expect(await columns()).toContainEqual({ name: 'list', type: 'ARRAY<STRUCT<a: ARRAY<BIGINT>>>' });
  });
});

describe('a text file that cannot be told apart is refused by its line, without its path and its cells', () => {
  const good = Array.from({ length: 3_000 }, (_, index) => index);

  test.each([
    ['a line that is cut', '{"id":"secret"', 'Line 3002 of the file is no JSON: unexpected'],
    [
      'a line that is no JSON',
      'secret',
      'Line 3002 of the file is no JSON: unexpected character, at byte 1.',
    ],
    [
      'two objects in a line',
      '{"id":"secret"}{"id":"secret"}',
      'Line 3002 of the file is no JSON: unexpected content',
    ],
    ['half a surrogate pair', '{"id":"secret\\ud800"}', 'Line 3002 of the file is no JSON: no low surrogate'],
    ['a NUL', '{"id":"secret\0"}', 'Line 3002 of the file is no JSON: unexpected control character'],
    [
      'wrong UTF-8',
      withBytes('{"id":"secret', 0xff, 0x22, 0x7d),
      'Line 3002 of the file is no JSON: invalid UTF-8',
    ],
    ['a key twice', '{"id":"secret","id":"secret"}', 'Line 3002 of the file has a key twice.'],
  ])('NDJSON with %s', async (_name, line, message) => {
    const lines = good.map((index) => `{"id":"${index}"}`);
    const { rows } = await readLines('lines.ndjson', [...lines, '{"id":"x"}', line, ...lines]);
    const error = await rows().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'STATEMENT_FAILED', message: expect.stringContaining(message) });
    expect(String(error)).not.toMatch(/secret|\/|ignore_errors|auto_detect|Try/);
  });

  test('NDJSON without a single object', async () => {
    const { rows } = await readLines('lines.ndjson', ['1', '[2]']);
    await expect(rows()).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message: 'No line of the file is an object with a key that can name a column.',
    });
  });

  test.each([
    ['a quote that is never closed', 'secret,"1', 'Line 3002 of the file cannot be read as CSV: a quote'],
    [
      'a quote that is never closed in the first cell',
      '"secret,1',
      'Line 3002 of the file cannot be read as CSV: a quote',
    ],
    ['something behind a quote', '7,"secret"2', 'Line 3002 of the file cannot be read as CSV: a quote'],
    [
      'wrong UTF-8',
      withBytes('secret,', 0xc0, 0xaf),
      'Line 3002 of the file cannot be read as CSV: it is not encoded in UTF-8.',
    ],
    [
      'a line without end',
      `secret,${'x'.repeat(3_000_000)}`,
      'of the file cannot be read as CSV: it is too long',
    ],
  ])('CSV with %s', async (_name, line, message) => {
    const lines = good.map((index) => `${index},text`);
    const { rows } = await readLines('lines.csv', ['id,note', ...lines, line, ...lines]);
    const error = await rows().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'STATEMENT_FAILED', message: expect.stringContaining(message) });
    expect(String(error)).not.toMatch(/secret|\/|ignore_errors|strict_mode/);
  });

  test('CSV of few lines, with a quote that hides all delimiters', async () => {
    const { rows } = await readLines('lines.csv', ['id,note', '1,a', 'secret,"b', '3,c']);
    await expect(rows()).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message: expect.stringContaining('quote'),
    });
  });

  test('CSV with nothing in it', async () => {
    const { path, rows } = await folderWarehouse();
    await writeFile(path('lines.csv'), '');
    await expect(rows(READ)).rejects.toMatchObject({
      message: 'The file has no line that names its columns.',
    });
  });
});

test('quotes of CSV that are closed, behind spaces, doubled or within a cell, are no fault', async () => {
  const { rows } = await readLines('lines.csv', [
    '\ufeff"id","note"',
    '1,"a ""b"", c"',
    '2, "d,e"',
    '3,f"g',
    '4,"h\n""i"""',
    '5,""',
    '6,"ü"',
  ]);
  expect(await rows()).toEqual([
    { id: 1, note: 'a "b", c' },
    { id: 2, note: 'd,e' },
    { id: 3, note: 'f"g' },
    { id: 4, note: 'h\n"i"' },
    { id: 5, note: null },
    { id: 6, note: 'ü' },
  ]);
});
