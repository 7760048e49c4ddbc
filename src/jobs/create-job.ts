import { v7 as newUuid } from 'uuid';
import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { type Job, type JobKind, Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import type { JsonObject } from '../shared/json.ts';
import { findActiveRepair, findActiveSync } from './active-sync.ts';
import { readJobOptions } from './input/job-options.ts';
import type { NewJobColumns } from './job-configuration.ts';
import { RepairAlreadyRunningError, SyncAlreadyRunningError } from './job-errors.ts';
import type { PartitionQueue } from './queue/partition-queue.ts';
import { findStartedJob, RepeatedStart, type StartRequest, saveStartRequest } from './start-request.ts';

export interface JobStarter {
  readonly prisma: PrismaClient;
  readonly queue: PartitionQueue;
}

/** A partition to create. */
export interface NewPartition {
  readonly dataType: string;
  readonly dataSourceId: string | null;
  readonly sourceName: string;
  readonly retryOfPartitionId?: string;
}

/** A job to create. */
export interface NewJob {
  readonly job: NewJobColumns;
  readonly partitions: readonly NewPartition[];
  /** The operation and its arguments, for the audit. */
  readonly operation: string;
  readonly dataSourceId?: string;
  readonly details: JsonObject;
  /** The waiting runs of schedules that it is started for. */
  readonly scheduledRunIds?: readonly string[];
}

export interface StartedJob {
  readonly job: Job;
  /** Whether the job was started before, by the same request. */
  readonly isReplay: boolean;
}

/**
 * Creates a job with its partitions, their messages in the queue and its audit entry in one transaction.
 * @param principal who starts it.
 * @param describe returns the job to create. If it throws, nothing is created and the error is passed on.
 * @param request how to recognize the start if it is sent again; null if it is always a new one.
 * @throws IdempotencyKeyReusedError, SyncAlreadyRunningError, RepairAlreadyRunningError.
 */
export async function createJob(
  { prisma, queue }: JobStarter,
  principal: Principal,
  describe: (transaction: Prisma.TransactionClient) => Promise<NewJob>,
  request: StartRequest | null = null,
): Promise<StartedJob> {
  try {
    return { job: await createNewJob({ prisma, queue }, principal, describe, request), isReplay: false };
  } catch (error) {
    if (request === null || !(error instanceof RepeatedStart)) throw error;
    return { job: await findStartedJob(prisma, principal, request), isReplay: true };
  }
}

async function createNewJob(
  { prisma, queue }: JobStarter,
  principal: Principal,
  describe: (transaction: Prisma.TransactionClient) => Promise<NewJob>,
  request: StartRequest | null,
): Promise<Job> {
  const id = newUuid();
  let kind: JobKind | undefined;
  const created = await prisma
    .$transaction(async (transaction) => {
      // Before all that could refuse a new job, such as a sync that is active because of this very request.
      if (request !== null) await saveStartRequest(transaction, principal, request, id);
      const { job, partitions, scheduledRunIds = [], ...record } = await describe(transaction);
      kind = job.kind;
      const row = await transaction.job.create({
        data: {
          ...{ id, startedById: principal.id, startedByName: principal.name, ...job },
          totalSources: new Set(partitions.map(({ sourceName }) => sourceName)).size,
        },
      });
      await recordDone(transaction, principal, { jobId: row.id, marking: job.marking, ...record });
      const rows = partitions.map((partition, ordinal) => ({
        id: newUuid(),
        jobId: row.id,
        ordinal,
        ...partition,
      }));
      await transaction.jobPartition.createMany({ data: rows });
      if (scheduledRunIds.length > 0) {
        await transaction.scheduledRun.updateMany({
          where: { id: { in: [...scheduledRunIds] } },
          data: { state: 'STARTED', jobId: row.id },
        });
      }
      await queue.enqueue(
        transaction,
        rows.map(({ id }) => id),
        readJobOptions(row).maxAttempts,
      );
      return row;
    })
    .catch(async (error: unknown) => {
      if (!isActiveSyncConflict(error)) throw error;
      if (kind === 'REPAIR')
        throw new RepairAlreadyRunningError((await findActiveRepair(prisma))?.id ?? null);
      throw new SyncAlreadyRunningError((await findActiveSync(prisma))?.id ?? null);
    });
  queue.wake();
  return created;
}

/** A new job can only violate the unique index on active syncs and repairs: its id is new. */
function isActiveSyncConflict(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}
