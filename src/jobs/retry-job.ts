import { type Job, Prisma } from '../database/generated/prisma/client.ts';
import { JobNotFinishedError, JobNotFoundError, NothingToRetryError } from './job-errors.ts';
import { isTerminal } from './job-state.ts';
import { createJob, type JobStarter } from './start-job.ts';

/**
 * Runs an ended job again, as a new job that names the old one.
 * @param failedItemsOnly takes up only the items that failed, from their kept rows and the store, without reading
 * the warehouse; otherwise everything is read again, and what has not changed is skipped.
 * @throws JobNotFoundError, JobNotFinishedError, NothingToRetryError, and SyncAlreadyRunningError for a sync while
 * another one is active.
 */
export async function retryJob(starter: JobStarter, jobId: string, failedItemsOnly: boolean): Promise<Job> {
  return createJob(starter, async (transaction) => {
    const job = await transaction.job.findUnique({
      where: { id: jobId },
      include: { partitions: { orderBy: { ordinal: 'asc' } } },
    });
    if (job === null) throw new JobNotFoundError(jobId);
    if (!isTerminal(job.state)) throw new JobNotFinishedError(jobId, job.state);
    const withFailedItems = failedItemsOnly ? await partitionsWithFailedItems(transaction, jobId) : null;
    const partitions = job.partitions.filter(({ id }) => withFailedItems === null || withFailedItems.has(id));
    if (partitions.length === 0) throw new NothingToRetryError(jobId);
    return {
      job: {
        kind: job.kind,
        syncType: job.syncType,
        dataType: job.dataType,
        filter: job.filter,
        maxItems: job.maxItems,
        sqlQuery: job.sqlQuery,
        parameters: job.parameters ?? Prisma.DbNull,
        classification: job.classification,
        metadata: job.metadata ?? Prisma.DbNull,
        options: job.options ?? {},
        retryOfId: job.id,
        failedItemsOnly: failedItemsOnly || job.failedItemsOnly,
      },
      partitions: partitions.map(({ id, dataType, dataSourceId, sourceName, retryOfPartitionId }) => ({
        dataType,
        dataSourceId,
        sourceName,
        ...(failedItemsOnly
          ? { retryOfPartitionId: id }
          : retryOfPartitionId === null
            ? {}
            : { retryOfPartitionId }),
      })),
    };
  });
}

async function partitionsWithFailedItems(
  transaction: Prisma.TransactionClient,
  jobId: string,
): Promise<ReadonlySet<string>> {
  const failed = await transaction.jobError.findMany({
    where: { jobId, stage: { not: 'READ' } },
    distinct: ['partitionId'],
    select: { partitionId: true },
  });
  return new Set(failed.map(({ partitionId }) => partitionId));
}
