import { Client } from 'pg';
import { afterAll, beforeAll, expect } from 'vitest';
import {
  createClearedViews,
  DROP_CLEARED_VIEWS,
  findClearedSchema,
  listClearedColumns,
  WITHHELD_REASON,
} from '../../src/database/cleared-views.ts';
import { test } from '../support/on-every-database.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

/** What no view shows: only the program itself reads it. */
const NOT_SHOWN = [
  ...[
    '_prisma_migrations',
    'api_key',
    'delete_approval',
    'item_removal',
    'read_batch',
    'read_ids',
    'retention',
  ],
  'start_request',
];

async function listColumns(schema: string): Promise<Map<string, string[]>> {
  const { rows } = await database.pool.query<{ table: string; columns: string[] }>(
    `select table_name as "table", array_agg(column_name::text order by column_name) as columns
     from information_schema.columns where table_schema = $1 group by table_name order by table_name`,
    [schema],
  );
  return new Map(rows.map(({ table, columns }) => [table, columns]));
}

test('each table and column has a decision on whether and how principals see it', async () => {
  const tables = await listColumns('public');
  for (const name of NOT_SHOWN) tables.delete(name);
  const considered = new Map(
    [...listClearedColumns()].sort().map(([table, columns]) => [table, [...columns].sort()] as const),
  );
  expect(considered, 'src/database/cleared-views.ts has to say what principals see of it').toEqual(tables);
});

test.each(['U', 'CUI', 'CONFIDENTIAL', 'SECRET'] as const)(
  'an opened database has the views for %s',
  async (clearance) => {
    const views = await listColumns(findClearedSchema(clearance) ?? '');
    expect([...views.keys()]).toEqual([...listClearedColumns().keys()].sort());
  },
);

test('clearance for everything needs no views', () => {
  expect([findClearedSchema('TS'), findClearedSchema('TOP SECRET')]).toEqual([null, null]);
});

test('both ways to write a marking are the same clearance', () => {
  expect(findClearedSchema('S')).toBe(findClearedSchema('SECRET'));
});

test('missing or outdated views are created again, by one of several processes that start at once', async () => {
  const schema = findClearedSchema('SECRET') ?? '';
  const countViews = async () => (await listColumns(schema)).size;
  const all = await countViews();
  const client = new Client({ connectionString: database.connectionString });
  await client.connect();
  try {
    await client.query(DROP_CLEARED_VIEWS);
    expect(await countViews()).toBe(0);
    await Promise.all([1, 2, 3].map(() => createClearedViews(database.connectionString)));
    expect(await countViews()).toBe(all);
    await client.query(
      `comment on schema ${findClearedSchema('U')} is 'of another version'; drop view ${schema}.blade_item`,
    );
    await createClearedViews(database.connectionString);
    expect(await countViews()).toBe(all);
  } finally {
    await client.end();
  }
});

test('why a job failed is shown without the number of rows that were not read, whose markings nobody knows', async () => {
  await database.pool.query(
    `insert into job (id, kind, state, sync_type, outcome, marking, failure_reason, total_items, finished_at)
     values ('01997f3e-8c1a-7000-8000-0000000000f0', 'SYNC', 'FAILED', 'FULL', 'SOURCES_FAILED', 'UNCLASSIFIED',
       'Sorties: it broke; Depots: it is gone. 7 of 9 rows were not read.', 9, now())`,
  );
  await database.pool.query(
    `insert into job_partition (id, job_id, ordinal, data_type, source_name, state, message, message_marking, finished_at)
     select ('01997f3e-8c1a-7000-8000-0000000000f' || n)::uuid, '01997f3e-8c1a-7000-8000-0000000000f0', n, 'sortie', source,
       state::partition_state, message, marking, now()
     from (values (1, 'Sorties', 'FAILED', 'it broke', 'UNCLASSIFIED'), (2, 'Sorties', 'FAILED', 'it broke', 'UNCLASSIFIED'),
       (3, 'Supply', 'COMPLETED', null, null), (4, 'Depots', 'FAILED', 'it is gone', 'CUI'))
       as parts (n, source, state, message, marking)`,
  );
  const reasonFor = async (clearance: 'U' | 'CUI') => {
    const { rows } = await database.pool.query(
      `select failure_reason from ${findClearedSchema(clearance)}.job where id = '01997f3e-8c1a-7000-8000-0000000000f0'`,
    );
    return rows[0].failure_reason;
  };
  expect(await reasonFor('CUI')).toBe('Sorties: it broke; Depots: it is gone');
  expect(await reasonFor('U')).toBe(WITHHELD_REASON);
  await database.pool.query(`delete from job where id = '01997f3e-8c1a-7000-8000-0000000000f0'`);
});

test('reading items and errors up to a clearance uses the indexes of their tables', async () => {
  await database.pool.query(
    `insert into job (id, kind, state, sql_query, data_type, started_at)
     select ('01997f3e-8c1a-7000-8000-00000000000' || i)::uuid, 'QUERY', 'RUNNING', 'select 1', 'sortie', now()
     from generate_series(0, 9) as i`,
  );
  await database.pool.query(
    `insert into job_partition (id, job_id, ordinal, data_type, source_name) select id, id, 0, 'sortie', 'Sorties' from job`,
  );
  await database.pool.query(
    `insert into job_error (job_id, partition_id, stage, data_type, message, marking)
     select id, id, 'TRANSFORM', 'sortie', 'bad', case when i % 2 = 0 then 'U' else 'TS' end from job, generate_series(1, 500) as i`,
  );
  await database.pool.query(
    `insert into blade_item (data_type, item_id, classification_marking, data, metadata, content_hash, job_id)
     select 'sortie', 'S-' || i, case when i % 2 = 0 then 'U' else 'TS' end, '{}', '{}', i::text,
       '01997f3e-8c1a-7000-8000-000000000000' from generate_series(1, 5000) as i`,
  );
  await database.pool.query('analyze');
  const schema = findClearedSchema('CUI');
  const explainPlan = async (query: string) => {
    const { rows } = await database.pool.query<Record<string, string>>(`explain ${query}`);
    return rows.map((row) => Object.values(row)[0]).join('\n');
  };
  expect(
    await explainPlan(`select * from ${schema}.blade_item order by data_type, item_id limit 21`),
  ).toContain('blade_item_pkey');
  expect(
    await explainPlan(`select * from ${schema}.blade_item where data_type = 'sortie' and item_id = 'S-7'`),
  ).toContain('blade_item_pkey');
  const ofJob = `job_id = '01997f3e-8c1a-7000-8000-000000000003'`;
  expect(await explainPlan(`select * from ${schema}.job_error where ${ofJob} order by id limit 21`)).toMatch(
    /Index (Only )?Scan.* using job_error_/,
  );
  expect(await explainPlan(`select count(*) from ${schema}.job_error where ${ofJob}`)).toMatch(
    /job_error_job_id/,
  );
});
