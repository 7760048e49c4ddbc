import { HIGHEST_MARKING, type Marking } from '../data-types/marking.ts';
import { readDatabaseTime } from '../database/database-clock.ts';
import { type JobPartition, Prisma } from '../database/generated/prisma/client.ts';
import type { SyncType } from '../database/generated/prisma/enums.ts';
import type { Watermark } from '../ingestion/cursor.ts';
import type { CopyMeasure, DeletePlan, FeedOutcome, ReadContents } from '../ingestion/partition-task.ts';
import type { DeletingTransaction } from '../items/deleting-transaction.ts';
import { addCounts, NO_COUNTS, subtractCounts, sumLevels } from '../items/level-counts.ts';
import { deleteChanged } from './delete-changed.ts';
import { type Deletes, deleteGone } from './delete-gone.ts';
import { measureDrift } from './drift.ts';
import { toFeedState } from './feed-state.ts';
import { keepFoundSchema } from './found-schema.ts';
import { toSynced } from './synced-contents.ts';
import { hasProposal } from './waiting-deletes.ts';

/** A partition that has just ended, with what it read. */
export interface EndedRead {
  readonly id: string;
  readonly jobId: string;
  readonly dataType: string;
  readonly dataSourceId: string | null;
  readonly sourceName: string;
  /** Set for a partition that retried failed items, which says nothing about the source. */
  readonly retryOfPartitionId: string | null;
}

/** What was found out about a source that was read to its end. */
export interface ReadFacts {
  /** The watermark to move to; null to leave it. */
  readonly watermark: Watermark | null;
  /** What people should know about the source; null for nothing. */
  readonly warning: string | null;
  /** Without clearance for it, the warning is hidden. */
  readonly marking: Marking | null;
  /** The version of the table that the watermark belongs to; null if it has none. */
  readonly version: string | null;
  /** Null if the source must be read again next time, or was not read. */
  readonly read: ReadContents | null;
  /** Null if the copy cannot be compared with the table. */
  readonly measure: CopyMeasure | null;
  /** Null if the sync deletes no items. */
  readonly deletes: DeletePlan | null;
  /** Null if the source knows the same of its change feed as before. */
  readonly feed: FeedOutcome | null;
  /** The ids of the items whose rows a change feed says are gone; null if none was read. */
  readonly goneIds: readonly string[] | null;
  readonly syncType: SyncType;
}

/**
 * Records on a source how its sync ended, once all its partitions of the job have: the watermark moves only when each
 * of them was read to its end. A source whose items are judged waits for the others of its data type: an item may have moved to
 * one of them.
 */
export async function recordSourceSync(
  transaction: DeletingTransaction,
  ended: EndedRead,
  facts: ReadFacts,
): Promise<void> {
  const { id, jobId } = ended;
  if (await readsSource(transaction, ended)) return;
  if (judgesItems(facts) && (await readsSibling(transaction, ended))) {
    const postponedFacts = facts as unknown as Prisma.InputJsonObject;
    await transaction.jobPartition.update({ where: { id }, data: { postponedFacts } });
    return;
  }
  await record(transaction, ended, facts);
  await recordPostponed(transaction, jobId);
}

/** Records on sources of a job what was postponed, unless another source of their data type is still being read. */
export async function recordPostponed(transaction: DeletingTransaction, jobId: string): Promise<void> {
  const postponed = await transaction.jobPartition.findMany({
    where: { jobId, postponedFacts: { not: Prisma.DbNull } },
    orderBy: { ordinal: 'asc' },
  });
  for (const { postponedFacts, ...ended } of postponed) {
    if (await readsSibling(transaction, ended)) continue;
    await transaction.jobPartition.update({
      where: { id: ended.id },
      data: { postponedFacts: Prisma.DbNull },
    });
    const facts = postponedFacts as unknown as ReadFacts;
    const isCancelled = (await transaction.jobPartition.count({ where: { jobId, state: 'CANCELLED' } })) > 0;
    const deletes: DeletePlan = { isAllowed: false, reason: 'the sync was cancelled' };
    await record(transaction, ended, isCancelled ? { ...facts, deletes, goneIds: null } : facts);
  }
}

/** Whether items of the source may be deleted. */
function judgesItems({ deletes, goneIds }: ReadFacts): boolean {
  return deletes?.isAllowed === true || (goneIds !== null && goneIds.length > 0);
}

/** Whether the job still reads other partitions of the source: only the last one records it, so that items are judged once. */
async function readsSource(
  transaction: Prisma.TransactionClient,
  { jobId, dataSourceId }: EndedRead,
): Promise<boolean> {
  if (dataSourceId === null) return false;
  const active = await transaction.jobPartition.count({
    where: { jobId, dataSourceId, state: { in: ['PENDING', 'RUNNING'] } },
  });
  return active > 0;
}

/** Whether the job still reads another source of the data type. */
async function readsSibling(
  transaction: Prisma.TransactionClient,
  { jobId, dataType, dataSourceId }: EndedRead,
): Promise<boolean> {
  if (dataSourceId === null) return false;
  const active = await transaction.jobPartition.count({
    where: {
      ...{ jobId, dataType, state: { in: ['PENDING', 'RUNNING'] } },
      dataSourceId: { not: dataSourceId },
    },
  });
  return active > 0;
}

async function record(
  transaction: DeletingTransaction,
  { id: endedId, jobId, dataType, dataSourceId, sourceName, retryOfPartitionId }: EndedRead,
  facts: ReadFacts,
): Promise<void> {
  const { watermark, version, read, measure, deletes, goneIds, syncType } = facts;
  if (dataSourceId === null || retryOfPartitionId !== null) return;
  const partitions = await transaction.jobPartition.findMany({
    where: { jobId, dataSourceId },
    select: {
      ...{ id: true, state: true, message: true, messageMarking: true, isUnchanged: true },
      ...{ successCount: true, successByLevel: true, errorCount: true, duplicateCount: true },
      ...{ insertedByLevel: true, updatedByLevel: true, errorByLevel: true },
      ...{ tableVersion: true, tableTimestamp: true, readItems: true, startedAt: true },
    },
    orderBy: { ordinal: 'asc' },
  });
  const unread =
    partitions.find(({ state }) => state === 'FAILED') ??
    partitions.find(({ state }) => state === 'CANCELLED');
  const source = { jobId, dataType, dataSourceId, sourceName, partitions };
  let deletion: Deletes | null = null;
  if (unread === undefined && deletes !== null) deletion = await deleteGone(transaction, source, deletes);
  if (unread === undefined && goneIds !== null) deletion = await deleteChanged(transaction, source, goneIds);
  const isWaiting = await hasProposal(transaction, dataSourceId);
  if (!isWaiting)
    await transaction.readIds.deleteMany({ where: { partitionId: { in: partitions.map(({ id }) => id) } } });
  const deleted = {
    deletedCount: sumLevels(deletion?.deleted ?? []),
    deletedByLevel: [...(deletion?.deleted ?? NO_COUNTS)],
  };
  if (deleted.deletedCount > 0)
    await transaction.jobPartition.update({ where: { id: endedId }, data: deleted });
  const { warning, marking } = addWarning(facts, deletion?.warning ?? null);
  const success = addCounts(...partitions.map(({ successByLevel }) => successByLevel.map(Number)));
  // Rows that failed are read again, and duplicates are reported again.
  const isWhole = partitions.every(({ errorCount, duplicateCount }) => errorCount + duplicateCount === 0n);
  const [{ id = null, isUnchanged = false, tableVersion = null, tableTimestamp = null } = {}] = partitions;
  const counts = {
    duplicates: partitions.reduce((sum, { duplicateCount }) => sum + Number(duplicateCount), 0),
    errors: partitions.reduce((sum, { errorCount }) => sum + Number(errorCount), 0),
    isWaiting,
  };
  const isMeasured = unread === undefined && measure !== null;
  const drift = isMeasured ? await measureDrift(transaction, dataSourceId, measure, counts) : null;
  const shownDrift = { drift: drift?.drift ?? null, driftMessage: drift?.driftMessage ?? null };
  if (id !== null && drift !== null)
    await transaction.jobPartition.update({ where: { id }, data: shownDrift });
  if (unread === undefined) await keepFoundSchema(transaction, dataSourceId);
  const lastSync = {
    lastSyncAt: await readDatabaseTime(transaction),
    lastSyncState: unread?.state ?? ('COMPLETED' as const),
  };
  await transaction.dataSource.updateMany({
    where: { id: dataSourceId },
    data:
      unread === undefined
        ? {
            ...lastSync,
            lastSyncMessage: warning,
            lastSyncMarking: marking,
            ...(isUnchanged && syncType === 'INCREMENTAL'
              ? {}
              : {
                  itemCount: partitions.reduce((sum, { successCount }) => sum + successCount, 0n),
                  itemCountByLevel: [...success],
                }),
            ...{ tableVersion, tableTimestamp, ...deleted, ...sumRows(partitions) },
            // A change feed says nothing about items that wait to be deleted.
            ...(isWaiting && deletion?.isComplete === true
              ? {}
              : findSettledTime(deletion, lastSync.lastSyncAt)),
            // An unchanged table differs from its copy as before.
            ...(isUnchanged ? {} : shownDrift),
            ...(drift === null ? {} : { driftBasis: { ...drift.driftBasis } }),
            ...(watermark === null ? {} : { watermark: watermark.value, watermarkType: watermark.type }),
            ...findFeedState(facts, deletion, counts.duplicates > 0),
            ...(watermark === null && read === null ? {} : { watermarkVersion: version }),
            ...(read === null || warning !== null || !isWhole || deletion?.isComplete === false
              ? {}
              : { synced: toSynced(read, syncType, success) }),
          }
        : { ...lastSync, lastSyncMessage: unread.message, lastSyncMarking: unread.messageMarking },
  });
}

type PartitionCounts = Pick<
  JobPartition,
  'successByLevel' | 'insertedByLevel' | 'updatedByLevel' | 'errorByLevel'
>;

/** Sums the rows of a sync by what became of them; nothing if an earlier version of the program has begun it. */
function sumRows(partitions: readonly PartitionCounts[]) {
  if (partitions.some(({ insertedByLevel }) => insertedByLevel.length === 0))
    return { insertedByLevel: [], updatedByLevel: [], unchangedByLevel: [], failedByLevel: [] };
  const sum = (column: keyof PartitionCounts) =>
    addCounts(...partitions.map((counts) => counts[column].map(Number)));
  const [inserted, updated] = [sum('insertedByLevel'), sum('updatedByLevel')];
  return {
    insertedByLevel: [...inserted],
    updatedByLevel: [...updated],
    unchangedByLevel: [...subtractCounts(sum('successByLevel'), addCounts(inserted, updated))],
    failedByLevel: [...sum('errorByLevel')],
  };
}

/** Finds what to remember of a change feed: while items are left to judge, they are read again. */
function findFeedState(
  { feed, version }: ReadFacts,
  deletion: Deletes | null,
  hasSharedIds: boolean,
): Pick<Prisma.DataSourceUncheckedUpdateManyInput, 'feedState'> {
  if (feed === null || deletion?.isComplete === false) return {};
  if (feed === 'FORGET' || version === null) return { feedState: Prisma.DbNull };
  return { feedState: toFeedState({ version, hasSharedIds, brokenBy: null }) };
}

function findSettledTime(deletion: Deletes | null, now: Date): { readonly deletesSettledAt?: Date } {
  if (deletion?.isComplete === true) return { deletesSettledAt: now };
  return deletion === null || deletion.settledAt === null ? {} : { deletesSettledAt: deletion.settledAt };
}

/** Adds why nothing was deleted, which is about rows of any marking, to what was found out about a source. */
function addWarning(
  { warning, marking }: Pick<ReadFacts, 'warning' | 'marking'>,
  added: string | null,
): Pick<ReadFacts, 'warning' | 'marking'> {
  if (added === null) return { warning, marking };
  return { warning: warning === null ? added : `${warning}. ${added}`, marking: HIGHEST_MARKING };
}
