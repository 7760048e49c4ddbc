import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBenchDatabase } from './support/database.ts';
import {
  logProgress,
  type MeasureOptions,
  quantile,
  type Result,
  ratioAtLeast,
  ratioAtMost,
  valueAtMost,
} from './support/measure.ts';
import { startPeer } from './support/peer.ts';
import { startMeasuredProgram } from './support/program.ts';
import { openQueryJobs } from './support/query-jobs.ts';
import { median } from './support/report.ts';
import { createSorties } from './support/sorties.ts';

// How soon a job is taken up, and how many a second go through: a query job of one row, which is read, saved, and uploaded
// to the folder catalog, beside a job of other queues that does nothing. The product's times are those of a client over
// HTTP and WebSocket, the peers' those of the process that adds the job and runs it.

const CALLERS = 8;

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const rounds = quick ? 1 : 4;
  const pickupCount = quick ? 10 : 50;
  const jobCount = quick ? 50 : 200;
  const database = await createBenchDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
  await createSorties(join(folder, 'warehouse'), 1_000);
  const graphile = await startPeer('queue-graphile.ts', database.url);
  const bullmq = await startPeer('queue-bullmq.ts');
  const program = await startMeasuredProgram({
    DATABASE_URL: database.url,
    BLADE_DATA_FOLDER: folder,
    BLADE_WAREHOUSE_FOLDER: join(folder, 'warehouse'),
    BLADE_WORKER_THREADS: '2',
  });
  const jobs = await openQueryJobs(program);
  const times = { product: [] as number[], graphile: [] as number[], bullmq: [] as number[] };
  const rates = { product: [] as number[], graphile: [] as number[], bullmq: [] as number[] };
  try {
    // A program that has just been started spends its first jobs on compiling its code.
    for (let index = 0; index < pickupCount; index++) await jobs.runOne();
    await jobs.runMany(jobCount, CALLERS);
    for (const peer of [graphile, bullmq]) {
      await peer.ask({ pickups: pickupCount });
      await peer.ask({ jobs: jobCount * 5, callers: CALLERS });
    }
    for (let round = 0; round < rounds; round++) {
      for (let index = 0; index < pickupCount; index++) times.product.push(await jobs.runOne());
      for (const [name, peer] of [['graphile', graphile] as const, ['bullmq', bullmq] as const]) {
        times[name].push(...(await peer.ask<{ times: number[] }>({ pickups: pickupCount })).times);
      }
      rates.product.push(await jobs.runMany(jobCount, CALLERS));
      for (const [name, peer] of [['graphile', graphile] as const, ['bullmq', bullmq] as const]) {
        const asked = { jobs: jobCount * 5, callers: CALLERS };
        rates[name].push((await peer.ask<{ perSecond: number }>(asked)).perSecond);
      }
      for (const name of ['product', 'graphile', 'bullmq'] as const) {
        logProgress(
          `  ${name}: pickup p50 ${quantile(times[name], 0.5).toFixed(1)} ms, p99 ${quantile(times[name], 0.99).toFixed(1)} ms, ${Math.round(rates[name].at(-1) ?? 0)} jobs/s`,
        );
      }
    }
    await bullmq.ask({ end: true });
  } finally {
    await jobs.close();
    await graphile.stop();
    await bullmq.stop();
    await program.stop();
    await database.close();
    await rm(folder, { recursive: true, force: true });
  }
  const pickup = (share: number, goal: Result['goal']): Result[] =>
    (['graphile', 'bullmq'] as const).map((name) => ({
      measure: `mutation to RUNNING seen by a subscriber, p${share * 100}`,
      unit: 'ms',
      value: quantile(times.product, share),
      peer: { name: PEERS[name], value: quantile(times[name], share) },
      goal,
    }));
  return [
    {
      measure: 'mutation to RUNNING seen by a subscriber, p50',
      unit: 'ms',
      value: quantile(times.product, 0.5),
      peer: null,
      goal: valueAtMost(20),
    },
    ...pickup(0.5, ratioAtMost(1)),
    ...pickup(0.99, null),
    ...(['graphile', 'bullmq'] as const).map(
      (name): Result => ({
        measure: 'query jobs of one row, end to end',
        unit: 'jobs/s',
        value: median(rates.product),
        peer: { name: PEERS[name], value: median(rates[name]) },
        goal: name === 'graphile' ? ratioAtLeast(0.5) : null,
      }),
    ),
  ];
}

const PEERS = { graphile: 'graphile-worker', bullmq: 'BullMQ, Redis in memory only' };
