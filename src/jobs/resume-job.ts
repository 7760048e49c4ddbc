import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import { changeJobState } from './change-job-state.ts';
import { readJobOptions } from './input/job-options.ts';
import { JobNotPausedError } from './job-errors.ts';
import { lockJobFor } from './job-lock.ts';
import { canTransition } from './job-state.ts';
import type { PartitionQueue } from './queue/partition-queue.ts';

/**
 * Resumes a paused job: its partitions go back into the queue, each at its checkpoint.
 * @throws JobNotFoundError, or JobNotPausedError for a job in any other state.
 */
export async function resumeJob(
  { prisma, queue }: { readonly prisma: PrismaClient; readonly queue: PartitionQueue },
  principal: Principal,
  jobId: string,
): Promise<void> {
  await prisma.$transaction(async (transaction) => {
    const job = await lockJobFor(transaction, principal, jobId);
    if (!canTransition(job.state, 'QUEUED')) throw new JobNotPausedError(jobId, job.state);
    await recordDone(transaction, principal, { operation: 'resumeJob', jobId });
    await changeJobState(transaction, job, 'QUEUED', { currentOperation: 'Waiting for a worker' });
    const waiting = await transaction.jobPartition.findMany({
      where: { jobId, state: 'PENDING' },
      select: { id: true },
      orderBy: { ordinal: 'asc' },
    });
    await queue.enqueue(
      transaction,
      waiting.map(({ id }) => id),
      readJobOptions(job).maxAttempts,
    );
  });
  queue.wake();
}
