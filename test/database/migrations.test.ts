import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, vi } from 'vitest';
import { diffMigrations } from '../../scripts/write-migration.ts';
import { MIGRATIONS_FOLDER } from '../../src/database/migrations/migration-files.ts';
import { applyMigrations, MigrationError } from '../../src/database/migrations/migrations.ts';
import { collectGarbage } from '../../src/shared/collect-garbage.ts';
import { test } from '../support/on-every-database.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const usesServer = inject('preparedDatabase').kind === 'server';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

/** Makes the database anew, with the migrations before this one. */
async function migratedUpTo(first: string): Promise<void> {
  await database.pool.query('drop schema public cascade; create schema public');
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  await cp(MIGRATIONS_FOLDER, folder, { recursive: true });
  for (const name of await readdir(folder)) {
    if (/^\d/.test(name) && name >= first) await rm(join(folder, name), { recursive: true });
  }
  await applyMigrations(database.connectionString, folder);
  await rm(folder, { recursive: true });
}

test("a migrated database records that in Prisma's table", async () => {
  const { rows } = await database.pool.query(
    'select migration_name from _prisma_migrations where finished_at is not null and rolled_back_at is null order by 1',
  );
  expect(rows[0]).toEqual({ migration_name: '20261124000000_init' });
});

test('applying the migrations again changes nothing, even if several processes start at once', async () => {
  const applied = await Promise.all([1, 2, 3].map(() => applyMigrations(database.connectionString)));
  expect(applied).toEqual([[], [], []]);
});

test('a process that loads the program again can migrate, while what it has used before is collected', async () => {
  const collecting = setInterval(collectGarbage, 200);
  try {
    for (let load = 0; load < 2; load++) {
      vi.resetModules();
      const loaded = await import('../../src/database/migrations/migrations.ts');
      await database.pool.query('drop schema public cascade; create schema public');
      expect(await loaded.applyMigrations(database.connectionString)).toContain('20261124000000_init');
    }
  } finally {
    clearInterval(collecting);
  }
});

test('the migrations lead to prisma/schema.prisma, also with their handwritten parts', async () => {
  expect(await diffMigrations()).toBeNull();
});

test('a migration that fails is named, leaves no trace, and is tried again once it is fixed', async () => {
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

test('items stored before uploads were recorded by batch keep their upload state', async () => {
  await migratedUpTo('20261124094500');
  await database.pool.query(`
    insert into blade_item (data_type, item_id, classification_marking, data, metadata, content_hash, job_id, catalog_id,
      uploaded_at, pending_partition_id)
    select 'sortie', id, 'U', '{}', '{}', '', '00000000-0000-0000-0000-000000000000', catalog_id, uploaded_at::timestamptz, owed_by::uuid
    from (values
      ('uploaded', 'BLADE-sortie-uploaded', '2026-01-01T00:00:00Z', null),
      ('uploaded with it', 'BLADE-sortie-uploaded with it', '2026-01-01T00:00:00Z', null),
      ('uploaded later', 'BLADE-sortie-uploaded later', '2026-01-02T00:00:00Z', null),
      ('owed', null, null, '00000000-0000-0000-0000-00000000000a'),
      ('owed with a new content', 'BLADE-sortie-owed with a new content', null, '00000000-0000-0000-0000-00000000000a'),
      ('rejected', null, null, null)
    ) as item (id, catalog_id, uploaded_at, owed_by)`);
  await applyMigrations(database.connectionString);
  const { rows } = await database.pool.query(
    `select item_id as id, uploaded_at as at, right(partition_id::text, 1) as "owedBy", was_uploaded as before
     from blade_item left join upload_batch on id = upload_batch_id order by item_id`,
  );
  expect(rows).toEqual([
    { id: 'owed', at: null, owedBy: 'a', before: false },
    { id: 'owed with a new content', at: null, owedBy: 'a', before: true },
    { id: 'rejected', at: null, owedBy: null, before: false },
    { id: 'uploaded', at: new Date('2026-01-01'), owedBy: null, before: false },
    { id: 'uploaded later', at: new Date('2026-01-02'), owedBy: null, before: false },
    { id: 'uploaded with it', at: new Date('2026-01-01'), owedBy: null, before: false },
  ]);
  expect((await database.pool.query('select 1 from upload_batch')).rowCount).toBe(3);
});

test('items that query jobs marked before floors were kept have them then, and all others are as they were', async () => {
  await migratedUpTo('20261126213815');
  const job = '00000000-0000-0000-0000-00000000000a';
  await database.pool.query(
    `insert into job (id, kind, state, sql_query, data_type, started_at, started_by_id, started_by_name)
     values ($1, 'QUERY', 'RUNNING', 'select 1', 'sortie', now(), 'maj.lee', 'Maj. Lee')`,
    [job],
  );
  await database.pool.query(
    `insert into blade_item (data_type, item_id, classification_marking, data, metadata, content_hash, job_id)
     select 'sortie', id, marking, data::jsonb, metadata::jsonb, 'hash', job_id::uuid from (values
       ('of a sync', 'TS', '{"classification_marking": "TS"}', '{"data_source": "A", "source_table": "b.f.a"}', gen_random_uuid()),
       ('raised', 'TOP SECRET', '{"classification_marking": " cui "}', '{"data_source": "A", "query_job_id": "1", "case": "X"}', $1::uuid),
       ('raised, with no marking', 'SECRET', '{}', '{"data_source": "A", "query_job_id": "1"}', gen_random_uuid()),
       ('marked so by its row', 'SECRET', '{"classification_marking": "secret"}', '{"query_job_id": "1"}', $1::uuid)
     ) as item (id, marking, data, metadata, job_id)`,
    [job],
  );
  await applyMigrations(database.connectionString);
  const { rows } = await database.pool.query(
    `select item_id as id, classification_marking as marking, row_marking as row, floor_marking as floor,
       floor_by_name as by, metadata, query_metadata as query, content_hash as hash from blade_item order by item_id`,
  );
  expect(rows).toEqual([
    {
      ...{ id: 'marked so by its row', marking: 'SECRET', row: null, floor: 'SECRET', by: 'Maj. Lee' },
      ...{ metadata: {}, query: { query_job_id: '1' }, hash: 'hash' },
    },
    {
      ...{ id: 'of a sync', marking: 'TS', row: null, floor: null, by: null },
      ...{ metadata: { data_source: 'A', source_table: 'b.f.a' }, query: null, hash: 'hash' },
    },
    {
      ...{ id: 'raised', marking: 'TOP SECRET', row: 'CUI', floor: 'TOP SECRET', by: 'Maj. Lee' },
      ...{ metadata: { data_source: 'A' }, query: { query_job_id: '1', case: 'X' }, hash: 'hash' },
    },
    {
      ...{ id: 'raised, with no marking', marking: 'SECRET', row: 'CONFIDENTIAL', floor: 'SECRET', by: null },
      ...{ metadata: { data_source: 'A' }, query: { query_job_id: '1' }, hash: 'hash' },
    },
  ]);
});

test('jobs that ended before outcomes were stored have one then, and retries have a mode', async () => {
  await migratedUpTo('20261127113338');
  await database.pool.query(`
    insert into job (id, kind, state, sync_type, started_at, finished_at, total_items, failure_reason, failed_items_only,
      retry_of_id, success_count, error_count, processed_items)
    select ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'SYNC', state::job_state, 'FULL', now(),
      case when state <> 'RUNNING' then now() end, success + errors, case when state = 'FAILED' then 'it broke' end,
      only_items, case when n in (3, 4) then '00000000-0000-0000-0000-000000000001'::uuid end, success, errors, success + errors
    from (values
      (1, 'COMPLETED', 5, 0, false), (2, 'COMPLETED', 5, 1, false), (3, 'COMPLETED', 0, 3, true), (4, 'FAILED', 5, 0, false),
      (5, 'FAILED', 0, 0, false), (6, 'FAILED', 0, 0, false), (7, 'CANCELLED', 5, 1, false), (8, 'RUNNING', 5, 1, false)
    ) as job (n, state, success, errors, only_items)`);
  await database.pool.query(`
    insert into job_partition (id, job_id, ordinal, data_type, source_name, state, finished_at, total_items)
    select gen_random_uuid(), ('00000000-0000-0000-0000-00000000000' || n)::uuid, row_number() over (), 'sortie', source,
      state::partition_state, now(), total
    from (values (2, 'East', 'COMPLETED', 6), (4, 'East', 'COMPLETED', 5), (4, 'East', 'COMPLETED', 0), (4, 'West', 'FAILED', 1),
      (5, 'East', 'COMPLETED', 0), (5, 'West', 'FAILED', 1), (6, 'East', 'FAILED', 1), (6, 'West', 'FAILED', 1)
    ) as part (n, source, state, total)`);
  await applyMigrations(database.connectionString);
  const { rows } = await database.pool.query(
    `select right(id::text, 1)::int as n, outcome, retry_mode as mode, completed_sources || ' of ' || total_sources as sources
     from job order by id`,
  );
  expect(rows).toEqual([
    { n: 1, outcome: 'SUCCEEDED', mode: null, sources: '0 of 0' },
    { n: 2, outcome: 'ITEMS_FAILED', mode: null, sources: '1 of 1' },
    { n: 3, outcome: 'NOTHING_SUCCEEDED', mode: 'FAILED_ITEMS', sources: '0 of 0' },
    { n: 4, outcome: 'SOURCES_FAILED', mode: 'ALL', sources: '1 of 2' },
    { n: 5, outcome: 'SOURCES_FAILED', mode: null, sources: '1 of 2' },
    { n: 6, outcome: 'NOTHING_SUCCEEDED', mode: null, sources: '0 of 2' },
    { n: 7, outcome: null, mode: null, sources: '0 of 0' },
    { n: 8, outcome: null, mode: null, sources: '0 of 0' },
  ]);
  const { rows: uncounted } = await database.pool.query(
    `select distinct source_name from job_partition where total_items is null order by 1`,
  );
  expect(uncounted).toEqual([{ source_name: 'East' }, { source_name: 'West' }]);
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
