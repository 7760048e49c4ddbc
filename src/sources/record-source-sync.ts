import type { Prisma } from '../database/generated/prisma/client.ts';
import { addCounts } from '../items/level-counts.ts';

/** A partition that has just ended, with what it read. */
export interface EndedRead {
  readonly jobId: string;
  readonly dataSourceId: string | null;
  /** Set for a partition that retried failed items, which says nothing about the source. */
  readonly retryOfPartitionId: string | null;
}

/**
 * Records on a source how its sync ended, once all its partitions of the job have: the watermark moves only when each
 * of them was read to its end.
 * @param watermark the one to move to; null to leave it.
 */
export async function recordSourceSync(
  transaction: Prisma.TransactionClient,
  { jobId, dataSourceId, retryOfPartitionId }: EndedRead,
  watermark: string | null,
): Promise<void> {
  if (dataSourceId === null || retryOfPartitionId !== null) return;
  const partitions = await transaction.jobPartition.findMany({
    where: { jobId, dataSourceId },
    select: { state: true, message: true, messageMarking: true, successCount: true, successByLevel: true },
    orderBy: { ordinal: 'asc' },
  });
  if (partitions.some(({ state }) => state === 'PENDING' || state === 'RUNNING')) return;
  const unread =
    partitions.find(({ state }) => state === 'FAILED') ??
    partitions.find(({ state }) => state === 'CANCELLED');
  const lastSync = { lastSyncAt: new Date(), lastSyncState: unread?.state ?? ('COMPLETED' as const) };
  await transaction.dataSource.updateMany({
    where: { id: dataSourceId },
    data:
      unread === undefined
        ? {
            ...lastSync,
            lastSyncMessage: null,
            lastSyncMarking: null,
            itemCount: partitions.reduce((sum, { successCount }) => sum + successCount, 0n),
            itemCountByLevel: [
              ...addCounts(...partitions.map(({ successByLevel }) => successByLevel.map(Number))),
            ],
            ...(watermark === null ? {} : { watermark }),
          }
        : { ...lastSync, lastSyncMessage: unread.message, lastSyncMarking: unread.messageMarking },
  });
}
