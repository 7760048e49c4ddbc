import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type JobPartition, Prisma, type PrismaClient } from '../../database/generated/prisma/client.ts';
import type { Activities } from './activities.ts';

/** Plans the partitions of jobs that wait for a thread, so that the total of a job is known before they run. */
export interface EarlyPlans {
  /** Plans the waiting partitions of a job, one after the other, while none of its partitions ends. */
  begin(jobId: string): void;
  /** Reports that a partition of the job has ended here. */
  partitionEnded(jobId: string): void;
}

export interface EarlyPlanOptions {
  readonly prisma: PrismaClient;
  readonly activities: Activities;
  readonly plan: (partition: JobPartition, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
}

/**
 * How long no partition of a job may have ended before others are planned, in milliseconds. Where partitions end faster, the
 * others soon run and are planned then: planning them in another thread would open the same files twice.
 */
const QUIET_MS = 1_000;

export function createEarlyPlans({ prisma, activities, plan, log }: EarlyPlanOptions): EarlyPlans {
  /** When a partition of a job has last ended, or the first has begun, for each job whose partitions are planned. */
  const lastEnds = new Map<string, number>();

  async function waitUntilQuiet(jobId: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const left = (lastEnds.get(jobId) ?? 0) + QUIET_MS - performance.now();
      if (left <= 0) return;
      await setTimeout(left, undefined, { signal, ref: false });
    }
  }

  async function planWaiting(jobId: string, signal: AbortSignal): Promise<void> {
    let after = -1;
    for (;;) {
      await waitUntilQuiet(jobId, signal);
      const waiting = await prisma.jobPartition.findFirst({
        where: { jobId, ordinal: { gt: after }, state: 'PENDING', plan: { equals: Prisma.DbNull } },
        orderBy: { ordinal: 'asc' },
      });
      if (waiting === null || signal.aborted) return;
      after = waiting.ordinal;
      await plan(waiting, signal);
    }
  }

  return {
    begin(jobId) {
      lastEnds.set(jobId, performance.now());
      activities
        .run(jobId, (signal) => planWaiting(jobId, signal))
        .catch((error: unknown) => log.debug({ err: error, jobId }, 'partitions could not be planned early'))
        .finally(() => lastEnds.delete(jobId));
    },
    partitionEnded(jobId) {
      if (lastEnds.has(jobId)) lastEnds.set(jobId, performance.now());
    },
  };
}
