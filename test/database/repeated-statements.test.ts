import { expect, inject, vi } from 'vitest';
import { test as base } from '../support/on-server.ts';

const test = base
  /** Opens one connection, where none of the names has been used up by other tests of this process. */
  .extend('connect', ({ database, open }) => async (settings: Readonly<Record<string, string>> = {}) => {
    vi.resetModules();
    const { createPool } = await import('../../src/database/connection.ts');
    const pool = createPool(database.connectionString, { max: 1, prepares: true, settings });
    await open({ close: () => pool.end() });
    return pool;
  })
  .skipIf(inject('preparedDatabase').kind !== 'server');

const SHARED_PLANS = { plan_cache_mode: 'force_generic_plan' };

test('a statement that is repeated is prepared, and still works when its table has changed', async ({
  connect,
}) => {
  const pool = await connect();
  const find = async () =>
    (await pool.query<{ value: unknown }>('select * from changing where id = $1', [1])).rows;
  await pool.query('create table changing as select 1 as id, 7 as value');
  for (let run = 0; run < 6; run++) expect(await find()).toEqual([{ id: 1, value: 7 }]);
  const { rows } = await pool.query(
    `select statement from pg_prepared_statements where statement like '%from changing%'`,
  );
  expect(rows).toEqual([{ statement: 'select * from changing where id = $1' }]);

  await pool.query('alter table changing alter value type text');
  await expect(find()).rejects.toMatchObject({ routine: 'RevalidateCachedQuery' });
  for (let run = 0; run < 6; run++) expect(await find()).toEqual([{ id: 1, value: '7' }]);
});

test('small batches reuse one plan, each large batch is planned anew, and pages of lists are not prepared', async ({
  connect,
}) => {
  const pool = await connect(SHARED_PLANS);
  const count = async (length: number) =>
    (await pool.query('select count(*)::int as found from unnest($1::text[])', [Array(length).fill('a')]))
      .rows;
  const readPlans = async () =>
    (
      await pool.query<{ statement: string; generic_plans: number; custom_plans: number }>(
        `select statement, generic_plans::int, custom_plans::int from pg_prepared_statements
          where statement not like '%pg_prepared_statements%' order by statement`,
      )
    ).rows;
  const statement = 'select count(*)::int as found from unnest($1::text[])';
  for (let run = 0; run < 6; run++) expect(await count(2)).toEqual([{ found: 2 }]);
  expect(await readPlans()).toEqual([{ statement, generic_plans: 3, custom_plans: 0 }]);

  // One small batch between two large ones does not change how they are planned.
  for (const length of [1_000, 2, 1_000]) expect(await count(length)).toEqual([{ found: length }]);
  expect(await readPlans()).toEqual([{ statement, generic_plans: 3, custom_plans: 3 }]);

  for (let run = 0; run < 11; run++) await count(2);
  expect(await readPlans()).toEqual([expect.objectContaining({ generic_plans: 5, custom_plans: 12 })]);

  for (let run = 0; run < 6; run++) await pool.query('select 1 as page limit $1', [1]);
  expect(await readPlans()).toEqual([expect.objectContaining({ statement })]);
});

test('where statements share plans, pages and large batches are planned by their values, also after a rollback', async ({
  connect,
}) => {
  const pool = await connect(SHARED_PLANS);
  // The pool would give up a connection whose statement has failed.
  const client = await pool.connect();
  const mode = `current_setting('plan_cache_mode') as mode`;
  const readPage = async () => (await client.query(`select ${mode} limit $1`, [1])).rows;
  const readBatch = async (length: number) =>
    (await client.query(`select ${mode} where $1::text[] is not null`, [Array(length).fill('a')])).rows;
  try {
    expect(await readPage()).toEqual([{ mode: 'force_custom_plan' }]);
    for (let run = 0; run < 14; run++) await readBatch(2);
    expect(await readBatch(2)).toEqual([{ mode: 'force_generic_plan' }]);

    await client.query('begin');
    expect(await readBatch(1_000)).toEqual([{ mode: 'force_custom_plan' }]);
    await expect(client.query('select 1 / $1::int', [0])).rejects.toThrow('division by zero');
    await expect(readBatch(2)).rejects.toThrow('transaction is aborted');
    await client.query('rollback');
    expect(await readBatch(1_000)).toEqual([{ mode: 'force_custom_plan' }]);
  } finally {
    client.release();
  }
});

test('exact counts are planned by their filter, whatever was counted before', async ({ database }) => {
  vi.resetModules();
  const { createPrismaClients } = await import('../../src/database/prisma-client.ts');
  const { createKeysetReader } = await import('../../src/database/paging/keyset.ts');
  const clients = createPrismaClients(database.connectionString, { maxConnections: 1, prepares: true });
  const reader = createKeysetReader(clients.prisma, 'TOP SECRET');
  const table = { name: 'job', key: ['id'] as const, indexes: [], fewValued: [], types: {} };
  try {
    for (let run = 0; run < 6; run++)
      expect(await reader.countExactly<{ id: string }>(table, { equals: {} })).toBe(0);
    const prepared = await clients.prisma.$queryRaw`
      select statement from pg_prepared_statements where statement like '%count(*)%'`;
    expect(prepared).toEqual([]);
  } finally {
    await clients.close();
  }
});
