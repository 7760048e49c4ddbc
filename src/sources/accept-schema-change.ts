import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import { describeSchemaChanges } from '../ingestion/table-schema.ts';
import { readSchemaChanges } from './found-schema.ts';
import { DataSourceNotFoundError } from './source-errors.ts';
import { refuseWhileInUse } from './source-use.ts';

/** Why all rows are read although the table may have a change feed. */
const ACCEPTED = 'The schema of the table was accepted with other columns';

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
        feed_state = feed_state || jsonb_build_object('brokenBy', ${ACCEPTED}::text),
        schema_changes = schema_changes || '{"isStopped": false}', synced = null, updated_at = blade_now()
      where id = ${sourceId}::uuid`;
    await recordDone(transaction, principal, {
      operation: 'acceptSchemaChange',
      dataSourceId: sourceId,
      details: { name: source.name, changes: describeSchemaChanges(found.changes) },
    });
  });
}
