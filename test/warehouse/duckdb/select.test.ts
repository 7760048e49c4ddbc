import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KNOWN_FUNCTIONS } from '../../../src/sql-check/known-functions.ts';
import { TABLE_FUNCTIONS } from '../../../src/sql-check/statement-rules.ts';
import { openLockedInstance } from '../../../src/warehouse/duckdb/instance.ts';
import { prepareSelect } from '../../../src/warehouse/duckdb/select.ts';
import { folderWarehouse, temporaryFolder } from '../folder-warehouse.ts';

/** What people must not reach even where the check of the Databricks statement let it through. */
const table = { catalog: 'blade', schema: 'field', table: 'sortie' };

async function lockedConnection(): Promise<{ connection: DuckDBConnection; folder: string }> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'inside.csv'), 'a\n1\n');
  const instance = await openLockedInstance({
    folder,
    overflow: join(folder, 'overflow'),
    memoryBytes: 1e9,
    diskBytes: 1e9,
  });
  const connection = await instance.connect();
  onTestFinished(() => {
    connection.closeSync();
    instance.closeSync();
  });
  for (const sql of [
    "ATTACH ':memory:' AS blade",
    'CREATE SCHEMA blade.field',
    'CREATE VIEW blade.field.sortie AS SELECT 1 AS id',
    'CREATE VIEW blade.field.other AS SELECT 2 AS id',
  ])
    await connection.run(sql);
  return { connection, folder };
}

describe('the engine, asked without the parser before it, refuses', () => {
  test.each([
    ['a COPY within its folder', (folder: string) => `COPY (SELECT 1) TO '${folder}/out.csv'`],
    [
      'a COPY that is explained',
      (folder: string) => `EXPLAIN ANALYZE COPY (SELECT 1) TO '${folder}/out.csv'`,
    ],
    ['a COPY behind a SELECT', (folder: string) => `SELECT 1; COPY (SELECT 1) TO '${folder}/out.csv'`],
    ['an export of itself', (folder: string) => `EXPORT DATABASE '${folder}/all'`],
    ['a table', () => 'CREATE TABLE blade.field.x AS SELECT 1'],
    ['a database', (folder: string) => `ATTACH '${folder}/x.duckdb' AS x`],
    ['a setting', () => 'SET threads = 8'],
    ['a PRAGMA', () => 'PRAGMA database_list'],
    ['a CALL', () => 'CALL pragma_version()'],
    ['an EXPLAIN', () => 'EXPLAIN SELECT 1'],
    ['a DESCRIBE in FROM', () => 'FROM (DESCRIBE SELECT 1)'],
    ['a SHOW in FROM', () => 'SELECT * FROM (SHOW ALL TABLES)'],
    ['a listing of tables', () => 'SELECT * FROM duckdb_tables()'],
    ['its settings', () => "SELECT current_setting('threads')"],
    ['the environment', () => "SELECT getenv('HOME')"],
    ['a file within its folder', (folder: string) => `SELECT * FROM '${folder}/inside.csv'`],
    ['a file by a function', (folder: string) => `SELECT * FROM read_text('${folder}/inside.csv')`],
    ['a file in a sub-query', (folder: string) => `SELECT (SELECT count(*) FROM glob('${folder}/*'))`],
    ['a file in a WITH', (folder: string) => `WITH x AS (FROM read_blob('${folder}/*')) FROM x`],
    ['a cast to VARIANT', () => "SELECT CAST(CAST('[]' AS JSON) AS VARIANT)"],
    ['a cast to VARIANT within a type', () => "SELECT TRY_CAST('{}'::JSON AS STRUCT(a VARIANT[]))"],
    ['a query in text', () => "SELECT * FROM query('SELECT 1')"],
    ['a table named by text', () => "SELECT * FROM query_table('blade.field.sortie')"],
    ['a table that was not named before', () => 'SELECT * FROM blade.field.other'],
    ['its own catalog', () => 'SELECT * FROM system.information_schema.tables'],
    ['a table without its full name', () => 'SELECT * FROM sqlite_master'],
  ])('%s', async (_what, sql) => {
    const { connection, folder } = await lockedConnection();
    await expect(prepareSelect(connection, sql(folder), [table])).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
    });
    expect(await readdir(folder)).toEqual(['inside.csv']);
  });

  test.each([
    'SELECT * FROM blade.field.sortie WHERE id = $id',
    'WITH x AS (SELECT * FROM Blade.Field.Sortie) SELECT * FROM x, range(3)',
    'WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT * FROM n',
    'SELECT * FROM (VALUES (1)) v(a), unnest([1, 2]) u(b)',
  ])('and takes %s', async (sql) => {
    const { connection } = await lockedConnection();
    const prepared = await prepareSelect(connection, sql, [table]);
    prepared.destroySync();
  });
});

test('no function that people may call reads a table, a file or a setting in DuckDB', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    `SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro', 'pragma')`,
  );
  const names = reader.getRows().map(([name]) => String(name));
  expect(names).toContain('read_csv');
  const reachable = names.filter((name) => KNOWN_FUNCTIONS.has(name) && !TABLE_FUNCTIONS.has(name));
  // As a table it is refused like any that is not in `tableFunctions`; as a value it repeats a text.
  expect(reachable).toEqual(['repeat']);
  connection.closeSync();
  instance.closeSync();
});

test('a statement that runs for longer than it may is ended, and the warehouse goes on', async () => {
  const { rows } = await folderWarehouse({ statementTimeoutMs: 300 });
  await expect(
    rows('SELECT COUNT(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.id + b.id = -1'),
  ).rejects.toMatchObject({
    code: 'STATEMENT_FAILED',
    message: 'The statement took longer than the 0.3 seconds that one may take.',
  });
  expect(await rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});
