import { type Principal, schedulerPrincipal } from '../access/principal.ts';
import type { Marking } from '../data-types/marking.ts';
import type { DataSource, Job } from '../database/generated/prisma/client.ts';
import { createJob, type JobStarter } from './create-job.ts';
import { DEFAULT_JOB_OPTIONS } from './input/job-options.ts';
import type { StartSyncInput } from './input/start-sync-input.ts';
import { NoDataSourceError } from './job-errors.ts';
import { listEnabledSources, toPartition } from './source-partitions.ts';

/**
 * Starts a sync of all enabled sources, or of those of one data type.
 * @throws NoDataSourceError, or SyncAlreadyRunningError while another sync is active: the database decides which of
 * several callers wins.
 */
export async function startSync(
  starter: JobStarter,
  principal: Principal,
  input: StartSyncInput,
): Promise<Job> {
  return createJob(starter, principal, async (transaction) => {
    const sources = await listEnabledSources(transaction, input.dataType);
    if (sources.length === 0) throw new NoDataSourceError(input.dataType);
    return {
      job: {
        kind: 'SYNC',
        marking: SYNC_MARKING,
        syncType: input.syncType,
        dataType: input.dataType,
        filter: input.filter,
        maxItems: input.maxItems,
        options: input.options,
      },
      partitions: sources.map(toPartition),
      operation: 'startSync',
      details: {
        syncType: input.syncType,
        dataType: input.dataType,
        filter: input.filter,
        maxItems: input.maxItems,
      },
    };
  });
}

/**
 * Starts an INCREMENTAL sync of one source, because its schedule came due.
 * @throws SyncAlreadyRunningError while another sync is active.
 */
export async function startScheduledSync(starter: JobStarter, source: DataSource): Promise<Job> {
  return createJob(starter, schedulerPrincipal, async () => ({
    job: {
      kind: 'SYNC',
      marking: SYNC_MARKING,
      syncType: 'INCREMENTAL',
      dataType: source.dataType,
      options: DEFAULT_JOB_OPTIONS,
    },
    partitions: [toPartition(source)],
    operation: 'startSync',
    dataSourceId: source.id,
    details: { syncType: 'INCREMENTAL', dataType: source.dataType, sourceName: source.name },
  }));
}

/** Everybody may know that a table is synced: each row has its own marking. */
const SYNC_MARKING: Marking = 'UNCLASSIFIED';
