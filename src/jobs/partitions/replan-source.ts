import { v7 as newUuid } from 'uuid';
import type { JobPartition } from '../../database/generated/prisma/client.ts';
import type { PartitionOutcome } from '../../ingestion/partition-task.ts';
import { runDeleting } from '../../items/deleting-transaction.ts';
import { NO_COUNTS } from '../../items/level-counts.ts';
import { forgetFeed } from '../../sources/feed-state.ts';
import { type LockedJob, lockPartitionJob, type Transaction } from '../job-lock.ts';
import { isTerminal } from '../job-state.ts';
import { pauseWhenIdle } from '../pause-job.ts';
import { chooseFailureMarking, type EndingParts, endPartition } from './end-partition.ts';
import { describeWaiting } from './hand-back-partition.ts';

/** How often a source that keeps changing is planned and read before it fails. */
const MAX_PLANS = 3;

/**
 * Starts a source over because it changed after it was planned: its partitions have read different versions of it. One new
 * partition replaces them and plans the source again. The source fails once it has been planned MAX_PLANS times. Does
 * nothing when the attempt has lost its lease.
 * @param partition the one that noticed the change.
 * @param enqueue enqueues the new partition as part of the transaction.
 * @returns whether the job has ended, and the statements of the replaced partitions in the warehouse: nobody else ends those of
 * attempts that were killed, and those of others are of no use any more.
 */
export async function replanSource(
  { prisma, dataTypes }: EndingParts,
  partition: Pick<JobPartition, 'id' | 'attempt'>,
  change: Extract<PartitionOutcome, { status: 'CHANGED' }>,
  enqueue: (transaction: Transaction, job: LockedJob, partitionIds: readonly string[]) => Promise<void>,
): Promise<Replan> {
  const leftStatements: string[] = [];
  const isJobEnded = await runDeleting(prisma, async (transaction) => {
    const job = await lockPartitionJob(transaction, partition.id);
    if (job === null) return false;
    if (isTerminal(job.state)) return true;
    if (job.state === 'CANCELLING') return endPartition(transaction, job, partition, { status: 'STOPPED' });
    const parts = await listSourcePartitions(transaction, partition);
    const [first] = parts;
    if (first === undefined) return false;
    const { message, hasRowCounts } = change;
    const messageMarking = chooseFailureMarking({ isReadError: true, hasRowCounts }, job, dataTypes);
    const replans = first.replans + 1;
    if (replans === MAX_PLANS) {
      return endPartition(transaction, job, partition, {
        status: 'FAILED',
        message: `${message} The table changed each of the ${MAX_PLANS} times it was read.`,
        isReadError: true,
        messageMarking,
      });
    }
    if (change.isFeedGone === true && first.dataSourceId !== null)
      await forgetFeed(transaction, { ...first, dataSourceId: first.dataSourceId }, message, messageMarking);
    const ids = parts.map(({ id }) => id);
    const running = parts.filter((part) => part.state === 'RUNNING' && part.id !== partition.id);
    leftStatements.push(...running.flatMap(({ statementHandle }) => statementHandle ?? []));
    const id = newUuid();
    // Deleted rather than reset, so that their messages left in the queue find nothing to run or to give up.
    await transaction.jobPartition.deleteMany({ where: { id: { in: ids } } });
    await transaction.jobPartition.create({
      data: {
        ...{ id, jobId: job.id, ordinal: first.ordinal, startedAt: first.startedAt, replans },
        ...{ dataType: first.dataType, dataSourceId: first.dataSourceId, sourceName: first.sourceName },
        // Above zero, so that the next attempt first uploads what these have saved.
        attempt: Math.max(...parts.map(({ attempt }) => attempt)),
        // Until it is read again, what these have stored counts: it stays if the source cannot be planned any more.
        ...sumStored(parts),
        message,
        messageMarking,
      },
    });
    await transaction.$executeRaw`
      update upload_batch set partition_id = ${id}::uuid where partition_id = any(${ids}::uuid[])`;
    if (job.state === 'PAUSING') {
      await pauseWhenIdle(transaction, job);
      return false;
    }
    await transaction.$executeRaw`
      update job set current_operation = ${describeWaiting(message)}, estimated_completion = null
      where id = ${job.id}::uuid`;
    await enqueue(transaction, job, [id]);
    return false;
  });
  return { isJobEnded, leftStatements };
}

/** What became of a source that is planned again. */
export interface Replan {
  readonly isJobEnded: boolean;
  readonly leftStatements: readonly string[];
}

/** Sums the rows that partitions have stored. Their errors are deleted with them. */
function sumStored(parts: readonly JobPartition[]) {
  const success = sumByLevel(parts.map(({ successByLevel }) => successByLevel));
  const duplicates = sumByLevel(parts.map(({ duplicateByLevel }) => duplicateByLevel));
  const stored = sumByLevel([success, duplicates]);
  return {
    ...{ successCount: sum(success), duplicateCount: sum(duplicates) },
    ...{ readItems: sum(stored), processedItems: sum(stored) },
    ...{ successByLevel: success, duplicateByLevel: duplicates, readByLevel: stored },
    ...sumChanges(parts),
  };
}

/** Sums what partitions have inserted and updated; nothing if an earlier version of the program has begun one of them. */
function sumChanges(parts: readonly JobPartition[]) {
  if (parts.some(({ insertedByLevel }) => insertedByLevel.length === 0))
    return { insertedByLevel: [], updatedByLevel: [] };
  return {
    insertedByLevel: sumByLevel(parts.map(({ insertedByLevel }) => insertedByLevel)),
    updatedByLevel: sumByLevel(parts.map(({ updatedByLevel }) => updatedByLevel)),
  };
}

function sumByLevel(counts: readonly (readonly bigint[])[]): bigint[] {
  return NO_COUNTS.map((_none, level) => sum(counts.map((byLevel) => byLevel[level] ?? 0n)));
}

function sum(counts: readonly bigint[]): bigint {
  return counts.reduce((total, count) => total + count, 0n);
}

/** Lists all partitions of the source that an attempt reads; none when the attempt has lost its lease. */
async function listSourcePartitions(
  transaction: Transaction,
  { id, attempt }: Pick<JobPartition, 'id' | 'attempt'>,
): Promise<readonly JobPartition[]> {
  const own = await transaction.jobPartition.findUnique({ where: { id, attempt, state: 'RUNNING' } });
  if (own === null) return [];
  return transaction.jobPartition.findMany({
    where: { jobId: own.jobId, sourceName: own.sourceName, retryOfPartitionId: null },
    orderBy: { ordinal: 'asc' },
  });
}
