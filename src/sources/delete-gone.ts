import { HIGHEST_MARKING, MARKINGS, type Marking, toLevel } from '../data-types/marking.ts';
import { readDatabaseTime } from '../database/database-clock.ts';
import type { Prisma } from '../database/generated/prisma/client.ts';
import type { DeletePlan } from '../ingestion/partition-task.ts';
import type { DeletingTransaction } from '../items/deleting-transaction.ts';
import { deleteGoneItems, hasAllIds } from '../items/gone-items.ts';
import { type LevelCounts, NO_COUNTS, sumLevels } from '../items/level-counts.ts';
import { describeKept, forgetProposal, proposeDeletes, type WaitingDeletes } from './waiting-deletes.ts';

/** A source that was read to its end. */
export interface ReadSource {
  readonly jobId: string;
  readonly dataSourceId: string;
  readonly dataType: string;
  readonly sourceName: string;
  readonly partitions: readonly ReadPart[];
}

interface ReadPart {
  readonly id: string;
  readonly readItems: bigint;
  readonly startedAt: Date | null;
}

/** What became of the items of a source whose rows are gone. */
export interface Deletes {
  readonly deleted: LevelCounts;
  /** What is left to a later sync, as the source shows it; null for nothing to say. */
  readonly warning: string | null;
  /** Whether no item is left whose row is gone: otherwise, the table must be read again although it has not changed. */
  readonly isComplete: boolean;
  /** Set if too many would have been deleted and no sync before was complete: the next share is of the items of then, too. */
  readonly settledAt: Date | null;
}

/**
 * Deletes the items whose rows are gone, if the sync proves that they are, and records that as an event of the job. Part of the
 * transaction that ends the last partition of the source, so it happens exactly once.
 */
export async function deleteGone(
  transaction: DeletingTransaction,
  source: ReadSource,
  plan: DeletePlan,
): Promise<Deletes> {
  if (!plan.isAllowed) {
    await recordSkipped(transaction, source, plan.reason, null);
    return { deleted: NO_COUNTS, warning: null, isComplete: false, settledAt: null };
  }
  // What was proposed before is judged anew.
  await forgetProposal(transaction, source.dataSourceId);
  const reason = await findObstacle(transaction, source);
  if (reason !== null) return skip(transaction, source, reason);
  const stored = await transaction.dataSource.findUniqueOrThrow({ where: { id: source.dataSourceId } });
  const { deletePolicy, maxDeletePercent, deletesSettledAt } = stored;
  const startedAt = findStart(source);
  const settledAt = deletesSettledAt ?? startedAt;
  const { isKnown, items, gone, goneByLevel, deleted, written } = await deleteGoneItems(transaction, {
    ...source,
    partitionIds: source.partitions.map(({ id }) => id),
    ...{ startedAt, settledAt, maxDeletePercent, removes: deletePolicy === 'REMOVE' },
  });
  if (!isKnown)
    return skip(transaction, source, 'the database server has another byte order than this program');
  if (maxDeletePercent < 100 && gone * 100 > items * maxDeletePercent) {
    const counts = `${gone.toLocaleString('en-US')} of its ${items.toLocaleString('en-US')} items`;
    const message = `${counts} have no row in the table any more, and a sync may delete at most ${maxDeletePercent} percent of them`;
    const { jobId, dataSourceId, dataType } = source;
    const proposed = { jobId, dataSourceId, dataType, startedAt, count: goneByLevel, message };
    const waiting = await proposeDeletes(transaction, stored, proposed, await readDatabaseTime(transaction));
    await recordWaiting(transaction, source, goneByLevel, waiting);
    return {
      ...{ deleted: NO_COUNTS, isComplete: false, settledAt },
      warning: describeKept(waiting.message),
    };
  }
  if (sumLevels(deleted) > 0) await recordDeleted(transaction, source, deleted);
  return {
    deleted,
    warning: describeWritten(written, 'the next FULL sync decides'),
    isComplete: written === 0,
    settledAt: null,
  };
}

/** Finds why the rows that were read prove nothing; null if they do. */
async function findObstacle(
  transaction: Prisma.TransactionClient,
  { partitions }: ReadSource,
): Promise<string | null> {
  if (partitions.every(({ readItems }) => readItems === 0n)) return 'the table is empty';
  const ids = partitions.map(({ id }) => id);
  if (!(await hasAllIds(transaction, ids)))
    return 'the ids of its rows are not known any more. Run a FULL sync again';
  const unknown = await transaction.jobError.findFirst({
    where: { partitionId: { in: ids }, itemId: null },
    select: { id: true },
  });
  return unknown === null
    ? null
    : 'a row failed without an id, so it could be that of an item. Repair the row and run a FULL sync';
}

/** Deletes nothing, and says why. */
export async function skip(
  transaction: Prisma.TransactionClient,
  source: ReadSource,
  reason: string,
): Promise<Deletes> {
  // It is about rows of any marking.
  await recordSkipped(transaction, source, reason, HIGHEST_MARKING);
  return {
    deleted: NO_COUNTS,
    warning: describeKept(reason),
    isComplete: false,
    settledAt: null,
  };
}

/** When the read of a source began. */
export function findStart({ partitions }: ReadSource): Date {
  return new Date(Math.min(...partitions.flatMap(({ startedAt }) => startedAt?.getTime() ?? [])));
}

/** Describes items that are kept until a later sync; null for none. */
export function describeWritten(count: number, until: string): string | null {
  if (count === 0) return null;
  const items =
    count === 1 ? '1 item without a row was' : `${count.toLocaleString('en-US')} items without a row were`;
  return `${items} kept, because another job wrote ${count === 1 ? 'it' : 'them'} while the table was read: ${until}.`;
}

/** @param marking the reason is hidden from callers without clearance for it; null for that of the job. */
async function recordSkipped(
  transaction: Prisma.TransactionClient,
  { jobId, sourceName }: ReadSource,
  reason: string,
  marking: Marking | null,
): Promise<void> {
  await transaction.$queryRaw`select blade_add_job_event(${jobId}::uuid, 'DELETES_SKIPPED'::job_event_kind, ${sourceName},
    reason => ${reason}::text, reason_marking => ${marking}::text)::text`;
}

/** Callers see the event if they are cleared for one of the items, and count those that they are cleared for. */
export async function recordDeleted(
  transaction: Prisma.TransactionClient,
  { jobId, sourceName }: ReadSource,
  deleted: LevelCounts,
): Promise<void> {
  const marking = findLowestMarking(deleted);
  await transaction.$queryRaw`select blade_add_job_event(${jobId}::uuid, 'ITEMS_DELETED'::job_event_kind, ${sourceName},
    data => ${JSON.stringify({ deleted })}::jsonb, marking => ${marking})::text`;
}

async function recordWaiting(
  transaction: Prisma.TransactionClient,
  { jobId, sourceName }: ReadSource,
  waiting: LevelCounts,
  { expiresAt, message }: WaitingDeletes,
): Promise<void> {
  const data = JSON.stringify({ deleted: waiting, expiresAt });
  await transaction.$queryRaw`select blade_add_job_event(${jobId}::uuid, 'DELETES_WAITING'::job_event_kind, ${sourceName},
    reason => ${message}::text, reason_marking => ${HIGHEST_MARKING}::text, data => ${data}::jsonb,
    marking => ${findLowestMarking(waiting)})::text`;
}

/** The lowest marking of items: callers who are cleared for one of them may know of them. */
export function findLowestMarking(counts: LevelCounts): Marking {
  const lowest = counts.findIndex((count) => count > 0);
  return MARKINGS.find((candidate) => toLevel(candidate) === lowest) ?? HIGHEST_MARKING;
}
