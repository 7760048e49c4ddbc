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
