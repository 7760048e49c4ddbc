import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import { changeJobState, changeJobStateAndCounts } from './change-job-state.ts';
import { JobNotPausableError } from './job-errors.ts';
import { type LockedJob, lockJobFor, type Transaction } from './job-lock.ts';
import { canTransition } from './job-state.ts';

/**
 * Asks a job to pause. A job that no thread works on is paused at once; a running one is PAUSING until its threads are
 * back at their checkpoints. A job that is already pausing or paused stays as it is.
 * @throws JobNotFoundError, or JobNotPausableError for a job that has ended or is being cancelled.
 */
export async function pauseJob(prisma: PrismaClient, principal: Principal, jobId: string): Promise<void> {
  await prisma.$transaction(async (transaction) => {
    const job = await lockJobFor(transaction, principal, jobId);
    if (job.state === 'PAUSING' || job.state === 'PAUSED') return;
    if (!canTransition(job.state, 'PAUSED')) throw new JobNotPausableError(jobId, job.state);
    await recordDone(transaction, principal, { operation: 'pauseJob', jobId });
    if (await pauseWhenIdle(transaction, job)) return;
    await changeJobState(transaction, job, 'PAUSING', { currentOperation: 'Pausing' });
  });
}

/**
 * Pauses a job whose partitions are all idle.
 * @returns whether it is paused now.
 */
export async function pauseWhenIdle(transaction: Transaction, job: LockedJob): Promise<boolean> {
  const running = await transaction.jobPartition.count({ where: { jobId: job.id, state: 'RUNNING' } });
  if (running > 0) return false;
  await changeJobStateAndCounts(transaction, job, 'PAUSED', {
    currentOperation: 'Paused',
    columns: Prisma.sql`, items_per_second = null`,
  });
  return true;
}
