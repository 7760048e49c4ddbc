import { describe, expect, test } from 'vitest';
import { quoteIdentifier, quoteTable } from '../../src/sql-check/quoted-name.ts';
import { checkQuery, MAX_STATEMENT_BYTES } from '../../src/sql-check/statement.ts';

describe('a query that only reads is taken', () => {
  test.each([
    ['a plain SELECT', 'select * from blade.field.sortie'],
    ['a closing semicolon', 'select * from blade.field.sortie;'],
    ['quoted names', 'SELECT * FROM `blade`.`field`.`sortie` WHERE `flight hours` > 2'],
    [
      'WITH',
      'with long as (select * from blade.field.sortie where flight_hours > 5) select count(*) from long',
    ],
    [
      'WITH RECURSIVE',
      'with recursive n as (select 1 as i union all select i + 1 from n where i < 9) select * from n',
    ],
    ['UNION', '(select 1) union all (select 2)'],
    ['INTERSECT and EXCEPT', 'select 1 intersect select 2 except select 3'],
    [
      'sub-queries',
      'select * from (select * from blade.field.sortie) s where exists (select 1 from blade.field.logistics)',
    ],
    [
      'joins',
      'select * from blade.field.sortie s left join blade.field.maintenance m on s.aircraft_tail = m.aircraft_tail',
    ],
    [
      'a join in parentheses',
      'select * from (blade.field.sortie s join blade.field.maintenance m using (aircraft_tail))',
    ],
    [
      'window functions and QUALIFY',
      'select * from blade.field.sortie qualify row_number() over (partition by aircraft_tail order by updated_at) = 1',
    ],
    ['LATERAL VIEW explode', 'select * from blade.field.sortie lateral view explode(tags) t as tag'],
    ['range as a table', 'select * from range(10)'],
    ['VALUES as a table', 'select * from (values (1), (2)) v(a)'],
    ['JSON paths', 'select payload:engine.hours from blade.field.sortie'],
    ['PIVOT', "select * from blade.field.sortie pivot (count(*) for mission_status in ('COMPLETED'))"],
    ['columns named like statements', 'select `delete`, `into` as `update` from blade.field.sortie'],
    ['any of a sub-query', 'select * from blade.field.sortie where flight_hours = any (select 1)'],
    ['names for the columns of a table', 'select * from blade.field.sortie s(a, b)'],
    ['names outside ASCII', 'with größe(é) as (select 1) select * from größe ü(ä)'],
    ['names for the columns of a WITH', 'with long(a, `b`) as (select 1, 2) select * from long l(c, d)'],
    ['names for the columns of VALUES', 'select * from values (1, 2) as v(a, b)'],
    ['names for the columns of a function', 'select * from range(3) r(i), lateral explode(array(1)) e(f)'],
    ['types with a size', 'select cast(a as decimal(10, 2)), b::varchar(3) from blade.field.sortie'],
    ['grouping sets', 'select a from blade.field.sortie group by grouping sets ((a), ())'],
    ['ordered aggregates', 'select percentile_cont(0.5) within group (order by a) from blade.field.sortie'],
    ['a column called user', 'select s.user, `user` from blade.field.sortie s'],
    ['a parameter behind LIMIT', 'select * from blade.field.sortie limit :n'],
  ])('%s', (_name, sql) => {
    expect(checkQuery(sql)).toMatchObject({ ok: true });
  });
});

describe('a query that does more, or is none, is refused', () => {
  test.each([
    ['nothing', '', /empty/],
    ['only a comment', '-- select 1', /empty/],
    ['two statements', 'select 1; select 2', /one statement/],
    [
      'a DROP behind the SELECT',
      'select * from blade.field.sortie; drop table blade.field.sortie',
      /one statement/,
    ],
    ['INSERT', 'insert into blade.field.sortie select 1', /starts with INSERT/],
    ['UPDATE', 'update blade.field.sortie set a = 1', /starts with UPDATE/],
    ['DELETE', 'delete from blade.field.sortie', /starts with DELETE/],
    ['MERGE', 'merge into a.b.c using d.e.f on 1 = 1 when matched then delete', /starts with MERGE/],
    ['COPY', "copy (select 1) to 'file.csv'", /starts with COPY/],
    ['SET', 'set x = 1', /starts with SET/],
    ['CALL', 'call procedure()', /starts with CALL/],
    ['SHOW', 'show tables', /starts with SHOW/],
    ['DESCRIBE', 'describe blade.field.sortie', /starts with DESCRIBE/],
    ['EXPLAIN', 'explain select 1', /starts with EXPLAIN/],
    ['VALUES alone', 'values (1)', /starts with VALUES/],
    ['a FROM without SELECT', 'from blade.field.sortie', /starts with FROM/],
    ['DELETE in WITH', 'with gone as (delete from a.b.c returning *) select * from gone', /WITH/],
    ['INSERT in WITH', 'with new as (insert into a.b.c values (1)) select 1', /WITH/],
    ['SELECT INTO', 'select a into b.c.d from blade.field.sortie', /reads/],
    ['FOR UPDATE', 'select * from blade.field.sortie for update', /lock/],
    ['FOR UPDATE further down', 'select * from (select * from blade.field.sortie for update) s', /lock/],
    ['a script', "select transform(a) using 'sh' from blade.field.sortie", /run code/],
    ['broken syntax', 'select * frm blade.field.sortie where', /line 1, column/],
    ['a quote that does not end', "select 'abc", /does not end/],
    ['a NUL character', 'select 1 \0 drop', /NUL/],
    ['deep nesting', `select ${'('.repeat(2000)}1${')'.repeat(2000)}`, /too deeply nested/],
    ['a very long sum', `select ${Array(40_000).fill('1').join('+')}`, /more than 10,000 words/],
    ['a long sum', `select ${Array(4_000).fill('1').join('+')}`, /too deeply nested or too long/],
    ['more than it may weigh', `select '${'x'.repeat(MAX_STATEMENT_BYTES)}'`, /longer than 100 kB/],
  ])('%s', (_name, sql, message) => {
    expect(checkQuery(sql)).toEqual({ ok: false, message: expect.stringMatching(message) });
  });
});

describe('what reaches past the tables is refused', () => {
  test.each([
    ['read_csv', "select * from read_csv('/etc/passwd')"],
    ['read_csv in quotes', "select * from `read_csv`('/etc/passwd')"],
    ['read_parquet', "select * from read_parquet('x')"],
    ['read_text as a method', "select ('/etc/passwd').read_text()"],
    ['read_files', "select * from read_files('/volumes/x')"],
    ['glob', "select * from glob('/**')"],
    ['sniff_csv', "select * from sniff_csv('x')"],
    ['parquet_scan', "select * from parquet_scan('x')"],
    ['a scan of another database', "select * from sqlite_scan('a', 'b')"],
    ['a function that is no known table', 'select * from stack_trace()'],
    ['an unknown function in LATERAL VIEW', 'select * from blade.field.sortie lateral view spill(a) t as b'],
    ['getenv', "select getenv('HOME')"],
    ['current_setting', "select current_setting('temp_directory')"],
    ['a listing of the engine', 'select * from duckdb_settings()'],
    ['a pragma', "select * from pragma_table_info('x')"],
    ['a query in text', "select * from query('drop table x')"],
    ['a table named by text', "select * from query_table('x')"],
    ['IDENTIFIER', "select * from identifier('a.b.c')"],
    ['java_method', "select java_method('java.lang.Runtime', 'exit')"],
    ['reflect', "select reflect('java.lang.System', 'getenv')"],
    ['ai_query', "select ai_query('model', 'question')"],
    ['secret', "select secret('scope', 'key')"],
    ['http_request', "select http_request(conn => 'x')"],
    ['a file as a table', "select * from 'file.csv'"],
    ['a file of a format', 'select * from parquet.`/x/y`'],
    ['a Delta folder', 'select * from delta.`s3://bucket/x`'],
    ['a function that people have made', 'select blade.tools.spill(a) from blade.field.sortie'],
    ['a function of the default schema', 'select spill(a) from blade.field.sortie'],
    ['a function in backquotes', 'select `spill`(a) from blade.field.sortie'],
    ['a function named as a word of the language', 'select `in`(a) from blade.field.sortie'],
    ['a function named as a table of the query', 'select f(a) from blade.field.sortie f(a)'],
    ['a function named as a WITH', 'with f(a) as (select 1) select *, f(a) as (b) from f'],
    ['a function with a letter outside ASCII', 'select spíll(a) from blade.field.sortie'],
    ['a function with a dollar sign', 'select spill$(a) from blade.field.sortie'],
    ['a function that is one in another case of Unicode alone', 'select cſc(a) from blade.field.sortie'],
    ['who is signed in', 'select current_user'],
    ['who is signed in, as a function', 'select session_user()'],
    ['where the session is', 'select current_catalog()'],
    ['the release of the engine', 'select version()'],
    ['the name of a file', 'select input_file_name() from blade.field.sortie'],
    ['a shell by way of a TVF', "select * from remote_query('c', query => 'drop table x')"],
    ['a name that climbs', 'select * from blade.field.`../x`'],
  ])('%s', (_name, sql) => {
    expect(checkQuery(sql)).toMatchObject({ ok: false });
  });
});

describe('tables go by their full names', () => {
  test('each is found once, wherever it stands', () => {
    const sql = `
      with a as (select * from One.x.T1), b as (select * from a)
      select * from b join two.y.t2 on true where c in (select d from three.z.t3 union select e from one.x.t1)`;
    const checked = checkQuery(sql);
    const names = checked.ok
      ? checked.tables.map(({ catalog, schema, table }) => `${catalog}.${schema}.${table}`)
      : [];
    expect(names.map((name) => name.toLowerCase()).sort()).toEqual(['one.x.t1', 'three.z.t3', 'two.y.t2']);
  });

  test('names that only Unicode takes for the same are two', () => {
    expect(checkQuery('select 1 from a.bank.x join a.ban\u212a.x on true')).toMatchObject({
      tables: [
        { catalog: 'a', schema: 'bank', table: 'x' },
        { catalog: 'a', schema: 'ban\u212a', table: 'x' },
      ],
    });
  });

  test.each(['sortie', 'field.sortie', 'a.blade.field.sortie'])('%s is refused', (name) => {
    expect(checkQuery(`select * from ${name}`)).toEqual({
      ok: false,
      message: `${name} is not the full name of a table: write it as catalog.schema.table.`,
    });
  });

  test.each([
    ['out of sight', 'select * from (with x as (select 1) select * from x) q, x', 'x'],
    [
      'of another branch',
      'select 1 where exists (with x as (select 1) select 1) or exists (select * from x)',
      'x',
    ],
    ['that is another in ASCII', 'with k as (select 1) select * from \u212a', '\u212a'],
    ['of the WITH itself', 'with sortie as (select * from sortie) select * from sortie', 'sortie'],
    [
      'before the UNION of a recursive WITH',
      'with recursive pg_settings as (select * from pg_settings union all select * from pg_settings) select 1',
      'pg_settings',
    ],
    [
      'of a recursive WITH without a UNION',
      'with recursive pg_class as (select * from pg_class) select * from pg_class',
      'pg_class',
    ],
    [
      'in a WITH within a recursive one, before its UNION',
      'with recursive n as (with x as (select * from n) select 1 from x union all select 2 from n) select 1',
      'n',
    ],
  ])('a name of a WITH %s is that of a table, and refused', (_where, sql, name) => {
    expect(checkQuery(sql)).toMatchObject({
      ok: false,
      message: `${name} is not the full name of a table: write it as catalog.schema.table.`,
    });
  });

  test('what a WITH names is sent under a name that no table has, and columns keep the name that was written', () => {
    const sql =
      'with recursive n as (select 1 as i union all select i + 1 from n where n.i < 9) select n.i, m.* from n, (with N as (select 2) select * from n) m';
    expect(checkQuery(sql)).toMatchObject({
      ok: true,
      tables: [],
      sql:
        'WITH RECURSIVE `blade_with_1` AS (SELECT 1 AS `i` UNION ALL SELECT `i` + 1 FROM `blade_with_1` AS `n` WHERE `n`.`i` < 9) ' +
        'SELECT `n`.`i`, `m`.* FROM `blade_with_1` AS `n` CROSS JOIN (WITH `blade_with_2` AS (SELECT 2) SELECT * FROM `blade_with_2` AS `n`) AS `m`',
    });
  });

  test('names are quoted so that nothing breaks out', () => {
    expect(quoteIdentifier('a`b')).toBe('`a``b`');
    const name = quoteTable({ catalog: 'a b', schema: 'x`; drop', table: 'é' });
    expect(name).toBe('`a b`.`x``; drop`.`é`');
    expect(checkQuery(`select * from ${name}`)).toMatchObject({
      ok: true,
      tables: [{ catalog: 'a b', schema: 'x`; drop', table: 'é' }],
    });
  });
});

describe('parameters', () => {
  test('are found by name, not in texts and paths', () => {
    const sql = "select ':no', payload:no from blade.field.sortie where a > :low and b = :high and c = :low";
    expect(checkQuery(sql)).toMatchObject({ ok: true, parameterNames: ['high', 'low'] });
  });

  test.each(['?', '$1', '$name', '@name', '@@name', ':1', ':`a b`'])('written as %s are refused', (mark) => {
    expect(checkQuery(`select * from blade.field.sortie where a = ${mark}`)).toMatchObject({
      ok: false,
      message: expect.stringContaining(':low'),
    });
  });
});

describe('what is sent is written anew from what was read', () => {
  test('without comments, with every name in backquotes, fit to be nested', () => {
    const sql = "/* a */ select '-- kept', /* b */ 'é😀' -- c\n from blade.field.sortie ; -- the end";
    const checked = checkQuery(sql);
    expect(checked).toMatchObject({ ok: true, sql: "SELECT '-- kept', 'é😀' FROM `blade`.`field`.`sortie`" });
    const text = checked.ok ? checked.sql : '';
    expect(checkQuery(`select count(*) from (${text})`)).toMatchObject({ ok: true });
  });

  test.each([
    ['a hint', 'select /*+ broadcast(s) */ 1', 'SELECT 1'],
    ['a comment within a comment', 'select /* /* */ 1 -- */ 2', 'SELECT 2'],
    ['nested comments', '/* /* */ select 1 */ select 2', 'SELECT 2'],
    [
      'escapes',
      String.raw`select 'it\'s', '\u0041\101\x', '\t', '\%'`,
      String.raw`SELECT 'it\'s', 'AAx', '\t', '\\%'`,
    ],
    ['a doubled quote', `select 'it''s', "a""b"`, String.raw`SELECT 'it\'s', 'a"b'`],
    ['raw texts', String.raw`select r'a\b', r"it's"`, String.raw`SELECT 'a\\b', 'it\'s'`],
    ['double quotes', `select "a" from blade.field.sortie`, "SELECT 'a' FROM `blade`.`field`.`sortie`"],
    ['a number with a suffix', 'select 1.5BD, 2BD', 'SELECT 1.5, CAST(2 AS DECIMAL(1, 0))'],
    ['what TRIM cuts off', "select trim('x', a)", "SELECT TRIM('x' FROM `a`)"],
    [
      'a query before UNION that ends in a sub-query',
      'with w as (select 1 as b) select a from (select 1 as a) union all select 2 where 2 = (select 2) except select b from w',
      'WITH `blade_with_1` AS (SELECT 1 AS `b`) (SELECT `a` FROM (SELECT 1 AS `a`)) UNION ALL (SELECT 2 WHERE 2 = (SELECT 2)) EXCEPT SELECT `b` FROM `blade_with_1` AS `w`',
    ],
    ['units of times', 'select datediff(day, a, b)', 'SELECT DATEDIFF(day, `a`, `b`)'],
    [
      'names that are words',
      'select `select`, a.`from` from blade.field.sortie a',
      'SELECT `select`, `a`.`from` FROM `blade`.`field`.`sortie` `a`',
    ],
  ])('%s', (_what, sql, sent) => {
    expect(checkQuery(sql)).toMatchObject({ ok: true, sql: sent });
  });

  test.each([
    ['a hint in a comment', 'select 1 /* /*+ a */ */', /comment/],
    ['a text in a hint', "select /*+ a('*/') */ 1", /hint/],
    ['a comment behind a carriage return', 'select 1 -- a\r, 2', /comment/],
    ['a comment that goes on behind a backslash', 'select 1 -- a\\\n, 2', /comment/],
    ['a comment that does not end', 'select 1 /* a', /comment/],
    ['a comment in a hint', 'select /*+ a /* */ 1', /comment/],
    ['a text between dollars', 'select $$a$$', /quotes/],
    ['a text of another dialect', "select e'a', n'b', u&'c', b'01'", /quotes/],
    ['curly quotes', 'select ‘a’', /straight quotes/],
    ['half a character', String.raw`select '\ud83d'`, /half a surrogate pair/],
    ['a NUL in a text', String.raw`select 'a\0b'`, /NUL/],
    ['a number that runs into a name', 'select .5fa', /neither a number/],
    [
      'GROUPING SETS behind columns',
      'select a from blade.field.sortie group by a, b grouping sets ((a), (b))',
      /GROUP BY GROUPING SETS/,
    ],
    ['a RIGHT JOIN behind a comma', 'select 1 from a.b.c, d.e.f right join g.h.i on true', /CROSS JOIN/],
    ['a join of DuckDB', 'select * from a.b.c positional join d.e.f', /no such join/],
    ['a sum of intervals that changes its sign', 'select -interval 1 day 2 hours', /another way/],
  ])('and what databases would read differently is refused: %s', (_what, sql, message) => {
    expect(checkQuery(sql)).toEqual({ ok: false, message: expect.stringMatching(message) });
  });
});

test.each([
  ['select * from blade.field.sortie', true],
  ["select 'rand()' from blade.field.sortie", true],
  ['select rand()', false],
  ['select * from blade.field.sortie where updated_at > now()', false],
  ['select current_date', false],
  ['select * from blade.field.sortie tablesample (10 rows)', false],
])('%s gives the same rows again: %s', (sql, isRepeatable) => {
  expect(checkQuery(sql)).toMatchObject({ ok: true, isRepeatable });
});
