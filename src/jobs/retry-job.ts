import { ForbiddenError } from '../access/access-errors.ts';
import { includesRole, type Principal } from '../access/principal.ts';
import { listMarkingsUpTo, type Marking } from '../data-types/marking.ts';
import {
  type DataSource,
  type Job,
  type JobKind,
  type JobPartition,
  Prisma,
  type RetryMode,
} from '../database/generated/prisma/client.ts';
import { RETRYABLE_ERRORS } from '../ingestion/failed-items.ts';
import { createIssue, InvalidInputError } from '../shared/invalid-input.ts';
import { createJob, describeAnew, type JobStarter, type StartedJob } from './create-job.ts';
import type { NewJob, NewPartition } from './insert-job.ts';
import { copyConfiguration } from './job-configuration.ts';
import { JobNotFinishedError, JobNotFoundError, NothingToRetryError } from './job-errors.ts';
import { isTerminal } from './job-state.ts';
import { describeDisabled, findSources, toPartition } from './source-partitions.ts';
import { describeStartRequest } from './start-request.ts';

/** A job to retry, and what of it. */
export interface RetryJobInput {
  readonly jobId: string;
  readonly mode: RetryMode;
  readonly idempotencyKey: string | null;
}

/**
 * Runs an ended job again, as a new job that names the old one.
 * @param input.mode ALL reads everything again and skips what has not changed; FAILED_SOURCES reads only the sources that
 * failed; FAILED_ITEMS takes up only the items that failed, from their kept rows and the store, without reading the warehouse.
 * @param principal who starts it: failed items above its clearance do not count; without others there is nothing to retry.
 * Sources that are disabled are left out, as in a sync.
 * @throws JobNotFoundError, JobNotFinishedError, NothingToRetryError; InvalidInputError if all that it would read is disabled;
 * SyncAlreadyRunningError or RepairAlreadyRunningError while another one is active; and ForbiddenError for a repair, which only an admin may start.
 */
export async function retryJob(
  starter: JobStarter,
  principal: Principal,
  input: RetryJobInput,
): Promise<StartedJob> {
  const { jobId, mode } = input;
  const describe = async (transaction: Prisma.TransactionClient): Promise<NewJob> => {
    const job = await transaction.job.findFirst({
      where: { id: jobId, marking: { in: [...listMarkingsUpTo(principal.clearance)] } },
      include: { partitions: { orderBy: { ordinal: 'asc' } } },
    });
    if (job === null) throw new JobNotFoundError(jobId);
    if (job.kind === 'REPAIR' && !includesRole(principal.role, 'admin')) {
      throw new ForbiddenError('admin', principal.role);
    }
    if (!isTerminal(job.state)) throw new JobNotFinishedError(jobId, job.state);
    const partitions = await listPartitions(transaction, job, mode, principal.clearance);
    if (partitions.length === 0) throw new NothingToRetryError(jobId, mode);
    return {
      job: {
        ...copyConfiguration(job),
        dataType: partitions.every(({ dataType }) => dataType === job.dataType) ? job.dataType : null,
        retryOfId: job.id,
        retryMode: combineModes(job.retryMode, mode),
      },
      partitions,
      operation: 'retryJob',
      details: { retryOf: jobId, mode },
    };
  };
  const request = describeStartRequest('retryJob', input);
  return describeAnew(() => createJob(starter, principal, describe, request));
}

/** Returns the mode of a retry of a job that may be a retry itself, whose partitions are all that there is to take up. */
function combineModes(before: RetryMode | null, mode: RetryMode): RetryMode {
  return before === 'FAILED_ITEMS' || (before !== null && mode === 'ALL') ? before : mode;
}

async function listPartitions(
  transaction: Prisma.TransactionClient,
  { kind, partitions }: Pick<Job, 'kind'> & { readonly partitions: readonly JobPartition[] },
  mode: RetryMode,
  clearance: Marking,
): Promise<NewPartition[]> {
  switch (mode) {
    case 'ALL':
      return toWholeSources(transaction, kind, partitions);
    case 'FAILED_SOURCES':
      return toWholeSources(
        transaction,
        kind,
        partitions.filter((partition) => partition.state === 'FAILED' && canReadAgain(kind, partition)),
      );
    case 'FAILED_ITEMS':
      return listFailedPartitions(transaction, partitions, clearance);
  }
}

/** Whether what a partition reads still exists: the source of a sync may have been deleted. */
function canReadAgain(
  kind: JobKind,
  { dataSourceId, retryOfPartitionId }: Pick<JobPartition, 'dataSourceId' | 'retryOfPartitionId'>,
): boolean {
  return kind !== 'SYNC' || dataSourceId !== null || retryOfPartitionId !== null;
}

/** Whether a retry reads the source of a partition that failed, which may have been deleted or disabled. */
export function isRetryable(
  kind: JobKind,
  partition: Pick<JobPartition, 'dataSourceId' | 'retryOfPartitionId'> & {
    readonly dataSource: Pick<DataSource, 'enabled'> | null;
  },
): boolean {
  const { retryOfPartitionId, dataSource } = partition;
  const isDisabled = kind === 'SYNC' && retryOfPartitionId === null && dataSource?.enabled === false;
  return canReadAgain(kind, partition) && !isDisabled;
}

/**
 * Returns each source once, as it is now, however many partitions it was split into, and the failed items that were retried. Read as
 * what it was, a source that has got another data type since would lose the items of that.
 * @throws InvalidInputError if there are only disabled sources.
 */
async function toWholeSources(
  transaction: Prisma.TransactionClient,
  kind: JobKind,
  partitions: readonly JobPartition[],
): Promise<NewPartition[]> {
  const ids = kind === 'SYNC' ? partitions.flatMap(({ dataSourceId }) => dataSourceId ?? []) : [];
  const sources = await findSources(transaction, ids);
  const current = new Map(sources.map((source) => [source.id, source]));
  const wanted = new Map<string, NewPartition>();
  const disabled = new Set<string>();
  for (const { dataType, dataSourceId, sourceName, retryOfPartitionId } of partitions) {
    const partition = { dataType, dataSourceId, sourceName };
    const source = current.get(dataSourceId ?? '');
    if (retryOfPartitionId !== null) wanted.set(retryOfPartitionId, { ...partition, retryOfPartitionId });
    else if (source?.enabled === false) disabled.add(source.name);
    else wanted.set(sourceName, source === undefined ? partition : toPartition(source));
  }
  if (wanted.size === 0 && disabled.size > 0)
    throw new InvalidInputError(
      [...disabled].map((name) => createIssue('input.id', 'NOT_ALLOWED', describeDisabled(name))),
    );
  return [...wanted.values()];
}

async function listFailedPartitions(
  transaction: Prisma.TransactionClient,
  partitions: readonly JobPartition[],
  clearance: Marking,
): Promise<NewPartition[]> {
  const ids = partitions.map(({ id }) => id);
  const failed = await transaction.$queryRaw<{ partitionId: string }[]>`
    select distinct e.partition_id as "partitionId" ${Prisma.raw(RETRYABLE_ERRORS)}
      and e.partition_id = any(${ids}::uuid[]) and e.marking = any(${[...listMarkingsUpTo(clearance)]})`;
  const withFailedItems = new Set(failed.map(({ partitionId }) => partitionId));
  return partitions
    .filter(({ id }) => withFailedItems.has(id))
    .map(({ id, dataType, dataSourceId, sourceName }) => ({
      ...{ dataType, dataSourceId, sourceName },
      retryOfPartitionId: id,
    }));
}
