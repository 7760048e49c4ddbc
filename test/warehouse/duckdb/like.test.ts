import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { admitStatement, registerRoom } from '../../../src/warehouse/duckdb/room.ts';
import { boundSelect } from '../../../src/warehouse/duckdb/select.ts';
import { quoteText } from '../../../src/warehouse/duckdb/text.ts';
import { fuzzParameters } from '../../support/fuzz-runs.ts';
import { test } from '../../support/without-database.ts';
import { folderWarehouse } from '../folder-warehouse.ts';

let instance: DuckDBInstance;

beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
});

afterAll(() => instance.closeSync());

/** Characters that patterns, regular expressions or changes of case treat specially. */
const CHARACTERS = [
  ...[
    'a',
    'A',
    'b',
    '%',
    '_',
    '\\',
    '!',
    '.',
    '*',
    '(',
    ')',
    '[',
    ']',
    '^',
    '$',
    '|',
    '?',
    '+',
    '{',
    '}',
    '-',
  ],
  ...[
    "'",
    '"',
    ' ',
    '\n',
    '\r',
    '\t',
    '0',
    '/',
    'é',
    'É',
    'ß',
    'ẞ',
    'İ',
    'ı',
    'K',
    'k',
    'ſ',
    's',
    'Σ',
    'σ',
    'ς',
  ],
  ...['Ǆ', 'ǆ', '\u0301', '😀', '\u2028', '\ufffd', '中', 'Ⅷ', 'Ω'],
];

const texts = fc.array(fc.constantFrom(...CHARACTERS), { maxLength: 8 }).map((parts) => parts.join(''));
const patterns = fc
  .array(fc.oneof(fc.constantFrom(...CHARACTERS), fc.constant('%')), { maxLength: 8 })
  .map((parts) => parts.join(''));
const operators = fc.constantFrom('LIKE', 'NOT LIKE', 'ILIKE', 'NOT ILIKE');
const escapes = fc.constantFrom('', " ESCAPE '!'", " ESCAPE '\\'", " ESCAPE 'a'", " ESCAPE ''");

test('a LIKE that is read once finds what the engine finds by itself', async () => {
  const connection = await instance.connect();
  registerRoom(connection);
  const number = admitStatement(new AbortController().signal);
  const run = async (sql: string) =>
    connection
      .runAndReadAll(sql)
      .then((result) => result.getRowsJson())
      .catch((error: Error) => error.message.split('\n')[0]);
  let rewritten = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(texts, { minLength: 1, maxLength: 6 }),
      operators,
      patterns,
      escapes,
      async (cells, operator, pattern, escaping) => {
        const rows = [...cells, pattern].map((cell) => `(${quoteText(cell)})`).join(', ');
        const sql = `SELECT cell ${operator} ${quoteText(pattern)}${escaping} AS found FROM (VALUES ${rows}, (NULL)) AS cells(cell)`;
        const bound = await boundSelect(connection, sql, { parameters: {}, number, tables: new Map() });
        if (bound.sql.includes('regexp_matches')) rewritten += 1;
        expect(await run(bound.sql), bound.sql).toEqual(await run(sql));
      },
    ),
    fuzzParameters(1, 'LIKE'),
  );
  expect(rewritten).toBeGreaterThan(0);
  connection.closeSync();
});

test.for([
  ["note LIKE '%a%a%a%a%a_b'", {}],
  ["note ILIKE '%a%a%a%a%ab'", {}],
  ['note NOT LIKE :pattern', { pattern: '%a%a%a%a%a_b' }],
  ["note RLIKE '(?s)^.*a.*a.*a.*a.*a.b$'", {}],
  ["note RLIKE concat('a.*a.*a.*', 'a.*a.b')", {}],
  ["regexp_like(note, 'a.*a.*a.*a.*a.b')", {}],
  ['note RLIKE :expression', { expression: '(?s).*a.*a.*a.*a.*a.b' }],
] as const)(
  'on long cells ends, where the engine would try for ever: %s',
  async ([condition, parameters]) => {
    const { write, rows } = await folderWarehouse();
    await write('sortie.csv', "SELECT 'S-1' AS item_id, repeat('a', 50000) AS note");
    const found = await rows(`SELECT item_id FROM blade.field.sortie WHERE ${condition}`, parameters);
    expect(found).toEqual(condition.includes('NOT') ? [{ item_id: 'S-1' }] : []);
  },
);

test('a pattern that may take too long is called by its operator in the message', async () => {
  const { rows, write } = await folderWarehouse();
  const columns = "repeat('ab', 500000) AS text, repeat('%a_', 100000) || 'c' AS pattern";
  await write('slow.parquet', `SELECT ${columns}`);
  for (const operator of ['LIKE', 'ILIKE', 'NOT LIKE', 'NOT ILIKE'])
    await expect(rows(`SELECT text ${operator} pattern AS v FROM blade.field.slow`)).rejects.toThrow(
      `${operator} may work for `,
    );
});
