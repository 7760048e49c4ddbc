import type { BladeItem } from '../data-types/blade-item.ts';

/** Items that are uploaded together. */
export interface CatalogUpload {
  /** Names the batch: uploading a batch again under the same key replaces what it left before. */
  readonly key: string;
  /** At most one of each (dataType, itemId). */
  readonly items: readonly BladeItem[];
}

export type UploadOutcome =
  | { readonly status: 'ACCEPTED' }
  | { readonly status: 'REJECTED'; readonly message: string };

/** Where items go. Runs inside a worker thread; several threads and processes may write at once. */
export interface Catalog {
  /**
   * Uploads a batch, idempotently: an item is known by its data type and id, and the last upload of it counts.
   * Resolves to one outcome an item, in the items' order; rejects only when aborted or on a fault of our own.
   */
  upload(batch: CatalogUpload, signal: AbortSignal): Promise<readonly UploadOutcome[]>;
  close(): Promise<void>;
}
