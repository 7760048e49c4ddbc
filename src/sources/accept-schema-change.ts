import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import { describeSchemaChanges } from '../ingestion/table-schema.ts';
import { readSchemaChanges } from './found-schema.ts';
import { DataSourceNotFoundError } from './source-errors.ts';
import { refuseWhileInUse } from './source-use.ts';

/**
 * Accepts the changed schema that stops a source, so that its next sync reads the table. Does nothing if none stops it.
 * @throws DataSourceNotFoundError, or DataSourceInUseError while an active job reads the source.
 */
export async function acceptSchemaChange(
  prisma: PrismaClient,
  principal: Principal,
  sourceId: string,
): Promise<void> {
  await prisma.$transaction(async (transaction) => {
    await transaction.$queryRaw`select 1 from data_source where id = ${sourceId}::uuid for update`;
    const source = await transaction.dataSource.findUnique({ where: { id: sourceId } });
    if (source === null) throw new DataSourceNotFoundError(sourceId);
    await refuseWhileInUse(transaction, sourceId);
    const found = readSchemaChanges(source.schemaChanges);
    if (found === null || !found.isStopped) return;
    await transaction.$executeRaw`
      update data_source set table_schema = coalesce(found_schema, table_schema), found_schema = null,
        schema_changes = schema_changes || '{"isStopped": false}', synced = null, updated_at = blade_now()
      where id = ${sourceId}::uuid`;
    await recordDone(transaction, principal, {
      operation: 'acceptSchemaChange',
      dataSourceId: sourceId,
      details: { name: source.name, changes: describeSchemaChanges(found.changes) },
    });
  });
}
