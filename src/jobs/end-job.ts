import { type PartitionState, Prisma } from '../database/generated/prisma/client.ts';
import { changeJobStateAndCounts } from './change-job-state.ts';
import type { LockedJob, Transaction } from './job-lock.ts';
import type { TerminalJobState } from './job-state.ts';
import { pauseWhenIdle } from './pause-job.ts';

export interface JobEnd {
  readonly state: TerminalJobState;
  readonly failureReason: string | null;
}

/** Brings a job to its final state. */
export async function endJob(transaction: Transaction, job: LockedJob, end: JobEnd): Promise<void> {
  const name = job.kind === 'SYNC' ? 'Sync' : 'Query job';
  await changeJobStateAndCounts(transaction, job, end.state, {
    currentOperation: `${name} ${end.state.toLowerCase()}`,
    columns: Prisma.sql`, failure_reason = ${end.failureReason}, finished_at = now(),
      items_per_second = case when started_at < now()
        then progress.processed_items / extract(epoch from now() - started_at) end`,
  });
}

/**
 * Ends a job once all its partitions have ended: cancelled if asked to, failed if none of them could be read.
 * @param states the states that its partitions are in now.
 * @returns whether it has ended.
 */
export async function endJobWhenDone(
  transaction: Transaction,
  job: LockedJob,
  states: readonly PartitionState[],
): Promise<boolean> {
  if (states.includes('PENDING') || states.includes('RUNNING')) {
    if (job.state === 'PAUSING') await pauseWhenIdle(transaction, job);
    return false;
  }
  if (job.state === 'CANCELLING' || states.includes('CANCELLED')) {
    await endJob(transaction, job, { state: 'CANCELLED', failureReason: null });
  } else if (states.every((state) => state === 'FAILED')) {
    await endJob(transaction, job, {
      state: 'FAILED',
      failureReason: await describeFailures(transaction, job),
    });
  } else await endJob(transaction, job, { state: 'COMPLETED', failureReason: null });
  return true;
}

/** Why each of a job's partitions failed. */
async function describeFailures(transaction: Transaction, { id }: LockedJob): Promise<string> {
  const partitions = await transaction.jobPartition.findMany({
    where: { jobId: id },
    select: { message: true, sourceName: true },
    orderBy: { ordinal: 'asc' },
  });
  const reasons = new Set(partitions.map(({ sourceName, message }) => `${sourceName}: ${message}`));
  return [...reasons].join('; ');
}
