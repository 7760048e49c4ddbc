import type { Prisma } from '../database/generated/prisma/client.ts';
import { DataSourceInUseError } from './source-errors.ts';

/** @throws DataSourceInUseError while an active job reads the source. */
export async function refuseWhileInUse(
  transaction: Prisma.TransactionClient,
  sourceId: string,
): Promise<void> {
  // A query job reads tables of its own, and may be one that not everybody knows of.
  const active = await transaction.jobPartition.count({
    where: { dataSourceId: sourceId, state: { in: ['PENDING', 'RUNNING'] }, job: { kind: 'SYNC' } },
  });
  if (active > 0) throw new DataSourceInUseError(sourceId);
}
