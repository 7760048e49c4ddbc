import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { test } from '../support/on-every-database.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

beforeEach(async () => {
  await database.pool.query('truncate job, blade_item cascade');
});

afterAll(() => database.close());

type Row = Record<string, unknown>;

const SYNC = { kind: 'SYNC', sync_type: 'FULL' };
const QUERY = { kind: 'QUERY', sql_query: 'select 1', data_type: 'sortie' };
const NOW = '2026-01-01T00:00:00Z';
const COMPLETED = { state: 'COMPLETED', outcome: 'SUCCEEDED', total_items: 0, finished_at: NOW };
const FAILED = { ...COMPLETED, state: 'FAILED', outcome: 'SOURCES_FAILED', failure_reason: 'a reason' };

async function insert(table: string, row: Row): Promise<string> {
  const id = crypto.randomUUID();
  const withId: Row = { id, ...row };
  const names = Object.keys(withId);
  const values = names.map((_name, index) => `$${index + 1}`);
  const statement = `insert into ${table} (${names.join(', ')}) values (${values.join(', ')})`;
  await database.pool.query(statement, Object.values(withId));
  return id;
}

async function update(id: string, change: Row): Promise<void> {
  const assignments = Object.keys(change).map((name, index) => `${name} = $${index + 2}`);
  await database.pool.query(`update job set ${assignments.join(', ')} where id = $1`, [
    id,
    ...Object.values(change),
  ]);
}

const violating = (constraint: string) => expect.objectContaining({ constraint });

describe('one active sync', () => {
  test.each([{ state: 'QUEUED' }, { state: 'RUNNING', started_at: NOW }, { state: 'CANCELLING' }])(
    'a second sync is refused while one is $state',
    async (state) => {
      await insert('job', { ...SYNC, ...state });
      await expect(insert('job', SYNC)).rejects.toEqual(violating('job_one_active_sync'));
    },
  );

  test('of many that start at once, one succeeds', async () => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => insert('job', SYNC)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });

  test('finished syncs and query jobs do not prevent one', async () => {
    await insert('job', { ...SYNC, ...COMPLETED });
    await insert('job', QUERY);
    await insert('job', QUERY);
    await insert('job', SYNC);
  });
});

describe('a job is refused', () => {
  test.each<[string, Row, string]>([
    ['with counts that do not add up', { processed_items: 3, success_count: 1 }, 'job_counts_add_up'],
    ['with a negative count', { success_count: 1, error_count: -1 }, 'job_counts_not_negative'],
    [
      'with more processed than the total',
      { total_items: 1, processed_items: 2, success_count: 2 },
      'job_total_covers_processed',
    ],
    ['with a limit of no items', { max_items: 0 }, 'job_max_items_positive'],
    ['that has ended without an end time', { ...COMPLETED, finished_at: null }, 'job_finished_when_terminal'],
    ['that is terminal without a total', { ...COMPLETED, total_items: null }, 'job_finished_when_terminal'],
    ['that is active with a time of its end', { finished_at: NOW }, 'job_finished_when_terminal'],
    ['that runs without a time of its start', { state: 'RUNNING' }, 'job_started_when_running'],
    ['that failed without a reason', { ...FAILED, failure_reason: null }, 'job_reason_when_failed'],
    ['that did not fail, with a reason', { failure_reason: 'none' }, 'job_reason_when_failed'],
    ['that has ended without an outcome', { ...COMPLETED, outcome: null }, 'job_outcome_fits_state'],
    ['that failed without an outcome', { ...FAILED, outcome: null }, 'job_outcome_fits_state'],
    ['that has not ended, with an outcome', { outcome: 'SUCCEEDED' }, 'job_outcome_fits_state'],
    ['that was cancelled, with an outcome', { ...COMPLETED, state: 'CANCELLED' }, 'job_outcome_fits_state'],
    ['that failed although it succeeded', { ...FAILED, outcome: 'SUCCEEDED' }, 'job_outcome_fits_state'],
    [
      'that is completed although sources failed',
      { ...COMPLETED, outcome: 'SOURCES_FAILED' },
      'job_outcome_fits_state',
    ],
    [
      'with more sources completed than it has',
      { total_sources: 1, completed_sources: 2 },
      'job_completed_sources_within_total',
    ],
    ['that is a sync without its type', { sync_type: null }, 'job_input_fits_kind'],
    ['that is a sync with a query', { sql_query: 'select 1' }, 'job_input_fits_kind'],
    ['that is a query without one', { ...QUERY, sync_type: null, sql_query: null }, 'job_input_fits_kind'],
    [
      'that is a query without a data type',
      { ...QUERY, sync_type: null, data_type: null },
      'job_input_fits_kind',
    ],
    ['that is a query with a sync type', { ...QUERY, sync_type: 'FULL' }, 'job_input_fits_kind'],
  ])('%s', async (_name, row, constraint) => {
    await expect(insert('job', { ...SYNC, ...row })).rejects.toEqual(violating(constraint));
  });
});

describe('a partition is refused', () => {
  test.each<[string, Row, string]>([
    ['with counts that do not add up', { processed_items: 1 }, 'job_partition_counts_add_up'],
    ['with a negative count', { success_count: 1, error_count: -1 }, 'job_partition_counts_not_negative'],
    ['with a negative number of rows read', { read_items: -1 }, 'job_partition_counts_not_negative'],
    [
      'with more processed than the total',
      { total_items: 0, processed_items: 1, error_count: 1 },
      'job_partition_total_covers_processed',
    ],
    [
      'with more processed than read and one read error',
      { processed_items: 2, error_count: 2 },
      'job_partition_read_covers_processed',
    ],
    ['that has ended without an end time', { state: 'FAILED' }, 'job_partition_finished_when_terminal'],
    ['that is active with a time of its end', { finished_at: NOW }, 'job_partition_finished_when_terminal'],
    [
      'with counts by level that do not add up',
      { read_items: 2, read_by_level: [1, 0, 0, 0, 0] },
      'job_partition_totals_are_those_of_levels',
    ],
  ])('%s', async (_name, row, constraint) => {
    const partition = {
      job_id: await insert('job', SYNC),
      ordinal: 0,
      data_type: 'sortie',
      source_name: 'a',
    };
    await expect(insert('job_partition', { ...partition, ...row })).rejects.toEqual(violating(constraint));
  });

  test('but not with the single error of a source that cannot be read', async () => {
    await insert('job_partition', {
      ...{ job_id: await insert('job', SYNC), ordinal: 0, data_type: 'sortie', source_name: 'a' },
      ...{ processed_items: 1, error_count: 1, state: 'FAILED', finished_at: NOW },
      error_by_level: [0, 0, 0, 0, 1],
    });
  });
});

test.each([
  ['is both owed and uploaded', { partition_id: crypto.randomUUID(), uploaded_at: NOW }],
  ['is neither', {}],
  ['is both lost and uploaded', { lost_at: NOW, uploaded_at: NOW }],
])('a batch of uploads that %s is refused', async (_name, row) => {
  await expect(insert('upload_batch', { id: '1', ...row })).rejects.toEqual(
    violating('upload_batch_owed_or_uploaded'),
  );
});

describe('the state of a job', () => {
  const states = {
    QUEUED: { state: 'QUEUED' },
    RUNNING: { state: 'RUNNING', started_at: NOW },
    CANCELLING: { state: 'CANCELLING' },
    COMPLETED,
    FAILED,
    CANCELLED: { ...COMPLETED, state: 'CANCELLED', outcome: null },
  };
  const allowed = {
    QUEUED: ['QUEUED', 'RUNNING', 'CANCELLED', 'FAILED'],
    RUNNING: ['RUNNING', 'COMPLETED', 'FAILED', 'CANCELLING', 'CANCELLED'],
    CANCELLING: ['CANCELLING', 'CANCELLED', 'FAILED'],
  };

  for (const [from, targets] of Object.entries(allowed)) {
    for (const [to, change] of Object.entries(states)) {
      const isAllowed = targets.includes(to);
      test(`${isAllowed ? 'goes' : 'does not go'} from ${from} to ${to}`, async () => {
        const id = await insert('job', { ...SYNC, ...states[from as keyof typeof states] });
        const done = update(id, change);
        if (isAllowed) await done;
        else await expect(done).rejects.toEqual(violating('job_state_transition'));
      });
    }
  }

  test.each(['COMPLETED', 'FAILED', 'CANCELLED'] as const)('and nothing changes after %s', async (state) => {
    const id = await insert('job', { ...SYNC, ...states[state] });
    const final = violating('job_terminal_state_is_final');
    await expect(update(id, { state: 'RUNNING', finished_at: null })).rejects.toEqual(final);
    await expect(update(id, { state: 'COMPLETED' })).rejects.toEqual(final);
    await expect(update(id, { total_items: 5 })).rejects.toEqual(final);
    await expect(update(id, { revision: 1 })).rejects.toEqual(final);
  });

  test('but a finished job forgets the job that it retried once that is deleted', async () => {
    const first = await insert('job', { ...SYNC, ...COMPLETED });
    const retry = await insert('job', { ...SYNC, ...COMPLETED, retry_of_id: first });
    await expect(update(retry, { retry_of_id: null, total_items: 5 })).rejects.toEqual(
      violating('job_terminal_state_is_final'),
    );
    await database.pool.query('delete from job where id = $1', [first]);
    const { rows } = await database.pool.query('select retry_of_id from job');
    expect(rows).toEqual([{ retry_of_id: null }]);
  });
});

test('every write of a job raises its revision by one, whatever the writer sets', async () => {
  const id = await insert('job', SYNC);
  await update(id, { current_operation: 'Reading' });
  await update(id, { revision: 1 });
  await Promise.all(Array.from({ length: 5 }, () => update(id, { current_operation: 'Reading' })));
  const { rows } = await database.pool.query('select revision from job');
  expect(rows).toEqual([{ revision: 8 }]);
});

test('the ids of errors rise with time, without revealing how many there are', async () => {
  const { rows } = await database.pool.query<{ ids: string[] }>(
    `select array_agg(id::text order by at) as ids
     from (select blade_new_id() as id, at from generate_series(1, 5) as at, pg_sleep(0.002 * at)) as made`,
  );
  const ids = rows[0]?.ids ?? [];
  expect(ids).toEqual(ids.toSorted());
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids.map((id) => id.slice(-12))).size).toBe(5);
});
