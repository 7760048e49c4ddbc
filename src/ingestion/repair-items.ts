import type { Catalog, CatalogLookup } from '../catalog/catalog.ts';
import type { ComparedItemStore } from '../items/compared-items.ts';
import { countItemsByLevel } from '../items/level-counts.ts';
import { type Uploader, uploadBatch } from './upload.ts';

export interface Repair {
  readonly catalog: Catalog;
  readonly store: ComparedItemStore;
  readonly dataType: string;
  readonly createUploader: () => Uploader;
  /** The last item id that an earlier attempt compared; null for none. */
  readonly resumeAfter: string | null;
  /** Items compared together. */
  readonly batchSize: number;
  readonly signal: AbortSignal;
  readonly onOperation: (operation: string) => void;
}

/** The catalog cannot say which items it holds. */
export class IncomparableCatalogError extends Error {
  override readonly name = 'IncomparableCatalogError';

  constructor() {
    super(
      'The catalog cannot say which items it holds, so they cannot be compared: it needs the lookup that docs/configuration.md describes for a service, and docs/extending.md for a plug-in.',
    );
  }
}

/**
 * Compares every item of a data type that the store says is uploaded with the catalog, and uploads what is missing or
 * different. Ends early if it is stopped.
 * @throws IncomparableCatalogError, and CatalogError if the catalog cannot be asked now.
 */
export async function repairItems(repair: Repair): Promise<void> {
  const { catalog, dataType, signal, onOperation } = repair;
  onOperation(`Reading the ${dataType} items of the catalog`);
  const lookup = (await catalog.openLookup?.(dataType, signal)) ?? null;
  if (lookup === null) throw new IncomparableCatalogError();
  try {
    let after = repair.resumeAfter;
    while (!signal.aborted) {
      onOperation(`Comparing ${dataType} items with the catalog`);
      const next = await repairNext(repair, lookup, after);
      if (next === null) return;
      after = next;
    }
  } finally {
    await lookup.close();
  }
}

/** Repairs the next items. @returns the id of the last one; null if there is none. */
async function repairNext(
  { store, dataType, createUploader, batchSize, signal }: Repair,
  lookup: CatalogLookup,
  after: string | null,
): Promise<string | null> {
  const items = await store.findExpected(dataType, after, batchSize);
  const last = items.at(-1);
  if (last === undefined) return null;
  const states = await lookup.compare(items, signal);
  const wrong = items.filter(({ isLost }, index) => isLost || states[index] !== 'HELD');
  const held = items.filter(({ isLost }, index) => !isLost && states[index] === 'HELD');
  const batch = await store.saveCompared({
    ...{ dataType, wrong, position: last.itemId },
    heldByLevel: countItemsByLevel(held),
    wrongByLevel: countItemsByLevel(wrong),
  });
  if (batch !== null) {
    const { id, itemIds } = batch;
    const restored = wrong.filter(({ itemId }) => itemIds.has(itemId));
    await uploadBatch(createUploader(), { id, items: restored, readBatch: null }, ({ accepted }) => ({
      success: countItemsByLevel(accepted),
      countsRejections: true,
    }));
  }
  return last.itemId;
}
