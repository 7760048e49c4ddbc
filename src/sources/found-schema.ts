import { z } from 'zod';
import { Prisma } from '../database/generated/prisma/client.ts';
import type { FoundSchema } from '../ingestion/check-schema.ts';
import {
  type SchemaChange,
  schemaChangeSchema,
  type TableSchema,
  tableSchemaSchema,
} from '../ingestion/table-schema.ts';

const schemaChangesSchema = z.object({
  changes: z.array(schemaChangeSchema),
  foundAt: z.iso.datetime().transform((text) => new Date(text)),
  isStopped: z.boolean(),
});

/** The last changes that a sync has found in the schema of a source. */
export type SchemaChanges = z.output<typeof schemaChangesSchema>;

/** Reads the schema of a source; null before its first sync is complete. */
export function readTableSchema(stored: Prisma.JsonValue): TableSchema | null {
  return tableSchemaSchema.safeParse(stored).data ?? null;
}

/** Reads the last changes of the schema of a source; null if there were none. */
export function readSchemaChanges(stored: Prisma.JsonValue): SchemaChanges | null {
  return schemaChangesSchema.safeParse(stored).data ?? null;
}

/** A job that reads a source. */
export interface SourceOfJob {
  readonly jobId: string;
  readonly dataSourceId: string;
  readonly sourceName: string;
}

/**
 * Records on a source, and as an event of the job, which schema a sync has found. Part of the transaction that saves its plan, or
 * ends it because of the schema.
 * @param found null if the sync does not look at it.
 */
export async function recordFoundSchema(
  transaction: Prisma.TransactionClient,
  source: SourceOfJob,
  found: FoundSchema | null,
  isStopped: boolean,
): Promise<void> {
  const { columns, version, changes } = found ?? { columns: null, version: null, changes: [] };
  await transaction.$executeRaw`
    update data_source set found_schema = ${columns && JSON.stringify({ columns, version })}::jsonb,
      schema_changes = case
        when ${changes.length > 0} then jsonb_build_object('changes', ${JSON.stringify(changes)}::jsonb, 'isStopped', ${isStopped}::boolean,
          'foundAt', to_char(blade_now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
        -- The table is again as it was.
        when (schema_changes ->> 'isStopped')::boolean then null
        else schema_changes
      end
    where id = ${source.dataSourceId}::uuid`;
  if (changes.length > 0) await recordEvent(transaction, source, changes, isStopped);
}

/** Records changes once a job, also if the source is planned again. */
async function recordEvent(
  transaction: Prisma.TransactionClient,
  { jobId, sourceName }: SourceOfJob,
  changes: readonly SchemaChange[],
  isStopped: boolean,
): Promise<void> {
  const data = JSON.stringify({ changes, isStopped });
  await transaction.$queryRaw`
    select blade_add_job_event(${jobId}::uuid, 'SCHEMA_CHANGED'::job_event_kind, ${sourceName}, data => ${data}::jsonb)::text
    where not exists (select from job_event e where e.job_id = ${jobId}::uuid and e.kind = 'SCHEMA_CHANGED'
      and e.source_name = ${sourceName} and e.data = ${data}::jsonb)`;
}

/** Keeps the schema that a sync has found, once the sync is complete. */
export async function keepFoundSchema(
  transaction: Prisma.TransactionClient,
  dataSourceId: string,
): Promise<void> {
  await transaction.$executeRaw`
    update data_source set table_schema = found_schema, found_schema = null
    where id = ${dataSourceId}::uuid and found_schema is not null`;
}

/** What a source forgets once it reads another table. */
export const NO_SCHEMA = {
  ...{ tableSchema: Prisma.DbNull, foundSchema: Prisma.DbNull, schemaChanges: Prisma.DbNull },
};
