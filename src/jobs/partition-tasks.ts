import { z } from 'zod';
import { storedMarking } from '../data-types/marking.ts';
import type { DataSource, Job, JobPartition, PrismaClient } from '../database/generated/prisma/client.ts';
import type {
  PartitionInput,
  PartitionPlan,
  PartitionTask,
  QueryJobItems,
} from '../ingestion/partition-task.ts';
import type { JsonObject, JsonValue } from '../shared/json.ts';
import { checkFilter } from '../sql-check/statement.ts';
import { tableOf } from './data-sources.ts';
import { jobOptionsSchema } from './job-input.ts';

/** What a partition was to read cannot be read any more, however often it is tried. */
export class InputGoneError extends Error {
  override readonly name = 'InputGoneError';
}

/**
 * What a thread is handed for a partition: its job's configuration, its source and its checkpoint as they are stored.
 * @throws InputGoneError when its source has been deleted.
 */
export async function loadPartitionTask(
  prisma: PrismaClient,
  partition: JobPartition,
): Promise<PartitionTask> {
  const job = await prisma.job.findUniqueOrThrow({ where: { id: partition.jobId } });
  const source = await sourceOf(prisma, job, partition);
  const options = jobOptionsSchema.parse(job.options);
  const input = inputOf(job, partition, source);
  return {
    jobId: job.id,
    partitionId: partition.id,
    attempt: partition.attempt,
    dataType: partition.dataType,
    dataSourceId: partition.dataSourceId,
    sourceName: partition.sourceName,
    input,
    plan: planOf(input, partition),
    totalItems: partition.totalItems,
    position: partition.position as JsonValue | null,
    read: partition.readByLevel,
    success: partition.successByLevel,
    errors: partition.errorByLevel,
    sourceMetadata: originOf(partition.sourceName, source),
    hashedMetadata: originOf(source?.firstName ?? partition.sourceName, source),
    query: job.kind === 'QUERY' ? queryItemsOf(job) : null,
    batchSize: options.batchSize,
    maxErrors: options.maxErrors,
    maxAttempts: options.maxAttempts,
  };
}

/** The source that a partition reads. A query says by itself what it reads. */
async function sourceOf(
  prisma: PrismaClient,
  { kind }: Job,
  { dataSourceId }: JobPartition,
): Promise<DataSource | null> {
  if (kind === 'QUERY' || dataSourceId === null) return null;
  return prisma.dataSource.findUnique({ where: { id: dataSourceId } });
}

/** What a query job makes is marked at least as high as the job, which it names; a sync leaves each row its own marking. */
function queryItemsOf(job: Job): QueryJobItems {
  const marking = storedMarking(job.marking);
  return {
    marking,
    raisedBy:
      job.startedById === null ? null : { id: job.startedById, name: job.startedByName ?? job.startedById },
    reason: job.reason ?? `The query job is marked ${marking}`,
    metadata: {
      query_job_id: job.id,
      query_time: (job.startedAt ?? job.createdAt).toISOString(),
      ...(job.metadata as JsonObject | null),
    },
  };
}

function inputOf(job: Job, partition: JobPartition, source: DataSource | null): PartitionInput {
  if (partition.retryOfPartitionId !== null) {
    return { kind: 'FAILED_ITEMS', partitionId: partition.retryOfPartitionId };
  }
  switch (job.kind) {
    case 'QUERY':
      return {
        kind: 'QUERY',
        sql: job.sqlQuery ?? '',
        parameters: parametersSchema.parse(job.parameters ?? {}),
      };
    case 'SYNC':
      if (source === null) throw new InputGoneError('the data source has been deleted');
      return {
        kind: 'TABLE',
        table: tableOf(source),
        dataType: partition.dataType,
        syncType: job.syncType ?? 'FULL',
        filter: normalizedFilter(job.filter),
        maxItems: job.maxItems,
        cursorColumn: source.cursorColumn,
        watermark: source.watermark,
        partitionRows: jobOptionsSchema.parse(job.options).partitionRows,
      };
  }
}

/** What a query job reads needs no plan: it is what its query says. */
function planOf(input: PartitionInput, { plan }: JobPartition): PartitionPlan | null {
  if (input.kind !== 'QUERY') return plan as PartitionPlan | null;
  const { sql, parameters } = input;
  return { kind: 'STATEMENT', statement: { sql, parameters }, watermark: null };
}

const parametersSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

function normalizedFilter(filter: string | null): string | null {
  if (filter === null) return null;
  const checked = checkFilter(filter);
  if (!checked.ok) throw new InputGoneError(`the filter is no longer accepted: ${checked.message}`);
  return checked.sql;
}

/** Where the items of a partition are from. @param name what the source is called in it. */
function originOf(name: string, source: DataSource | null): JsonObject {
  if (source === null) return { data_source: name };
  const { catalogName, schemaName, tableName } = source;
  return { data_source: name, source_table: `${catalogName}.${schemaName}.${tableName}` };
}
