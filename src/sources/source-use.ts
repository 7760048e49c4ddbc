import { Prisma } from '../database/generated/prisma/client.ts';
import { DataSourceInUseError } from './source-errors.ts';

/** @throws DataSourceInUseError while an active job reads the source, or has yet to judge its items. */
export async function refuseWhileInUse(
  transaction: Prisma.TransactionClient,
  sourceId: string,
): Promise<void> {
  // Query jobs do not count: they read other tables, and the caller may not be cleared for them.
  const active = await transaction.jobPartition.count({
    where: {
      ...{ dataSourceId: sourceId, job: { kind: 'SYNC' } },
      OR: [
        { state: { in: ['PENDING', 'RUNNING'] } },
        { postponedFacts: { not: Prisma.DbNull }, job: IS_ACTIVE },
      ],
    },
  });
  if (active > 0) throw new DataSourceInUseError(sourceId);
}

const IS_ACTIVE = { state: { notIn: ['COMPLETED', 'FAILED', 'CANCELLED'] } } satisfies Prisma.JobWhereInput;
