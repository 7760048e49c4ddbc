import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { DataTypes } from '../../data-types/data-types.ts';
import type { JobPartition, PrismaClient } from '../../database/generated/prisma/client.ts';
import type { DiskSpace } from '../../health/disk-space.ts';
import type { PartitionOutcome, PartitionTask, PlannedPartition } from '../../ingestion/partition-task.ts';
import type { PartitionWork, ThreadPool } from '../../ingestion/thread-pool.ts';
import { describeUnexpected } from '../../ingestion/unexpected-error.ts';
import type { Metrics } from '../../observability/metrics.ts';
import {
  describeActiveSpan,
  findActiveTraceId,
  gatherStageSpans,
  runInSpan,
  startSpan,
} from '../../observability/spans.ts';
import type { JobNotifications } from '../events/job-notifications.ts';
import { readJobOptions } from '../input/job-options.ts';
import type { ItemRemovals } from '../item-removals.ts';
import { claimPartition } from '../partitions/claim-partition.ts';
import { abandonPartition, finishPartition } from '../partitions/end-partition.ts';
import { finishQuery } from '../partitions/finish-query.ts';
import { describeWaiting, handBackPartition } from '../partitions/hand-back-partition.ts';
import {
  InputGoneError,
  loadPartitionTask,
  loadRunnableJob,
  type RunnableJob,
} from '../partitions/load-partition-task.ts';
import { replanSource } from '../partitions/replan-source.ts';
import { requeuePartition } from '../partitions/requeue-partition.ts';
import { savePlan } from '../partitions/save-plan.ts';
import { createProgressWriter } from '../progress/progress-writer.ts';
import type { PartitionQueue, Turn } from '../queue/partition-queue.ts';
import { trackActivities } from './activities.ts';
import { createEarlyPlans } from './early-plans.ts';
import { createFullDiskGuard } from './full-disk-guard.ts';
import { createPersistentWrite } from './persistent-write.ts';

/** Runs the partitions that the queue gives to this process. */
export interface Worker {
  /** Takes no more partitions and hands back the running ones at their checkpoints; resolves when they have stopped. */
  stop(): Promise<void>;
}

export interface WorkerOptions {
  readonly prisma: PrismaClient;
  readonly queue: PartitionQueue;
  readonly pool: ThreadPool;
  readonly itemRemovals: Pick<ItemRemovals, 'wake'>;
  readonly notifications: JobNotifications;
  readonly dataTypes: DataTypes;
  readonly diskSpace: DiskSpace;
  readonly progressIntervalMs: number;
  readonly metrics: Pick<Metrics, 'recordBatches' | 'recordPartition'>;
  readonly log: Logger;
}

/** How long partitions may take to reach a checkpoint when the worker stops, in milliseconds. */
const STOP_TIMEOUT_MS = 10_000;

export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { prisma, queue, pool, itemRemovals, notifications, dataTypes, diskSpace, metrics, log } = options;
  const stopping = new AbortController();
  const activities = trackActivities({ prisma, notifications, log });
  const fullDisk = createFullDiskGuard(diskSpace, stopping.signal, log);
  const writePersistently = createPersistentWrite(fullDisk, stopping.signal, log);
  const earlyPlans = createEarlyPlans({ prisma, activities, plan: planEarly, log });

  const progress = createProgressWriter(prisma, {
    intervalMs: options.progressIntervalMs,
    onState: activities.stopEnding,
    onError: (error) => log.warn({ err: error }, 'progress could not be saved; the next batch saves it'),
  });

  /** Runs attempts until one ends that no full disk has interrupted: those do not count. */
  async function runTurn(turn: Turn): Promise<void> {
    try {
      while (!(await runClaimed(turn)));
    } finally {
      diskSpace.forget(turn.partitionId);
    }
  }

  /** @returns false if the partition must be claimed again. */
  async function runClaimed(turn: Turn): Promise<boolean> {
    const { partitionId, lost } = turn;
    const claim = await writePersistently(partitionId, lost, () => claimPartition(prisma, partitionId));
    if (claim.status === 'ENDED') {
      fullDisk.forget(partitionId);
      await endLeftStatements([claim.leftStatements]);
      return true;
    }
    const { partition, isFirstOfJob, job } = claim;
    const { jobId, attempt, sourceName } = partition;
    describeActiveSpan({
      'blade.job_id': jobId,
      'blade.partition_id': partitionId,
      'blade.attempt': attempt,
      'blade.data_type': partition.dataType,
      'blade.source': sourceName,
    });
    const traceId = findActiveTraceId();
    const partitionLog = log.child({
      jobId,
      partitionId,
      attempt,
      ...(traceId === undefined ? {} : { traceId }),
    });
    partitionLog.info({ source: sourceName }, 'partition started');
    const startedAt = performance.now();
    const end = (outcome: PartitionOutcome['status'] | 'THREW') => {
      describeActiveSpan({ 'blade.outcome': outcome });
      metrics.recordPartition(partition.dataType, outcome, (performance.now() - startedAt) / 1_000);
    };
    try {
      if (isFirstOfJob) {
        progress.written(jobId);
        if (job.kind !== 'QUERY') earlyPlans.begin(jobId);
      }
      const outcome = await activities
        .run(jobId, (signal) => runAttempt(partition, job, signal), lost)
        .then(fullDisk.blame, async (error: unknown): Promise<PartitionOutcome> => {
          const problem = await fullDisk.find(error);
          if (problem !== null) return { status: 'NO_SPACE', message: problem };
          fullDisk.forget(partitionId);
          end('THREW');
          throw error;
        });
      end(outcome.status);
      partitionLog.info({ outcome: outcome.status }, 'partition ended');
      earlyPlans.partitionEnded(jobId);
      if (outcome.status === 'NO_SPACE') {
        progress.changed(jobId, describeWaiting(outcome.message), partition);
        await activities.run(
          jobId,
          (signal) => fullDisk.wait(partitionId, outcome.message, signal),
          AbortSignal.any([lost, stopping.signal]),
        );
        if (lost.aborted) return true;
        if (!stopping.signal.aborted) return false;
        await saveOutcome(partition, job, { status: 'STOPPED' }, turn);
        return true;
      }
      fullDisk.forget(partitionId);
      if ('stack' in outcome && outcome.stack !== undefined)
        partitionLog.error({ stack: outcome.stack }, 'an error of the program ended an attempt');
      if (outcome.status === 'INTERRUPTED') throw new InterruptedError(outcome.message);
      await writePersistently(partitionId, lost, () => saveOutcome(partition, job, outcome, turn));
      return true;
    } catch (error) {
      partitionLog.warn({ err: error }, 'an attempt failed, and the partition is tried again');
      const reason = error instanceof InterruptedError ? error.message : describeUnexpected(error);
      const statements = await writePersistently(partitionId, lost, () =>
        handBackPartition(prisma, partition, reason),
      );
      progress.changed(jobId, describeWaiting(reason), null);
      // A thread that has died ends none, and the next attempt may come in a minute, or never.
      if (!(error instanceof InterruptedError)) await endLeftStatements([statements]);
      throw error;
    }
  }

  async function runAttempt(
    partition: JobPartition,
    job: RunnableJob,
    signal: AbortSignal,
  ): Promise<PartitionOutcome> {
    try {
      const task = await loadPartitionTask(prisma, partition, job);
      return await ingest(task, partition, toReports(partition, signal));
    } catch (error) {
      if (!(error instanceof InputGoneError)) throw error;
      return { status: 'FAILED', message: error.message, isReadError: true };
    }
  }

  function ingest(
    task: PartitionTask,
    partition: JobPartition,
    work: PartitionWork,
  ): Promise<PartitionOutcome> {
    return runInSpan('ingest partition', spanAttributes(task), async () => {
      const spans = gatherStageSpans();
      const planning = task.plan === null ? startSpan('plan partition', spanAttributes(task)) : null;
      return pool
        .runPartition(task, {
          ...work,
          onProgress(report) {
            work.onProgress(report);
            if (report.measurements !== null) spans.add(report.measurements);
          },
          async savePlan(partitions) {
            planning?.end();
            return keepPlan(task, partition, partitions);
          },
        })
        .finally(() => {
          planning?.end();
          spans.end();
        });
    });
  }

  /** Saves a plan and puts the partitions that it adds into the queue. @returns whether it is saved. */
  async function keepPlan(
    task: PartitionTask,
    partition: JobPartition,
    partitions: readonly PlannedPartition[],
  ): Promise<boolean> {
    const { isSaved, isSplit } = await savePlan(prisma, partition, partitions, (transaction, ids) =>
      queue.enqueue(transaction, ids, task.maxAttempts),
    );
    if (isSplit) queue.wake();
    return isSaved;
  }

  function toReports(partition: JobPartition, signal: AbortSignal): PartitionWork {
    const { id, jobId, dataType } = partition;
    return {
      signal,
      onProgress({ currentOperation, measurements }) {
        if (currentOperation !== null) progress.changed(jobId, currentOperation, partition);
        if (measurements === null) return;
        metrics.recordBatches(dataType, measurements);
        const { saved, uploaded, unchanged } = measurements.rows;
        if (saved + uploaded + unchanged > 0) diskSpace.forget(id);
      },
    };
  }

  async function saveOutcome(
    partition: JobPartition,
    { kind }: RunnableJob,
    outcome: Exclude<PartitionOutcome, { status: 'INTERRUPTED' | 'NO_SPACE' }>,
    turn: Turn,
  ): Promise<void> {
    switch (outcome.status) {
      case 'LEASE_LOST':
        return;
      case 'STOPPED':
        // The job itself continues, now or after a resume: only the attempt ends.
        await handBackPartition(prisma, partition, null, (transaction, job) =>
          turn.putBack(transaction, readJobOptions(job).maxAttempts),
        );
        return;
      case 'CHANGED': {
        const { isJobEnded, leftStatements } = await replanSource(
          { prisma, dataTypes },
          partition,
          outcome,
          (transaction, job, ids) => queue.enqueue(transaction, ids, readJobOptions(job).maxAttempts),
        );
        if (isJobEnded) progress.ended(partition.jobId);
        else queue.wake();
        await endLeftStatements(leftStatements);
        return;
      }
    }
    if (kind === 'QUERY' && outcome.status === 'COMPLETED') {
      const finished = await finishQuery(prisma, partition);
      if (finished !== null) {
        progress.ended(partition.jobId);
        if (finished.hasRemovals) itemRemovals.wake();
        return;
      }
    }
    const isJobEnded = await finishPartition({ prisma, dataTypes }, partition, outcome);
    if (!isJobEnded) return;
    progress.ended(partition.jobId);
    itemRemovals.wake();
  }

  /** Ends what killed attempts left in the warehouse and no later attempt will. */
  async function endLeftStatements(handles: readonly (string | null)[]): Promise<void> {
    const known = handles.filter((handle) => handle !== null);
    if (known.length === 0) return;
    await pool
      .endLeftStatements(known)
      .catch((error: unknown) =>
        log.warn({ err: error }, 'statements that were left in the warehouse could not be ended'),
      );
  }

  async function planEarly(partition: JobPartition, signal: AbortSignal): Promise<void> {
    const { id, jobId } = partition;
    try {
      const task = await loadPartitionTask(prisma, partition, await loadRunnableJob(prisma, partition));
      const outcome = await runInSpan('plan partition', spanAttributes(task), () =>
        pool.planPartition(task, toReports(partition, signal)),
      );
      if (outcome.status === 'PLANNED') await keepPlan(task, partition, outcome.partitions);
    } catch (error) {
      log.debug(
        { err: error, jobId, partitionId: id },
        'a partition could not be planned early; it is planned when it runs',
      );
    }
  }

  await queue.work(pool.threads, {
    run: runTurn,
    async giveUp(partitionId) {
      if (fullDisk.hasInterrupted(partitionId)) {
        // Its message was given up because a full disk kept the queue from seeing its heartbeats.
        await writePersistently(partitionId, null, () => requeuePartition(prisma, queue, partitionId));
        fullDisk.forget(partitionId);
        queue.wake();
        return;
      }
      log.error({ partitionId }, 'partition failed after its last attempt');
      const left = await writePersistently(partitionId, null, () =>
        abandonPartition({ prisma, dataTypes }, partitionId),
      );
      diskSpace.forget(partitionId);
      await endLeftStatements([left]);
    },
  });

  return {
    async stop() {
      stopping.abort();
      activities.stop();
      await Promise.race([queue.stop(), setTimeout(STOP_TIMEOUT_MS, undefined, { ref: false })]);
      activities.close();
      await progress.close();
    },
  };
}

function spanAttributes({ partitionId, sourceName }: PartitionTask) {
  return { 'blade.partition_id': partitionId, 'blade.source': sourceName };
}

/** An attempt ended with a known reason and can be repeated. */
class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}
