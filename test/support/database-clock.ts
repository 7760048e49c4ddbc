import type { TestDatabase } from './test-database.ts';

/** The clock of a database, and of its queue, which a test sets. */
export interface SettableClock {
  /** Sets it so many seconds ahead of the right time, or behind it. */
  setAhead(seconds: number): Promise<void>;
}

/** Takes over the clock of a database that is open in a program, so that the queue has its functions, too. */
export async function takeClock({ pool }: Pick<TestDatabase, 'pool'>): Promise<SettableClock> {
  await pool.query('create table if not exists test_clock (ahead interval not null)');
  await pool.query(`delete from test_clock; insert into test_clock values ('0')`);
  for (const name of ['public.blade_now', 'pgboss.job_now']) {
    await pool.query(`create or replace function ${name}() returns timestamptz language sql stable parallel safe as
      $$ select now() + (select ahead from public.test_clock) $$`);
  }
  return {
    async setAhead(seconds) {
      await pool.query('update test_clock set ahead = make_interval(secs => $1)', [seconds]);
    },
  };
}
