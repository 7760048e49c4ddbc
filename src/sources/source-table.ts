import type { DataSource } from '../database/generated/prisma/client.ts';
import type { TableName } from '../warehouse/warehouse.ts';

/** Returns the table that a source reads. */
export function sourceTable({
  catalogName,
  schemaName,
  tableName,
}: Pick<DataSource, 'catalogName' | 'schemaName' | 'tableName'>): TableName {
  return { catalog: catalogName, schema: schemaName, table: tableName };
}
