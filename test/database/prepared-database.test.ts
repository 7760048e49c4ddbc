import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect } from 'vitest';
import { createClearedViews } from '../../src/database/cleared-views.ts';
import type { Database } from '../../src/database/database.ts';
import { startEmbeddedServer } from '../../src/database/embedded/server.ts';
import { applyMigrations } from '../../src/database/migrations/migrations.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { findPreparedDatabase } from '../../src/database/prepared-database.ts';
import { test } from '../support/on-embedded.ts';

/** All that a database has of ours: its columns, constraints, indexes, functions, triggers, views and rows. */
const CONTENT = `
  select 'column' as kind, format('%s.%s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull) as found
    from pg_attribute join pg_class on pg_class.oid = attrelid where relnamespace = 'public'::regnamespace and attnum > 0
  union all select 'constraint', format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint
    where connamespace = 'public'::regnamespace
  union all select 'index', pg_get_indexdef(indexrelid) from pg_index join pg_class on pg_class.oid = indrelid
    where relnamespace = 'public'::regnamespace
  union all select 'function', pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace
  union all select 'trigger', pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
  union all select 'view', pg_get_viewdef(oid) from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace
  union all select 'migration', migration_name || checksum from _prisma_migrations where finished_at is not null
  union all select 'rows', format('%s %s', oid::regclass, (xpath('/row/n/text()',
      query_to_xml(format('select count(*) as n from %s', oid::regclass), false, true, '')))[1]::text)
    from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> 'retention'
  order by 1, 2`;

async function readContent({ connectionString }: Database): Promise<unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(CONTENT)).rows;
  } finally {
    await client.end();
  }
}

test('a first start has the database that the build made, which is the one that the migrations make', async () => {
  const archive = await findPreparedDatabase();
  if (archive === null) throw new Error('The build made no database for these migrations: run npm run build');
  expect((await stat(archive)).size).toBeLessThan(4_000_000);
  const root = await mkdtemp(join(tmpdir(), 'blade-test-'));
  try {
    const created = await startEmbeddedServer({ folder: join(root, 'created') });
    await applyMigrations(created.connectionString);
    await createClearedViews(created.connectionString);
    const expected = await readContent(created);
    await created.close();
    const unpacked = await openDatabase({ folder: join(root, 'unpacked') });
    expect(await readContent(unpacked)).toEqual(expected);
    await unpacked.close();
    expect(expected.length).toBeGreaterThan(300);
  } finally {
    await rm(root, { recursive: true });
  }
});

test('a retention counts from the first start, not from the build', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  try {
    const database = await openDatabase({ folder });
    const client = new Client({ connectionString: database.connectionString });
    await client.connect();
    expect((await client.query('select 1 from retention')).rowCount).toBe(0);
    await client.end();
    await database.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});
