import type { DataSource, Prisma } from '../database/generated/prisma/client.ts';
import type { NewPartition } from './create-job.ts';

/** Lists the enabled sources, or those of one data type. */
export function listEnabledSources(
  transaction: Prisma.TransactionClient,
  dataType: string | null,
): Promise<DataSource[]> {
  return transaction.dataSource.findMany({
    where: { enabled: true, ...(dataType === null ? {} : { dataType }) },
    orderBy: [{ dataType: 'asc' }, { name: 'asc' }],
  });
}

/** The partition that reads a source. */
export function toPartition({ id, name, dataType }: DataSource): NewPartition {
  return { dataType, dataSourceId: id, sourceName: name };
}
