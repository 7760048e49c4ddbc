import { deleteItems } from '../items/deleted-ids.ts';
import type { DeletingTransaction } from '../items/deleting-transaction.ts';
import { sumLevels } from '../items/level-counts.ts';
import {
  type Deletes,
  describeWritten,
  findStart,
  type ReadSource,
  recordDeleted,
  skip,
} from './delete-gone.ts';

/**
 * Deletes the items whose rows a change feed says are gone, unless they are too many, and records that as an event of the job. Part
 * of the transaction that completes the source.
 */
export async function deleteChanged(
  transaction: DeletingTransaction,
  source: ReadSource,
  itemIds: readonly string[],
): Promise<Deletes> {
  const { deletePolicy, maxDeletePercent, deletesSettledAt } = await transaction.dataSource.findUniqueOrThrow(
    {
      where: { id: source.dataSourceId },
    },
  );
  const startedAt = findStart(source);
  const { items, gone, deleted, written } = await deleteItems(transaction, {
    ...source,
    ...{ itemIds, startedAt, settledAt: deletesSettledAt ?? startedAt },
    ...{ removes: deletePolicy === 'REMOVE', maxDeletePercent },
  });
  if (maxDeletePercent < 100 && gone * 100 > items * maxDeletePercent) {
    const counts = `${gone.toLocaleString('en-US')} of its ${items.toLocaleString('en-US')} items`;
    return skip(
      transaction,
      source,
      `the change feed of the table deletes ${counts}, and a sync may delete at most ${maxDeletePercent} percent of them. If they may go, run a FULL sync, which lets them wait for an admin to approve`,
    );
  }
  if (sumLevels(deleted) > 0) await recordDeleted(transaction, source, deleted);
  return {
    ...{ deleted, isComplete: written === 0, settledAt: null },
    warning: describeWritten(written, 'the next sync decides'),
  };
}
