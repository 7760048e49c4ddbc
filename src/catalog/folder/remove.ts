import { createHash, randomUUID } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toCatalogId } from '../../data-types/blade-item.ts';
import { isObject } from '../../shared/json.ts';
import type { ItemKey } from '../catalog.ts';
import { CatalogError } from '../catalog-error.ts';
import { exists, syncFolder } from './file-system.ts';
import {
  appendUploads,
  readLines,
  readPresentUploads,
  type SegmentFacts,
  toSegmentPath,
  type UploadEntry,
} from './files.ts';

/**
 * Removes items from every segment that holds them, in whichever content: an older one would otherwise come back. Reads all
 * segments of their data types. Segments that are uploaded meanwhile stay as they are.
 */
export async function removeItems(
  folder: string,
  items: readonly ItemKey[],
  signal: AbortSignal,
): Promise<void> {
  const idsByType = Map.groupBy(items, ({ dataType }) => dataType);
  for (let entry of await readPresentUploads(folder)) {
    for (const dataType of entry.dataTypes) {
      const removed = idsByType.get(dataType);
      const path = toSegmentPath(folder, dataType, entry.key);
      if (removed === undefined || !(await exists(path))) continue;
      const catalogIds = new Set(removed.map(({ itemId }) => toCatalogId(dataType, itemId)));
      const facts = await shortenSegment(path, catalogIds, signal);
      if (facts === null) continue;
      const shortened: UploadEntry = {
        ...entry,
        segments: { ...entry.segments, [dataType]: facts },
        isShortened: true,
      };
      await appendUploads(folder, [shortened]);
      entry = shortened;
    }
  }
}

/** Replaces a segment by one without some items. @returns what was written; null if it has none of them. */
async function shortenSegment(
  path: string,
  catalogIds: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<SegmentFacts | null> {
  const before = await stat(path);
  if (!(await holdsAny(path, catalogIds, signal))) return null;
  const temporaryPath = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    const written = createHash('sha256');
    const file = await open(temporaryPath, 'wx');
    let facts: SegmentFacts;
    try {
      let lines = '';
      const write = async () => {
        await file.appendFile(lines);
        written.update(lines);
        lines = '';
      };
      for await (const line of readLines(path)) {
        signal.throwIfAborted();
        if (!catalogIds.has(readCatalogId(line))) lines += `${line}\n`;
        if (lines.length >= CHARACTERS_PER_WRITE) await write();
      }
      await write();
      await file.datasync();
      const { size, mtimeMs } = await file.stat();
      facts = { bytes: size, modifiedAt: mtimeMs, sha256: written.digest('base64url') };
    } finally {
      await file.close();
    }
    const { ino, size, mtimeMs } = await stat(path);
    if (ino !== before.ino || size !== before.size || mtimeMs !== before.mtimeMs)
      throw new CatalogError('A file of the catalog was replaced while items were removed from it.');
    await rename(temporaryPath, path);
    await syncFolder(dirname(path));
    return facts;
  } finally {
    await rm(temporaryPath, { force: true });
  }
}

async function holdsAny(
  path: string,
  catalogIds: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<boolean> {
  for await (const line of readLines(path)) {
    signal.throwIfAborted();
    if (catalogIds.has(readCatalogId(line))) return true;
  }
  return false;
}

const CHARACTERS_PER_WRITE = 1_048_576;

const BEFORE_ID = '{"catalogId":';
const AFTER_ID = ',"dataType":';

/** Reads the id of an item from its line; empty if there is none. Most lines are not parsed, which would take most of the time. */
function readCatalogId(line: string): string {
  try {
    const end = line.startsWith(`${BEFORE_ID}"`) ? line.indexOf(AFTER_ID) : -1;
    const value: unknown = JSON.parse(end === -1 ? line : line.slice(BEFORE_ID.length, end));
    const id = isObject(value) ? value.catalogId : value;
    return typeof id === 'string' ? id : '';
  } catch {
    return '';
  }
}
