import type { DataSource, Job, PrismaClient } from '../database/generated/prisma/client.ts';
import type { ThreadPool } from '../ingestion/thread-pool.ts';
import type { SchemaPattern } from '../warehouse/allowed-schemas.ts';
import { checkTables } from './allowed-tables.ts';
import {
  type DataSourceTest,
  deleteDataSource,
  type SaveDataSourceInput,
  saveDataSource,
  testDataSource,
} from './data-sources.ts';
import { JobAlreadyFinishedError, NoActiveSyncError } from './job-errors.ts';
import type { JobEvents } from './job-events.ts';
import { jobOptionsSchema, type StartQueryJobInput, type StartSyncInput } from './job-input.ts';
import { cancel, pause, resume } from './job-transitions.ts';
import type { PartitionQueue } from './queue.ts';
import { retryJob } from './retry-job.ts';
import { type Schedules, scheduleOf } from './schedules.ts';
import { findActiveSync, startQueryJob, startSync } from './start-job.ts';

/** All that can be done with jobs and sources: what the API offers, each as its own file has it. */
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
  readonly events: JobEvents;
}

export function createJobs(parts: {
  prisma: PrismaClient;
  queue: PartitionQueue;
  pool: ThreadPool;
  schedules: Schedules;
  events: JobEvents;
  /** The schemas of the warehouse whose tables sources and queries may name. */
  allowedSchemas: readonly SchemaPattern[];
}): Jobs {
  const { prisma, queue, pool, schedules, events, allowedSchemas } = parts;

  async function cancelJob(jobId: string): Promise<Job> {
    await cancel(prisma, jobId);
    return prisma.job.findUniqueOrThrow({ where: { id: jobId } });
  }

  return {
    startSync: (input) => startSync({ prisma, queue }, input),
    async startQueryJob(input) {
      checkTables(input.tables, allowedSchemas, 'input.sqlQuery');
      return startQueryJob({ prisma, queue }, input);
    },
    cancelJob,
    async pauseJob(jobId) {
      await pause(prisma, jobId);
      return prisma.job.findUniqueOrThrow({ where: { id: jobId } });
    },
    async resumeJob(jobId) {
      await resume(prisma, jobId, async (transaction, partitionIds) => {
        const { options } = await transaction.job.findUniqueOrThrow({ where: { id: jobId } });
        await queue.enqueue(transaction, partitionIds, jobOptionsSchema.parse(options).maxAttempts);
      });
      queue.wake();
      return prisma.job.findUniqueOrThrow({ where: { id: jobId } });
    },
    async stopSync() {
      const active = await findActiveSync(prisma);
      if (active === null) throw new NoActiveSyncError();
      return cancelJob(active.id).catch((error: unknown) => {
        throw error instanceof JobAlreadyFinishedError ? new NoActiveSyncError() : error;
      });
    },
    retryJob: (jobId, failedItemsOnly) => retryJob({ prisma, queue }, jobId, failedItemsOnly),
    currentSync: async () =>
      (await findActiveSync(prisma)) ??
      (await prisma.job.findFirst({ where: { kind: 'SYNC' }, orderBy: { createdAt: 'desc' } })),
    async saveDataSource(sourceId, input) {
      const table = { catalog: input.catalogName, schema: input.schemaName, table: input.tableName };
      checkTables([table], allowedSchemas, 'input.schemaName');
      return saveDataSource(prisma, schedules, sourceId, input);
    },
    deleteDataSource: (sourceId) => deleteDataSource(prisma, schedules, sourceId),
    nextRuns(source, count) {
      const schedule = scheduleOf(source);
      return schedule === null || !source.enabled ? [] : schedules.nextRuns(schedule, count);
    },
    testDataSource: (sourceId) => testDataSource(prisma, pool, sourceId),
    events,
  };
}
