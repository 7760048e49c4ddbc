import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import { runDeleting } from '../items/deleting-transaction.ts';
import { recordPostponed } from '../sources/record-source-sync.ts';
import { changeJobState } from './change-job-state.ts';
import { endJob } from './end-job.ts';
import { JobAlreadyFinishedError } from './job-errors.ts';
import { lockJobFor } from './job-lock.ts';
import { isTerminal } from './job-state.ts';

/**
 * Asks a job to stop. A job that no thread works on is cancelled at once; a running one is CANCELLING until its
 * threads have stopped.
 * @throws JobNotFoundError, or JobAlreadyFinishedError for a job that has ended.
 */
export async function cancelJob(
  prisma: PrismaClient,
  principal: Principal,
  jobId: string,
  operation: 'cancelJob' | 'stopSync' = 'cancelJob',
): Promise<void> {
  await runDeleting(prisma, async (transaction) => {
    const job = await lockJobFor(transaction, principal, jobId);
    if (isTerminal(job.state)) throw new JobAlreadyFinishedError(jobId, job.state);
    if (job.state === 'CANCELLING') return;
    await recordDone(transaction, principal, { operation, jobId });
    await transaction.$executeRaw`
      with ended as (
        update job_partition set state = 'CANCELLED', finished_at = blade_now()
        where job_id = ${jobId}::uuid and state = 'PENDING'
      )
      delete from read_ids r using job_partition p
      where r.partition_id = p.id and p.job_id = ${jobId}::uuid and p.state <> 'RUNNING'
        and not exists (select from delete_approval a where a.data_source_id = p.data_source_id)`;
    const running = await transaction.jobPartition.count({ where: { jobId, state: 'RUNNING' } });
    if (running === 0) {
      await recordPostponed(transaction, jobId);
      await endJob(transaction, job, { state: 'CANCELLED', failureReason: null });
    } else await changeJobState(transaction, job, 'CANCELLING', { currentOperation: 'Cancelling' });
  });
}
