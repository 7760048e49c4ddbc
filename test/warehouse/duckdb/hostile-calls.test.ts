import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KNOWN_FUNCTIONS } from '../../../src/sql-check/known-functions.ts';
import { duckDbFunctions } from '../../../src/warehouse/duckdb/functions.ts';
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
import type { StatementToTry, Tried } from './hostile-child.ts';

/** The engine's memory limit is 512 MB; this leaves room for what it does not count and for JavaScript. */
const MOST_RESIDENT_MEGABYTES = 1_500;

/** A statement is stopped once the process has grown by 1 GB, and the engine may take a few seconds to stop. */
const MOST_WITH_STATES = 4_000;

const STATEMENT_TIMEOUT_MS = 5_000;

/** Several times the five seconds after which a statement is stopped, for a busy machine. */
const MOST_MILLISECONDS = 40_000;

/** More would only make a failing test take longer. */
const ENOUGH_PROBLEMS = 5;

async function oddWarehouse(): Promise<FolderWarehouse> {
  const warehouse = await folderWarehouse();
  const values = Object.entries(columns).map(([name, { value }]) => `${value} AS ${name}`);
  await warehouse.write('odd.parquet', `SELECT ${values.join(', ')}`);
  return warehouse;
}

/** Runs statements in a child process, which is started again whenever a statement ends it, and collects what went wrong. */
async function findProblems(
  folder: string,
  statements: readonly StatementToTry[],
  limits = { megabytes: MOST_RESIDENT_MEGABYTES, timeoutMs: STATEMENT_TIMEOUT_MS },
): Promise<{ problems: readonly string[]; values: number }> {
  const problems: string[] = [];
  let values = 0;
  let child: ChildProcess | null = null;
  onTestFinished(() => void child?.kill('SIGKILL'));
  for (const statement of statements) {
    if (problems.length === ENOUGH_PROBLEMS) break;
    child ??= fork(join(import.meta.dirname, 'hostile-child.ts'), [folder, String(limits.timeoutMs)]);
    const tried: Tried | string = await tryIn(child, statement);
    if (typeof tried === 'string') {
      problems.push(`${statement.sql} ${tried}`);
      child.kill('SIGKILL');
      child = null;
      continue;
    }
    if (tried.isValue) values += 1;
    if (tried.problem !== null) problems.push(`${statement.sql} ${tried.problem}`);
    if (tried.residentMegabytes <= limits.megabytes) continue;
    problems.push(`${statement.sql} takes ${Math.round(tried.residentMegabytes)} MB`);
    child.kill('SIGKILL');
    child = null;
  }
  child?.kill('SIGKILL');
  return { problems, values };
}

/** @returns the child's reply, or how the child ended. */
async function tryIn(child: ChildProcess, statement: StatementToTry): Promise<Tried | string> {
  const settled = new AbortController();
  const { signal } = settled;
  const late = AbortSignal.timeout(MOST_MILLISECONDS);
  try {
    const answered = once(child, 'message', { signal: AbortSignal.any([signal, late]) });
    const ended = once(child, 'exit', { signal });
    ended.catch(() => {});
    child.send(statement);
    const [first, second] = await Promise.race([answered, ended]);
    if (typeof first === 'object' && first !== null) return first;
    return `ends the process (${second ?? first})`;
  } catch (error) {
    if (late.aborted) return `does not end within ${MOST_MILLISECONDS / 1_000} seconds`;
    throw error;
  } finally {
    settled.abort();
  }
}

/** Splits the statements between two processes. */
async function findProblemsOfAll(folder: string, statements: readonly StatementToTry[]) {
  const halves = [0, 1].map((half) => statements.filter((_statement, index) => index % 2 === half));
  const found = await Promise.all(halves.map((half) => findProblems(folder, half)));
  return {
    problems: found.flatMap(({ problems }) => problems),
    values: found.reduce((sum, { values }) => sum + values, 0),
  };
}

const LONG_TEST = { timeout: 600_000 };

describe('the process survives, in little memory and with an answer that people can read', LONG_TEST, () => {
  test('every function that people may call, whatever its arguments are', async () => {
    const { folder } = await oddWarehouse();
    const statements = hostileStatements().map((sql) => ({ sql, isForEngine: false }));
    const called = new Set(statements.flatMap(({ sql }) => sql.match(/\b\w+(?=\()/g) ?? []));
    expect([...KNOWN_FUNCTIONS].filter((name) => !called.has(name))).toEqual([]);
    const { problems, values } = await findProblemsOfAll(folder, statements);
    expect(problems).toEqual([]);
    expect(values).toBeGreaterThan(1_000);
  });

  test('every function that DuckDB may be asked for, whatever its arguments are', async () => {
    const { folder } = await oddWarehouse();
    const signatures = await readSignatures();
    const statements = hostileEngineStatements(signatures).map((sql) => ({ sql, isForEngine: true }));
    const named = new Set(signatures.map(({ name }) => name));
    // The engine does not list its own syntax and what the program adds as functions.
    const others = [...duckDbFunctions.keys()].filter((name) => !named.has(name));
    expect(others.filter((name) => !NOT_LISTED.has(name))).toEqual([]);
    const { problems, values } = await findProblemsOfAll(folder, statements);
    expect(problems).toEqual([]);
    expect(values).toBeGreaterThan(500);
  });

  test('whatever is given many times, made in rounds, nested or searched for', async () => {
    const { folder } = await oddWarehouse();
    const statements = hostileQueries.map((sql) => ({ sql, isForEngine: false }));
    expect((await findProblemsOfAll(folder, statements)).problems).toEqual([]);
  });

  test('aggregates and windows with states that the engine does not count', async () => {
    const { folder } = await oddWarehouse();
    for (const sql of LARGE_STATES) {
      const limits = { megabytes: MOST_WITH_STATES, timeoutMs: 10 * MOST_MILLISECONDS };
      const { problems } = await findProblems(folder, [{ sql, isForEngine: false }], limits);
      expect(problems).toEqual([]);
    }
  });
});

const NOT_LISTED: ReadonlySet<string> = new Set(['blade_room', 'blade_time', 'unnest']);

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
    ['from_json(j, \'{"a":"INTEGER"}\')', { a: 1 }],
    ['parse_json(\'{"a": [1, {"b": 2}]}\')', { a: [1, { b: 2 }] }],
    ['parse_json(j):a', 1],
    ["filter(CAST(s AS ARRAY<STRING>), v -> v <> u AND t LIKE concat(v, '%'))", ['a']],
    ['array_except(l, array(1))', [3, 2]],
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
