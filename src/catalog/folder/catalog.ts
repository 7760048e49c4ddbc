import type { BladeItem } from '../../data-types/blade-item.ts';
import { explainFileError, isFileError } from '../../shared/file-error.ts';
import type { Catalog, CatalogGeneration, CatalogUpload, RemovalOutcome, UploadOutcome } from '../catalog.ts';
import { CatalogError } from '../catalog-error.ts';
import {
  appendUploads,
  findGeneration,
  isSafeDataType,
  isSafeKey,
  prepareFolder,
  removeOtherSegments,
  type SegmentFacts,
  type UploadEntry,
  writeSegment,
} from './files.ts';
import { openFolderLookup } from './lookup.ts';
import { createPresentKeys } from './present-keys.ts';
import { removeItems } from './remove.ts';

export interface FolderCatalogOptions {
  /** Created if it does not exist. Must be on a local file system, where appending to a file is atomic. */
  readonly folder: string;
}

/**
 * Opens a folder of newline-delimited JSON as a catalog, for running without a catalog service. `files.ts` describes its
 * files. Any number of threads and processes may write to one folder and be killed at any moment; an upload that has
 * resolved is on the disk.
 * @throws CatalogError if the folder cannot be created or read; so do the methods for faults of the folder.
 */
export async function openFolderCatalog({ folder }: FolderCatalogOptions): Promise<Catalog> {
  const opened = await describeFaults('opened', () => prepareFolder(folder));
  let current: CatalogGeneration = opened;
  const presentKeys = createPresentKeys(folder);

  /** Refuses a folder that was removed or replaced: a write would begin a new catalog in it that nobody knows of. */
  async function checkGeneration(): Promise<void> {
    const present = await findGeneration(folder);
    if (present?.id === current.id) return;
    throw new CatalogError(
      present === null
        ? "The catalog's folder was removed or emptied while it was in use."
        : "The catalog's folder was replaced by another one while it was in use.",
    );
  }

  return {
    upload: (batch, signal) =>
      describeFaults('written', async () => {
        signal.throwIfAborted();
        checkKey(batch.key);
        await checkGeneration();
        return upload(folder, batch, signal);
      }),
    remove: (items, signal) =>
      describeFaults('written', async () => {
        await checkGeneration();
        await removeItems(folder, items, signal);
        return items.map(() => REMOVED);
      }),
    readGeneration: () =>
      describeFaults('opened', async () => {
        current = (await findGeneration(folder)) ?? (await prepareFolder(folder));
        return current;
      }),
    findMissingUploads: (keys, signal) => describeFaults('read', () => presentKeys.findMissing(keys, signal)),
    openLookup: (dataType, signal) =>
      describeFaults('read', () => openFolderLookup(folder, dataType, signal)),
    close: async () => {},
  };
}

function checkKey(key: string): void {
  if (isSafeKey(key)) return;
  throw new CatalogError(
    'The key of a batch must be 1 to 200 letters, digits, "_", "-" and ".", and not start with ".".',
  );
}

async function upload(
  folder: string,
  { key, items }: CatalogUpload,
  signal: AbortSignal,
): Promise<readonly UploadOutcome[]> {
  const acceptable = items.filter((item) => isSafeDataType(item.dataType));
  const itemsByType: ReadonlyMap<string, BladeItem[]> = Map.groupBy(acceptable, (item) => item.dataType);
  const segments: Record<string, SegmentFacts> = {};
  for (const [dataType, itemsOfType] of itemsByType) {
    segments[dataType] = await writeSegment(folder, dataType, key, itemsOfType, signal);
  }
  const entry: UploadEntry = { key, dataTypes: [...itemsByType.keys()], segments };
  await appendUploads(folder, [entry]);
  await removeOtherSegments(folder, entry);
  return items.map((item) => (itemsByType.has(item.dataType) ? ACCEPTED : UNKNOWN_DATA_TYPE));
}

const REMOVED: RemovalOutcome = { status: 'REMOVED' };
const ACCEPTED: UploadOutcome = { status: 'ACCEPTED' };
const UNKNOWN_DATA_TYPE: UploadOutcome = {
  status: 'REJECTED',
  message: 'The name of a data type must be 1 to 100 letters, digits, "_" and "-".',
};

/** Replaces errors of the file system, whose messages hold the path, by ones that may be shown. */
async function describeFaults<Result>(attempt: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (isFileError(error)) {
      const reason = explainFileError(error.code);
      throw new CatalogError(`The catalog's folder could not be ${attempt}: ${reason}.`, { cause: error });
    }
    throw error;
  }
}
