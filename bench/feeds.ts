import type { Pool } from 'pg';
import { v7 as newUuid } from 'uuid';
import { createBenchDatabase } from './support/database.ts';
import { growHistory } from './support/history.ts';
import { type MeasureOptions, quantile, type Result, valueAtMost } from './support/measure.ts';
import { startMeasuredProgram } from './support/program.ts';
import { openSubscribers } from './support/subscribers.ts';

// How long after its commit an event of a job reaches subscribers of its log, and a change one of all jobs, in a process that did
// not write it, among many that have ended.

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const database = await createBenchDatabase();
  const program = await startMeasuredProgram({ DATABASE_URL: database.url, BLADE_ROLES: 'api' });
  try {
    await growHistory(database.pool, quick ? 1_000 : 100_000);
    await database.pool.query('analyze');
    const jobId = await createJob(database.pool);
    const results: Result[] = [];
    for (const size of quick ? [1] : [1, 1_000]) {
      const times = await run(program.url, database.pool, createEvents(jobId), {
        size,
        rounds: quick ? 20 : 1_000 / Math.min(size, 20),
      });
      results.push(
        ...toResults(
          `event of a job to ${size} idle ${size === 1 ? 'WebSocket' : 'WebSockets'}`,
          times,
          size === 1,
        ),
      );
    }
    const times = await run(program.url, database.pool, createChanges(jobId), {
      size: 1,
      rounds: quick ? 20 : 500,
    });
    results.push(...toResults('change of a job to 1 idle WebSocket', times, true));
    return results;
  } finally {
    await program.stop();
    await database.close();
  }
}

function toResults(what: string, times: readonly number[], hasGoals: boolean): Result[] {
  return (
    [
      ['p50', 0.5, 5],
      ['p99', 0.99, 25],
    ] as const
  ).map(([name, share, bound]) => ({
    measure: `${what}, ${name} after its commit`,
    unit: 'ms',
    value: quantile(times, share),
    peer: null,
    goal: hasGoals ? valueAtMost(bound) : null,
  }));
}

/** A subscription, and the statement that has it deliver a text. */
interface Feed {
  readonly query: string;
  readonly statement: string;
}

function createEvents(jobId: string): Feed {
  return {
    query: `subscription { jobEvents(id: "${jobId}") { cursor event { __typename time message } gap { reason } } }`,
    statement: `select blade_add_job_event('${jobId}', 'WAITING', reason => $1)`,
  };
}

function createChanges(jobId: string): Feed {
  return {
    query: 'subscription { jobChanges { job { id progress { currentOperation } } } }',
    statement: `update job set current_operation = $1 where id = '${jobId}'`,
  };
}

async function run(
  url: string,
  pool: Pool,
  { query, statement }: Feed,
  { size, rounds }: { readonly size: number; readonly rounds: number },
): Promise<number[]> {
  const subscribers = await openSubscribers(url.replace('http', 'ws'), size, query);
  try {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const reason = `Waiting for round ${round}.`;
      let committed = 0;
      const start = performance.now();
      const arrivals = await subscribers.round(reason, async () => {
        await pool.query(statement, [reason]);
        committed = performance.now() - start;
      });
      times.push(...arrivals.map((time) => Math.max(0, time - committed)));
    }
    return times;
  } finally {
    await subscribers.close();
  }
}

async function createJob(pool: Pool): Promise<string> {
  const id = newUuid();
  await pool.query(
    `insert into job (id, kind, state, data_type, sync_type, marking, current_operation, started_at, updated_at)
     values ($1, 'SYNC', 'QUEUED', 'sortie', 'FULL', 'UNCLASSIFIED', 'Waiting', null, now())`,
    [id],
  );
  return id;
}
