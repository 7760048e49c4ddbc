import { describe, expect, test } from 'vitest';
import { createRegistry } from '../../../src/plugins/registry.ts';
import { checkFilter, checkQuery, selectFiltered } from '../../../src/sql-check/statement.ts';
import { findFolderProblem } from '../../../src/warehouse/duckdb/dialect.ts';

function findProblem(sql: string): string | null {
  const checked = checkQuery(sql);
  if (!checked.ok) throw new Error(checked.message);
  return findFolderProblem(checked.sql);
}

describe('before a job starts, the folder refuses by name', () => {
  test.each([
    ['a function that it does not have', "SELECT xpath(x, 'a/b') FROM a.b.c", 'xpath() is not available'],
    ['an interval as a value', 'SELECT INTERVAL 1 DAY AS d', 'An INTERVAL as a value is not available'],
    ['a sort within partitions', 'SELECT a FROM b.c.d SORT BY a', 'SORT BY is not available'],
    ['an aggregate of sketches', 'SELECT hll_sketch_agg(x) FROM a.b.c', 'hll_sketch_agg() is not available'],
  ])('%s', (_what, sql, message) => {
    expect(findProblem(sql)).toMatch(message);
  });

  test('a function in a filter', () => {
    const checked = checkFilter("xpath_int(x, 'a/b') > 1");
    expect(checked.ok && findFolderProblem(selectFiltered(checked.sql))).toMatch(
      'xpath_int() is not available on the folder warehouse.',
    );
  });

  test.each([
    'SELECT upper(a), count(*) FROM b.c.d GROUP BY ALL',
    'SELECT explode(a) AS x FROM b.c.d',
    'SELECT a[0] AS x, typeof(b) AS t FROM b.c.d',
  ])('but nothing that the types of its columns decide on: %s', (sql) => {
    expect(findProblem(sql)).toBeNull();
  });

  test('and nothing of it on Databricks', async () => {
    const { findStatementProblem } = createRegistry([]);
    const sql = "SELECT xpath(`x`, 'a/b') FROM `a`.`b`.`c`";
    const choice = { settings: {}, allowedSchemas: [], statementTimeoutMs: 1_000 };
    expect(await findStatementProblem({ ...choice, name: 'databricks' } as never, sql)).toBeNull();
    expect(await findStatementProblem({ ...choice, name: 'duckdb' } as never, sql)).toMatch(/not available/);
  });
});
