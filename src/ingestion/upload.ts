import type { Catalog, UploadOutcome } from '../catalog/catalog.ts';
import type { BladeItem } from '../data-types/blade-item.ts';
import { LeaseLostError } from '../database/partition-lease.ts';
import type { ItemStore, UploadBatch, UploadedBatch } from '../items/item-store.ts';
import { canonicalJson } from './canonical-json.ts';

/** What one attempt of a partition uploads with. */
export interface Uploader {
  readonly store: ItemStore;
  readonly catalog: Catalog;
  readonly dataType: string;
  /** Names the next batch in the catalog. */
  readonly nextUploadKey: () => string;
  readonly uploadSignal: AbortSignal;
}

/** The answers of the catalog to a batch. */
export type SortedOutcomes = Pick<UploadedBatch, 'accepted' | 'rejected'>;

/**
 * Uploads a batch and writes down what came of it.
 * @param toMark what counts as success of the catalog's answers, and whether rejections count as errors.
 * @returns whether some of its items are owed again.
 * @throws LeaseLostError when another attempt has taken the partition over; the catalog then has what the store has.
 */
export async function uploadBatch(
  uploader: Uploader,
  { id, items, readBatch }: UploadBatch,
  toMark: (outcomes: SortedOutcomes) => Pick<UploadedBatch, 'success' | 'countsRejections'>,
): Promise<boolean> {
  const { store, catalog, dataType, nextUploadKey, uploadSignal } = uploader;
  try {
    const outcomes =
      items.length === 0 ? [] : await catalog.upload({ key: nextUploadKey(), items }, uploadSignal);
    const sorted = sortOutcomes(items, outcomes);
    return await store.markUploaded({ id, readBatch, dataType, ...sorted, ...toMark(sorted) });
  } catch (error) {
    // However an upload ended, some of its items may be in the catalog.
    if (error instanceof LeaseLostError || !(await isHeld(store))) await putRight(uploader, items);
    throw error;
  }
}

/** Where the database does not answer, there is nothing to compare the catalog with either. */
function isHeld(store: ItemStore): Promise<boolean> {
  return store.isHeld().catch(() => true);
}

/**
 * An attempt that hung until another took its place may have uploaded what is older than what the catalog has had since:
 * no catalog can tell. It gets the content again that the store has of these items.
 */
async function putRight(
  { store, catalog, dataType, nextUploadKey }: Uploader,
  items: readonly BladeItem[],
): Promise<void> {
  const inCatalog = new Map(items.map((item) => [item.itemId, item]));
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const present = await store.findItems({ dataType, itemIds: [...inCatalog.keys()] });
    const newer = present.filter((item) => !isSameContent(item, inCatalog.get(item.itemId)));
    if (newer.length === 0) return;
    // Not the attempt's own signal, which may have been aborted long ago.
    await catalog.upload({ key: nextUploadKey(), items: newer }, AbortSignal.timeout(PUT_RIGHT_TIMEOUT_MS));
    for (const item of newer) inCatalog.set(item.itemId, item);
  }
}

/** Whether the catalog needs no other content of an item: besides the row, others may have raised or lowered it. */
export function isSameContent(one: BladeItem, other: BladeItem | undefined): boolean {
  return (
    one.contentHash === other?.contentHash &&
    one.classificationMarking === other.classificationMarking &&
    isSameJson(one.queryMetadata, other.queryMetadata)
  );
}

// Text that the database gives has other white space.
function isSameJson(one: string | null, other: string | null): boolean {
  if (one === null || other === null || one === other) return one === other;
  return canonicalJson(JSON.parse(one)) === canonicalJson(JSON.parse(other));
}

/** How often items are uploaded again that change while they are uploaded. */
export const MAX_ROUNDS = 5;

const PUT_RIGHT_TIMEOUT_MS = 30_000;

/** Sorts uploaded items by what the catalog said of each. */
function sortOutcomes(items: readonly BladeItem[], outcomes: readonly UploadOutcome[]): SortedOutcomes {
  const accepted: BladeItem[] = [];
  const rejected: { item: BladeItem; message: string }[] = [];
  items.forEach((item, index) => {
    const outcome = outcomes[index];
    if (outcome?.status === 'ACCEPTED') accepted.push(item);
    else rejected.push({ item, message: outcome?.message ?? 'the catalog gave no answer for the item' });
  });
  return { accepted, rejected };
}
