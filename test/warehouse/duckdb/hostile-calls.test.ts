import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { KNOWN_FUNCTIONS } from '../../../src/sql-check/known-functions.ts';
import { duckDbFunctions } from '../../../src/warehouse/duckdb/functions.ts';
import { fuzzParameters } from '../../support/fuzz-runs.ts';
import { test } from '../../support/slow-parts.ts';
import { type FolderWarehouse, folderWarehouse } from '../folder-warehouse.ts';
import { everydayCalls, everydayExpressions } from './everyday-calls.ts';
import {
  columns,
  hostileEngineStatements,
  hostileQueries,
  hostileStatements,
  LARGE_STATES,
  type Signature,
} from './hostile-calls.ts';
import { runHostile } from './run-hostile.ts';

async function oddWarehouse(): Promise<FolderWarehouse> {
  const warehouse = await folderWarehouse({});
  const values = Object.entries(columns).map(([name, { value }]) => `${value} AS ${name}`);
  await warehouse.write('odd.parquet', `SELECT ${values.join(', ')}`);
  return warehouse;
}

const LONG_TEST = { timeout: 600_000 };

/** The part of the statements that one run tries, chosen by its seed; all of them take minutes. */
function choose(statements: readonly string[], name: string): string[] {
  const { numRuns, seed } = fuzzParameters(1, name);
  return (
    fc
      .sample(fc.shuffledSubarray([...statements], { minLength: Math.min(numRuns, statements.length) }), {
        numRuns: 1,
        seed,
      })[0]
      ?.slice(0, numRuns) ?? []
  );
}

describe('an engine gives an answer that people can read, in bounded time and memory', LONG_TEST, () => {
  test('for every function that people may call, whatever its arguments are', async () => {
    const { folder } = await oddWarehouse();
    const statements = hostileStatements();
    const called = new Set(statements.flatMap((sql) => sql.match(/\b\w+(?=\()/g) ?? []));
    expect([...KNOWN_FUNCTIONS].filter((name) => !called.has(name))).toEqual([]);
    const tried = choose(statements, 'functions');
    const { problems, values } = await runHostile(tried, { folder, table: 'odd', areForEngine: false });
    expect(problems).toEqual([]);
    expect(values).toBeGreaterThan(tried.length / 4);
  });

  test('for every function that DuckDB may be asked for, whatever its arguments are', async () => {
    const { folder } = await oddWarehouse();
    const signatures = await readSignatures();
    const statements = hostileEngineStatements(signatures);
    const named = new Set(signatures.map(({ name }) => name));
    // The engine does not list its own syntax as functions.
    expect([...duckDbFunctions].filter((name) => !named.has(name))).toEqual(['unnest']);
    const tried = choose(statements, 'functions of DuckDB');
    const { problems, values } = await runHostile(tried, { folder, table: 'odd', areForEngine: true });
    expect(problems).toEqual([]);
    expect(values).toBeGreaterThan(tried.length / 8);
  });

  test('for what is given many times, made in rounds, nested or searched for', async () => {
    const { folder } = await oddWarehouse();
    const tried = choose(hostileQueries, 'queries').slice(0, 30);
    const { problems } = await runHostile(tried, { folder, table: 'odd', areForEngine: false });
    expect(problems).toEqual([]);
  });

  test.each(LARGE_STATES)('for states that the engine does not count: %s', async (sql) => {
    const { rows } = await folderWarehouse({ memoryMegabytes: 1_000 });
    const failure: unknown = await rows(`SELECT max(v) AS v FROM (${sql})`).then(
      () => null,
      (error: unknown) => error,
    );
    if (failure !== null)
      expect(failure).toMatchObject({
        code: 'STATEMENT_FAILED',
        message: expect.stringMatching(/memory|seconds/),
      });
    expect(await rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

async function readSignatures(): Promise<Signature[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    `SELECT function_name AS name, parameter_types::VARCHAR[] AS types FROM duckdb_functions()
    WHERE function_type IN ('scalar', 'aggregate', 'macro')`,
  );
  const signatures = reader.getRowObjectsJson().map(({ name, types }) => ({
    name: String(name),
    types: Array.isArray(types) ? types.map(String) : [],
  }));
  connection.closeSync();
  instance.closeSync();
  return signatures;
}

describe('everyday statements still work', () => {
  test('each function, operator and cast gives a value', async () => {
    const { rows } = await oddWarehouse();
    const failed: string[] = [];
    for (const call of [...everydayCalls, ...everydayExpressions])
      await rows(`SELECT ${call} AS v FROM blade.field.odd`).catch((error: Error) => {
        if (!/ is not available on the folder warehouse/.test(error.message))
          failed.push(`${call}: ${error.message}`);
      });
    expect(failed).toEqual([]);
  });

  test.each([
    ["rpad(t, 8) || '|'", 'ab,c    |'],
    ["lpad(t, i, '*')", '*ab,c'],
    ["rpad(t, n, '*')", 'ab,'],
    ["repeat('-', 10)", '-'.repeat(10)],
    ['repeat(u, n)', 'bbb'],
    ["concat('[', space(i), ']')", '[     ]'],
    ["printf('%s: %5d', t, n)", 'ab,c:     3'],
    ["concat_ws('-', t, u, t2)", 'ab,c-b-2024-01-31'],
    ["replace(t, 'a', 'xyz')", 'xyzb,c'],
    ["t ILIKE '%B%C%'", true],
    ["t LIKE '%a_%c' AND t NOT LIKE '%a%d%'", true],
    ["'100%' LIKE '%0!%' ESCAPE '!'", true],
    ["'a_b' NOT ILIKE '%A!_%B' ESCAPE '!'", false],
    ["'naïve\\nI' ILIKE '%Ï%_i'", true],
    ["from_json(j, 'a INT')", { a: 1 }],
    ["filter(CAST(s AS ARRAY<STRING>), v -> v <> u AND t LIKE concat(v, '%'))", ['a']],
    ['array_except(l, array(1))', [2, 3]],
    ['map_from_arrays(s, l)', { a: 1, b: 2, c: 3 }],
    ['upper(concat(t, u, repeat(u, i)))', 'AB,CBBBBBB'],
  ])('%s is %j', async (call, value) => {
    const { rows } = await oddWarehouse();
    expect(await rows(`SELECT ${call} AS v FROM blade.field.odd`)).toEqual([{ v: value }]);
  });

  test('a pattern in a parameter finds what it finds in the statement', async () => {
    const { rows } = await oddWarehouse();
    const sql =
      'SELECT t LIKE :p AS a, t ILIKE :p AS b, t RLIKE :r AS c, t NOT LIKE :p AS d FROM blade.field.odd';
    expect(await rows(sql, { p: '%B%_C', r: 'b.c' })).toEqual([{ a: false, b: true, c: true, d: true }]);
    expect(await rows(sql, { p: null, r: null })).toEqual([{ a: null, b: null, c: null, d: null }]);
  });

  test.each([
    ['counts', 'SELECT 1 AS n', 'SELECT n + 1 FROM r', { n: 3_000 }],
    [
      'carries a text',
      'SELECT 1 AS n, large AS v FROM blade.field.odd',
      'SELECT n + 1, v FROM r',
      { n: 3_000 },
    ],
    [
      'changes a text, and does not make it longer',
      "SELECT 1 AS n, 'abc' AS v",
      'SELECT n + 1, upper(left(v, 2)) FROM r',
      { n: 3_000 },
    ],
    [
      'makes a text a little longer',
      "SELECT 1 AS n, '' AS v",
      "SELECT n + 1, concat(v, '/', n) FROM r",
      { n: 3_000 },
    ],
  ])('a recursive query that %s', async (_what, first, round, row) => {
    const { rows } = await oddWarehouse();
    const sql = `WITH RECURSIVE r AS (${first} UNION ALL ${round} WHERE n < 3000) SELECT max(n) AS n FROM r`;
    expect(await rows(sql)).toEqual([row]);
  });

  test('texts of joined tables can be put together, however many rows there are', async () => {
    const { rows, write } = await oddWarehouse();
    await write('many.parquet', "SELECT i AS id, repeat('x', 4000) || i AS body FROM range(5000) t(i)");
    const [row] = await rows(
      `SELECT count(*) AS n, sum(length(upper(concat(trim(m.body), o.t, '-', m.id)))) AS l
      FROM blade.field.many m CROSS JOIN blade.field.odd o WHERE o.t LIKE concat('%', o.u, '%')`,
    );
    expect(row).toMatchObject({ n: 5_000 });
  });
});
