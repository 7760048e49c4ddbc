import { describe, expect, test } from 'vitest';
import { checkFilter, checkQuery } from '../../src/sql-check/statement.ts';

describe('what Databricks reads and the parser does not is spelled in another way', () => {
  test.each([
    ['corr(DISTINCT a, b)', 'CORR(DISTINCT `a`, `b`)'],
    ['kurtosis(DISTINCT a)', 'KURTOSIS(DISTINCT `a`)'],
    ['regr_slope(distinct a, b) filter (where c > 1)', 'REGR_SLOPE(DISTINCT `a`, `b`) FILTER(WHERE `c` > 1)'],
    ['corr(ALL a, b)', 'CORR(`a`, `b`)'],
    ['sum(ALL (a))', 'SUM((`a`))'],
    ["timestamp_ntz'2020-01-01'", "CAST('2020-01-01' AS TIMESTAMP_NTZ)"],
    ['hour(TIMESTAMP_LTZ "2020-01-01")', "HOUR(CAST('2020-01-01' AS TIMESTAMP_LTZ))"],
    ["date_add(timestamp_ntz'2020-01-01', 1)", "DATE_ADD(CAST('2020-01-01' AS TIMESTAMP_NTZ), 1)"],
    ['!true', 'NOT TRUE'],
    ['!a = b', 'NOT `a` = `b`'],
    ['a != b', '`a` <> `b`'],
    ['a !> b', '`a` <= `b`'],
    ['a !< b', '`a` >= `b`'],
    ['a >>> b', 'SHIFTRIGHTUNSIGNED(`a`, `b`)'],
    ['a + 1 >>> b & 3', 'SHIFTRIGHTUNSIGNED(`a` + 1, `b`) & 3'],
    ['a >>> 1 >> 2 >>> 3', 'SHIFTRIGHTUNSIGNED(SHIFTRIGHT(SHIFTRIGHTUNSIGNED(`a`, 1), 2), 3)'],
    ['.5f', 'CAST(0.5 AS FLOAT)'],
    ['-.25D', '-CAST(0.25 AS DOUBLE)'],
    ['.5BD', '0.5'],
    ['1e2BD', 'CAST(100 AS DECIMAL(3, 0))'],
    ['12.5E-3BD', '0.0125'],
    ['007BD', 'CAST(7 AS DECIMAL(1, 0))'],
    ["'?'", "'?'"],
    ['"a?"', "'a?'"],
    ['`?`', '`?`'],
    ['both', '`both`'],
    ['s.leading', '`s`.`leading`'],
    ['upper(trailing)', 'UPPER(`trailing`)'],
    ['trim(both)', 'TRIM(`both`)'],
    ["trim(both 'x' from both)", "TRIM(BOTH 'x' FROM `both`)"],
    ['trim(leading from a)', 'LTRIM(`a`)'],
    ['trim(trailing from a)', 'RTRIM(`a`)'],
    ['trim(both from a)', 'TRIM(`a`)'],
    ['div(a, 2)', '((`a`) DIV (2))'],
    ['a div (2)', '`a` DIV (2)'],
    ["CAST(a AS STRUCT<b BIGINT NOT NULL COMMENT 'it''s'>)", 'CAST(`a` AS STRUCT<b: BIGINT>)'],
    [
      'CAST(a AS ARRAY<STRUCT<b: MAP<INT, STRUCT<c INT NOT NULL>>>>)',
      'CAST(`a` AS ARRAY<STRUCT<b: MAP<INT, STRUCT<c: INT>>>>)',
    ],
    ["a::struct<b: string comment '>>>'>", 'CAST(`a` AS STRUCT<b: STRING>)'],
    ["a ILIKE ALL ('x', 'y')", "`a` ILIKE ALL ('x', 'y')"],
    ["NOT a LIKE ALL ('x', 'y')", "NOT (`a` LIKE ALL ('x', 'y'))"],
    ["NOT upper(a) ILIKE ANY ('x', 'y')", "NOT (UPPER(`a`) ILIKE ANY ('x', 'y'))"],
    ["b AND NOT a LIKE SOME ('x', 'y') AND c", "`b` AND NOT (`a` LIKE SOME ('x', 'y')) AND `c`"],
    ["a NOT LIKE ALL ('x', 'y')", "`a` NOT LIKE ALL ('x', 'y')"],
    ["to_timestamp_ntz('x')", "TO_TIMESTAMP_NTZ('x')"],
    ['make_timestamp_ltz(1, 2, 3, 4, 5, 6)', 'MAKE_TIMESTAMP_LTZ(1, 2, 3, 4, 5, 6)'],
    ['try_make_interval(1)', 'TRY_MAKE_INTERVAL(1)'],
    ["try_aes_decrypt(a, 'k')", "TRY_AES_DECRYPT(`a`, 'k')"],
  ])('the value %s', (written, sent) => {
    const checked = checkQuery(`SELECT ${written} FROM blade.field.odd`);
    expect(checked).toMatchObject({ ok: true, sql: `SELECT ${sent} FROM \`blade\`.\`field\`.\`odd\`` });
    expect(checked.ok && checkQuery(checked.sql)).toMatchObject({ ok: true });
  });

  test.each([
    ['SELECT 1 both, 2 leading', 'SELECT 1 AS `both`, 2 AS `leading`'],
    [
      "SELECT * FROM VALUES 1, -2, NULL, upper('x') AS t(a)",
      "SELECT * FROM VALUES (1), (-2), (NULL), (UPPER('x')) AS `t`(`a`)",
    ],
    [
      "SELECT * FROM VALUES 1, (2), DATE'2020-01-01'",
      "SELECT * FROM VALUES (1), (2), (CAST('2020-01-01' AS DATE))",
    ],
    [
      'WITH w AS (VALUES (1)) SELECT * FROM w',
      'WITH `blade_with_1` AS (SELECT * FROM VALUES (1)) SELECT * FROM `blade_with_1` AS `w`',
    ],
    ['SELECT 1 LIMIT ALL', 'SELECT 1'],
    ['SELECT 1 LIMIT CAST(1 AS INT)', 'SELECT 1 LIMIT (CAST(1 AS INT))'],
    ['SELECT 1 AS a ORDER BY ALL', 'SELECT 1 AS `a` ORDER BY ALL'],
    ['SELECT 1 AS a ORDER BY `all`', 'SELECT 1 AS `a` ORDER BY `all`'],
    [
      "SELECT * FROM a.b.c PIVOT (sum(e) s FOR y IN (1 one, 'x' AS two, 3))",
      "SELECT * FROM `a`.`b`.`c` PIVOT(SUM(`e`) AS `s` FOR `y` IN (1 AS `one`, 'x' AS `two`, 3))",
    ],
    [
      'SELECT * FROM a.b.c PIVOT (sum(e) + 1 AS s, max(e) FOR y IN (1))',
      'SELECT * FROM `a`.`b`.`c` PIVOT((SUM(`e`) + 1) AS `s`, MAX(`e`) FOR `y` IN (1))',
    ],
    [
      'SELECT * FROM a.b.c UNPIVOT INCLUDE NULLS (v FOR q IN (x, y z))',
      'SELECT * FROM `a`.`b`.`c` UNPIVOT INCLUDE NULLS (`v` FOR `q` IN (`x`, `y` AS `z`))',
    ],
    [
      'SELECT * FROM a.b.c UNPIVOT EXCLUDE NULLS (v FOR q IN (x, y))',
      'SELECT * FROM `a`.`b`.`c` UNPIVOT EXCLUDE NULLS (`v` FOR `q` IN (`x`, `y`))',
    ],
    [
      'SELECT * FROM a.b.c TABLESAMPLE (10 ROWS) REPEATABLE (7)',
      'SELECT * FROM `a`.`b`.`c` TABLESAMPLE (10 ROWS) REPEATABLE (7)',
    ],
    ["SELECT /* a /* b */ ' */ 1 -- /* '", 'SELECT 1'],
    ["SELECT '/*' /* '*/, '--' -- */ '", "SELECT '/*', '--'"],
    ['SELECT 1 /* a\n/* b */\n*/ AS v', 'SELECT 1 AS `v`'],
  ])('the query %s', (written, sent) => {
    const checked = checkQuery(written);
    expect(checked).toMatchObject({ ok: true, sql: sent });
    expect(checked.ok && checkQuery(checked.sql)).toMatchObject({ ok: true });
  });

  test('a filter, too', () => {
    expect(checkFilter("!(a >>> 1 = 2) and not b like all ('x', 'y')")).toMatchObject({
      ok: true,
      sql: "(NOT (SHIFTRIGHTUNSIGNED(`a`, 1) = 2) AND NOT (`b` LIKE ALL ('x', 'y')))",
    });
    expect(checkFilter('corr(DISTINCT a, b) > 1')).toMatchObject({
      message: expect.stringMatching(/aggregate/),
    });
  });
});

describe('what is not read here is refused by its name, with what would work', () => {
  test.each([
    ['SELECT * FROM a.b.c |> WHERE x > 1', 'Pipe syntax (|>) is not read here: write it as a sub-query.'],
    ['FROM a.b.c |> WHERE x > 1', 'Pipe syntax (|>) is not read here: write it as a sub-query.'],
    ['FROM a.b.c SELECT x', 'Only a SELECT can run here: the query starts with FROM. Write SELECT … FROM ….'],
    ['VALUES (1)', 'Only a SELECT can run here: the query starts with VALUES. Write SELECT * FROM VALUES ….'],
    [
      'TABLE a.b.c',
      'Only a SELECT can run here: the query starts with TABLE. Write SELECT * FROM catalog.schema.table.',
    ],
    ['SELECT CAST(a AS STRUCT<>) FROM b.c.d', 'STRUCT<> is not read here: name the fields of the struct.'],
    [
      'WITH RECURSIVE t(n) MAX RECURSION LEVEL 9 AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT * FROM t',
      'MAX RECURSION LEVEL is not read here: leave it out, or stop the recursion with WHERE.',
    ],
    ["SELECT IDENTIFIER('a') FROM b.c.d", 'IDENTIFIER(…) cannot be used here: write the name itself.'],
    ['SELECT 1e99BD', '1e99BD is not supported: it has more digits than a DECIMAL.'],
  ])('%s', (sql, message) => {
    expect(checkQuery(sql)).toEqual({ ok: false, message });
  });

  test.each([
    'SELECT nulls(a) FROM b.c.d',
    'SELECT x FROM a.b.c WHERE include nulls (a)',
    'SELECT `nulls`(a) FROM b.c.d',
    'SELECT repeatable(a) FROM b.c.d',
    'SELECT both(a) FROM b.c.d',
    'SELECT blade_distinct_corr(a, b) FROM b.c.d',
    'SELECT blade_distinct_corr(DISTINCT a, b) FROM b.c.d',
  ])('a function that is called like a word of the language is not let in: %s', (sql) => {
    expect(checkQuery(sql)).toMatchObject({ ok: false });
  });
});
