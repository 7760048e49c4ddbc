import { describe, expect, test } from 'vitest';
import { checkFilter, checkQuery, MAX_STATEMENT_BYTES } from '../../src/sql-check/statement.ts';

describe('a condition is taken and written anew', () => {
  test.each([
    ["priority = 'HIGH'", "(`priority` = 'HIGH')"],
    [
      "flight_hours > 2 and mission_status <> 'CANCELLED'",
      "(`flight_hours` > 2 AND `mission_status` <> 'CANCELLED')",
    ],
    ['(a = 1) or (b = 2)', '((`a` = 1) OR (`b` = 2))'],
    ['not (a between 1 and 2)', '(NOT (`a` BETWEEN 1 AND 2))'],
    ['a in (1, 2)', '(`a` IN (1, 2))'],
    ["a like 'x%' escape '!'", "(`a` LIKE 'x%' ESCAPE '!')"],
    ["a rlike 'x'", "(`a` RLIKE 'x')"],
    ['a is not null', '(`a` IS NOT NULL)'],
    ['a is true', '(`a` IS TRUE)'],
    ['a <=> b', '(`a` IS NOT DISTINCT FROM `b`)'],
    ['true', '(TRUE)'],
    ['cast(a as boolean)', '(CAST(`a` AS BOOLEAN))'],
    ["startswith(a, 'x')", "(STARTSWITH(`a`, 'x'))"],
    ['isnull(a)', '(ISNULL(`a`))'],
    ['coalesce(a = 1, false)', '(COALESCE(`a` = 1, FALSE))'],
    ['case when a = 1 then b = 2 else false end', '(CASE WHEN `a` = 1 THEN `b` = 2 ELSE FALSE END)'],
    ['if(a = 1, b = 2, c = 3)', '(IF(`a` = 1, `b` = 2, `c` = 3))'],
    ["a = 'it\\'s'", "(`a` = 'it\\'s')"],
    ['`a``b` = "x"', "(`a``b` = 'x')"],
    [
      "updated_at > timestamp '2024-01-01 00:00:00'",
      "(`updated_at` > CAST('2024-01-01 00:00:00' AS TIMESTAMP))",
    ],
    [
      "updated_at > cast('2024-01-01' as timestamp_ntz)",
      "(`updated_at` > CAST('2024-01-01' AS TIMESTAMP_NTZ))",
    ],
    ["payload:engine = 'x'", "(`payload`:engine = 'x')"],
    ['exists(tags, tag -> tag = 1)', '(EXISTS(`tags`, `tag` -> `tag` = 1))'],
  ])('%s', (filter, sql) => {
    expect(checkFilter(filter)).toEqual({ ok: true, sql, isRepeatable: true });
    expect(checkQuery(`SELECT * FROM a.b.c WHERE ${sql} AND x = 1`)).toMatchObject({ ok: true });
    expect(checkFilter(sql)).toMatchObject({ ok: true, sql: `(${sql})` });
  });
});

describe('what is no condition is refused with what would be right', () => {
  test.each([
    ['priority', "priority is not a condition: compare it, as in priority = 'HIGH' or priority IS NOT NULL."],
    ['(priority)', /^priority is not a condition: compare it/],
    ['not priority', /^priority is not a condition: compare it/],
    ["a = 1 and 'x'", /^'x' is not a condition: write a comparison/],
    ['1', /^1 is not a condition/],
    ["'HIGH'", /^'HIGH' is not a condition/],
    ['a + 1', /^a \+ 1 is not a condition/],
    ['null', /^NULL is not a condition/],
    ['upper(a)', /^UPPER\(a\) is not a condition/],
    ['*', /not a condition/],
    ['', /empty/],
    ['   ', /empty/],
    ['-- a = 1', /empty/],
  ])('%s', (filter, message) => {
    const expected = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(checkFilter(filter)).toEqual({ ok: false, message: expected });
  });
});

describe('nothing breaks out of a filter', () => {
  test.each([
    ['a closing parenthesis', '1 = 1) union select * from (a.b.c', /line 1, column/],
    ['UNION', '1 = 1 union select 1', /not a query/],
    ['a second statement', '1 = 1; drop table a.b.c', /semicolon/],
    ['a closing semicolon', '1 = 1;', /semicolon/],
    ['a comment to the end', '1 = 1 -- ', /comment/],
    ['a comment within', 'a = /* x */ 1', /comment/],
    ['ORDER BY', 'a = 1 order by b', /ORDER BY/],
    ['LIMIT', 'a = 1 limit 1', /LIMIT/],
    ['GROUP BY', 'a = 1 group by b', /GROUP BY/],
    ['QUALIFY', 'a = 1 qualify b = 1', /QUALIFY/],
    ['FOR UPDATE', 'a = 1 for update', /./],
    ['TABLESAMPLE', 'a = 1 tablesample (1 rows)', /./],
    ['another clause of its own', 'a = 1 having b = 1', /HAVING/],
    ['a quote that does not end', "a = 'x", /does not end/],
    ['a sub-query', 'a in (select b from c.d.e)', /cannot contain a sub-query/],
    ['a scalar sub-query', 'true = (select true)', /cannot contain a sub-query/],
    ['EXISTS of a query', 'exists (select 1)', /cannot contain a sub-query/],
    ['ALL of a query', 'a > all (select 1)', /cannot contain a sub-query/],
    ['an aggregate', 'count(*) > 1', /one row at a time/],
    ['a window function', 'row_number() over () = 1', /window/],
    ['a named parameter', 'a = :low', /cannot have parameters/],
    ['a parameter by place', 'a = ?', /cannot have parameters/],
    ['a file', "read_text('/etc/passwd') = 'x'", /read_text/],
    ['the environment', "getenv('HOME') = 'x'", /getenv/],
    ['a NUL character', "a = '\0'", /NUL/],
    ['deep nesting', `${'('.repeat(500)}1 = 1${')'.repeat(500)}`, /too deeply nested/],
    ['too much of it', `a = '${'x'.repeat(MAX_STATEMENT_BYTES)}'`, /longer than/],
  ])('%s', (_name, filter, message) => {
    expect(checkFilter(filter)).toEqual({ ok: false, message: expect.stringMatching(message) });
  });
});

test('a filter whose result changes each time is reported as such', () => {
  expect(checkFilter('updated_at < now()')).toMatchObject({ ok: true, isRepeatable: false });
});

test('a comment that never ends is refused', () => {
  expect(checkFilter('1 = 1 /*')).toMatchObject({ ok: false, message: expect.stringContaining('comment') });
});

test('a place in a filter is told by the line and column that people see', () => {
  expect(checkFilter('a = 1\nand b = = 2')).toMatchObject({
    ok: false,
    message: expect.stringMatching(/line 2, column/),
  });
});
