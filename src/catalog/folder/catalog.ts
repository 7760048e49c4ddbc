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
  segmentPath,
  type UploadEntry,
  writeSegment,
} from './files.ts';

export interface FolderCatalogOptions {
  /** Made when there is none. Must be on a local file system, where appending to a file is atomic. */
  readonly folder: string;
}

/** An item as the catalog has it. */
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
 * A catalog that is a folder of newline-delimited JSON, for running without a catalog service: `folder-files.ts`
 * says what lies in it. Any number of threads and processes may write to one folder and be killed at any moment;
 * an upload that has resolved is on the disk.
 * @throws CatalogError when the folder cannot be made or read; so do the methods for faults of the folder.
 */
export async function openFolderCatalog({ folder }: FolderCatalogOptions): Promise<Catalog> {
  await explained('opened', () => prepareFolder(folder));
  return {
    upload: (batch, signal) => explained('written', () => upload(folder, batch, signal)),
    close: async () => {},
  };
}

/**
 * The items of a folder catalog as its uploads left them, each once, those of the last upload first. Takes memory
 * for their ids only. What is uploaded meanwhile may be missed.
 */
export async function* readFolderCatalog(folder: string): AsyncGenerator<CatalogItem> {
  const seen = new Set<string>();
  for (const { key, dataTypes } of (await readPresentUploads(folder)).reverse()) {
    for (const dataType of dataTypes) {
      for await (const { text } of readLines(segmentPath(folder, dataType, key))) {
        const item: CatalogItem = JSON.parse(text);
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
      'The key of a batch must be 1 to 200 letters, digits, "_", "-" and ".", "." not first.',
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
  return items.map((item) => (itemsByType.has(item.dataType) ? accepted : unknownDataType));
}

const accepted: UploadOutcome = { status: 'ACCEPTED' };
const unknownDataType: UploadOutcome = {
  status: 'REJECTED',
  message: 'The name of a data type must be 1 to 100 letters, digits, "_" and "-".',
};

/** Gives faults of the file system a message that people may read; its own has the path in it. */
async function explained<Result>(attempt: string, work: () => Promise<Result>): Promise<Result> {
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
