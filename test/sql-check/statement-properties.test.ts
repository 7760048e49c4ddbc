import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createStartQueryJobInputSchema } from '../../src/jobs/input/start-query-job-input.ts';
import { createStartSyncInputSchema } from '../../src/jobs/input/start-sync-input.ts';
import { createRegistry } from '../../src/plugins/registry.ts';
import { checkFilter, checkQuery } from '../../src/sql-check/statement.ts';
import { everydayCalls } from '../warehouse/duckdb/everyday-calls.ts';

const { dataTypes } = createRegistry([]);
const queryJobInput = createStartQueryJobInputSchema(dataTypes, async () => null);
const syncInput = createStartSyncInputSchema(dataTypes, async () => null);

/** Random statements, made of pieces that are allowed and nested as people nest them. */
const column = fc.constantFrom('a', '`b c`', 's.d', 'flight_hours');
const literal = fc.constantFrom("'x'", '1', '2.5', 'NULL', "DATE '2024-01-01'", "'it''s'", "'-- no comment'");
const tableName = fc.constantFrom('blade.field.sortie', '`blade`.`field`.`logistics`', 'Other.x.`y z`');

const { expression, condition } = fc.letrec<{ expression: string; condition: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    column,
    literal,
    fc
      .tuple(tie('expression'), fc.constantFrom('+', '-', '*', '||'), tie('expression'))
      .map((part) => `(${part.join(' ')})`),
    tie('expression').map((inner) => `upper(${inner})`),
    tie('expression').map((inner) => `CAST(${inner} AS STRING)`),
    fc.tuple(tie('expression'), tie('expression')).map(([first, second]) => `coalesce(${first}, ${second})`),
    fc
      .tuple(tie('condition'), tie('expression'))
      .map(([test, value]) => `CASE WHEN ${test} THEN ${value} END`),
  ),
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .tuple(tie('expression'), fc.constantFrom('=', '<>', '<', 'LIKE'), tie('expression'))
      .map((part) => part.join(' ')),
    tie('expression').map((inner) => `${inner} IS NOT NULL`),
    fc.tuple(tie('expression'), tie('expression')).map(([left, right]) => `${left} IN (${right}, 1)`),
    fc
      .tuple(tie('condition'), fc.constantFrom('AND', 'OR'), tie('condition'))
      .map((part) => `(${part.join(' ')})`),
    tie('condition').map((inner) => `NOT (${inner})`),
  ),
}));

/** A query whose expressions and tables are those given. */
function createQueries(
  expressions: fc.Arbitrary<string>,
  tables: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  return fc.letrec<{ query: string }>((tie) => ({
    query: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.tuple(expressions, tables).map(([value, from]) => `SELECT ${value} AS v FROM ${from} AS s`),
      fc.tuple(condition, tables).map(([test, from]) => `SELECT * FROM ${from} AS s WHERE ${test}`),
      tie('query').map((inner) => `SELECT * FROM (${inner}) AS s`),
      tie('query').map((inner) => `WITH w AS (${inner}) SELECT * FROM w`),
      tie('query').map((inner) => `SELECT 1 AS one WHERE EXISTS (${inner})`),
      fc
        .tuple(tie('query'), tie('query'))
        .map(([left, right]) => `SELECT * FROM (${left}) AS l UNION ALL SELECT * FROM (${right}) AS r`),
    ),
  })).query;
}

const forbiddenExpressions = [
  "read_text('/etc/passwd')",
  "`read_csv`('x')",
  "getenv('HOME')",
  "current_setting('x')",
  'current_user()',
  'current_user',
  "secret('a', 'b')",
  "ai_query('m', 'q')",
  "java_method('java.lang.Runtime', 'exit')",
  "reflect('a', 'b')",
  'input_file_name()',
  'main.tools.spill(a)',
  'spill(a)',
  '?',
  '(SELECT * FROM secrets)',
  "(SELECT max(content) FROM read_files('/Volumes/x'))",
];
const forbiddenTables = [
  "read_csv('/etc/passwd')",
  "'file.csv'",
  'parquet.`/mnt/x`',
  'delta.`s3://bucket/x`',
  'sortie',
  'field.sortie',
  "query('drop table x')",
  "sqlite_scan('a', 'b')",
  "remote_query('a', query => 'b')",
  "IDENTIFIER('a.b.c')",
  '(DELETE FROM a.b.c)',
  '(INSERT INTO a.b.c VALUES (1) RETURNING *)',
  '(DESCRIBE a.b.c)',
  '(SHOW TABLES)',
];

/** A query that holds exactly one forbidden piece, wherever the nesting put it. */
const forbiddenQuery = fc.oneof(
  fc
    .tuple(createQueries(fc.constant('bad_piece'), tableName), fc.constantFrom(...forbiddenExpressions))
    .map(([query, piece]) => ({ query, mark: 'bad_piece', piece })),
  fc
    .tuple(createQueries(expression, fc.constant('bad.piece.here')), fc.constantFrom(...forbiddenTables))
    .map(([query, piece]) => ({ query, mark: 'bad.piece.here', piece })),
);

const RUNS = { numRuns: 500 };

describe('whatever is nested how', () => {
  test('a query of allowed pieces is taken, and so is what comes back', () => {
    fc.assert(
      fc.property(createQueries(expression, tableName), (query) => {
        const checked = checkQuery(query);
        expect(checked, query).toMatchObject({ ok: true });
        if (checked.ok)
          expect(checkQuery(`SELECT COUNT(*) AS n FROM (${checked.sql})`)).toMatchObject({ ok: true });
      }),
      RUNS,
    );
  });

  test('a filter of allowed pieces is taken, and so is what comes back', () => {
    fc.assert(
      fc.property(condition, (filter) => {
        const checked = checkFilter(filter);
        expect(checked, filter).toMatchObject({ ok: true });
        if (checked.ok) expect(checkFilter(checked.sql)).toMatchObject({ ok: true });
      }),
      RUNS,
    );
  });

  test('one forbidden piece in a query is an error that names the field', async () => {
    await fc.assert(
      fc.asyncProperty(forbiddenQuery, async ({ query, mark, piece }) => {
        fc.pre(query.includes(mark));
        const sqlQuery = query.replace(mark, () => piece);
        const parsed = await queryJobInput.safeParseAsync({ dataType: 'sortie', sqlQuery });
        expect(parsed.success, sqlQuery).toBe(false);
        expect(
          parsed.error?.issues.map(({ path }) => path.join('.')),
          sqlQuery,
        ).toEqual(['sqlQuery']);
      }),
      RUNS,
    );
  });

  test('one forbidden piece in a filter is an error that names the field', async () => {
    const pieces = [
      ...forbiddenExpressions,
      '(SELECT 1)',
      ':low',
      'count(a)',
      'row_number() OVER ()',
      '1; DROP TABLE x',
    ];
    await fc.assert(
      fc.asyncProperty(
        condition,
        fc.constantFrom(...pieces),
        fc.constantFrom('AND', 'OR'),
        async (rest, piece, word) => {
          const filter = `(${rest}) ${word} (a = ${piece})`;
          const parsed = await syncInput.safeParseAsync({ syncType: 'FULL', filter });
          expect(
            parsed.error?.issues.map(({ path }) => path.join('.')),
            filter,
          ).toEqual(['filter']);
        },
      ),
      RUNS,
    );
  });
});

describe('nothing that is sent breaks the check', () => {
  const words = fc.constantFrom(
    ...[
      'select',
      'from',
      '(',
      ')',
      ',',
      '.',
      ';',
      "'",
      '"',
      '`',
      '--',
      '/*',
      '*/',
      ':a',
      '?',
      '$1',
      '\0',
      '\\',
      '|>',
      '->',
    ],
    ...[
      'with',
      'as',
      'union',
      'case',
      'when',
      'end',
      'lateral',
      'values',
      'a.b.c',
      '{',
      '}',
      '[',
      ']',
      '::',
      '😀',
      '\ud800',
    ],
    ...[
      'recursive',
      'pivot',
      'interval',
      'cast',
      'not',
      'in',
      'between',
      'over',
      'array<',
      '>',
      'insert',
      'x',
      '1e',
      '0x',
    ],
  );

  test.each([
    ['random characters', fc.string({ unit: 'binary', maxLength: 400 })],
    ['random bytes', fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes).toString('latin1'))],
    ['random words', fc.array(words, { maxLength: 80 }).map((parts) => `select ${parts.join(' ')}`)],
    [
      'lone surrogates',
      fc
        .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 50 })
        .map((units) => String.fromCharCode(...units)),
    ],
  ])('%s end in a checked statement or in a reason', (_what, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        for (const checked of [checkQuery(text), checkFilter(text)])
          expect(checked).toSatisfy((it: typeof checked) => it.ok || it.message.length > 0);
      }),
      RUNS,
    );
  });

  const open = [
    '(',
    '(select * from (',
    'case when ',
    'upper(',
    'not ',
    '- ',
    'a[',
    'cast(',
    'array<',
    'x -> ',
    'with a as (',
  ];
  test.each(open)('%s without end and without measure ends at once, and the parser works on', (piece) => {
    for (const times of [30, 300, 3_000, 30_000]) {
      expect(checkQuery(`select ${piece.repeat(times)}`)).toMatchObject({ ok: false });
      expect(checkFilter(piece.repeat(times))).toMatchObject({ ok: false });
    }
    expect(checkQuery('select upper(a) from blade.field.sortie')).toMatchObject({ ok: true });
  });
});

describe('what Databricks receives is what people wrote', () => {
  const checkedExpression = (expression: string) => {
    const checked = checkQuery(`SELECT ${expression} AS v FROM blade.field.odd`);
    const sql = checked.ok ? checked.sql : `refused: ${checked.message}`;
    return sql.replace(/^SELECT | AS `v` FROM `blade`.*$/gs, '').replaceAll('`', '');
  };

  // Other names of a type, as Databricks lists them under "Data types".
  const TYPE_SYNONYMS = new Map([
    ...(['TEXT', 'CHAR', 'VARCHAR'] as const).map((name) => [name, 'STRING'] as const),
    ['NUMERIC(10, 2)', 'DECIMAL(10, 2)'],
    ['REAL', 'FLOAT'],
    ['INTEGER', 'INT'],
  ]);

  test.each([
    ...['BIGINT', 'BINARY', 'BOOLEAN', 'BYTE', 'DATE', 'DECIMAL', 'DECIMAL(10, 2)', 'DOUBLE', 'FLOAT', 'INT'],
    ...[
      'LONG',
      'SHORT',
      'SMALLINT',
      'TINYINT',
      'STRING',
      'CHAR(5)',
      'VARCHAR(10)',
      'VOID',
      'VARIANT',
      'OBJECT',
    ],
    ...[
      'TIME',
      'TIMESTAMP',
      'TIMESTAMP_NTZ',
      'TIMESTAMP_LTZ',
      'STRING COLLATE UTF8_BINARY',
      'GEOMETRY',
      'GEOGRAPHY',
    ],
    ...['INTERVAL DAY', 'INTERVAL YEAR', 'INTERVAL DAY TO SECOND', 'INTERVAL YEAR TO MONTH', 'ARRAY<TIME>'],
    ...[
      'ARRAY<TIMESTAMP_LTZ>',
      'MAP<STRING, TIMESTAMP_LTZ>',
      'STRUCT<a: TIMESTAMP_NTZ, b: ARRAY<TIMESTAMP_LTZ>>',
    ],
    ...TYPE_SYNONYMS.keys(),
  ])('the type %s', (type) => {
    const name = TYPE_SYNONYMS.get(type) ?? type;
    expect(checkedExpression(`CAST(t AS ${type})`)).toBe(`CAST(t AS ${name})`);
    expect(checkedExpression(`TRY_CAST(t AS ${type})`)).toBe(`TRY_CAST(t AS ${name})`);
    expect(checkedExpression(`t::${type}`)).toBe(`CAST(t AS ${name})`);
  });

  // Calls that Databricks documents as the same.
  const CALL_SYNONYMS = new Map([
    ['ceiling(x)', 'CEIL(x)'],
    ['mod(n, 2)', 'n % 2'],
    ['pow(x, 2)', 'POWER(x, 2)'],
    ['char_length(t)', 'LENGTH(t)'],
    ['character_length(t)', 'LENGTH(t)'],
    ['ends_with(t, u)', 'ENDSWITH(t, u)'],
    ['instr(t, u)', 'LOCATE(u, t)'],
    ['lcase(t)', 'LOWER(t)'],
    ['len(t)', 'LENGTH(t)'],
    ['position(u, t)', 'LOCATE(u, t)'],
    ['starts_with(t, u)', 'STARTSWITH(t, u)'],
    ['substr(t, 2, 3)', 'SUBSTRING(t, 2, 3)'],
    ['ucase(t)', 'UPPER(t)'],
    ["datepart('year', ts)", "DATE_PART('year', ts)"],
    ['iff(b, t, u)', 'IF(b, t, u)'],
    ['every(b)', 'BOOL_AND(b)'],
  ]);

  test.each(everydayCalls)('%s', (call) => {
    expect(checkedExpression(call).toLowerCase()).toBe((CALL_SYNONYMS.get(call) ?? call).toLowerCase());
  });
});
