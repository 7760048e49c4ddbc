import { v7 as newUuid } from 'uuid';
import { recordDone } from '../access/audit.ts';
import { type Principal, schedulerPrincipal } from '../access/principal.ts';
import { higherMarking, type Marking } from '../data-types/marking.ts';
import { defaultMarkingOf } from '../data-types/registry.ts';
import { type DataSource, type Job, Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import type { JsonObject } from '../shared/json.ts';
import { NoDataSourceError, SyncAlreadyRunningError } from './job-errors.ts';
import { jobOptionsSchema, type StartQueryJobInput, type StartSyncInput } from './job-input.ts';
import { ACTIVE_STATES } from './job-state.ts';
import type { PartitionQueue } from './queue/partition-queue.ts';

export interface JobStarter {
  readonly prisma: PrismaClient;
  readonly queue: PartitionQueue;
}

/** A partition to be, of a job to be. */
export interface NewPartition {
  readonly dataType: string;
  readonly dataSourceId: string | null;
  readonly sourceName: string;
  readonly retryOfPartitionId?: string;
}

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
    const sources = await enabledSources(transaction, input.dataType);
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
      partitions: sources.map(partitionOf),
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
export async function startSyncOfSource(starter: JobStarter, source: DataSource): Promise<Job> {
  return createJob(starter, schedulerPrincipal, async () => ({
    job: {
      kind: 'SYNC',
      marking: SYNC_MARKING,
      syncType: 'INCREMENTAL',
      dataType: source.dataType,
      options: jobOptionsSchema.parse({}),
    },
    partitions: [partitionOf(source)],
    operation: 'startSync',
    dataSourceId: source.id,
    details: { syncType: 'INCREMENTAL', dataType: source.dataType, sourceName: source.name },
  }));
}

/**
 * Starts a job that ingests the rows of one SELECT as items of a data type.
 * @throws NoDataSourceError where no enabled source has the data type, to which its items could belong.
 */
export async function startQueryJob(
  starter: JobStarter,
  principal: Principal,
  input: StartQueryJobInput,
): Promise<Job> {
  return createJob(starter, principal, async (transaction) => {
    const [source] = await enabledSources(transaction, input.dataType);
    if (source === undefined) throw new NoDataSourceError(input.dataType);
    return {
      job: {
        kind: 'QUERY',
        dataType: input.dataType,
        sqlQuery: input.sqlQuery,
        parameters: input.parameters,
        classification: input.catalogConfig.classification,
        reason: input.catalogConfig.reason,
        marking: markingOfQueryJob(input),
        ...(input.catalogConfig.metadata === null
          ? {}
          : { metadata: input.catalogConfig.metadata as Prisma.InputJsonObject }),
        options: input.options,
      },
      partitions: [partitionOf(source)],
      operation: 'startQueryJob',
      // Its statement is with the job, for those who may see that.
      details: {
        dataType: input.dataType,
        classification: input.catalogConfig.classification,
        parameterNames: Object.keys(input.parameters).sort(),
      },
    };
  });
}

/** That a table is synced is known to everybody: the rows have markings of their own. */
const SYNC_MARKING: Marking = 'UNCLASSIFIED';

/** The marking of a query job: who is not cleared for it does not know of the job. */
export function markingOfQueryJob({ dataType, catalogConfig }: StartQueryJobInput): Marking {
  const least = defaultMarkingOf(dataType);
  return higherMarking(catalogConfig.classification ?? least, least);
}

/** What `createJob` is to make. */
export interface NewJob {
  readonly job: Omit<Prisma.JobUncheckedCreateInput, 'id' | 'partitions'> & { readonly marking: Marking };
  readonly partitions: readonly NewPartition[];
  /** What the audit says that was done, */
  readonly operation: string;
  readonly dataSourceId?: string;
  /** and with what. */
  readonly details: JsonObject;
}

/**
 * Makes a job with its partitions, their places in the queue and its entry in the audit, in one transaction: all of them
 * or none.
 * @param principal who starts it.
 * @param describe what to make; what it throws is thrown on, and nothing is made.
 */
export async function createJob(
  { prisma, queue }: JobStarter,
  principal: Principal,
  describe: (transaction: Prisma.TransactionClient) => Promise<NewJob>,
): Promise<Job> {
  const created = await prisma
    .$transaction(async (transaction) => {
      const { job, partitions, ...record } = await describe(transaction);
      const row = await transaction.job.create({
        data: { id: newUuid(), startedById: principal.id, startedByName: principal.name, ...job },
      });
      await recordDone(transaction, principal, { jobId: row.id, marking: job.marking, ...record });
      const rows = partitions.map((partition, ordinal) => ({
        id: newUuid(),
        jobId: row.id,
        ordinal,
        ...partition,
      }));
      await transaction.jobPartition.createMany({ data: rows });
      await queue.enqueue(
        transaction,
        rows.map(({ id }) => id),
        jobOptionsSchema.parse(row.options).maxAttempts,
      );
      return row;
    })
    .catch(async (error: unknown) => {
      if (!isActiveSyncConflict(error)) throw error;
      const active = await findActiveSync(prisma);
      throw new SyncAlreadyRunningError(active?.id ?? null);
    });
  queue.wake();
  return created;
}

/** The sync that is active; there is one at most. */
export function findActiveSync(prisma: PrismaClient): Promise<Job | null> {
  return prisma.job.findFirst({ where: { kind: 'SYNC', state: { in: [...ACTIVE_STATES] } } });
}

function enabledSources(
  transaction: Prisma.TransactionClient,
  dataType: string | null,
): Promise<DataSource[]> {
  return transaction.dataSource.findMany({
    where: { enabled: true, ...(dataType === null ? {} : { dataType }) },
    orderBy: [{ dataType: 'asc' }, { name: 'asc' }],
  });
}

function partitionOf({ id, name, dataType }: DataSource): NewPartition {
  return { dataType, dataSourceId: id, sourceName: name };
}

/** The only unique constraint that a new job can break is the one of active syncs: its id is new. */
function isActiveSyncConflict(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}
