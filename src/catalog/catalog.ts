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

/** Identifies an item in a catalog. */
export type ItemKey = Pick<BladeItem, 'dataType' | 'itemId'>;

export type RemovalOutcome =
  /** The catalog does not hold the item, whether or not it did before. */
  | { readonly status: 'REMOVED' }
  /** The catalog refused, and still holds the item. */
  | { readonly status: 'REFUSED'; readonly message: string }
  /** The catalog gave no answer, so it may hold the item or not. */
  | { readonly status: 'UNKNOWN'; readonly message: string };

/** What a catalog says about the state that it is in. */
export interface CatalogGeneration {
  /** 1 to 200 characters. Changes whenever the catalog may have lost uploads, such as when it was emptied or restored. */
  readonly id: string;
  /** Whether it held nothing when it got this id. Otherwise it has what was uploaded before ids were recorded. */
  readonly wasEmpty: boolean;
}

/** How a catalog holds an item. */
export type HeldState = 'HELD' | 'MISSING' | 'DIFFERENT';

/** Compares items of one data type with what the catalog holds. */
export interface CatalogLookup {
  /**
   * @returns one state an item, in the order of the items: HELD if the catalog has its marking, data and metadata.
   * @throws CatalogError if the catalog cannot be asked now.
   */
  compare(items: readonly BladeItem[], signal: AbortSignal): Promise<readonly HeldState[]>;
  close(): Promise<void>;
}

/** Where items are uploaded. Runs inside a worker thread; several threads and processes may upload at once. */
export interface Catalog {
  /**
   * Uploads items, idempotently: an item is identified by its data type and id, and its last upload counts.
   * @returns one outcome an item, in the order of the items; rejects only if it is aborted, or on a fault of our own.
   */
  upload(batch: CatalogUpload, signal: AbortSignal): Promise<readonly UploadOutcome[]>;
  /**
   * Removes items, idempotently: one that the catalog does not hold counts as removed. All other items stay as they are. A
   * catalog without this method, or that returns null, cannot remove items; it then has removed none of these.
   * @returns one outcome an item, in the order of the items.
   * @throws CatalogError if nothing is known of any of them.
   */
  remove?(items: readonly ItemKey[], signal: AbortSignal): Promise<readonly RemovalOutcome[] | null>;
  /**
   * Reads the generation of the catalog, so that a loss of uploads is noticed. A catalog without this method, or that
   * returns null, is trusted to keep everything. Called before the first upload of an attempt and after its last.
   * @throws CatalogError if the catalog cannot be asked now.
   */
  readGeneration?(signal: AbortSignal): Promise<CatalogGeneration | null>;
  /**
   * Finds the uploads that the catalog no longer holds, such as after an older copy of it was restored. A catalog without
   * this method holds all uploads of its generation.
   * @param keys of accepted uploads of the present generation.
   * @throws CatalogError if the catalog cannot be asked now.
   */
  findMissingUploads?(keys: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Opens a comparison of what the catalog holds now. It may remove what is damaged, so that it counts as missing. A catalog
   * without this method, or that returns null, cannot be repaired item by item.
   * @throws CatalogError if the catalog cannot be asked now.
   */
  openLookup?(dataType: string, signal: AbortSignal): Promise<CatalogLookup | null>;
  /**
   * Calls back when uploads wait because the catalog does not do its work, with what it does instead, as the end of a sentence
   * such as "cannot be reached", without anything about an item; and with null when it works again.
   * @returns a function that ends the watching.
   */
  watchOutages?(onChange: (fault: string | null) => void): () => void;
  close(): Promise<void>;
}
