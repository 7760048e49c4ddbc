import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { MIGRATIONS_FOLDER } from '../../src/database/migration-files.ts';
import { applyMigrations, MigrationError } from '../../src/database/migrations.ts';
import { diffMigrations } from '../../src/database/write-migration.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const usesServer = inject('preparedDatabase').kind === 'server';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

test('a migrated database says so in the table that Prisma keeps', async () => {
  const { rows } = await database.pool.query(
    'select migration_name from _prisma_migrations where finished_at is not null and rolled_back_at is null order by 1',
  );
  expect(rows[0]).toEqual({ migration_name: '20261124000000_init' });
});

test('applying the migrations again changes nothing, also when several processes start at once', async () => {
  const applied = await Promise.all([1, 2, 3].map(() => applyMigrations(database.connectionString)));
  expect(applied).toEqual([[], [], []]);
});

test('the migrations lead to prisma/schema.prisma, and their parts written by hand are no drift', async () => {
  expect(await diffMigrations()).toBeNull();
});

test('a migration that fails is named, leaves nothing of itself, and is tried again once it is mended', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  await cp(MIGRATIONS_FOLDER, folder, { recursive: true });
  const name = '29990101000000_half_right';
  await mkdir(join(folder, name));
  const write = (script: string) => writeFile(join(folder, name, 'migration.sql'), script);

  await write('create table half (id int); select 1 / 0;');
  const applying = applyMigrations(database.connectionString, folder);
  await expect(applying).rejects.toThrow(MigrationError);
  await expect(applying).rejects.toThrow(
    /^Migration 29990101000000_half_right did not apply: .*division by zero$/s,
  );
  const { rows } = await database.pool.query("select to_regclass('half') as found");
  expect(rows).toEqual([{ found: null }]);

  await write('create table half (id int); do $$ begin perform 1; end; $$;');
  expect(await applyMigrations(database.connectionString, folder)).toEqual([name]);
  expect(await applyMigrations(database.connectionString, folder)).toEqual([]);
  await rm(folder, { recursive: true });
});

test.skipIf(!usesServer)(
  `of several processes that start on a new database, one applies the migrations${usesServer ? '' : ' (skipped: needs a server)'}`,
  async () => {
    await database.pool.query('drop schema public cascade; create schema public');
    const applied = await Promise.all([1, 2, 3, 4].map(() => applyMigrations(database.connectionString)));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    expect(applied.flat()).toContain('20261124000000_init');
  },
);
