import type { Prisma } from '../database/generated/prisma/client.ts';
import { DataSourceInUseError } from './source-errors.ts';

/** @throws DataSourceInUseError while an active job reads the source. */
export async function refuseWhileInUse(
  transaction: Prisma.TransactionClient,
  sourceId: string,
): Promise<void> {
  // Query jobs do not count: they read other tables, and the caller may not be cleared for them.
  const active = await transaction.jobPartition.count({
    where: { dataSourceId: sourceId, state: { in: ['PENDING', 'RUNNING'] }, job: { kind: 'SYNC' } },
  });
  if (active > 0) throw new DataSourceInUseError(sourceId);
}
