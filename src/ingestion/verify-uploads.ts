import { setTimeout as wait } from 'node:timers/promises';
import type { Catalog } from '../catalog/catalog.ts';
import { CatalogError } from '../catalog/catalog-error.ts';
import type { ItemStore } from '../items/item-store.ts';
import { NO_COUNTS } from '../items/level-counts.ts';
import { type FoundGeneration, toStoredGeneration, toUnknownGeneration } from '../items/lost-uploads.ts';
import { MAX_ROUNDS, type Uploader, uploadBatch } from './upload.ts';

/** Makes sure that the catalog holds what the store says is uploaded. */
export interface UploadVerifier {
  /** The generation of the catalog, as it is stored with uploads. */
  readonly generation: () => string;
  /** Counts the answers of the catalog to an upload. */
  readonly onUploaded: (key: string) => void;
  /**
   * Notices what the catalog lost before this job. Waits for no other partition, and passes over a catalog that cannot
   * be asked: the uploads themselves find out.
   */
  begin(): Promise<void>;
  /**
   * Notices what the catalog has lost, and uploads it again until nothing is missing. While partitions of the job wait, only its
   * own uploads are verified.
   * @param hasRejections whether the attempt has reported rejections, which an unreachable catalog explains.
   * @throws CatalogError if something cannot be restored now; a new attempt tries again.
   */
  end(hasRejections: boolean): Promise<void>;
}

export interface UploadVerifierOptions {
  readonly catalog: Catalog;
  /** The kind of catalog. */
  readonly catalogName: string;
  readonly store: ItemStore;
  readonly createUploader: (dataType: string) => Uploader;
  /** Uploads what other jobs have changed while it was restored. */
  readonly uploadPending: () => Promise<void>;
  /** Whether everything that was ever uploaded is verified; otherwise only the uploads of this attempt, unless one is lost. */
  readonly verifiesAll: boolean;
  /** The data type whose lost items it restores, besides those that no other partition of the job still has; null for all. */
  readonly dataType: string | null;
  /** Whether it repairs the catalog: it restores and counts lost items itself, and reports rejections as errors. */
  readonly isRepair: boolean;
  readonly signal: AbortSignal;
  readonly onRestoring: () => void;
}

/** Reads the generation of a catalog as it is stored with uploads, also of one that cannot be asked. */
export async function readStoredGeneration(
  catalog: Catalog,
  catalogName: string,
  signal: AbortSignal,
): Promise<string> {
  const found = await findGeneration(catalog, catalogName, signal).catch(ignoreCatalogErrors);
  return found === null ? toUnknownGeneration(catalogName) : toStoredGeneration(found);
}

export function createUploadVerifier(options: UploadVerifierOptions): UploadVerifier {
  const { catalog, catalogName, store, createUploader, uploadPending, signal, onRestoring } = options;
  let current: FoundGeneration | null = null;
  const ownKeys = new Set<string>();

  /** Marks what the catalog has lost. @returns whether it has lost something that was not noticed before. */
  async function verify(found: FoundGeneration): Promise<boolean> {
    current = found;
    let lost = await store.markOtherGenerations(found);
    const keys = await findKeysToVerify(found);
    if (keys.length > 0) {
      const missing = (await catalog.findMissingUploads?.(keys, signal)) ?? [];
      if (missing.length > 0) lost += await store.markLost(missing);
    }
    return lost > 0;
  }

  /** A repair compares earlier uploads item by item, so that one damaged item does not cost all of its upload. */
  async function findKeysToVerify(found: FoundGeneration): Promise<readonly string[]> {
    if (catalog.findMissingUploads === undefined) return [];
    return options.isRepair ? [...ownKeys] : store.findUploadKeys(found);
  }

  /** Uploads lost items that no running partition restores. @returns the reasons of the catalog for those it rejected. */
  async function restore(): Promise<readonly string[]> {
    const rejections: string[] = [];
    // Rejected items go to a new batch, which has a higher id.
    const lastId = await store.findLastLost();
    if (lastId === null) return rejections;
    while (!signal.aborted) {
      const id = await store.claimLost(lastId, options.dataType);
      if (id === null) break;
      onRestoring();
      const items = await store.findBatchItems(id);
      const [first] = items;
      if (first === undefined) continue;
      await uploadBatch(
        createUploader(first.dataType),
        { id, items, readBatch: null, isRestored: true },
        ({ rejected }) => {
          if (rejected[0] !== undefined) rejections.push(rejected[0].message);
          return { success: NO_COUNTS, countsRejections: false };
        },
      );
    }
    return rejections;
  }

  // A look at everything takes as long as there are uploads. A job takes it as its first partition begins and as those end after
  // which none waits: for many small sources, more would be most of their time. A repair compares what is its own.
  async function skipsBegin(): Promise<boolean> {
    return !options.isRepair && (await store.findOtherVerifiers()).hasEarlier;
  }

  async function skipsEnd(): Promise<boolean> {
    if (!options.verifiesAll) return true;
    return !options.isRepair && (await store.findOtherVerifiers()).hasWaiting;
  }

  async function holdsOwnUploads(found: FoundGeneration): Promise<boolean> {
    if (current === null || toStoredGeneration(found) !== toStoredGeneration(current)) return false;
    const missing = await catalog.findMissingUploads?.([...ownKeys], signal);
    return missing === undefined || missing.length === 0;
  }

  return {
    generation: () => (current === null ? toUnknownGeneration(catalogName) : toStoredGeneration(current)),
    onUploaded: (key) => void ownKeys.add(key),

    async begin() {
      const found = await findGeneration(catalog, catalogName, signal).catch(ignoreCatalogErrors);
      if (found === null) return;
      current = found;
      if (!options.verifiesAll || (await skipsBegin())) return;
      await verify(found);
      if (!options.isRepair) await restore();
    },

    async end(hasRejections) {
      for (let round = 0; !signal.aborted; ) {
        const found = await findGeneration(catalog, catalogName, signal).catch((error: unknown) => {
          if (hasRejections) return ignoreCatalogErrors(error);
          throw error;
        });
        if (found === null) return;
        if (round === 0 && (await skipsEnd()) && (await holdsOwnUploads(found))) return;
        const hasLost = await verify(found);
        const rejections = await restore();
        await uploadPending();
        const { claimed, unclaimed } = await store.countLost(options.dataType);
        if (signal.aborted) return;
        if (rejections[0] !== undefined && unclaimed > 0) {
          if (options.isRepair && !hasLost) return;
          throw new CatalogError(
            `The catalog has lost items, and ${unclaimed} of them could not be uploaded again: ${rejections[0]}`,
          );
        }
        if (!hasLost && claimed === 0 && unclaimed === 0) return;
        if (hasLost && ++round > MAX_ROUNDS) {
          throw new CatalogError(
            'The catalog has lost uploads again and again: make sure that it keeps them.',
          );
        }
        // Only an attempt without the lease can claim none of them.
        if (unclaimed > 0 && !(await store.isHeld())) return;
        if (claimed > 0) await wait(OTHERS_INTERVAL_MS, undefined, { signal }).catch(() => {});
      }
    },
  };
}

/** How often it is looked whether other partitions have restored what they claimed, in milliseconds. */
const OTHERS_INTERVAL_MS = 200;

async function findGeneration(
  catalog: Catalog,
  catalogName: string,
  signal: AbortSignal,
): Promise<FoundGeneration> {
  const generation = (await catalog.readGeneration?.(signal)) ?? null;
  return { catalog: catalogName, id: generation?.id ?? null, wasEmpty: generation?.wasEmpty ?? false };
}

function ignoreCatalogErrors(error: unknown): null {
  if (error instanceof CatalogError) return null;
  throw error;
}
