import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { ACTIVE_STATES, canTransition, isTerminal, JobState } from '../../src/jobs/job-state.ts';
import { test } from '../support/on-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

const states = Object.values(JobState);

const TABLE: readonly (readonly [from: JobState, to: readonly JobState[]])[] = [
  ['QUEUED', ['RUNNING', 'PAUSED', 'FAILED', 'CANCELLED']],
  ['RUNNING', ['PAUSING', 'PAUSED', 'CANCELLING', 'COMPLETED', 'FAILED', 'CANCELLED']],
  ['PAUSING', ['PAUSED', 'CANCELLING', 'COMPLETED', 'FAILED', 'CANCELLED']],
  ['PAUSED', ['QUEUED', 'CANCELLED']],
  ['CANCELLING', ['FAILED', 'CANCELLED']],
  ['COMPLETED', []],
  ['FAILED', []],
  ['CANCELLED', []],
];

test.each(TABLE)('from %s a job can go to %j and nowhere else', (from, to) => {
  expect(states.filter((state) => canTransition(from, state))).toEqual(to);
});

test('the state diagram in docs/architecture.md shows exactly these transitions', async () => {
  const page = await readFile(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
  const [, diagram = ''] = /```mermaid\nstateDiagram-v2\n(.*?)```/s.exec(page) ?? [];
  const drawn = [...diagram.matchAll(/^ *([A-Z]+) --> ([A-Z]+)/gm)].map(([, from, to]) => `${from} ${to}`);
  expect(drawn.sort()).toEqual(TABLE.flatMap(([from, to]) => to.map((state) => `${from} ${state}`)).sort());
});

test('a job never leaves COMPLETED, FAILED and CANCELLED, and is active in all other states', () => {
  expect(states.filter(isTerminal)).toEqual(['COMPLETED', 'FAILED', 'CANCELLED']);
  expect(ACTIVE_STATES).toEqual(['QUEUED', 'RUNNING', 'PAUSING', 'PAUSED', 'CANCELLING']);
});

/** What a row of a job has in a state beside the state itself. */
function rowIn(state: JobState): Record<string, unknown> {
  return {
    state,
    started_at: state === 'QUEUED' ? null : new Date(),
    finished_at: isTerminal(state) ? new Date() : null,
    total_items: isTerminal(state) ? 0 : null,
    failure_reason: state === 'FAILED' ? 'a reason' : null,
    outcome: state === 'COMPLETED' || state === 'FAILED' ? 'NOTHING_SUCCEEDED' : null,
  };
}

const columns = Object.keys(rowIn('QUEUED'));

async function databaseLets(from: JobState, to: JobState): Promise<boolean> {
  const id = crypto.randomUUID();
  const places = columns.map((_, index) => `$${index + 2}`).join(', ');
  await database.pool.query(
    `insert into job (id, ${columns.join(', ')}, kind, data_type, sql_query)
     values ($1, ${places}, 'QUERY', 'sortie', 'select 1')`,
    [id, ...Object.values(rowIn(from))],
  );
  const changes = columns.map((column, index) => `${column} = $${index + 2}`).join(', ');
  return database.pool
    .query(`update job set ${changes} where id = $1`, [id, ...Object.values(rowIn(to))])
    .then(
      () => true,
      (error: { constraint?: string }) => {
        expect(['job_state_transition', 'job_terminal_state_is_final']).toContain(error.constraint);
        return false;
      },
    );
}

const pairs = states.flatMap((from) => states.filter((to) => to !== from).map((to) => ({ from, to })));

test.each(pairs)('the database enforces the same table from $from to $to', async ({ from, to }) => {
  expect(await databaseLets(from, to)).toBe(canTransition(from, to));
});
