import { HIGHEST_MARKING } from '../../data-types/marking.ts';
import type { JobPartition, PrismaClient } from '../../database/generated/prisma/client.ts';
import { runDeleting } from '../../items/deleting-transaction.ts';
import { type LockedJob, lockPartitionJob, type Transaction } from '../job-lock.ts';
import { isTerminal } from '../job-state.ts';
import { pauseWhenIdle } from '../pause-job.ts';
import { endPartition } from './end-partition.ts';

/**
 * Releases a partition before its end: it waits until it is claimed again, and resumes from its checkpoint. If its job
 * was asked to stop, it ends instead. Does nothing when the attempt has lost its lease.
 * @param reason why it has to be tried again, for people; null if nothing is wrong with it.
 * @param requeue puts it back into the queue as part of the transaction, if it still has to run.
 * @returns names the statements of the attempt in the warehouse, which go on if its thread has died; null for none.
 */
export async function handBackPartition(
  prisma: PrismaClient,
  partition: Pick<JobPartition, 'id' | 'attempt'>,
  reason: string | null,
  requeue: (transaction: Transaction, job: LockedJob) => Promise<void> = async () => {},
): Promise<string | null> {
  return runDeleting(prisma, async (transaction) => {
    const job = await lockPartitionJob(transaction, partition.id);
    if (job === null || isTerminal(job.state)) return null;
    const held = { id: partition.id, attempt: partition.attempt, state: 'RUNNING' } as const;
    const own = await transaction.jobPartition.findUnique({
      where: held,
      select: { statementHandle: true },
    });
    if (own === null) return null;
    if (job.state === 'CANCELLING') {
      await endPartition(transaction, job, partition, { status: 'STOPPED' });
      return own.statementHandle;
    }
    await transaction.jobPartition.update({
      where: held,
      data: { state: 'PENDING', message: reason, messageMarking: reason === null ? null : HIGHEST_MARKING },
    });
    if (job.state === 'PAUSING') {
      await pauseWhenIdle(transaction, job);
      return own.statementHandle;
    }
    await transaction.$executeRaw`
      update job set current_operation = ${describeWaiting(reason)}, estimated_completion = null
      where id = ${job.id}::uuid`;
    await requeue(transaction, job);
    return own.statementHandle;
  });
}

/** What a job does while one of its partitions waits for its next attempt. */
export function describeWaiting(reason: string | null): string {
  return reason === null ? 'Waiting for a worker' : `Waiting to try again: ${reason}`;
}
