import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import type { PartitionOutcome } from '../ingestion/partition-task.ts';
import type { ThreadPool } from '../ingestion/thread-pool.ts';
import type { JobNotifications } from './job-notifications.ts';
import type { JobState } from './job-state.ts';
import { abandonPartition, claimPartition, finishPartition } from './job-transitions.ts';
import { loadPartitionTask } from './partition-tasks.ts';
import { createProgressWriter } from './progress.ts';
import type { PartitionQueue } from './queue.ts';

/** Runs the partitions that the queue gives to this process. */
export interface Worker {
  /** Takes no more partitions, hands back those that run with their checkpoints, and resolves when they have stopped. */
  stop(): Promise<void>;
}

export interface WorkerOptions {
  readonly prisma: PrismaClient;
  readonly queue: PartitionQueue;
  readonly pool: ThreadPool;
  readonly notifications: JobNotifications;
  readonly progressIntervalMs: number;
  readonly log: Logger;
}

/** How long partitions may take to reach their checkpoint when the worker stops, in milliseconds. */
const STOP_TIMEOUT_MS = 10_000;

export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { prisma, queue, pool, notifications, log } = options;
  const running = new Map<string, RunningPartition>();
  let isStopping = false;

  const progress = createProgressWriter(prisma, {
    intervalMs: options.progressIntervalMs,
    onState: stopWhenEnding,
    onError: (error) =>
      log.warn({ err: error }, 'progress could not be written; it will be with the next batch'),
  });

  function stopWhenEnding(jobId: string, state: JobState): void {
    if (state === 'QUEUED' || state === 'RUNNING') return;
    for (const partition of running.values()) if (partition.jobId === jobId) partition.stop.abort();
  }

  const unsubscribe = notifications.subscribe({
    onChange: ({ id, state }) => stopWhenEnding(id, state),
    async onReconnect() {
      const jobIds = [...new Set([...running.values()].map(({ jobId }) => jobId))];
      const jobs = await prisma.job.findMany({
        where: { id: { in: jobIds } },
        select: { id: true, state: true },
      });
      for (const { id, state } of jobs) stopWhenEnding(id, state);
    },
  });

  async function run(partitionId: string): Promise<void> {
    const claim = await claimPartition(prisma, partitionId);
    if (claim.status === 'ENDED') return;
    const { partition } = claim;
    const current: RunningPartition = { jobId: partition.jobId, stop: new AbortController() };
    running.set(partitionId, current);
    const partitionLog = log.child({ jobId: partition.jobId, partitionId, attempt: partition.attempt });
    partitionLog.info({ source: partition.sourceName }, 'partition started');
    try {
      if (claim.isFirstOfJob) void planSiblings(partition.jobId, partitionId, current.stop.signal);
      const outcome = await pool.runPartition(await loadPartitionTask(prisma, partition), {
        signal: current.stop.signal,
        onProgress: ({ currentOperation }) => progress.changed(partition.jobId, currentOperation),
      });
      partitionLog.info({ outcome: outcome.status }, 'partition ended');
      await settle(partition, outcome);
    } finally {
      running.delete(partitionId);
    }
  }

  async function settle(
    partition: { id: string; attempt: number },
    outcome: PartitionOutcome,
  ): Promise<void> {
    if (outcome.status === 'LEASE_LOST') return;
    if (outcome.status === 'STOPPED' && isStopping && !(await isCancelled(partition.id))) {
      await prisma.$transaction((transaction) => queue.enqueue(transaction, [partition.id]));
      return;
    }
    await finishPartition(prisma, partition, outcome);
  }

  async function isCancelled(partitionId: string): Promise<boolean> {
    const partition = await prisma.jobPartition.findUnique({
      where: { id: partitionId },
      select: { job: { select: { state: true } } },
    });
    return partition?.job.state !== 'RUNNING';
  }

  /** Counts the rows of a job's other partitions early, so that its total is known before they run. */
  async function planSiblings(jobId: string, partitionId: string, signal: AbortSignal): Promise<void> {
    try {
      const siblings = await prisma.jobPartition.findMany({
        where: { jobId, id: { not: partitionId }, state: 'PENDING' },
        orderBy: { ordinal: 'asc' },
      });
      for (const sibling of siblings) {
        if (signal.aborted) return;
        await pool.planPartition(await loadPartitionTask(prisma, sibling), signal);
        progress.changed(jobId, `Counting rows of ${sibling.sourceName}`);
      }
    } catch (error) {
      log.debug(
        { err: error, jobId },
        'a partition could not be planned early; it plans itself when it runs',
      );
    }
  }

  await queue.work(pool.threads, {
    run,
    async giveUp(partitionId) {
      log.error({ partitionId }, 'partition given up: every attempt failed');
      await abandonPartition(
        prisma,
        partitionId,
        'every attempt to run it ended unexpectedly; the log tells why',
      );
    },
  });

  return {
    async stop() {
      isStopping = true;
      for (const { stop } of running.values()) stop.abort();
      await Promise.race([queue.stop(), setTimeout(STOP_TIMEOUT_MS, undefined, { ref: false })]);
      unsubscribe();
      await progress.close();
    },
  };
}

interface RunningPartition {
  readonly jobId: string;
  readonly stop: AbortController;
}
