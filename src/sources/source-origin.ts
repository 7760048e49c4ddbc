import type { DataSource } from '../database/generated/prisma/client.ts';
import type { JsonObject } from '../shared/json.ts';

/** Describes where items of a source come from, for their metadata. @param name what the source is called in it. */
export function describeOrigin(name: string, source: DataSource | null): JsonObject {
  if (source === null) return { data_source: name };
  const { catalogName, schemaName, tableName } = source;
  return { data_source: name, source_table: `${catalogName}.${schemaName}.${tableName}` };
}
