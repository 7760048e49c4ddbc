import { v7 as newUuid } from 'uuid';
import { type Marking, toLevel, toMarking } from '../data-types/marking.ts';
import type { Prisma, PrismaClient } from '../database/generated/prisma/client.ts';
import type { JsonObject } from '../shared/json.ts';
import { noteInRequest } from '../shared/request-scope.ts';
import type { Principal } from './principal.ts';

/** What a principal did or was refused. */
export interface AuditRecord {
  /** The field of the API, such as `cancelJob`. */
  readonly operation: string;
  readonly jobId?: string;
  /** The marking of what it is about; that of the job is looked up if not given. */
  readonly marking?: Marking;
  readonly dataSourceId?: string;
  readonly apiKeyId?: string;
  /** Further facts: nothing secret, and nothing that an admin may not see. */
  readonly details?: JsonObject;
}

/** Records what was done, in the transaction that does it: neither happens without the other. */
export function recordDone(
  transaction: Prisma.TransactionClient,
  principal: Principal,
  record: AuditRecord,
): Promise<void> {
  return save(transaction, principal, record, 'DONE');
}

/** Describes the entry of what is done by the statement that inserts the entry. */
export function describeDone(
  principal: Principal,
  record: AuditRecord & { readonly marking: Marking },
): Prisma.AuditEntryUncheckedCreateInput {
  return describe(principal, record, 'DONE');
}

/** Records what was refused. */
export function recordRefused(
  prisma: PrismaClient,
  principal: Principal,
  record: AuditRecord,
): Promise<void> {
  return save(prisma, principal, record, 'REFUSED');
}

async function save(
  transaction: Prisma.TransactionClient,
  principal: Principal,
  record: AuditRecord,
  outcome: 'DONE' | 'REFUSED',
): Promise<void> {
  const marking = record.marking ?? (await findJobMarking(transaction, principal, record.jobId));
  const data = describe(principal, { ...record, marking }, outcome);
  await transaction.auditEntry.create({ data, select: { id: true } });
}

function describe(
  principal: Principal,
  { details, ...record }: AuditRecord & { readonly marking: Marking },
  outcome: 'DONE' | 'REFUSED',
): Prisma.AuditEntryUncheckedCreateInput {
  const { jobId, dataSourceId, apiKeyId } = record;
  noteInRequest({ jobId, dataSourceId, apiKeyId });
  return {
    ...{ id: newUuid(), principalId: principal.id, principalName: principal.name, outcome },
    ...record,
    details: (details ?? {}) as Prisma.InputJsonObject,
  };
}

/**
 * Finds the marking of the job that an entry is about. A job above the principal's clearance counts as made up: hiding
 * the entry from others would reveal that there is such a job.
 */
async function findJobMarking(
  transaction: Prisma.TransactionClient,
  { clearance }: Principal,
  jobId: string | undefined,
): Promise<Marking> {
  const job =
    jobId === undefined
      ? null
      : await transaction.job.findUnique({ where: { id: jobId }, select: { marking: true } });
  if (job === null) return 'UNCLASSIFIED';
  const marking = toMarking(job.marking);
  return toLevel(marking) > toLevel(clearance) ? 'UNCLASSIFIED' : marking;
}

/**
 * Deletes entries from before a time: the only way to delete any.
 * @param batchSize the most to delete at once.
 * @returns how many were deleted.
 */
export async function pruneAudit(prisma: PrismaClient, before: Date, batchSize: number): Promise<number> {
  return prisma.$transaction(async (transaction) => {
    await transaction.$executeRaw`select set_config('blade.audit_kept_since', ${before.toISOString()}, true)`;
    return transaction.$executeRaw`delete from audit_entry where id in (
      select id from audit_entry where time < ${before} limit ${batchSize})`;
  });
}
