import type { BladeItem } from '../data-types/blade-item.ts';

/** Items to be uploaded together. */
export interface CatalogUpload {
  /** Identifies the upload: another one with the same key replaces it. */
  readonly key: string;
  /** At most one for each data type and item id. */
  readonly items: readonly BladeItem[];
}

export type UploadOutcome =
  | { readonly status: 'ACCEPTED' }
  | { readonly status: 'REJECTED'; readonly message: string };

/** Where items are uploaded. Runs inside a worker thread; several threads and processes may upload at once. */
export interface Catalog {
  /**
   * Uploads items, idempotently: an item is identified by its data type and id, and its last upload counts.
   * @returns one outcome an item, in the order of the items; rejects only if it is aborted, or on a fault of our own.
   */
  upload(batch: CatalogUpload, signal: AbortSignal): Promise<readonly UploadOutcome[]>;
  close(): Promise<void>;
}
