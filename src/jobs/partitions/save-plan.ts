import { v7 as newUuid } from 'uuid';
import { type JobPartition, Prisma, type PrismaClient } from '../../database/generated/prisma/client.ts';
import type { PartitionPlan, PlannedPartition } from '../../ingestion/partition-task.ts';
import { NO_COUNTS } from '../../items/level-counts.ts';
import { recordSnapshot } from '../../sources/feed-state.ts';
import { recordFoundSchema } from '../../sources/found-schema.ts';
import { lockPartitionJob, type Transaction } from '../job-lock.ts';
import { isTerminal } from '../job-state.ts';

/**
 * Saves what a partition reads. Where that is too much for one, the rest becomes further partitions of the job.
 * Does nothing once the partition has a plan, has ended, or belongs to another attempt.
 * @param partition as it was when it was planned: waiting, or claimed by the attempt that it carries.
 * @param enqueue enqueues the new partitions as part of the transaction.
 * @returns whether the plan is saved, and whether there are new partitions to work on.
 */
export async function savePlan(
  prisma: PrismaClient,
  partition: JobPartition,
  [first, ...others]: readonly PlannedPartition[],
  enqueue: (transaction: Transaction, partitionIds: readonly string[]) => Promise<void>,
): Promise<{ isSaved: boolean; isSplit: boolean }> {
  if (first === undefined) throw new Error('a plan has at least one partition');
  return prisma.$transaction(async (transaction) => {
    const job = await lockPartitionJob(transaction, partition.id);
    if (job === null || isTerminal(job.state)) return { isSaved: false, isSplit: false };
    const { count } = await transaction.jobPartition.updateMany({
      where: {
        id: partition.id,
        attempt: partition.attempt,
        state: partition.state,
        plan: { equals: Prisma.DbNull },
      },
      data: {
        ...{ plan: toJson(first.plan), totalItems: first.totalItems, ...NOTHING_READ },
        ...(partition.insertedByLevel.length === 0 ? {} : NOTHING_CHANGED),
        ...(await describePlan(transaction, partition, first)),
      },
    });
    if (count === 0 || others.length === 0) return { isSaved: count > 0, isSplit: false };
    const { _max } = await transaction.jobPartition.aggregate({
      where: { jobId: job.id },
      _max: { ordinal: true },
    });
    const rows = others.map(({ plan, totalItems }, index) => ({
      id: newUuid(),
      jobId: job.id,
      ordinal: (_max.ordinal ?? 0) + 1 + index,
      dataType: partition.dataType,
      dataSourceId: partition.dataSourceId,
      sourceName: partition.sourceName,
      ...{ plan: toJson(plan), totalItems },
      ...toTableColumns(plan),
    }));
    await transaction.jobPartition.createMany({ data: rows });
    await enqueue(
      transaction,
      rows.map(({ id }) => id),
    );
    return { isSaved: true, isSplit: true };
  });
}

/** Describes what a partition reads, and forgets what its source was read completely from before it is read again. */
async function describePlan(
  transaction: Transaction,
  { jobId, dataSourceId, sourceName, retryOfPartitionId }: JobPartition,
  { plan, schema = null, snapshotReason = null }: PlannedPartition,
) {
  if (dataSourceId === null || retryOfPartitionId !== null) return {};
  await recordFoundSchema(transaction, { jobId, dataSourceId, sourceName }, schema, false);
  if (snapshotReason !== null) await recordSnapshot(transaction, { jobId, sourceName }, snapshotReason, null);
  if (plan.kind !== 'UNCHANGED') {
    await transaction.dataSource.updateMany({
      where: { id: dataSourceId },
      data: { synced: Prisma.DbNull },
    });
    return toTableColumns(plan);
  }
  const source = await transaction.dataSource.findUnique({
    where: { id: dataSourceId },
    select: { tableVersion: true, tableTimestamp: true, drift: true, driftMessage: true },
  });
  return { ...source, isUnchanged: true };
}

function toTableColumns(plan: PartitionPlan) {
  const version = plan.kind === 'STATEMENT' ? plan.tableVersion : null;
  return version === null ? {} : { tableVersion: version.number, tableTimestamp: version.committedAt };
}

const NO_LEVELS: bigint[] = NO_COUNTS.map(() => 0n);

/** The counts of a partition that is about to be read: one that replaces others has had theirs until now. */
const NOTHING_READ = {
  ...{ readItems: 0n, processedItems: 0n, successCount: 0n, duplicateCount: 0n },
  ...{ readByLevel: NO_LEVELS, successByLevel: NO_LEVELS, duplicateByLevel: NO_LEVELS },
};

/** The same for the counts that stay unknown if an earlier version of the program has begun the partition. */
const NOTHING_CHANGED = { insertedByLevel: NO_LEVELS, updatedByLevel: NO_LEVELS };

/** Leaves out what the check of the statement found, because it is checked again once it was stored. */
function toJson(plan: PartitionPlan): Prisma.InputJsonObject {
  if (plan.kind === 'UNCHANGED') return { ...plan, success: [...plan.success] };
  if (plan.kind !== 'STATEMENT') return { ...plan };
  const { sql, parameters, withUnreadable = false, parts = null } = plan.statement;
  const { watermark, cursor, read, measure, deletes, tableVersion, changes, ...others } = plan;
  return {
    ...others,
    watermark: watermark && { ...watermark },
    read: read && { ...read },
    measure: measure && { ...measure },
    deletes: deletes && { ...deletes },
    tableVersion: tableVersion && { ...tableVersion, committedAt: tableVersion.committedAt.toISOString() },
    ...(changes && { changes: { ...changes, columns: [...changes.columns] } }),
    ...(cursor && { cursor: { ...cursor } }),
    statement: { sql, parameters, withUnreadable, ...(parts && { parts: { ...parts } }) },
  };
}
