import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { coversAll } from '../data-types/marking.ts';
import type { BladeItem, DataSource, Job } from '../database/generated/prisma/client.ts';
import type { PrismaClients } from '../database/prisma-client.ts';
import type { ThreadPool } from '../ingestion/thread-pool.ts';
import type { SchemaPattern } from '../sql-check/allowed-schemas.ts';
import { checkTables } from './allowed-tables.ts';
import {
  type DataSourceTest,
  deleteDataSource,
  type SaveDataSourceInput,
  saveDataSource,
  testDataSource,
} from './data-sources.ts';
import type { AllJobEvents, JobEvents } from './events/job-events.ts';
import type { ItemUploads } from './item-uploads.ts';
import { checkClearance } from './job-clearance.ts';
import {
  DataSourceNotFoundError,
  JobAlreadyFinishedError,
  JobNotFoundError,
  NoActiveSyncError,
} from './job-errors.ts';
import { jobOptionsSchema, type StartQueryJobInput, type StartSyncInput } from './job-input.ts';
import { cancel, pause, resume } from './job-transitions.ts';
import { type LowerItemMarkingInput, lowerItemMarking } from './lower-marking.ts';
import type { PartitionQueue } from './queue/partition-queue.ts';
import { retryJob } from './retry-job.ts';
import { type Schedules, scheduleOf } from './schedules.ts';
import { findActiveSync, startQueryJob, startSync } from './start-job.ts';

/**
 * All that a principal can do with jobs, sources and items: what the API offers, each as its own file has it. Everything that it
 * gives is as the principal's clearance shows it; a job above the clearance is not found. Whatever changes something is
 * written down in the audit with it. The principal's role is checked before.
 */
export interface Jobs {
  startSync(input: StartSyncInput): Promise<Job>;
  startQueryJob(input: StartQueryJobInput): Promise<Job>;
  /** @throws JobNotFoundError, JobAlreadyFinishedError. */
  cancelJob(jobId: string): Promise<Job>;
  /** @throws JobNotFoundError, JobNotPausableError. */
  pauseJob(jobId: string): Promise<Job>;
  /** @throws JobNotFoundError, JobNotPausedError. */
  resumeJob(jobId: string): Promise<Job>;
  /** @throws NoActiveSyncError. */
  stopSync(): Promise<Job>;
  retryJob(jobId: string, failedItemsOnly: boolean): Promise<Job>;
  /** The active sync or else the most recent one; null when there was none. */
  currentSync(): Promise<Job | null>;
  saveDataSource(sourceId: string | null, input: Omit<SaveDataSourceInput, 'id'>): Promise<DataSource>;
  deleteDataSource(sourceId: string): Promise<DataSource>;
  /** The times at which a source is synced by itself next; none for one without a schedule, or that is disabled. */
  nextRuns(source: DataSource, count: number): Date[];
  testDataSource(sourceId: string): Promise<DataSourceTest>;
  /** @throws ItemNotFoundError, NoMarkingFloorError, MarkingFloorChangedError. */
  lowerItemMarking(input: LowerItemMarkingInput): Promise<BladeItem>;
  readonly events: JobEvents;
}

/** Gives what a principal can do with jobs and sources. */
export type JobsFor = (principal: Principal) => Jobs;

export function createJobs(parts: {
  clients: PrismaClients;
  queue: PartitionQueue;
  pool: ThreadPool;
  schedules: Schedules;
  itemUploads: ItemUploads;
  events: AllJobEvents;
  /** The schemas of the warehouse whose tables sources and queries may name. */
  allowedSchemas: readonly SchemaPattern[];
}): JobsFor {
  const { clients, queue, pool, schedules, itemUploads, events, allowedSchemas } = parts;
  const { prisma } = clients;

  return (principal) => {
    const { clearance } = principal;
    const visible = clients.clearedFor(clearance);

    /** The job as it is now. */
    const shown = ({ id }: { readonly id: string }) => visible.job.findUniqueOrThrow({ where: { id } });

    /** @throws JobNotFoundError. */
    async function refuseUnknown(jobId: string): Promise<void> {
      const job = await visible.job.findUnique({ where: { id: jobId }, select: { id: true } });
      if (job === null) throw new JobNotFoundError(jobId);
    }

    return {
      startSync: async (input) => shown(await startSync({ prisma, queue }, principal, input)),
      async startQueryJob(input) {
        checkTables(input.tables, allowedSchemas, 'input.sqlQuery');
        checkClearance(input, clearance);
        return shown(await startQueryJob({ prisma, queue }, principal, input));
      },
      async cancelJob(jobId) {
        await refuseUnknown(jobId);
        await cancel(prisma, principal, jobId);
        return shown({ id: jobId });
      },
      async pauseJob(jobId) {
        await refuseUnknown(jobId);
        await pause(prisma, principal, jobId);
        return shown({ id: jobId });
      },
      async resumeJob(jobId) {
        await refuseUnknown(jobId);
        await resume(prisma, principal, jobId, async (transaction, partitionIds) => {
          const { options } = await transaction.job.findUniqueOrThrow({ where: { id: jobId } });
          await queue.enqueue(transaction, partitionIds, jobOptionsSchema.parse(options).maxAttempts);
        });
        queue.wake();
        return shown({ id: jobId });
      },
      async stopSync() {
        const active = await findActiveSync(visible);
        if (active === null) throw new NoActiveSyncError();
        await cancel(prisma, principal, active.id, 'stopSync').catch((error: unknown) => {
          throw error instanceof JobAlreadyFinishedError ? new NoActiveSyncError() : error;
        });
        return shown(active);
      },
      async retryJob(jobId, failedItemsOnly) {
        await refuseUnknown(jobId);
        return shown(await retryJob({ prisma, queue }, principal, { jobId, failedItemsOnly }));
      },
      currentSync: async () =>
        (await findActiveSync(visible)) ??
        (await visible.job.findFirst({ where: { kind: 'SYNC' }, orderBy: { createdAt: 'desc' } })),
      async saveDataSource(sourceId, input) {
        const table = { catalog: input.catalogName, schema: input.schemaName, table: input.tableName };
        checkTables([table], allowedSchemas, 'input.schemaName');
        const { id } = await saveDataSource(prisma, schedules, principal, sourceId, input);
        return visible.dataSource.findUniqueOrThrow({ where: { id } });
      },
      async deleteDataSource(sourceId) {
        const source = await visible.dataSource.findUnique({ where: { id: sourceId } });
        if (source === null) throw new DataSourceNotFoundError(sourceId);
        await deleteDataSource(prisma, schedules, principal, sourceId);
        return source;
      },
      nextRuns(source, count) {
        const schedule = scheduleOf(source);
        return schedule === null || !source.enabled ? [] : schedules.nextRuns(schedule, count);
      },
      async testDataSource(sourceId) {
        const test = await testDataSource(visible, pool, sourceId);
        await recordDone(prisma, principal, {
          operation: 'testDataSource',
          dataSourceId: sourceId,
          details: { name: test.source.name },
        });
        return test.isReadable && !coversAll(clearance) ? { ...test, rowCount: null } : test;
      },
      async lowerItemMarking(input) {
        await lowerItemMarking({ prisma, itemUploads }, principal, input);
        const { dataType, itemId } = input;
        return visible.bladeItem.findUniqueOrThrow({ where: { dataType_itemId: { dataType, itemId } } });
      },
      events: events.seenBy(visible),
    };
  };
}
