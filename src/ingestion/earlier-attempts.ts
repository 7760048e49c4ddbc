import type { BladeItem } from '../data-types/blade-item.ts';
import {
  addCounts,
  countItemsByLevel,
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
  for (const { id, repeatedIds } of await store.findPendingBatches()) {
    const items = await store.findBatchItems(id);
    const isNew = ({ itemId }: BladeItem) => !repeatedIds.has(itemId);
    // A batch that is pending because another job changed its items has been counted, and so are duplicates.
    const counted = takeLesserCounts(uncounted, countItemsByLevel(items.filter(isNew)));
    uncounted = subtractCounts(uncounted, counted);
    await uploadBatch(createUploader(attempt), { id, items, readBatch: null }, ({ rejected }) => {
      const failed = rejected.map(({ item }) => item);
      return {
        success: subtractCounts(counted, countItemsByLevel(failed.filter(isNew))),
        failedDuplicates: countItemsByLevel(failed.filter((item) => !isNew(item))),
        countsRejections: true,
      };
    });
  }
  // Another job is going to upload the items of these rows.
  if (sumLevels(uncounted) > 0) await store.countSuccess(uncounted);
  await uploadPending(attempt);
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
