import { CatalogError } from '../catalog/catalog-error.ts';
import {
  claimDueRemovals,
  type DueRemoval,
  saveFailedRemovals,
  settleRemoved,
  settleReturned,
} from '../items/item-removals.ts';
import type { PartitionResources } from './attempt.ts';
import { uploadItems } from './upload-items.ts';

/** What became of removals. */
export interface RemovalRun {
  readonly removed: number;
  /** Why others failed; each reason once. */
  readonly failures: readonly string[];
  /** Whether more may be due. */
  readonly hasMore: boolean;
}

/**
 * Removes deleted items from the catalog and then from the store, and uploads those again whose rows came back meanwhile.
 * @param redact removes secrets from a message of the catalog.
 * @throws errors of the database; it can be called again.
 */
export async function removeDueItems(
  resources: Pick<PartitionResources, 'pool' | 'catalog' | 'catalogName'>,
  redact: (message: string) => string,
  signal: AbortSignal,
): Promise<RemovalRun> {
  const { pool } = resources;
  const due = await claimDueRemovals(pool, MAX_ITEMS);
  const returned = due.filter(({ isBack }) => isBack);
  for (const [dataType, items] of Map.groupBy(returned, (item) => item.dataType)) {
    // What the catalog rejects is not uploaded, so that the next sync tries again.
    await uploadItems(resources, { dataType, itemIds: items.map(({ itemId }) => itemId) }, signal);
    await settleReturned(pool, items);
  }
  const gone = due.filter(({ isBack }) => !isBack);
  if (gone.length === 0) return { removed: 0, failures: [], hasMore: due.length === MAX_ITEMS };
  const outcomes = await remove(resources, gone, signal);
  const removed = gone.filter((_item, index) => outcomes[index]?.status === 'REMOVED');
  const failed = gone.flatMap((item, index) => {
    const outcome = outcomes[index];
    if (outcome?.status === 'REMOVED') return [];
    const message = redact(outcome?.message ?? 'The catalog gave no answer for the item.');
    return [{ ...item, message, isHeld: outcome?.status === 'REFUSED' }];
  });
  if (failed.length > 0) await saveFailedRemovals(pool, failed);
  if (removed.length > 0) await settleRemoved(pool, removed);
  const failures = [...new Set(failed.map(({ message }) => message))];
  return { removed: removed.length, failures, hasMore: due.length === MAX_ITEMS || removed.length > 0 };
}

type Outcome =
  | { readonly status: 'REMOVED' }
  | { readonly status: 'REFUSED' | 'UNKNOWN'; readonly message: string };

async function remove(
  { catalog }: Pick<PartitionResources, 'catalog'>,
  items: readonly DueRemoval[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  try {
    const outcomes = await catalog.remove?.(items, signal);
    return outcomes ?? items.map(() => ({ status: 'REFUSED', message: UNSUPPORTED }));
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error;
    const { message } = error;
    return items.map(() => ({ status: 'UNKNOWN', message }));
  }
}

/** Why nothing is removed from a catalog that cannot remove items. */
const UNSUPPORTED =
  'The catalog does not support the removal of items, so it keeps them. Set the delete policy of the source to MARK, or see docs/configuration.md for what a service needs';

/** So many that a folder is not read too often, and few enough for a retry after a crash. */
const MAX_ITEMS = 5_000;
