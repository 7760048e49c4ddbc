import type { Catalog, UploadOutcome } from '../catalog/catalog.ts';
import type { BladeItem } from '../data-types/blade-item.ts';
import { LeaseLostError } from '../database/partition-lease.ts';
import { NO_CHANGES } from '../items/change-counts.ts';
import type { UploadBatch, UploadedBatch } from '../items/item-batches.ts';
import type { ItemStore } from '../items/item-store.ts';
import { NO_COUNTS } from '../items/level-counts.ts';
import { toCanonicalJson } from './canonical-json.ts';

/** What an attempt uploads with. */
export interface Uploader {
  readonly store: ItemStore;
  readonly catalog: Catalog;
  readonly dataType: string;
  /** Returns the key of the next batch in the catalog, unique across attempts. */
  readonly nextUploadKey: () => string;
  readonly uploadSignal: AbortSignal;
  /** The generation of the catalog, as it is stored with uploads. */
  readonly generation: () => string;
  /** Whether its uploads repair the catalog. */
  readonly isRepair: boolean;
  /** Called once an upload and the answers of the catalog are saved. */
  readonly onUploaded: (key: string, outcomes: SortedOutcomes) => void;
}

/** The answers of the catalog to a batch. */
export type SortedOutcomes = Pick<UploadedBatch, 'accepted' | 'rejected'>;

/** A batch, and whether the catalog had lost it. */
type BatchToUpload = Omit<UploadBatch, 'repeatedIds' | 'changed'> & { readonly isRestored?: boolean };

/** What the answers of the catalog add to the counts of the partition. */
type UploadCounts = Pick<UploadedBatch, 'success' | 'countsRejections'> &
  Partial<Pick<UploadedBatch, 'changes' | 'failedDuplicates'>>;

/**
 * Uploads a batch and saves the outcome.
 * @param toCounts decides what of the catalog's answers counts as success, and whether rejections count as errors.
 * @returns whether some of its items must be uploaded again.
 * @throws LeaseLostError if another attempt has taken the lease; the catalog then has the same content as the store.
 */
export async function uploadBatch(
  uploader: Uploader,
  { id, items, readBatch, isRestored = uploader.isRepair }: BatchToUpload,
  toCounts: (outcomes: SortedOutcomes) => UploadCounts,
): Promise<boolean> {
  const { store, catalog, dataType, nextUploadKey, uploadSignal } = uploader;
  try {
    // Before the upload: if the catalog is replaced meanwhile, the upload is found to be lost.
    const generation = uploader.generation();
    const key = items.length === 0 ? null : nextUploadKey();
    const outcomes = key === null ? [] : await catalog.upload({ key, items }, uploadSignal);
    const sorted = sortOutcomes(items, outcomes);
    const receipt = { generation, key };
    const isPending = await store.markUploaded({
      ...{ id, receipt, readBatch, dataType, isRestored, countsRestored: uploader.isRepair },
      ...{ changes: NO_CHANGES, failedDuplicates: NO_COUNTS },
      ...sorted,
      ...toCounts(sorted),
    });
    if (key !== null) uploader.onUploaded(key, sorted);
    return isPending;
  } catch (error) {
    // Some items may be in the catalog, however the upload ended.
    if (error instanceof LeaseLostError || !(await isHeld(store))) await correctCatalog(uploader, items);
    throw error;
  }
}

/** Assumes that the lease is held if the database does not answer, because then the catalog cannot be corrected either. */
function isHeld(store: ItemStore): Promise<boolean> {
  return store.isHeld().catch(() => true);
}

/**
 * Uploads the current content of items again. An attempt that hung until another took its place may have overwritten newer
 * content in the catalog, which cannot notice that.
 */
async function correctCatalog(
  { store, catalog, dataType, nextUploadKey }: Uploader,
  items: readonly BladeItem[],
): Promise<void> {
  const inCatalog = new Map(items.map((item) => [item.itemId, item]));
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const current = await store.findItems({ dataType, itemIds: [...inCatalog.keys()] });
    const newer = current.filter((item) => !isSameContent(item, inCatalog.get(item.itemId)));
    if (newer.length === 0) break;
    // Not the signal of the attempt, which may have been aborted long ago.
    await catalog.upload({ key: nextUploadKey(), items: newer }, AbortSignal.timeout(CORRECTION_TIMEOUT_MS));
    for (const item of newer) inCatalog.set(item.itemId, item);
  }
  await store.orderRemovalsAgain({ dataType, itemIds: [...inCatalog.keys()] });
}

/** Whether two contents of an item are equal. Besides its row, its marking or its query metadata may have changed. */
export function isSameContent(one: BladeItem, other: BladeItem | undefined): boolean {
  return (
    one.contentHash === other?.contentHash &&
    one.classificationMarking === other.classificationMarking &&
    isSameJson(one.queryMetadata, other.queryMetadata)
  );
}

// JSON text from the database has different white space.
function isSameJson(one: string | null, other: string | null): boolean {
  if (one === null || other === null || one === other) return one === other;
  return toCanonicalJson(JSON.parse(one)) === toCanonicalJson(JSON.parse(other));
}

/** How often items that change during their upload are uploaded again. */
export const MAX_ROUNDS = 5;

const CORRECTION_TIMEOUT_MS = 30_000;

/** Sorts uploaded items by the answer of the catalog. */
function sortOutcomes(items: readonly BladeItem[], outcomes: readonly UploadOutcome[]): SortedOutcomes {
  const accepted: BladeItem[] = [];
  const rejected: { item: BladeItem; message: string }[] = [];
  items.forEach((item, index) => {
    const outcome = outcomes[index];
    if (outcome?.status === 'ACCEPTED') accepted.push(item);
    else rejected.push({ item, message: outcome?.message ?? 'the catalog returned no answer for the item' });
  });
  return { accepted, rejected };
}
