import { expect, inject, vi } from 'vitest';
import { test as base } from '../support/on-server.ts';

const test = base.skipIf(inject('preparedDatabase').kind !== 'server');

test('a statement that is repeated is prepared, and still works when its table has changed', async ({
  database,
}) => {
  // Other tests of this process may have used up the names.
  vi.resetModules();
  const { createPool } = await import('../../src/database/connection.ts');
  const pool = createPool(database.connectionString, { max: 1, prepares: true });
  const find = async () =>
    (await pool.query<{ value: unknown }>('select * from changing where id = $1', [1])).rows;
  try {
    await pool.query('create table changing as select 1 as id, 7 as value');
    for (let run = 0; run < 6; run++) expect(await find()).toEqual([{ id: 1, value: 7 }]);
    const { rows } = await pool.query(
      `select statement from pg_prepared_statements where statement like '%from changing%'`,
    );
    expect(rows).toEqual([{ statement: 'select * from changing where id = $1' }]);

    await pool.query('alter table changing alter value type text');
    await expect(find()).rejects.toMatchObject({ routine: 'RevalidateCachedQuery' });
    for (let run = 0; run < 6; run++) expect(await find()).toEqual([{ id: 1, value: '7' }]);
  } finally {
    await pool.end();
  }
});

test('small batches share a plan, large ones have plans of their own, and pages of lists are not prepared', async ({
  database,
}) => {
  vi.resetModules();
  const { createPool } = await import('../../src/database/connection.ts');
  const pool = createPool(database.connectionString, {
    max: 1,
    prepares: true,
    settings: { plan_cache_mode: 'force_generic_plan' },
  });
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
  try {
    for (let run = 0; run < 6; run++) expect(await count(2)).toEqual([{ found: 2 }]);
    expect(await readPlans()).toEqual([{ statement, generic_plans: 3, custom_plans: 0 }]);

    // One small batch between two large ones does not change how they are planned.
    for (const length of [1_000, 2, 1_000]) expect(await count(length)).toEqual([{ found: length }]);
    expect(await readPlans()).toEqual([{ statement, generic_plans: 3, custom_plans: 3 }]);

    for (let run = 0; run < 11; run++) await count(2);
    expect(await readPlans()).toEqual([expect.objectContaining({ generic_plans: 5, custom_plans: 12 })]);

    for (let run = 0; run < 6; run++) await pool.query('select 1 as page limit $1', [1]);
    expect(await readPlans()).toEqual([expect.objectContaining({ statement })]);
  } finally {
    await pool.end();
  }
});
