import { randomUUID } from 'node:crypto';
import type { Catalog, CatalogUpload } from '../catalog/catalog.ts';
import type { BladeItem } from '../data-types/blade-item.ts';
import { orderRemovalsAgain } from '../items/item-removals.ts';
import {
  findUploadableItems,
  type ItemKeys,
  markItemsUploaded,
  releaseRejectedItems,
} from '../items/stored-items.ts';
import type { PartitionResources } from './attempt.ts';
import { isSameContent, MAX_ROUNDS } from './upload.ts';
import { readStoredGeneration } from './verify-uploads.ts';

/** The outcome of uploading stored items outside a job. */
export interface ItemUploadOutcome {
  /** The reasons of the catalog for the items it did not accept. */
  readonly rejections: readonly string[];
}

/**
 * Uploads stored items, and again if they change in the meantime, because another upload of them may have come first.
 * @throws CatalogError and errors of the database; it can be called again.
 */
export async function uploadItems(
  { pool, catalog, catalogName }: Pick<PartitionResources, 'pool' | 'catalog' | 'catalogName'>,
  keys: ItemKeys,
  signal: AbortSignal,
): Promise<ItemUploadOutcome> {
  const generation = await readStoredGeneration(catalog, catalogName, signal);
  const uploaded = new Map<string, BladeItem & { readonly key: string }>();
  const rejections = new Map<string, string>();
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const current = await findUploadableItems(pool, keys);
    const newer = current.filter((item) => !isSameContent(item, uploaded.get(item.itemId)));
    if (newer.length === 0) break;
    const key = `items-${randomUUID()}`;
    for (const [item, rejection] of await upload(catalog, { key, items: newer }, signal)) {
      uploaded.set(item.itemId, { ...item, key });
      if (rejection === null) rejections.delete(item.itemId);
      else rejections.set(item.itemId, rejection);
    }
  }
  const accepted = [...uploaded.values()].filter(({ itemId }) => !rejections.has(itemId));
  for (const [key, items] of Map.groupBy(accepted, (item) => item.key)) {
    await markItemsUploaded(pool, keys.dataType, items, { generation, key });
  }
  await releaseRejectedItems(pool, { ...keys, itemIds: [...rejections.keys()] });
  await orderRemovalsAgain(pool, keys);
  return { rejections: [...rejections.values()] };
}

async function upload(
  catalog: Catalog,
  batch: CatalogUpload,
  signal: AbortSignal,
): Promise<(readonly [BladeItem, string | null])[]> {
  const outcomes = await catalog.upload(batch, signal);
  return batch.items.map((item, index) => {
    const outcome = outcomes[index];
    if (outcome?.status === 'ACCEPTED') return [item, null];
    return [item, outcome?.message ?? 'the catalog returned no answer for the item'];
  });
}
