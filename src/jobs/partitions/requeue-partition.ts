import type { PrismaClient } from '../../database/generated/prisma/client.ts';
import { readJobOptions } from '../input/job-options.ts';
import { lockPartitionJob } from '../job-lock.ts';
import { isTerminal } from '../job-state.ts';
import type { PartitionQueue } from '../queue/partition-queue.ts';

/** Puts a partition that was given up because of an outage back into the queue, with all its attempts. */
export async function requeuePartition(
  prisma: PrismaClient,
  queue: Pick<PartitionQueue, 'enqueue'>,
  partitionId: string,
): Promise<void> {
  await prisma.$transaction(async (transaction) => {
    const job = await lockPartitionJob(transaction, partitionId);
    if (job === null || isTerminal(job.state)) return;
    await queue.enqueue(transaction, [partitionId], readJobOptions(job).maxAttempts);
  });
}
