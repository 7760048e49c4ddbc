import { ForbiddenError } from '../access/access-errors.ts';
import { includesRole, type Principal } from '../access/principal.ts';
import { listMarkingsUpTo, type Marking } from '../data-types/marking.ts';
import { type Job, type JobPartition, Prisma } from '../database/generated/prisma/client.ts';
import { RETRYABLE_ERRORS } from '../ingestion/failed-items.ts';
import { createJob, type JobStarter, type NewPartition } from './create-job.ts';
import { copyConfiguration } from './job-configuration.ts';
import { JobNotFinishedError, JobNotFoundError, NothingToRetryError } from './job-errors.ts';
import { isTerminal } from './job-state.ts';

/**
 * Runs an ended job again, as a new job that names the old one.
 * @param retry.failedItemsOnly takes up only the items that failed, from their kept rows and the store, without reading
 * the warehouse; otherwise everything is read again, and what has not changed is skipped.
 * @param principal who starts it: failed items above its clearance do not count; without others there is nothing to retry.
 * @throws JobNotFoundError, JobNotFinishedError, NothingToRetryError; SyncAlreadyRunningError or RepairAlreadyRunningError
 * while another one is active; and ForbiddenError for a repair, which only an admin may start.
 */
export async function retryJob(
  starter: JobStarter,
  principal: Principal,
  { jobId, failedItemsOnly }: { readonly jobId: string; readonly failedItemsOnly: boolean },
): Promise<Job> {
  return createJob(starter, principal, async (transaction) => {
    const job = await transaction.job.findFirst({
      where: { id: jobId, marking: { in: [...listMarkingsUpTo(principal.clearance)] } },
      include: { partitions: { orderBy: { ordinal: 'asc' } } },
    });
    if (job === null) throw new JobNotFoundError(jobId);
    if (job.kind === 'REPAIR' && !includesRole(principal.role, 'admin')) {
      throw new ForbiddenError('admin', principal.role);
    }
    if (!isTerminal(job.state)) throw new JobNotFinishedError(jobId, job.state);
    const partitions = failedItemsOnly
      ? await listFailedPartitions(transaction, job.partitions, principal.clearance)
      : toAllPartitions(job.partitions);
    if (partitions.length === 0) throw new NothingToRetryError(jobId);
    return {
      job: {
        ...copyConfiguration(job),
        retryOfId: job.id,
        failedItemsOnly: failedItemsOnly || job.failedItemsOnly,
      },
      partitions,
      operation: 'retryJob',
      details: { retryOf: jobId, failedItemsOnly },
    };
  });
}

/** Returns each source once, however many partitions it was split into, and the failed items that were retried. */
function toAllPartitions(partitions: readonly JobPartition[]): NewPartition[] {
  const wanted = new Map<string, NewPartition>();
  for (const { dataType, dataSourceId, sourceName, retryOfPartitionId } of partitions) {
    const partition = { dataType, dataSourceId, sourceName };
    if (retryOfPartitionId === null) wanted.set(sourceName, partition);
    else wanted.set(retryOfPartitionId, { ...partition, retryOfPartitionId });
  }
  return [...wanted.values()];
}

async function listFailedPartitions(
  transaction: Prisma.TransactionClient,
  partitions: readonly JobPartition[],
  clearance: Marking,
): Promise<NewPartition[]> {
  const ids = partitions.map(({ id }) => id);
  const failed = await transaction.$queryRaw<{ partitionId: string }[]>`
    select distinct e.partition_id as "partitionId" ${Prisma.raw(RETRYABLE_ERRORS)}
      and e.partition_id = any(${ids}::uuid[]) and e.marking = any(${[...listMarkingsUpTo(clearance)]})`;
  const withFailedItems = new Set(failed.map(({ partitionId }) => partitionId));
  return partitions
    .filter(({ id }) => withFailedItems.has(id))
    .map(({ id, dataType, dataSourceId, sourceName }) => ({
      ...{ dataType, dataSourceId, sourceName },
      retryOfPartitionId: id,
    }));
}
