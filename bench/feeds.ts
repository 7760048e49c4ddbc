import type { Pool } from 'pg';
import { v7 as newUuid } from 'uuid';
import { createBenchDatabase } from './support/database.ts';
import { type MeasureOptions, quantile, type Result, valueAtMost } from './support/measure.ts';
import { startMeasuredProgram } from './support/program.ts';
import { openSubscribers } from './support/subscribers.ts';

// How long after its commit an event of a job reaches subscribers of its log, in a process that did not write it.

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const database = await createBenchDatabase();
  const program = await startMeasuredProgram({ DATABASE_URL: database.url, BLADE_ROLES: 'api' });
  try {
    const jobId = await createJob(database.pool);
    const results: Result[] = [];
    for (const size of quick ? [1] : [1, 1_000]) {
      const times = await run(
        program.url,
        database.pool,
        jobId,
        size,
        quick ? 20 : 1_000 / Math.min(size, 20),
      );
      for (const [name, share, bound] of [
        ['p50', 0.5, 5],
        ['p99', 0.99, 25],
      ] as const)
        results.push({
          measure: `event of a job to ${size} idle ${size === 1 ? 'WebSocket' : 'WebSockets'}, ${name} after its commit`,
          unit: 'ms',
          value: quantile(times, share),
          peer: null,
          goal: size === 1 ? valueAtMost(bound) : null,
        });
    }
    return results;
  } finally {
    await program.stop();
    await database.close();
  }
}

async function run(url: string, pool: Pool, jobId: string, size: number, rounds: number): Promise<number[]> {
  const query = `subscription { jobEvents(id: "${jobId}") { cursor event { __typename time message } gap { reason } } }`;
  const subscribers = await openSubscribers(url.replace('http', 'ws'), size, query);
  try {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const reason = `Waiting for round ${round}.`;
      let committed = 0;
      const start = performance.now();
      const arrivals = await subscribers.round(reason, async () => {
        await pool.query(`select blade_add_job_event($1, 'WAITING', reason => $2)`, [jobId, reason]);
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
