import { ForbiddenError } from '../access/access-errors.ts';
import { recordDone, recordRefused } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import type { DataTypes } from '../data-types/data-types.ts';
import { coversAll } from '../data-types/marking.ts';
import { createDatabaseClock, readDatabaseTime } from '../database/database-clock.ts';
import type { BladeItem, DataSource, Job } from '../database/generated/prisma/client.ts';
import type { PrismaClients } from '../database/prisma-client.ts';
import type { ThreadPool } from '../ingestion/thread-pool.ts';
import { acceptSchemaChange } from '../sources/accept-schema-change.ts';
import { checkTables } from '../sources/allowed-tables.ts';
import { approveDeletes, type DecidedDeletes, rejectDeletes } from '../sources/decide-deletes.ts';
import { deleteDataSource } from '../sources/delete-source.ts';
import { previewSync, type SyncPreview } from '../sources/preview-sync.ts';
import { createDataSource, updateDataSource } from '../sources/save-source.ts';
import { type SetWatermarkInput, setWatermark } from '../sources/set-watermark.ts';
import { DataSourceNotFoundError } from '../sources/source-errors.ts';
import type { NewSource, SourceChanges } from '../sources/source-input.ts';
import { type DataSourceTest, testDataSource } from '../sources/test-source.ts';
import type { SchemaPattern } from '../sql-check/allowed-schemas.ts';
import { findActiveSync } from './active-sync.ts';
import { cancelJob } from './cancel-job.ts';
import type { StartedJob } from './create-job.ts';
import type { AllJobEvents, JobEvents } from './events/job-events.ts';
import type { AllJobFeeds, JobFeeds } from './events/job-feeds.ts';
import type { StartQueryJobInput } from './input/start-query-job-input.ts';
import type { StartSyncInput } from './input/start-sync-input.ts';
import type { ItemUploads } from './item-uploads.ts';
import { checkClearance } from './job-clearance.ts';
import { JobAlreadyFinishedError, NoActiveSyncError } from './job-errors.ts';
import { type LowerItemMarkingInput, lowerItemMarking } from './lower-marking.ts';
import { pauseJob } from './pause-job.ts';
import type { PartitionQueue } from './queue/partition-queue.ts';
import { type RepairCatalogInput, repairCatalog } from './repair-catalog.ts';
import { resumeJob } from './resume-job.ts';
import { type RetryJobInput, retryJob } from './retry-job.ts';
import { startQueryJob } from './start-query-job.ts';
import { startSync } from './start-sync.ts';

/**
 * Everything a principal can do with jobs, sources and items; lists of them are read by the API itself. Results contain what the principal's clearance covers; a job above
 * it is not found. Each change is audited in its own transaction. Callers check the principal's role first.
 */
export interface Jobs {
  startSync(input: StartSyncInput): Promise<StartedJob>;
  startQueryJob(input: StartQueryJobInput): Promise<StartedJob>;
  /** @throws JobNotFoundError, JobAlreadyFinishedError. */
  cancelJob(jobId: string): Promise<Job>;
  /** @throws JobNotFoundError, JobNotPausableError. */
  pauseJob(jobId: string): Promise<Job>;
  /** @throws JobNotFoundError, JobNotPausedError. */
  resumeJob(jobId: string): Promise<Job>;
  /** @throws NoActiveSyncError. */
  stopSync(): Promise<Job>;
  /** @throws RepairAlreadyRunningError. */
  repairCatalog(input: RepairCatalogInput): Promise<StartedJob>;
  retryJob(input: RetryJobInput): Promise<StartedJob>;
  /** The active or most recent sync; null if there was none. */
  currentSync(): Promise<Job | null>;
  createDataSource(source: NewSource): Promise<DataSource>;
  updateDataSource(sourceId: string, changes: SourceChanges): Promise<DataSource>;
  deleteDataSource(sourceId: string): Promise<DataSource>;
  acceptSchemaChange(sourceId: string): Promise<DataSource>;
  setWatermark(sourceId: string, change: Omit<SetWatermarkInput, 'id'>): Promise<DataSource>;
  testDataSource(sourceId: string): Promise<DataSourceTest>;
  /** @throws DataSourceNotFoundError. */
  previewSync(sourceId: string): Promise<SyncPreview>;
  /** @throws DeletesNotWaitingError, DeleteCountChangedError, DataSourceInUseError. */
  approveDeletes(
    input: DecidedDeletes & { readonly expectedCount: number },
  ): Promise<{ readonly dataSource: DataSource; readonly deletedCount: number }>;
  /** @throws DeletesNotWaitingError. */
  rejectDeletes(input: DecidedDeletes): Promise<DataSource>;
  /** @throws ItemNotFoundError, NoMarkingFloorError, MarkingFloorChangedError. */
  lowerItemMarking(input: LowerItemMarkingInput): Promise<BladeItem>;
  readonly events: JobEvents;
  readonly feeds: JobFeeds;
  /** The time of the database, which the times of jobs are by. */
  readTime(): Promise<Date>;
}

/** Binds jobs and sources to a principal. */
export type JobsFor = (principal: Principal) => Jobs;

export function createJobs(parts: {
  clients: PrismaClients;
  queue: PartitionQueue;
  pool: ThreadPool;
  itemUploads: ItemUploads;
  events: AllJobEvents;
  feeds: AllJobFeeds;
  dataTypes: DataTypes;
  /** The warehouse schemas that sources and queries may read. */
  allowedSchemas: readonly SchemaPattern[];
}): JobsFor {
  const { clients, queue, pool, itemUploads, events, feeds, dataTypes, allowedSchemas } = parts;
  const { prisma } = clients;
  const readTime = createDatabaseClock(prisma);

  return (principal) => {
    const { clearance } = principal;
    const visible = clients.clearedFor(clearance);

    const readSource = (id: string) => visible.dataSource.findUniqueOrThrow({ where: { id } });
    const readJob = (id: string) => visible.job.findUniqueOrThrow({ where: { id } });

    /** A job that was just made, as the principal sees it: a clearance for everything sees the row as it is. */
    const seen = async ({ job, isReplay }: StartedJob): Promise<StartedJob> => ({
      job: coversAll(clearance) ? job : await readJob(job.id),
      isReplay,
    });

    /** Changes a job and returns it as the principal sees it. */
    async function control(jobId: string, change: () => Promise<void>): Promise<Job> {
      await change();
      return readJob(jobId);
    }

    return {
      startSync: async (input) => seen(await startSync({ prisma, queue }, principal, input)),
      async startQueryJob(input) {
        checkTables(input.tables, allowedSchemas, 'input.sqlQuery');
        const least = dataTypes.getDefaultMarking(input.dataType);
        checkClearance(input, least, clearance);
        return seen(await startQueryJob({ prisma, queue }, principal, input, least));
      },
      cancelJob: (jobId) => control(jobId, () => cancelJob(prisma, principal, jobId)),
      pauseJob: (jobId) => control(jobId, () => pauseJob(prisma, principal, jobId)),
      resumeJob: (jobId) => control(jobId, () => resumeJob({ prisma, queue }, principal, jobId)),
      async stopSync() {
        const active = await findActiveSync(prisma);
        if (active === null) throw new NoActiveSyncError();
        await cancelJob(prisma, principal, active.id, 'stopSync').catch((error: unknown) => {
          throw error instanceof JobAlreadyFinishedError ? new NoActiveSyncError() : error;
        });
        return readJob(active.id);
      },
      repairCatalog: async (input) =>
        seen(await repairCatalog({ prisma, queue }, principal, dataTypes, input)),
      async retryJob(input) {
        try {
          return await seen(await retryJob({ prisma, queue }, principal, input));
        } catch (error) {
          if (error instanceof ForbiddenError) {
            const details = { requiredRole: error.requiredRole };
            await recordRefused(prisma, principal, { operation: 'retryJob', jobId: input.jobId, details });
          }
          throw error;
        }
      },
      async currentSync() {
        // Everybody may know of a sync. The views that lower clearances read have no index to find one by its kind.
        const sync =
          (await findActiveSync(prisma)) ??
          (await prisma.job.findFirst({
            where: { kind: 'SYNC' },
            orderBy: { orderedAt: 'desc' },
            select: { id: true },
          }));
        return sync === null ? null : visible.job.findUnique({ where: { id: sync.id } });
      },
      async createDataSource(source) {
        const { id } = await createDataSource(
          { prisma, clock: readDatabaseTime, allowedSchemas },
          principal,
          source,
        );
        return readSource(id);
      },
      async updateDataSource(sourceId, changes) {
        await updateDataSource(
          { prisma, clock: readDatabaseTime, allowedSchemas },
          principal,
          sourceId,
          changes,
        );
        return readSource(sourceId);
      },
      async deleteDataSource(sourceId) {
        const source = await visible.dataSource.findUnique({ where: { id: sourceId } });
        if (source === null) throw new DataSourceNotFoundError(sourceId);
        await deleteDataSource(prisma, principal, sourceId);
        return source;
      },
      async acceptSchemaChange(sourceId) {
        await acceptSchemaChange(prisma, principal, sourceId);
        return readSource(sourceId);
      },
      async setWatermark(sourceId, change) {
        const { id } = await setWatermark({ prisma, pool }, principal, sourceId, change);
        return visible.dataSource.findUniqueOrThrow({ where: { id } });
      },
      async testDataSource(sourceId) {
        const seesAllRows = coversAll(clearance);
        const test = await testDataSource({ prisma: visible, pool, dataTypes, seesAllRows }, sourceId);
        await recordDone(prisma, principal, {
          operation: 'testDataSource',
          dataSourceId: sourceId,
          details: { name: test.source.name },
        });
        return test;
      },
      async previewSync(sourceId) {
        const preview = await previewSync({ prisma: visible, pool }, clearance, sourceId);
        await recordDone(prisma, principal, {
          operation: 'previewSync',
          dataSourceId: sourceId,
          details: { name: preview.source.name },
        });
        return preview;
      },
      async approveDeletes(input) {
        const { dataSourceId, deletedCount } = await approveDeletes({ prisma }, principal, input);
        return { dataSource: await readSource(dataSourceId), deletedCount };
      },
      async rejectDeletes(input) {
        const { dataSourceId } = await rejectDeletes({ prisma }, principal, input);
        return readSource(dataSourceId);
      },
      async lowerItemMarking(input) {
        await lowerItemMarking({ prisma, itemUploads }, principal, input);
        const { dataType, itemId } = input;
        return visible.bladeItem.findUniqueOrThrow({ where: { dataType_itemId: { dataType, itemId } } });
      },
      events: events.seenBy(visible),
      feeds: feeds.seenBy(visible, clearance),
      readTime,
    };
  };
}
