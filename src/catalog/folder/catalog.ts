import type { BladeItem } from '../../data-types/blade-item.ts';
import { explainFileError, isFileError } from '../../shared/file-error.ts';
import type { Catalog, CatalogUpload, UploadOutcome } from '../catalog.ts';
import { CatalogError } from '../catalog-error.ts';
import {
  appendUpload,
  isSafeDataType,
  isSafeKey,
  prepareFolder,
  removeOtherSegments,
  type UploadEntry,
  writeSegment,
} from './files.ts';

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
  await describeFaults('opened', () => prepareFolder(folder));
  return {
    upload: (batch, signal) => describeFaults('written', () => upload(folder, batch, signal)),
    close: async () => {},
  };
}

async function upload(
  folder: string,
  { key, items }: CatalogUpload,
  signal: AbortSignal,
): Promise<readonly UploadOutcome[]> {
  signal.throwIfAborted();
  if (!isSafeKey(key)) {
    throw new CatalogError(
      'The key of a batch must be 1 to 200 letters, digits, "_", "-" and ".", and not start with ".".',
    );
  }
  const acceptable = items.filter((item) => isSafeDataType(item.dataType));
  const itemsByType: ReadonlyMap<string, BladeItem[]> = Map.groupBy(acceptable, (item) => item.dataType);
  for (const [dataType, itemsOfType] of itemsByType) {
    await writeSegment(folder, dataType, key, itemsOfType, signal);
  }
  const entry: UploadEntry = { key, dataTypes: [...itemsByType.keys()] };
  await appendUpload(folder, entry);
  await removeOtherSegments(folder, entry);
  return items.map((item) => (itemsByType.has(item.dataType) ? ACCEPTED : UNKNOWN_DATA_TYPE));
}

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
