import type { BladeItem } from '../../data-types/blade-item.ts';
import { explainFileError, isFileError } from '../../shared/file-error.ts';
import type { JsonObject } from '../../shared/json.ts';
import type { Catalog, CatalogUpload, UploadOutcome } from '../catalog.ts';
import { CatalogError } from '../catalog-error.ts';
import {
  appendUpload,
  isSafeDataType,
  isSafeKey,
  prepareFolder,
  readLines,
  readPresentUploads,
  removeOtherSegments,
  toSegmentPath,
  type UploadEntry,
  writeSegment,
} from './files.ts';

export interface FolderCatalogOptions {
  /** Created if it does not exist. Must be on a local file system, where appending to a file is atomic. */
  readonly folder: string;
}

/** An item in the catalog. */
export interface CatalogItem {
  readonly catalogId: string;
  readonly dataType: string;
  readonly itemId: string;
  readonly classificationMarking: string;
  readonly contentHash: string;
  readonly data: JsonObject;
  readonly metadata: JsonObject;
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

/**
 * Reads the items of a folder catalog, each once, those of the last upload first. Takes memory for their ids only, and may
 * miss what is uploaded meanwhile.
 */
export async function* readFolderCatalog(folder: string): AsyncGenerator<CatalogItem> {
  const seen = new Set<string>();
  for (const { key, dataTypes } of (await readPresentUploads(folder)).reverse()) {
    for (const dataType of dataTypes) {
      for await (const line of readLines(toSegmentPath(folder, dataType, key))) {
        const item: CatalogItem = JSON.parse(line);
        const identity = `${dataType}/${item.itemId}`;
        if (!seen.has(identity)) {
          seen.add(identity);
          yield item;
        }
      }
    }
  }
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
