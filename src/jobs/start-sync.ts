import { type Principal, schedulerPrincipal } from '../access/principal.ts';
import type { Marking } from '../data-types/marking.ts';
import type { Prisma } from '../database/generated/prisma/client.ts';
import { findActiveSync } from './active-sync.ts';
import { createJob, type JobStarter, type StartedJob } from './create-job.ts';
import { DEFAULT_JOB_OPTIONS } from './input/job-options.ts';
import type { StartSyncInput } from './input/start-sync-input.ts';
import type { NewJob } from './insert-job.ts';
import { NoDataSourceError, SyncAlreadyRunningError } from './job-errors.ts';
import { findEnabledSources, findSources, listEnabledSources, toPartition } from './source-partitions.ts';
import { describeStartRequest } from './start-request.ts';

/**
 * Starts a sync of all enabled sources, of those of one data type, or of some.
 * @throws NoDataSourceError; DataSourceNotFoundError or InvalidInputError for a source that does not exist or is disabled;
 * IdempotencyKeyReusedError; or SyncAlreadyRunningError while another sync is active: the database decides which of
 * several callers wins.
 */
export async function startSync(
  starter: JobStarter,
  principal: Principal,
  input: StartSyncInput,
): Promise<StartedJob> {
  const describe = async (transaction: Prisma.TransactionClient): Promise<NewJob> => {
    const { dataSourceIds } = input;
    const sources =
      dataSourceIds === null
        ? await listEnabledSources(transaction, input.dataType)
        : await findEnabledSources(transaction, dataSourceIds);
    if (sources.length === 0) throw new NoDataSourceError(input.dataType);
    const dataTypes = new Set(sources.map(({ dataType }) => dataType));
    const [onlyType = null] = dataTypes;
    const dataType = dataSourceIds !== null && dataTypes.size === 1 ? onlyType : input.dataType;
    return {
      job: {
        kind: 'SYNC',
        marking: SYNC_MARKING,
        syncType: input.syncType,
        dataType,
        filter: input.filter,
        maxItems: input.maxItems,
        options: input.options,
        labels: input.labels,
      },
      partitions: sources.map(toPartition),
      operation: 'startSync',
      details: {
        syncType: input.syncType,
        dataType: input.dataType,
        filter: input.filter,
        maxItems: input.maxItems,
        ...(dataSourceIds === null ? {} : { dataSourceIds }),
        labels: input.labels,
      },
    };
  };
  return createJob(starter, principal, describe, describeStartRequest('startSync', input));
}

/** A sync that was started for the runs of schedules that waited. */
export interface WaitingSync {
  readonly jobId: string;
  /** The names of its sources. */
  readonly sources: readonly string[];
  /** How many due times it was started for. */
  readonly dueTimes: number;
}

/**
 * Starts one INCREMENTAL sync of all sources whose schedules wait for it. Of several processes, one starts it.
 * @returns null if nothing waits, or while another sync is active.
 */
export async function startWaitingSync(starter: JobStarter): Promise<WaitingSync | null> {
  const { prisma } = starter;
  const isWaiting = () =>
    prisma.scheduledRun.findFirst({ where: { state: 'WAITING' }, select: { id: true } });
  if ((await isWaiting()) === null || (await findActiveSync(prisma)) !== null) return null;
  let started: Omit<WaitingSync, 'jobId'> = { sources: [], dueTimes: 0 };
  try {
    const { job } = await createJob(starter, schedulerPrincipal, async (transaction) => {
      const runs = await lockWaitingRuns(transaction);
      const sources = await findSources(
        transaction,
        runs.map(({ dataSourceId }) => dataSourceId),
      );
      if (sources.length === 0) throw new NothingWaitsError();
      const [onlyType = null, ...otherTypes] = new Set(sources.map(({ dataType }) => dataType));
      const dataType = otherTypes.length === 0 ? onlyType : null;
      const names = sources.map(({ name }) => name);
      started = { sources: names, dueTimes: runs.reduce((sum, run) => sum + run.dueTimes, 0) };
      const [only, ...others] = sources;
      return {
        job: {
          ...{ kind: 'SYNC', marking: SYNC_MARKING, syncType: 'INCREMENTAL', dataType },
          options: DEFAULT_JOB_OPTIONS,
        },
        partitions: sources.map(toPartition),
        operation: 'startSync',
        ...(only !== undefined && others.length === 0 ? { dataSourceId: only.id } : {}),
        details: { syncType: 'INCREMENTAL', dataType, sourceNames: names },
        scheduledRunIds: runs.map(({ id }) => id),
      };
    });
    return { jobId: job.id, ...started };
  } catch (error) {
    // Another process, or a person, was faster.
    if (error instanceof NothingWaitsError || error instanceof SyncAlreadyRunningError) return null;
    throw error;
  }
}

/** Another process has just started the sync. */
class NothingWaitsError extends Error {}

interface WaitingRun {
  readonly id: string;
  readonly dataSourceId: string;
  readonly dueTimes: number;
}

/**
 * Locks what waits, of sources whose schedule is still in force, unless another process has locked it, or deletes or changes
 * the source.
 */
function lockWaitingRuns(transaction: Prisma.TransactionClient): Promise<WaitingRun[]> {
  return transaction.$queryRaw<WaitingRun[]>`
    select r.id, r.data_source_id as "dataSourceId", r.due_times as "dueTimes" from scheduled_run r
    join data_source s on s.id = r.data_source_id
    where r.state = 'WAITING' and s.enabled and s.schedule_cron is not null
    order by r.id for update of r skip locked for key share of s skip locked`;
}

/** Everybody may know that a table is synced: each row has its own marking. */
const SYNC_MARKING: Marking = 'UNCLASSIFIED';
