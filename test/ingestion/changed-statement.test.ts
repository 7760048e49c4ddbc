import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { test } from '../support/on-server.ts';
import { JobById, PauseJob, ResumeJob, RetryJob } from '../support/operations.ts';
import { addSorties, forgetAll, storedItems, uuid } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const ROWS = 20_000;
const QUERY = 'SELECT * FROM blade.field.sortie LIMIT 1';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterEach(() => forgetAll(application));

afterAll(() => application.close());

/** Changes an ended job against the rules of the database, retries it, and waits for the end of the retry. */
async function retryChanged(id: string, column: 'filter' | 'sql_query', sql: string) {
  const { pool } = application.database;
  await pool.query('alter table job disable trigger user');
  await pool.query(`update job set ${column} = $1 where id = $2`, [sql, uuid(id)]);
  await pool.query('alter table job enable trigger user');
  const { retryJob } = await application.client.send(RetryJob, { input: { id, mode: 'ALL' } });
  if (retryJob.__typename !== 'RetryJobSuccess') throw new Error(JSON.stringify(retryJob));
  return application.client.waitForEnd(retryJob.job.id);
}

test.each([
  ['a statement that writes', 'DROP TABLE blade.field.sortie', 'Only a SELECT can run here'],
  ['a file', "SELECT * FROM read_text('/etc/passwd')", 'read_text cannot be used'],
  ['tables of the warehouse', 'SELECT * FROM a.information_schema.b', 'describes the warehouse itself'],
])('a query that was changed in the database to %s fails its job', async (_name, sql, reason) => {
  await addSorties(application, 10);
  const { id } = await application.client.startQueryJob({ dataType: 'sortie', sqlQuery: QUERY });
  await application.client.waitForEnd(id);
  expect(await retryChanged(id, 'sql_query', sql)).toMatchObject({
    state: 'FAILED',
    failureReason: expect.stringContaining(reason),
  });
});

test('a filter that was changed in the database to more than a condition fails its job', async () => {
  await addSorties(application, 10);
  const { id } = await application.client.startSync({ syncType: 'FULL', filter: 'flight_hours < 0' });
  await application.client.waitForEnd(id);
  const filter = '1 = 1) UNION ALL SELECT * FROM (blade.field.sortie';
  expect(await retryChanged(id, 'filter', filter)).toMatchObject({
    state: 'FAILED',
    failureReason: expect.stringContaining('the filter is no longer accepted'),
  });
  expect(await storedItems(application)).toEqual([]);
});

test('a plan that was changed in the database to a statement that writes fails its job', async () => {
  await addSorties(application, ROWS);
  const { id } = await application.client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
  await vi.waitFor(async () => expect(await storedItems(application)).not.toEqual([]));
  await application.client.send(PauseJob, { input: { id } });
  await vi.waitFor(async () => {
    expect((await application.client.send(JobById, { id })).job?.state).toBe('PAUSED');
  });
  const { rowCount } = await application.database.pool.query(
    `update job_partition set plan = jsonb_set(plan, '{statement,sql}', '"DROP TABLE blade.field.sortie"') where job_id = $1`,
    [uuid(id)],
  );
  expect(rowCount).toBe(1);
  await application.client.send(ResumeJob, { input: { id } });
  expect(await application.client.waitForEnd(id)).toMatchObject({
    state: 'FAILED',
    failureReason: expect.stringContaining('Only a SELECT can run here'),
  });
});
