import type { ItemChange } from '../database/generated/prisma/enums.ts';
import { type ChangeCounts, NO_CHANGES } from '../items/change-counts.ts';
import type { PendingItem } from '../items/item-batches.ts';
import {
  addCounts,
  countItemsByLevel,
  type LevelCounts,
  NO_COUNTS,
  subtractCounts,
  sumLevels,
  takeLesserCounts,
} from '../items/level-counts.ts';
import { type Attempt, createUploader } from './attempt.ts';
import { MAX_ROUNDS, uploadBatch } from './upload.ts';

/**
 * Uploads what earlier attempts saved but did not upload. A resumed attempt also counts these rows; any other attempt reads
 * them again.
 */
export async function settleEarlierAttempts(attempt: Attempt, resumed: boolean): Promise<void> {
  const { task, store } = attempt;
  attempt.onOperation('Uploading items saved by an earlier attempt');
  if (!resumed) return uploadPending(attempt);
  let uncounted = subtractCounts(task.read, addCounts(task.success, task.errors, task.duplicates));
  let uncountedChanges = NO_CHANGES;
  for (const { id, repeatedIds, changes } of await store.findPendingBatches()) {
    const items = await store.findBatchItems(id);
    const isNew = ({ itemId }: PendingItem) => !repeatedIds.has(itemId);
    // A batch that is pending because another job changed its items has been counted, and so are duplicates.
    const counted = takeLesserCounts(uncounted, countItemsByLevel(items.filter(isNew)));
    uncounted = subtractCounts(uncounted, counted);
    const present = mapChanges((kind, change) =>
      takeLesserCounts(changes[kind], countChanged(items.filter(isNew), change)),
    );
    uncountedChanges = mapChanges((kind) =>
      addCounts(uncountedChanges[kind], subtractCounts(changes[kind], present[kind])),
    );
    await uploadBatch(createUploader(attempt), { id, items, readBatch: null }, ({ rejected }) => {
      const failedIds = new Set(rejected.map(({ item }) => item.itemId));
      const failed = items.filter(({ itemId }) => failedIds.has(itemId));
      const success = subtractCounts(counted, countItemsByLevel(failed.filter(isNew)));
      return {
        success,
        changes: limitChanges(
          mapChanges((kind, change) =>
            subtractCounts(present[kind], countChanged(failed.filter(isNew), change)),
          ),
          success,
        ),
        failedDuplicates: countItemsByLevel(failed.filter((item) => !isNew(item))),
        countsRejections: true,
      };
    });
  }
  // Another job is going to upload the items of these rows.
  if (sumLevels(uncounted) > 0)
    await store.countSuccess(uncounted, limitChanges(uncountedChanges, uncounted));
  await uploadPending(attempt);
}

function mapChanges(toCounts: (kind: keyof ChangeCounts, change: ItemChange) => LevelCounts): ChangeCounts {
  return { inserted: toCounts('inserted', 'INSERTED'), updated: toCounts('updated', 'UPDATED') };
}

function countChanged(items: readonly PendingItem[], change: ItemChange): LevelCounts {
  return countItemsByLevel(items.filter((item) => item.change === change));
}

/** Caps the changes at the successes they belong to: markings may have changed since the items were saved. */
function limitChanges(changes: ChangeCounts, success: LevelCounts): ChangeCounts {
  const inserted = takeLesserCounts(changes.inserted, success);
  return { inserted, updated: takeLesserCounts(changes.updated, subtractCounts(success, inserted)) };
}

/** Uploads the current content of items that the catalog may hold with an older one. */
export async function uploadPending(attempt: Attempt): Promise<void> {
  const { store } = attempt;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const batches = await store.findPendingBatches();
    if (batches.length === 0) return;
    for (const { id } of batches) {
      const items = await store.findBatchItems(id);
      // Their rows have been counted. A rejected item stays without an upload time, so the next sync retries it.
      await uploadBatch(createUploader(attempt), { id, items, readBatch: null }, () => ({
        success: NO_COUNTS,
        countsRejections: false,
      }));
    }
  }
}
