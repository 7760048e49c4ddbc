import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyMigrations } from '../../src/database/migrations.ts';
import { diffMigrations } from '../../src/database/write-migration.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

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
