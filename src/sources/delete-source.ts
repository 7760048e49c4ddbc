import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import type { DataSource, PrismaClient } from '../database/generated/prisma/client.ts';
import { DataSourceNotFoundError } from './source-errors.ts';
import { refuseWhileInUse } from './source-use.ts';

/**
 * Deletes a source with its schedule. Its items and job history stay.
 * @throws DataSourceNotFoundError, or DataSourceInUseError while an active job reads it.
 */
export async function deleteDataSource(
  prisma: PrismaClient,
  principal: Principal,
  sourceId: string,
): Promise<DataSource> {
  return prisma.$transaction(async (transaction) => {
    // Locked, so that no sync of it starts in between.
    await transaction.$queryRaw`select 1 from data_source where id = ${sourceId}::uuid for update`;
    const source = await transaction.dataSource.findUnique({ where: { id: sourceId } });
    if (source === null) throw new DataSourceNotFoundError(sourceId);
    await refuseWhileInUse(transaction, sourceId);
    await recordDone(transaction, principal, {
      operation: 'deleteDataSource',
      dataSourceId: sourceId,
      details: { name: source.name },
    });
    return transaction.dataSource.delete({ where: { id: sourceId } });
  });
}
