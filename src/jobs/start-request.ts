import { createHash } from 'node:crypto';
import type { Principal } from '../access/principal.ts';
import { toLevel, toMarking } from '../data-types/marking.ts';
import { type Job, Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import { toCanonicalJson } from '../ingestion/canonical-json.ts';
import type { JsonObject } from '../shared/json.ts';
import { IdempotencyKeyReusedError } from './job-errors.ts';

/** How a start is recognized when it is sent again, for example because its answer was lost. */
export interface StartRequest {
  readonly operation: string;
  /** Chosen by the client; unique for a principal and an operation. */
  readonly idempotencyKey: string;
  readonly inputHash: string;
}

/** How long a start is recognized, in hours. */
const RECOGNIZED_HOURS = 24;

/**
 * @param input JSON with the idempotency key.
 * @returns null without an idempotency key.
 */
export function describeStartRequest(
  operation: string,
  { idempotencyKey, ...input }: { readonly idempotencyKey: string | null },
): StartRequest | null {
  if (idempotencyKey === null) return null;
  const inputHash = createHash('sha256')
    .update(toCanonicalJson(input as JsonObject))
    .digest('hex');
  return { operation, idempotencyKey, inputHash };
}

/** The start was sent before: whatever the transaction has done is to be undone. */
export class RepeatedStart extends Error {}

/**
 * Saves a start in the transaction of its job. Of two that are sent at once, the second waits for the end of the first.
 * @throws RepeatedStart if it was saved before.
 */
export async function saveStartRequest(
  transaction: Prisma.TransactionClient,
  principal: Principal,
  request: StartRequest,
  jobId: string,
): Promise<void> {
  const saved = await transaction.$executeRaw(insertStartRequest(principal, request, jobId));
  if (saved === 0) throw new RepeatedStart();
}

/** Writes the statement that saves a start, which returns no row if it was saved before. */
export function insertStartRequest(
  principal: Principal,
  { operation, idempotencyKey, inputHash }: StartRequest,
  jobId: string,
): Prisma.Sql {
  return Prisma.sql`
    insert into start_request as old (principal_id, operation, idempotency_key, input_hash, job_id)
    values (${principal.id}, ${operation}, ${idempotencyKey}, ${inputHash}, ${jobId}::uuid)
    on conflict (principal_id, operation, idempotency_key)
    do update set input_hash = excluded.input_hash, job_id = excluded.job_id, created_at = blade_now()
    where old.created_at < blade_now() - ${`${RECOGNIZED_HOURS} hours`}::interval
    returning job_id`;
}

/**
 * Finds the job of a start that was sent before.
 * @throws IdempotencyKeyReusedError if that had another input, or if the principal's clearance no longer covers the job.
 */
export async function findStartedJob(
  prisma: PrismaClient,
  principal: Principal,
  { operation, idempotencyKey, inputHash }: StartRequest,
): Promise<Job> {
  const before = await prisma.startRequest.findUniqueOrThrow({
    where: {
      principalId_operation_idempotencyKey: { principalId: principal.id, operation, idempotencyKey },
    },
    include: { job: true },
  });
  // The clearance can have been lowered since.
  if (toLevel(toMarking(before.job.marking)) > toLevel(principal.clearance))
    throw new IdempotencyKeyReusedError(idempotencyKey, null);
  if (before.inputHash !== inputHash) throw new IdempotencyKeyReusedError(idempotencyKey, before.jobId);
  return before.job;
}

/** Deletes starts that are no longer recognized, by the clock of the database, which also decided that for a new start. */
export async function pruneStartRequests(prisma: PrismaClient): Promise<number> {
  return prisma.$executeRaw`
    delete from start_request where created_at < blade_now() - ${`${RECOGNIZED_HOURS} hours`}::interval`;
}
