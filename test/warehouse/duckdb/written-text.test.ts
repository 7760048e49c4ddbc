import { writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fuzzParameters } from '../../support/fuzz-runs.ts';
import { folderWarehouse } from '../folder-warehouse.ts';
import { fieldTable, listTypes } from '../reading.ts';

const READ = 'SELECT * FROM blade.field.cells';

/** Makes `blade.field.cells` of a text. */
async function openCells(text: string, file = 'cells.csv') {
  const { path, rows, warehouse, write } = await folderWarehouse();
  await writeFile(path(file), text);
  return { rows, path, write, types: () => listTypes(warehouse, fieldTable('cells')) };
}

/** Texts that look like something else. */
const ODD_CELLS = [
  ...[
    '1',
    '1.1',
    '1.10',
    '1.100',
    '007',
    '+5',
    '-0',
    '1e3',
    '.5',
    '5.',
    '1_000',
    '0xAB',
    'NaN',
    'inf',
    '1,5',
  ],
  ...[
    '12345678901234567890',
    '12345678901234567891',
    '19.90',
    '99999999999999999999999999999999999999999',
    '1e400',
  ],
  ...['yes', 'no', 'true', 'TRUE', 't', 'NULL', 'null', 'N/A', '1:30', '7:00:00', 'infinity', 'epoch'],
  ...['03/04/2024', '03/25/2024', '2024-03-10', '2024-3-1', '2024-02-30', '20240310', '24-01-01'],
  ...['2024-03-10 00:00:00', '2024-03-10T08:30:00.123456789Z', '2024-03-10T08:30+02:00', '0000-01-01'],
  ...[
    '12345678-1234-1234-1234-1234567890AB',
    ' padded ',
    'é',
    '{"a": 1}',
    '[1]',
    "it's",
    'a;b',
    'say "a"',
    '#1',
  ],
];

describe('a cell of CSV is the text that was written', () => {
  test('whatever the other cells of its column and its line are', async () => {
    const { path, rows } = await folderWarehouse();
    const cell = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...ODD_CELLS) },
      fc.constant(''),
      fc.integer().map(String),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => !/[\0\r\n]/.test(text)),
    );
    const table = fc.record({
      lines: fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 12 }),
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      end: fc.constantFrom('\n', '\r\n'),
      emptyLines: fc.nat({ max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(table, async ({ lines, delimiter, end, emptyLines }) => {
        const quote = (text: string) =>
          text !== '' && /^[\w.:+-]*$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
        const all = [
          ['item_id', 'one', 'two', 'three'],
          ...lines.map((cells, index) => [`id${index}`, ...cells]),
        ];
        const text = all.map((cells) => `${cells.map(quote).join(delimiter)}${end}`).join('');
        await writeFile(path('cells.csv'), end.repeat(emptyLines) + text);
        const expected = lines.map(([one, two, three], index) => ({
          item_id: `id${index}`,
          one: one === '' ? null : one,
          two: two === '' ? null : two,
          three: three === '' ? null : three,
        }));
        expect(await rows(READ)).toEqual(expected);
      }),
      fuzzParameters(0.5, 'written cells'),
    );
  });

  test('also in a column that SQL takes for numbers', async () => {
    const { rows, types } = await openCells('item_id,price\n1.10,19.90\n1.1,5\n1.100,0.50\n');
    expect(await types()).toEqual([
      { name: 'item_id', type: 'DOUBLE' },
      { name: 'price', type: 'DOUBLE' },
    ]);
    expect(await rows(`${READ} WHERE price > 1 ORDER BY price`)).toEqual([
      { item_id: '1.1', price: '5' },
      { item_id: '1.10', price: '19.90' },
    ]);
  });

  test('also with a byte order mark, at the start of a cell and of the file', async () => {
    const long = `\ufeff${'long '.repeat(9)}`;
    const { rows } = await openCells(`\ufeffitem_id,note\n\ufeffa,\ufeff\na,${long}\n`);
    expect(await rows(READ)).toEqual([
      { item_id: '\ufeffa', note: '\ufeff' },
      { item_id: 'a', note: long },
    ]);
  });

  test.each(['\n', '\r\n', '\r'])('and empty lines before the header are no rows (%j)', async (end) => {
    for (const start of ['', '\ufeff']) {
      const lines = ['', '', 'item_id,note', 'a,b', '', 'c,d', ''];
      const { rows } = await openCells(start + lines.join(end));
      expect(await rows(READ)).toEqual([
        { item_id: 'a', note: 'b' },
        { item_id: 'c', note: 'd' },
      ]);
    }
  });

  test('and a column of whole numbers with more than 18 digits keeps them where it is converted', async () => {
    const numbers = ['999999999999999999', '1000000000000000001', '1000000000000000003'];
    const { rows } = await openCells(`item_id\n${numbers.join('\n')}\n`);
    for (const [expression, expected] of [
      ['CAST(item_id AS DECIMAL(38, 0))', numbers],
      ['CAST(item_id AS BIGINT)', numbers],
      ['CAST(item_id + 0 AS STRING)', numbers],
      ['CEIL(item_id)', numbers],
      ['FLOOR(item_id)', numbers],
      ['ROUND(item_id)', numbers],
    ] as const) {
      const read = await rows(`SELECT ${expression} AS value FROM blade.field.cells`);
      expect([expression, ...read.map(({ value }) => value)]).toEqual([expression, ...expected]);
    }
  });

  test('also in a table with a thousand columns, which takes no gigabytes', { timeout: 60_000 }, async () => {
    const names = Array.from({ length: 1_000 }, (_, column) => `c${column}`);
    const cells = (row: number) =>
      names.map((_name, column) => [`text ${row}`, `${row}.50`, '2024-01-02'][column % 3]);
    const lines = [names, ...Array.from({ length: 200 }, (_, row) => cells(row))];
    const { rows } = await openCells(lines.map((line) => `${line.join(',')}\n`).join(''));
    const found = await rows(`${READ} WHERE c1 > 198 AND c998 < DATE '2024-01-03'`);
    expect(found.map((row) => Object.values(row))).toEqual([cells(198), cells(199)]);
  });

  test('and a column that is named twice is refused', async () => {
    const { rows } = await openCells('item_id,note, Item_ID\na,b,c\n');
    await expect(rows(READ)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message:
        'The header of the file names the column "Item_ID" twice, in its cells 1 and 3: rename one of them.',
    });
  });
});

describe('SQL compares, orders and calculates by what all texts of a column are', () => {
  const LINES = [
    'item_id,hours,updated_at,day,flown,seen',
    '007,8,2024-03-01 12:00:00,2024-03-01,true,2024-03-01T12:00+02:00',
    '7,9.50,2024-03-01 13:30:00.5,2024-03-02,false,2024-03-01T11:00Z',
    '8,10,2024-10-01 00:00:00,2024-10-02,true,2024-03-01T10:30Z',
    '9,,,,,',
  ];

  test.each<[string, string[]]>([
    ['hours > 8', ['7', '8']],
    ['hours > :hours', ['7', '8']],
    ["hours > '8.5'", ['7', '8']],
    ['hours = 9.5', ['7']],
    ["hours = '9.50'", ['7']],
    ["hours = '9.5'", []],
    ['hours IN (8, 10.0)', ['007', '8']],
    ["item_id IN ('7', '8')", ['7', '8']],
    ["item_id = '7'", ['7']],
    ['item_id = 7', ['007', '7']],
    ['hours BETWEEN 9 AND 11', ['7', '8']],
    ['hours + 1 = 9', ['007']],
    ['ROUND(hours) = 10', ['7', '8']],
    ['-hours < -9', ['7', '8']],
    ['COALESCE(hours, 0) = 0', ['9']],
    ['CASE WHEN flown THEN hours ELSE 0 END > 8', ['8']],
    ['hours IS NULL', ['9']],
    ['flown', ['007', '8']],
    ['NOT flown AND hours > 1', ['7']],
    ['flown = false', ['7']],
    ["hours LIKE '9.5%'", ['7']],
    ['LENGTH(item_id) = 3', ['007']],
    ["CONCAT(item_id, '!') = '007!'", ['007']],
    ["updated_at > '2024-03-01T12:30:00'", ['7', '8']],
    ["updated_at = '2024-10-01'", ['8']],
    ["updated_at >= DATE '2024-10-01'", ['8']],
    ['YEAR(day) = 2024 AND MONTH(day) = 10', ['8']],
    ['day < CAST(updated_at AS DATE)', []],
    ["seen > '2024-03-01T10:15:00Z'", ['7', '8']],
    ['seen >= CAST(seen AS TIMESTAMP) AND seen IS NOT NULL', ['007', '7', '8']],
    ['t.hours > 9 AND t.item_id > 7', ['8']],
    ['hours = (SELECT MAX(hours) FROM blade.field.cells)', ['8']],
    ['hours IN (SELECT hours FROM blade.field.cells WHERE flown)', ['007', '8']],
    ['item_id IN (SELECT CAST(hours AS INT) FROM blade.field.cells WHERE hours < 9)', ['8']],
  ])('in %s', async (condition, expected) => {
    const { rows } = await openCells(`${LINES.join('\n')}\n`);
    const sql = `SELECT item_id FROM blade.field.cells AS t WHERE ${condition}`;
    const found = await rows(sql, condition.includes(':hours') ? { hours: 8 } : {});
    expect(found.map(({ item_id: id }) => id)).toEqual(expected);
  });

  test.each<[string, unknown[]]>([
    ['SELECT hours FROM blade.field.cells ORDER BY hours DESC NULLS LAST', ['10', '9.50', '8', null]],
    ['SELECT hours FROM blade.field.cells WHERE flown ORDER BY 1 DESC', ['10', '8']],
    ['SELECT item_id AS hours FROM blade.field.cells ORDER BY hours LIMIT 2', ['007', '7']],
    [
      'SELECT DISTINCT hours FROM blade.field.cells WHERE hours IS NOT NULL ORDER BY hours',
      ['10', '8', '9.50'],
    ],
    ['SELECT SUM(hours) FROM blade.field.cells', [27.5]],
    ['SELECT MAX(hours) FROM blade.field.cells', [10]],
    ['SELECT MAX(updated_at) FROM blade.field.cells', ['2024-10-01T00:00:00']],
    ['SELECT COUNT(DISTINCT item_id) FROM blade.field.cells', [4]],
    ['SELECT UPPER(updated_at) FROM blade.field.cells WHERE item_id = 8', ['2024-10-01 00:00:00']],
    ['SELECT h + 1 FROM (SELECT hours AS h FROM blade.field.cells) WHERE h > 9.5', [11]],
    ['WITH c AS (SELECT * FROM blade.field.cells) SELECT hours FROM c WHERE hours > 9.5', ['10']],
    [
      'SELECT a.hours FROM blade.field.cells a JOIN blade.field.cells b ON a.item_id = b.item_id WHERE a.hours < 9',
      ['8'],
    ],
    [
      'SELECT item_id FROM blade.field.cells QUALIFY ROW_NUMBER() OVER (ORDER BY hours DESC NULLS LAST) = 1',
      ['8'],
    ],
    ['SELECT flown FROM blade.field.cells GROUP BY flown HAVING COUNT(*) > 1', ['true']],
    ["SELECT hours FROM blade.field.cells WHERE item_id = '8' UNION ALL SELECT 'x'", ['10', 'x']],
  ])('in %s', async (sql, expected) => {
    const { rows } = await openCells(`${LINES.join('\n')}\n`);
    expect((await rows(sql)).map((row) => Object.values(row)[0])).toEqual(expected);
  });

  test('a calculated column has the name that it has for a table of numbers', async () => {
    const { rows, write } = await openCells(`${LINES.join('\n')}\n`);
    await write('numbers.parquet', 'SELECT 10 AS hours');
    for (const table of ['cells', 'numbers']) {
      const found = await rows(`SELECT hours + 1, ABS(hours) FROM blade.field.${table} WHERE hours > 9.5`);
      expect(found).toEqual([{ '(hours + 1)': 11, 'abs(hours)': 10 }]);
    }
  });

  test('a table of texts can be joined with one of numbers', async () => {
    const { rows, write } = await openCells(`${LINES.join('\n')}\n`);
    await write('numbers.parquet', "SELECT 8 AS item_id, 'eight' AS name");
    const sql = `SELECT name FROM blade.field.cells AS c JOIN blade.field.numbers AS n ON c.item_id = n.item_id`;
    expect(await rows(sql)).toEqual([{ name: 'eight' }]);
  });
});

/** Reads a line as JavaScript does, but whole numbers that it would change as texts. */
function parseLine(line: string): object {
  return JSON.parse(line, (_key, value, context?: { source?: string }) =>
    /^-?\d+$/.test(context?.source ?? '') && !Number.isSafeInteger(value) ? context?.source : value,
  );
}

describe('a value of NDJSON is the one that was written', () => {
  const write = (values: readonly string[]) =>
    values.map((value, index) => `{"item_id": "i${index}", "v": ${value}}\n`).join('');
  const readValues = async (values: readonly string[]) => {
    const { rows } = await openCells(write(values), 'cells.ndjson');
    return (await rows(READ)).map(({ v }) => v);
  };

  test.each<[string, string[], unknown[]]>([
    [
      'whole numbers of any size beside others',
      ['9007199254740993', '9007199254740992', '1.5'],
      ['9007199254740993', '9007199254740992', 1.5],
    ],
    [
      'numbers of 40 digits',
      ['1234567890123456789012345678901234567890', '1'],
      ['1234567890123456789012345678901234567890', 1],
    ],
    [
      'decimals with all of their digits',
      ['19.90', '1.10', '1.1', '0.12345678901234567891'],
      ['19.90', '1.10', 1.1, '0.12345678901234567891'],
    ],
    ['numbers that are too large', ['1e400', '-1e400', '1e-400'], ['1e400', '-1e400', '1e-400']],
    [
      'numbers as programs write them',
      ['1.0', '-0.5', '1e3', '2.5E-7', '0.1', '1e-05', '5e-324'],
      [1, -0.5, 1000, 2.5e-7, 0.1, 1e-5, 5e-324],
    ],
    [
      'values of several kinds',
      ['1', '"1"', 'true', 'null', '"x"', '[1]', '{"a": 1}'],
      [1, '1', true, null, 'x', [1], { a: 1 }],
    ],
    [
      'numbers within others',
      ['{"a": [9007199254740993, 1.5]}', '{"a": 1e400}', '[19.90]'],
      [{ a: ['9007199254740993', 1.5] }, { a: '1e400' }, ['19.90']],
    ],
    [
      'objects with other keys',
      ['{"a": 1}', '{"b": null}', '{"A": 2, "a": 3}', '{}'],
      [{ a: 1 }, { b: null }, { A: 2, a: 3 }, {}],
    ],
    [
      'texts that look like times',
      ['"2024-01-01"', '"2024-01-01 00:00:00"', '"infinity"'],
      ['2024-01-01', '2024-01-01 00:00:00', 'infinity'],
    ],
  ])('%s', async (_name, values, expected) => {
    expect(await readValues(values)).toEqual(expected);
  });

  test('also if it is no finite number, as Python writes it, which JSON cannot hold', async () => {
    const { path, rows } = await folderWarehouse();
    const lines = [
      '{"item_id":"a","hours":NaN,"more":{"x":[-Infinity,1.5,null,true]}}',
      '{"item_id":"b","hours":2,"more":{"x":[]}}',
      '{"item_id":"c","hours":Infinity,"more":"NaN"}',
    ];
    await writeFile(path('cells.ndjson'), `${lines.join('\n')}\n`);
    expect(await rows(READ)).toEqual([
      { item_id: 'a', hours: 'NaN', more: { x: ['-Infinity', 1.5, null, true] } },
      { item_id: 'b', hours: 2, more: { x: [] } },
      { item_id: 'c', hours: 'Infinity', more: 'NaN' },
    ]);
  });

  test('also if Parquet says JSON of a text that is none', async () => {
    const { rows, write } = await folderWarehouse();
    await write('cells.parquet', `SELECT 'a' AS item_id, '{"x":NaN}'::JSON AS note`);
    expect(await rows(READ)).toEqual([{ item_id: 'a', note: '{"x":NaN}' }]);
  });

  test('whatever the values of other lines are', async () => {
    const { path, rows } = await folderWarehouse();
    const value = fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' });
    const key = fc.constantFrom('a', 'b', 'c_1', 'd e', 'é');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.dictionary(key, value), { minLength: 1, maxLength: 8 }), async (lines) => {
        const all = lines.map((line, index) => ({ item_id: `i${index}`, ...line }));
        const text = all.map((line) => `${JSON.stringify(line)}\n`).join('');
        await writeFile(path('cells.ndjson'), text);
        const names = new Set(all.flatMap((line) => Object.keys(line)));
        const expected = text
          .trim()
          .split('\n')
          .map((line) => ({
            ...Object.fromEntries([...names].map((name) => [name, null])),
            ...parseLine(line),
          }));
        expect(await rows(READ)).toEqual(expected);
      }),
      fuzzParameters(0.5, 'written values'),
    );
  });

  test('in rows with many different keys', async () => {
    const lines = Array.from({ length: 400 }, (_, index) => ({
      item_id: `i${index}`,
      [`sensor_${index % 150}`]: index,
    }));
    const { rows } = await openCells(lines.map((line) => JSON.stringify(line)).join('\n'), 'cells.ndjson');
    expect((await rows(READ))[399]).toMatchObject({ item_id: 'i399', sensor_99: 399, sensor_98: null });
  });

  test('by keys in any case, one spelling per row', async () => {
    const text = '{"Item_ID": "a", "v": 1}\n{"item_id": "b", "V": 2.50}\n{"ITEM_ID": "c", "v": 3, "V": 4}\n';
    const { rows } = await openCells(text, 'cells.ndjson');
    expect(await rows(READ)).toEqual([
      { Item_ID: 'a', v: 1 },
      { Item_ID: 'b', v: '2.50' },
    ]);
    expect(await rows('SELECT item_id FROM blade.field.cells WHERE v > 2')).toEqual([{ item_id: 'b' }]);
  });

  test.each<[string, string[]]>([
    ['v > 9007199254740992', ['i0']],
    ['v = 9007199254740992', ['i1']],
    ['v + 1 = 2.5', ['i2']],
  ])('and SQL takes numbers for numbers in %s', async (condition, expected) => {
    const { rows } = await openCells(write(['9007199254740994', '9007199254740992', '1.5']), 'cells.ndjson');
    const found = await rows(`SELECT item_id FROM blade.field.cells WHERE ${condition}`);
    expect(found.map(({ item_id: id }) => id)).toEqual(expected);
  });

  test.each([
    'v IN (SELECT v FROM blade.field.cells WHERE item_id <> :id)',
    'v = (SELECT v FROM blade.field.cells WHERE item_id <> :id)',
    'EXISTS (SELECT 1 FROM blade.field.cells AS o WHERE o.v = t.v AND o.item_id <> :id)',
  ])('and SQL finds equal values of columns of several kinds in %s', async (condition) => {
    const { rows } = await openCells(write(['1', '"x"']), 'cells.ndjson');
    const sql = `SELECT v FROM blade.field.cells AS t WHERE ${condition}`;
    expect(await rows(sql, { id: 'i0' })).toEqual([{ v: 'x' }]);
    expect(await rows(sql, { id: 'i1' })).toEqual([{ v: 1 }]);
  });

  test.each<[string, unknown[]]>([
    ['SELECT v.a FROM blade.field.cells WHERE v.a > 1', [2.5]],
    ["SELECT item_id FROM blade.field.cells WHERE v.a = 1 AND get(t.v.b, 0) = 'x'", ['i0']],
    ['SELECT SIZE(v.b) FROM blade.field.cells ORDER BY v.a DESC', [0, 2]],
    ['SELECT v FROM blade.field.cells WHERE v.a = 1', [{ a: 1, b: ['x', 'y'] }]],
  ])('and SQL reads within values in %s', async (sql, expected) => {
    const { rows } = await openCells(
      write(['{"a": 1, "b": ["x", "y"]}', '{"a": 2.5, "b": []}']),
      'cells.ndjson',
    );
    expect((await rows(sql.replace('cells', 'cells AS t'))).map((row) => Object.values(row)[0])).toEqual(
      expected,
    );
  });
});
