import { readFile, writeFile } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { includeUnreadable } from '../../../src/sql-check/checked-statement.ts';
import { fuzzParameters } from '../../support/fuzz-runs.ts';
import { folderWarehouse } from '../folder-warehouse.ts';
import { batchesOf, fieldTable, listTypes, never, statement } from '../reading.ts';

const table = fieldTable('lines');
const READ = 'SELECT * FROM blade.field.lines';

/** Makes the table of these lines, and reads all of it. */
async function readLines(file: string, lines: readonly (string | Buffer)[]) {
  const { path, rows, warehouse } = await folderWarehouse();
  await writeFile(path(file), Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')])));
  return { rows: () => rows(READ), columns: () => listTypes(warehouse, table) };
}

const withBytes = (before: string, ...bytes: number[]) =>
  Buffer.concat([Buffer.from(before), Buffer.from(bytes)]);

describe('a line of NDJSON that is no row like the others fails alone', () => {
  const [first, last] = ['{"id":"a","n":1}', '{"id":"b","n":2}'];
  const kept = [
    { id: 'a', n: 1 },
    { id: 'b', n: 2 },
  ];

  test.each([
    ['a list', '[1,2]', 'is not an object'],
    ['a list of objects', '[{"id":"c"}]', 'is not an object'],
    ['a number', '1', 'is not an object'],
    ['a text', '"text"', 'is not an object'],
    ['null', 'null', 'is not an object'],
    ['an object with an empty key', '{"id":"c","":1}', 'has an empty key'],
    ['an object with NUL in a key', '{"id":"c","a\\u0000b":1}', 'has a key with a NUL character'],
    ['an object with a key twice', '{"id":"c","id":"d"}', 'has the key id twice'],
    ['an object with a key twice but for its case', '{"id":"c","Id":"d"}', 'has the key Id twice'],
    ['an object with a key twice but for an escape', '{"id":"c","\\u0069d":"d"}', 'has the key id twice'],
    ['an object within it with a key twice', '{"id":"c","n":{"a":1,"b":2,"a":1}}', 'has the key n.a twice'],
    [
      'an object deep within it with a key twice',
      '{"id":"c","n":[1,{"x":[]},{"b b":{"":null,"\\"":{"c":[{},{"c":{},"c":[]}]}}}]}',
      'has the key n[2]."b b"."\\"".c[1].c twice',
    ],
  ])('%s, and its error names the line', async (_name, line, problem) => {
    const text = ['', first, ' ', '', line, '', last, line].join('\n');
    const { rows, unreadable } = await readText(text, 1_000, 'lines.ndjson');
    expect(rows).toEqual(kept);
    expect(unreadable).toEqual([told(`5 ${problem}`), told(`8 ${problem}`)]);
  });

  test('a key twice, beside a line that is no object', async () => {
    const text = [first, '1', '{"id":"c","id":"d"}', last].join('\n');
    const { rows, unreadable } = await readText(text, 1_000, 'lines.ndjson');
    expect(rows).toEqual(kept);
    expect(unreadable).toEqual([told('2 is not an object'), told('3 has the key id twice')]);
  });

  test('but keys of objects within it that differ in case are two, and so are those of different objects', async () => {
    const line = { id: 'c', crew: { a: 1, A: 2, list: [{ a: 1 }, { a: 2 }], text: '"a":1,"a":2' } };
    const { rows } = await readLines('lines.ndjson', [JSON.stringify(line)]);
    expect(await rows()).toEqual([line]);
  });

  test('and its neighbours keep their types', async () => {
    const { rows, columns } = await readLines('lines.ndjson', [
      '{"id":"a","n":-1,"x":1.5,"yes":true,"tree":{"a":[1]},"mixed":1,"none":null,"large":9223372036854775808}',
      '3',
      '{"id":"b","n":2,"x":2,"tree":[{"b":"c"}],"mixed":"two","largest":1}',
    ]);
    expect(await columns()).toEqual([
      { name: 'id', type: 'STRING' },
      { name: 'n', type: 'BIGINT' },
      { name: 'x', type: 'DOUBLE' },
      { name: 'yes', type: 'BOOLEAN' },
      { name: 'tree', type: 'VARIANT' },
      { name: 'mixed', type: 'STRING' },
      { name: 'none', type: 'STRING' },
      { name: 'large', type: 'DECIMAL(38,0)' },
      { name: 'largest', type: 'BIGINT' },
    ]);
    expect((await rows())[0]).toEqual({
      ...{ id: 'a', n: -1, x: 1.5, yes: true, tree: { a: [1] }, mixed: 1, none: null },
      ...{ large: '9223372036854775808', largest: null },
    });
    expect((await rows())[1]).toMatchObject({ id: 'b', x: 2, tree: [{ b: 'c' }], mixed: 'two' });
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
    ['a line that is cut', '{"id":"secret"', 'Line 3002 of the file is not JSON: unexpected'],
    [
      'a line that is no JSON',
      'secret',
      'Line 3002 of the file is not JSON: unexpected character, at byte 1.',
    ],
    [
      'two objects in a line',
      '{"id":"secret"}{"id":"secret"}',
      'Line 3002 of the file is not JSON: unexpected content',
    ],
    [
      'half a surrogate pair',
      '{"id":"secret\\ud800"}',
      'Line 3002 of the file is not JSON: no low surrogate',
    ],
    ['a NUL', '{"id":"secret\0"}', 'Line 3002 of the file is not JSON: unexpected control character'],
    [
      'wrong UTF-8',
      withBytes('{"id":"secret', 0xff, 0x22, 0x7d),
      'Line 3002 of the file is not JSON: invalid UTF-8',
    ],
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
      message:
        'No line of the file is an object with a key that can name a column: each row must be one, on a line of its own. An array of rows is not read.',
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
      'of the file cannot be read as CSV: it is longer than the maximum of 2000000 bytes',
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

  test('CSV of few lines, with text after a closed quote', async () => {
    const lines = Array.from({ length: 99 }, (_none, index) => `${index},text`);
    const { rows } = await readLines('lines.csv', ['id,note', ...lines.with(50, '50,"secret"b')]);
    await expect(rows()).rejects.toMatchObject({
      message: 'Line 52 of the file cannot be read as CSV: text follows a closed quote.',
    });
  });

  test('Parquet with nothing in it', async () => {
    const { path, rows } = await folderWarehouse();
    await writeFile(path('lines.parquet'), '');
    await expect(rows(READ)).rejects.toMatchObject({ message: 'The file is empty: it is no Parquet file.' });
  });

  test.each<[string, (whole: Buffer) => Buffer, string]>([
    ['of another format', () => Buffer.from('id,note\n1,text\n'), 'is not a whole Parquet file'],
    ['shorter than its marks', () => Buffer.from('P'), 'is not a whole Parquet file'],
    ['cut in its middle', (whole) => whole.subarray(0, whole.length / 2), 'is not a whole Parquet file'],
    [
      'without its middle',
      (whole) => Buffer.concat([whole.subarray(0, 9), whole.subarray(-30)]),
      'is not a whole Parquet file',
    ],
    [
      'overwritten in its middle',
      (whole) => Buffer.from(whole).fill(7, 1_000, 50_000),
      'Parquet file is damaged',
    ],
  ])('Parquet that is %s', async (_what, damage, message) => {
    const { path, rows, write } = await folderWarehouse();
    await write(
      'lines.parquet',
      'SELECT i AS id, md5(i::VARCHAR) AS note FROM range(5000) t(i)',
      'COMPRESSION snappy',
    );
    await writeFile(path('lines.parquet'), damage(await readFile(path('lines.parquet'))));
    await expect(rows(READ)).rejects.toMatchObject({ message: expect.stringContaining(message) });
  });

  test.each([
    ['with a byte order mark', '\ufeffid,note\n1,text\n'],
    ['without one', 'id,note\n1,text\n'],
  ])('CSV in UTF-16 %s', async (_name, text) => {
    const { path, rows } = await folderWarehouse();
    await writeFile(path('lines.csv'), Buffer.from(text, 'utf16le'));
    await expect(rows(READ)).rejects.toMatchObject({
      message: 'The header of the file has a NUL character, as in UTF-16: save the file as UTF-8.',
    });
  });

  test('Parquet with a field that JavaScript would lose', async () => {
    const { rows, write } = await folderWarehouse();
    await write('lines.parquet', "SELECT 'a' AS id, [{'__proto__': 5}] AS note");
    await expect(rows(READ)).rejects.toMatchObject({
      message: 'The column note has a field __proto__, whose values cannot be read: rename it.',
    });
  });

  test.each(['', '\r\n\r\n\n', ' \t\n ', '\ufeff'])('CSV with nothing in it (%j)', async (text) => {
    const { path, rows } = await folderWarehouse();
    await writeFile(path('lines.csv'), text);
    await expect(rows(READ)).rejects.toMatchObject({
      message: 'The file is empty: it has no header and no rows.',
    });
  });
});

/** Makes the table of this text, and reads all of it with the lines that are no rows. */
async function readText(text: string | Buffer, batchSize = 1_000, file = 'lines.csv') {
  const { path, warehouse } = await folderWarehouse();
  await writeFile(path(file), text);
  const select = includeUnreadable(statement(READ));
  const batches = await batchesOf(warehouse, select, batchSize);
  const total = batches.reduce((sum, { size }) => sum + size, 0);
  // The engine counts the rows of a statement, and knows those of a whole table.
  for (const counted of [select, includeUnreadable(statement('SELECT * FROM `blade`.`field`.`lines`'))])
    expect(await warehouse.countRows(counted, never)).toBe(total);
  const unreadable = batches.flatMap((batch) => batch.unreadable ?? []);
  expect(await warehouse.countUnreadable(table, never)).toBe(unreadable.length);
  return { rows: batches.flatMap((batch) => [...batch.rows]), unreadable, batches, warehouse, path };
}

const told = (line: string) => `Line ${line}: nothing of it was read (blade.field.lines).`;

describe('a line of CSV that has not the cells of the header is no row, and is told by its line', () => {
  const HEAD = 'item_id,note,number,marking\n';
  const GOOD = '1,a,10,TS\n2,"b ""c"", d",20,S\n';
  const rows = [
    { item_id: '1', note: 'a', number: '10', marking: 'TS' },
    { item_id: '2', note: 'b "c", d', number: '20', marking: 'S' },
  ];
  const truncated = (line: number) => `${line} ends in an empty cell without a line end and may be truncated`;
  const cut = (cells: string) => `4 has ${cells}, and the header 4`;

  test.each<[string, string, string[]]>([
    ['is cut behind a cell', '3,x', [cut('2 cells')]],
    ['is cut in its first cell', '3', [cut('1 cell')]],
    ['is cut behind a cell, with a line end', '3,x\n', [cut('2 cells')]],
    ['is cut before its last cell', '3,x,30', [cut('3 cells')]],
    ['is cut within a quoted cell', '3,"x', ['4 ends within a quoted cell']],
    ['is cut within a quoted cell, with a delimiter', '3,"x, y', ['4 ends within a quoted cell']],
    ['is cut within a quoted cell, with a line end', '3,"x\n', ['4 ends within a quoted cell']],
    ['is cut within a quoted cell, behind a doubled quote', '3,"x ""', ['4 ends within a quoted cell']],
    ['is cut behind a quoted cell', '3,"x"', [cut('2 cells')]],
    ['is cut within its first cell, which is quoted', '"3', ['4 ends within a quoted cell']],
    ['is cut in front of its last cell', '3,x,30,', [truncated(4)]],
    ['is cut in front of its last cell, behind another line', '3,x\n4,y,30,', [cut('2 cells'), truncated(5)]],
    ['has a cell more', '3,x,30,S,TS\n', [cut('5 cells')]],
    ['has a cell more because of a comma', '3,x,y,30,S\n', [cut('5 cells')]],
    ['is not the last', '3,x\n4,y,z,40,S\n', [cut('2 cells'), '5 has 5 cells, and the header 4']],
    ['stands behind a line break in a cell', '3,"x\ny",30,S\n4,z', ['6 has 2 cells, and the header 4']],
  ])('where it %s', async (_name, text, expected) => {
    const read = await readText(HEAD + GOOD + text);
    expect(read.unreadable).toEqual(expected.map(told));
    expect(read.rows.slice(0, 2)).toEqual(rows);
    expect(read.rows).toHaveLength(text.includes('30,S\n4') ? 3 : 2);
  });

  test('whatever ends its lines, and whatever parts its cells', async () => {
    for (const end of ['\n', '\r\n']) {
      for (const part of [',', ';', '|', '\t']) {
        const text = `${HEAD}1,a,10,TS\n3,x\n2,b,20,S\n4,x,40,S,S\n`;
        const read = await readText(text.replaceAll(',', part).replaceAll('\n', end));
        expect(read.unreadable).toEqual(
          ['3 has 2 cells, and the header 4', '5 has 5 cells, and the header 4'].map(told),
        );
        expect(read.rows).toEqual([rows[0], { item_id: '2', note: 'b', number: '20', marking: 'S' }]);
      }
    }
  });

  test.each([
    ['the last line without an end', `${HEAD}${GOOD}3,x,30,C`],
    ['a last cell that is empty in quotes, without an end', `${HEAD}${GOOD}3,x,30,""`],
    ['a last cell that is empty', `${HEAD}${GOOD}3,x,30,\n`],
    ['a last cell in quotes, without an end', `${HEAD}${GOOD}3,x,30,"C"`],
    ['empty lines', `${HEAD}\n${GOOD}\n3,x,30,C\n\n`],
    ['a delimiter behind the last cell of all lines', `${HEAD}1,a,10,TS,\n2,"b ""c"", d",20,S,\n3,x,30,C,\n`],
    ['a delimiter behind the last cell', `${HEAD}${GOOD}3,x,30,C,\n`],
    ['the mark of UTF-8', `\ufeff${HEAD}${GOOD}3,x,30,C\n`],
  ])('and it is no fault to have %s', async (_name, text) => {
    const read = await readText(text);
    expect(read.unreadable).toEqual([]);
    expect(read.rows.slice(0, 2)).toEqual(rows);
    expect(read.rows).toHaveLength(3);
  });

  test('and the others are the same without it', async () => {
    const many = Array.from({ length: 4_000 }, (_, index) => `${index},a,${index},S\n`);
    const [first = '', ...others] = many;
    const whole = await readText(HEAD + many.join(''));
    for (const line of ['x,y\n', 'x,y,z,1,2\n', 'x']) {
      const read = await readText(
        `${HEAD}${first}${line === 'x' ? '' : line}${others.join('')}${line === 'x' ? line : ''}`,
      );
      expect(read.unreadable).toHaveLength(1);
      expect(read.rows).toEqual(whole.rows);
    }
  });

  test('and a file of one column has no such lines, but more cells', async () => {
    const read = await readText('item_id\n1\n\n2,3\n4\n');
    expect(read.unreadable).toEqual([told('4 has 2 cells, and the header 1')]);
    expect(read.rows).toEqual([{ item_id: '1' }, { item_id: null }, { item_id: '4' }]);
  });

  test('and a file has nothing but such lines', async () => {
    const read = await readText(`${HEAD}1,a\n2\n`);
    expect(read.rows).toEqual([]);
    expect(read.unreadable).toHaveLength(2);
  });

  test('and they come in batches behind the rows, where a read goes on as well', async () => {
    const text = `${HEAD}1,a,10,TS\n${'x\n'.repeat(5)}2,b,20,S\n3,c,30,S\n`;
    const { batches, warehouse } = await readText(text, 2);
    expect(batches.map(({ size, rows }) => [size, rows.length])).toEqual([
      [2, 2],
      [1, 1],
      [2, 0],
      [2, 0],
      [1, 0],
    ]);
    const select = includeUnreadable(statement(READ));
    for (const [index, batch] of batches.entries()) {
      const options = { batchSize: 2, resumeAfter: batch.position, signal: never };
      const { resumed, batches: rest } = await warehouse.readRows(select, options);
      expect(resumed).toBe(true);
      const left: unknown[] = [];
      for await (const { rows, unreadable = [] } of rest) left.push(...rows, ...unreadable);
      expect(left).toEqual(
        batches.slice(index + 1).flatMap(({ rows, unreadable = [] }) => [...rows, ...unreadable]),
      );
    }
    expect(await warehouse.countRows(statement(READ), never)).toBe(3);
  });

  test('and are told of each table that a statement names, once', async () => {
    const { path, warehouse } = await readText(`${HEAD}1,a,10,TS\n2\n`);
    await writeFile(path('others.csv'), 'item_id,n\n1,2\n3\n4,5,6\n');
    const sql = `SELECT l.item_id FROM blade.field.lines AS l JOIN blade.field.others AS o ON o.item_id = l.item_id
      JOIN blade.field.lines AS m ON m.item_id = l.item_id`;
    const batches = await batchesOf(warehouse, includeUnreadable(statement(sql)), 10);
    expect(batches.flatMap(({ unreadable = [] }) => unreadable)).toEqual([
      told('3 has 1 cell, and the header 4'),
      'Line 3 has 1 cell, and the header 2: nothing of it was read (blade.field.others).',
      'Line 4 has 3 cells, and the header 2: nothing of it was read (blade.field.others).',
    ]);
  });

  test.each<[string, string | Buffer, string]>([
    [
      'that is not in UTF-8',
      withBytes('2,', 0xff, 0xfe, 0x2c, 0x33, 0x2c, 0x53, 0x0a),
      'cannot be read as CSV',
    ],
    ['with something behind a quote', '2,"b"x,20,S\n', 'cannot be read as CSV'],
    ['that is too long', `2,${'x'.repeat(3_000_000)},20,S\n`, 'cannot be read as CSV'],
    [
      'with a quote that swallows others',
      '2,"b,20,S\n3,c,30,S\n',
      'Line 4 of the file cannot be read as CSV: a quote',
    ],
  ])('and does not hide a line %s: the file is refused', async (_name, line, message) => {
    const many = Array.from({ length: 3_000 }, (_, index) => `${index},a,${index},S\n`).join('');
    for (const rest of ['4,d,40,S\n', many]) {
      const read = readText(
        Buffer.concat([Buffer.from(`${HEAD}1,a,10,TS\nx,y\n`), Buffer.from(line), Buffer.from(rest)]),
      );
      await expect(read).rejects.toMatchObject({
        code: 'STATEMENT_FAILED',
        message: expect.stringContaining(message),
      });
    }
  });

  test('and a file with more of them than a hundred thousand is refused', async () => {
    await expect(readText(`${HEAD}${'1,2\n'.repeat(100_001)}`)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message:
        'The file cannot be read as CSV: the header has 4 cells, but 100001 lines have more or fewer, starting with line 2.',
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
    { id: '1', note: 'a "b", c' },
    { id: '2', note: 'd,e' },
    { id: '3', note: 'f"g' },
    { id: '4', note: 'h\n"i"' },
    { id: '5', note: null },
    { id: '6', note: 'ü' },
  ]);
});

describe('lists within lists in a Parquet file', () => {
  const nest = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`;

  test('are read 16 deep, and refused deeper, before the engine would take hours', async () => {
    const { rows, write } = await folderWarehouse();
    await write('nested.parquet', `SELECT ${nest(16)} AS v`);
    expect(await rows('SELECT * FROM blade.field.nested')).toEqual([{ v: JSON.parse(nest(16)) }]);
    await write('deep.parquet', `SELECT 1 AS id, {'a': ${nest(40)}} AS v`);
    await expect(rows('SELECT id FROM blade.field.deep')).rejects.toThrow(
      'The column v has 40 lists or maps within each other, and 16 can be read from Parquet: store it as text.',
    );
  });
});

test('wherever a CSV file is cut in its last line, the lines before are what the engine reads of the whole file', async () => {
  const { path, rows } = await folderWarehouse();
  const cell = fc.constantFrom('', 'a', 'word', 'two words', '"a, b"', '"say ""a"""', '"a\nb"', 'é');
  const file = fc.record({
    lines: fc.array(fc.tuple(cell, cell, fc.boolean()), { minLength: 1, maxLength: 5 }),
    end: fc.constantFrom('\n', '\r\n'),
    cut: fc.nat({ max: 12 }),
  });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await fc.assert(
    fc.asyncProperty(file, async ({ lines, end, cut }) => {
      const texts = lines.map(([one, two, isFollowed], index) => {
        const empty = isFollowed && index < lines.length - 1 ? end : '';
        return `id${index},${one},${two}${end}${empty}`;
      });
      const whole = ['item_id,one,two', end, ...texts].join('');
      const last = texts.at(-1) ?? '';
      const kept = Math.max(last.length - end.length - cut, 1);
      await writeFile(path('whole.csv'), whole);
      await writeFile(path('lines.csv'), whole.slice(0, whole.length - last.length + kept));
      const reader = await connection.runAndReadAll(
        `SELECT * FROM read_csv('${path('whole.csv')}', auto_detect = false, header = true, delim = ',',
          quote = '"', escape = '"', columns = {'item_id': 'VARCHAR', 'one': 'VARCHAR', 'two': 'VARCHAR'})`,
      );
      const expected = reader.getRowObjectsJson();
      expect(expected).toHaveLength(lines.length);
      // A quote over several lines that is cut refuses the file.
      const read = await rows(READ).catch((error: Error) => error.message);
      if (typeof read === 'string') {
        expect(read).toMatch(/a quote is never closed\.$/);
        return;
      }
      expect(read.slice(0, lines.length - 1)).toEqual(expected.slice(0, -1));
      expect(read.length).toBeLessThanOrEqual(lines.length);
      // Nothing but text within the last cell can be lost unnoticed.
      const [lastRead, lastExpected] = [read[lines.length - 1], expected.at(-1)];
      if (lastRead === undefined) return;
      expect(lastRead).toMatchObject({ item_id: lastExpected?.item_id, one: lastExpected?.one });
      if (lastExpected?.two !== null) expect(lastRead.two).not.toBeNull();
    }),
    fuzzParameters(0.5, 'cut CSV'),
  );
  connection.closeSync();
  instance.closeSync();
});
