import { v7 as newUuid } from 'uuid';
import type { Principal } from '../access/principal.ts';
import { refersToMissingRow } from '../database/database-error.ts';
import type { Job, JobKind, PrismaClient } from '../database/generated/prisma/client.ts';
import { findActiveRepair, findActiveSync } from './active-sync.ts';
import { insertJob, type NewJob } from './insert-job.ts';
import { RepairAlreadyRunningError, SyncAlreadyRunningError } from './job-errors.ts';
import type { Transaction } from './job-lock.ts';
import type { PartitionQueue } from './queue/partition-queue.ts';
import { findStartedJob, RepeatedStart, type StartRequest, saveStartRequest } from './start-request.ts';

export interface JobStarter {
  readonly prisma: PrismaClient;
  readonly queue: PartitionQueue;
}

export interface StartedJob {
  readonly job: Job;
  /** Whether the job was started before, by the same request. */
  readonly isReplay: boolean;
}

/**
 * Creates a job with its partitions, their messages in the queue and its audit entry, all or nothing.
 * @param principal who starts it.
 * @param described the job to create, or what reads it in the transaction that creates it. If that throws, nothing is
 * created and the error is passed on.
 * @param request how to recognize the start if it is sent again; null if it is always a new one.
 * @throws IdempotencyKeyReusedError, SyncAlreadyRunningError, RepairAlreadyRunningError.
 */
export async function createJob(
  { prisma, queue }: JobStarter,
  principal: Principal,
  described: NewJob | ((transaction: Transaction) => Promise<NewJob>),
  request: StartRequest | null = null,
): Promise<StartedJob> {
  try {
    const job = await (typeof described === 'function'
      ? describeAndInsert(prisma, principal, described, request)
      : insert(prisma, principal, newUuid(), described, request));
    queue.wake();
    return { job, isReplay: false };
  } catch (error) {
    if (error instanceof ActiveConflict) throw await describeConflict(prisma, error.kind);
    if (request === null || !(error instanceof RepeatedStart)) throw error;
    return { job: await findStartedJob(prisma, principal, request), isReplay: true };
  }
}

/** Describes and creates a job again if what it was described from has been deleted before the job was there. */
export async function describeAnew(start: () => Promise<StartedJob>, attemptsLeft = 4): Promise<StartedJob> {
  try {
    return await start();
  } catch (error) {
    if (attemptsLeft === 0 || !refersToMissingRow(error)) throw error;
    return describeAnew(start, attemptsLeft - 1);
  }
}

function describeAndInsert(
  prisma: PrismaClient,
  principal: Principal,
  describe: (transaction: Transaction) => Promise<NewJob>,
  request: StartRequest | null,
): Promise<Job> {
  const id = newUuid();
  return prisma.$transaction(async (transaction) => {
    // Before all that could refuse a new job, such as a sync that is active because of this very request.
    if (request !== null) await saveStartRequest(transaction, principal, request, id);
    return insert(transaction, principal, id, await describe(transaction), null);
  });
}

async function insert(...given: Parameters<typeof insertJob>): Promise<Job> {
  const inserted = await insertJob(...given);
  if (inserted !== null) return inserted;
  const [_client, _principal, _id, { job }, request] = given;
  // An active sync or repair is all that a new job can meet.
  throw request ? new RepeatedStart() : new ActiveConflict(job.kind);
}

/** Another job of a kind that can be active only once: whatever the transaction has done is to be undone. */
class ActiveConflict extends Error {
  readonly kind: JobKind;

  constructor(kind: JobKind) {
    super();
    this.kind = kind;
  }
}

async function describeConflict(prisma: PrismaClient, kind: JobKind): Promise<Error> {
  return kind === 'REPAIR'
    ? new RepairAlreadyRunningError((await findActiveRepair(prisma))?.id ?? null)
    : new SyncAlreadyRunningError((await findActiveSync(prisma))?.id ?? null);
}
