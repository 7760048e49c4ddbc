import { z } from 'zod';
import { toMarking } from '../../data-types/marking.ts';
import type { DataSource, Job, JobPartition, PrismaClient } from '../../database/generated/prisma/client.ts';
import type { Watermark } from '../../ingestion/cursor.ts';
import type {
  PartitionInput,
  PartitionPlan,
  PartitionTask,
  QueryJobItems,
} from '../../ingestion/partition-task.ts';
import type { JsonObject, JsonValue } from '../../shared/json.ts';
import { readFeedState } from '../../sources/feed-state.ts';
import { readTableSchema } from '../../sources/found-schema.ts';
import { describeOrigin } from '../../sources/source-origin.ts';
import { sourceTable } from '../../sources/source-table.ts';
import { readSourceCopy } from '../../sources/synced-contents.ts';
import { hasProposal } from '../../sources/waiting-deletes.ts';
import { type JobOptions, readJobOptions } from '../input/job-options.ts';

/** The input of a partition is gone, so retrying is pointless. */
export class InputGoneError extends Error {
  override readonly name = 'InputGoneError';
}

/** The columns of a job that decide what its partitions do. */
export const RUNNABLE_FIELDS = [
  'id',
  'kind',
  'syncType',
  'filter',
  'maxItems',
  'sqlQuery',
  'parameters',
  'options',
  'marking',
  'startedById',
  'startedByName',
  'reason',
  'metadata',
  'createdAt',
  'startedAt',
] as const satisfies readonly (keyof Job)[];

export type RunnableJob = Pick<Job, (typeof RUNNABLE_FIELDS)[number]>;

/** Loads the job of a partition that is not claimed yet. */
export function loadRunnableJob(prisma: PrismaClient, { jobId }: JobPartition): Promise<RunnableJob> {
  return prisma.job.findUniqueOrThrow({ where: { id: jobId } });
}

/**
 * Loads the task that a thread runs for a partition: the job's configuration, the source and the checkpoint.
 * @throws InputGoneError when its source has been deleted.
 */
export async function loadPartitionTask(
  prisma: PrismaClient,
  partition: JobPartition,
  job: RunnableJob,
): Promise<PartitionTask> {
  const source = await findSource(prisma, job, partition);
  const options = readJobOptions(job);
  const keepsIds = source !== null && (await hasProposal(prisma, source.id));
  const input = toInput(job, options, partition, source, keepsIds);
  const hasNoSource = job.kind === 'QUERY' && partition.dataSourceId === null;
  return {
    jobId: job.id,
    partitionId: partition.id,
    attempt: partition.attempt,
    dataType: partition.dataType,
    dataSourceId: partition.dataSourceId,
    sourceName: partition.sourceName,
    input,
    plan: toPlan(input, partition),
    totalItems: partition.totalItems === null ? null : Number(partition.totalItems),
    position: partition.position as JsonValue | null,
    read: partition.readByLevel.map(Number),
    success: partition.successByLevel.map(Number),
    errors: partition.errorByLevel.map(Number),
    duplicates: partition.duplicateByLevel.map(Number),
    // A query of tables that belong to no source has none.
    sourceMetadata: hasNoSource ? {} : describeOrigin(partition.sourceName, source),
    hashedMetadata: hasNoSource ? {} : describeOrigin(source?.firstName ?? partition.sourceName, source),
    query: job.kind === 'QUERY' ? toQueryItems(job) : null,
    batchSize: options.batchSize,
    maxErrors: options.maxErrors,
    maxAttempts: options.maxAttempts,
    earlierStatements: partition.statementHandle,
  };
}

/** Finds the source that a partition reads; a query names its own tables. */
async function findSource(
  prisma: PrismaClient,
  { kind }: RunnableJob,
  { dataSourceId }: JobPartition,
): Promise<DataSource | null> {
  if (kind === 'QUERY' || dataSourceId === null) return null;
  return prisma.dataSource.findUnique({ where: { id: dataSourceId } });
}

/** What a query job makes is marked at least as high as the job, which it names; a sync leaves each row its own marking. */
function toQueryItems(job: RunnableJob): QueryJobItems {
  const marking = toMarking(job.marking);
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

function toInput(
  job: RunnableJob,
  options: JobOptions,
  partition: JobPartition,
  source: DataSource | null,
  keepsIds: boolean,
): PartitionInput {
  // A retry of failed items compares all of their data type again: their rows are not from a source.
  if (job.kind === 'REPAIR') return { kind: 'CATALOG' };
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
        table: sourceTable(source),
        dataType: partition.dataType,
        syncType: job.syncType ?? 'FULL',
        filter: job.filter,
        maxItems: job.maxItems,
        cursorColumn: source.cursorColumn,
        watermark: source.watermark === null ? null : { value: source.watermark, type: source.watermarkType },
        lookback: source.lookback,
        watermarkVersion: source.watermarkVersion,
        deletesGone: job.syncType !== 'INCREMENTAL' && source.deletePolicy !== 'KEEP',
        keepsIds,
        choice:
          job.filter === null && job.maxItems === null
            ? {
                mode: source.readMode,
                state: readFeedState(source.feedState),
                deletesGone: source.deletePolicy !== 'KEEP',
              }
            : null,
        schema: { known: readTableSchema(source.tableSchema), onChange: source.onSchemaChange },
        copy: job.filter === null && job.maxItems === null ? readSourceCopy(source, job.syncType) : null,
        partitionRows: options.partitionRows,
      };
  }
}

/** A query job needs no plan: its query is the plan. */
function toPlan(input: PartitionInput, { plan }: JobPartition): PartitionPlan | null {
  if (input.kind !== 'QUERY') {
    const stored = plan as PartitionPlan | null;
    // Plans from an earlier version of the program lack these.
    if (stored?.kind !== 'STATEMENT') return stored;
    const watermark: Watermark | string | null = stored.watermark;
    return {
      ...stored,
      watermark: typeof watermark === 'string' ? { value: watermark, type: null } : watermark,
      rowCount: stored.rowCount ?? null,
      version: stored.version ?? null,
      tableVersion: stored.tableVersion && {
        ...stored.tableVersion,
        committedAt: new Date(stored.tableVersion.committedAt),
      },
      read: stored.read ?? null,
      measure: stored.measure ?? null,
      deletes: stored.deletes ?? null,
    };
  }
  const { sql, parameters } = input;
  return {
    kind: 'STATEMENT',
    statement: { sql, parameters, withUnreadable: true },
    watermark: null,
    rowCount: null,
    ...{ version: null, tableVersion: null, read: null, measure: null, deletes: null },
  };
}

const parametersSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));
