import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { constants, type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type BladeItem, toCatalogId } from '../../data-types/blade-item.ts';
import { removeClutter } from '../../shared/folder-error.ts';
import type { CatalogGeneration } from '../catalog.ts';
import { CatalogError } from '../catalog-error.ts';
import { exists, hasCode, isNotFound, syncFolder } from './file-system.ts';
import { GENERATION_FILE, loadGeneration, readGenerationFile, TEMPORARY_NAME } from './generation.ts';

// The files in the folder of a catalog:
//
//   <dataType>/<key>.ndjson   a segment: the items of one data type of one upload, one a line
//   <dataType>/.<uuid>.tmp    a segment that is being written, or that a killed process left
//   uploads.ndjson            one line for every complete upload
//   generation.json           identifies the folder: see `generation.ts`
//
// A segment is complete when it appears, and an upload counts once its line is in `uploads.ndjson`. The order of the lines
// is the order of the uploads: appending a short line to a file is atomic, so all threads and processes agree on it
// whatever their clocks say. If a process is killed between the two steps, its upload was not acknowledged and is
// repeated.
//
// To remove items, the segments that hold them are replaced by shorter ones, one by one. A process that is killed after such a
// replacement leaves a segment that is not what its line says: the upload counts as lost, and its items are uploaded again.

/** A line of `uploads.ndjson`: the key of an upload, the data types it has segments of, and what was written as them. */
export type UploadEntry = z.infer<typeof uploadEntrySchema>;

/** What was written as a segment, to notice later that it was truncated or altered. */
export type SegmentFacts = z.infer<typeof segmentFactsSchema>;

/** Whether a key can name a segment: 1 to 200 letters, digits, `_`, `-` and `.`, not starting with `.`. */
export function isSafeKey(key: string): boolean {
  return SAFE_KEY.test(key);
}

/** Whether the name of a data type can name a folder. */
export function isSafeDataType(name: string): boolean {
  return SAFE_DATA_TYPE.test(name);
}

export function toSegmentPath(folder: string, dataType: string, key: string): string {
  return join(folder, dataType, `${key}.ndjson`);
}

export function toUploadsPath(folder: string): string {
  return join(folder, UPLOADS_FILE);
}

/** Whether a folder holds something other than a catalog. */
export function isForeign(names: readonly string[]): boolean {
  const others = removeClutter(names).filter(
    (name) => name !== GENERATION_FILE && !TEMPORARY_NAME.test(name),
  );
  return others.length > 0 && !names.includes(UPLOADS_FILE);
}

/**
 * Creates the folder if it does not exist, and removes what killed processes left in it.
 * @returns its generation, which a new or empty folder gets here.
 * @throws CatalogError if it holds something other than a catalog: new segments could hide files in it.
 */
export async function prepareFolder(folder: string): Promise<CatalogGeneration> {
  await mkdir(folder, { recursive: true });
  if (isForeign(await readdir(folder))) {
    throw new CatalogError(
      `The catalog's folder holds files, but no ${UPLOADS_FILE}: restore a complete backup of it, or choose an empty folder.`,
    );
  }
  const uploads = await open(toUploadsPath(folder), 'a');
  await uploads.close();
  await syncFolder(folder);
  const generation = await loadGeneration(folder, toUploadsPath(folder));
  for (const directory of ['', ...(await listDataTypes(folder))]) {
    for (const name of await readdir(join(folder, directory))) {
      if (TEMPORARY_NAME.test(name)) await removeIfOld(join(folder, directory, name));
    }
  }
  return generation;
}

/** Finds the generation of a folder; null if it is not a whole catalog. */
export async function findGeneration(folder: string): Promise<CatalogGeneration | null> {
  return (await exists(toUploadsPath(folder))) ? readGenerationFile(folder) : null;
}

/**
 * Writes a segment, completely or not at all: the old one stays until the end, also if this is aborted or killed.
 * @returns what was written.
 */
export async function writeSegment(
  folder: string,
  dataType: string,
  key: string,
  items: readonly BladeItem[],
  signal: AbortSignal,
): Promise<SegmentFacts> {
  const directory = join(folder, dataType);
  // Not recursive: a folder that is gone must not come back as an empty one.
  await mkdir(directory).then(
    () => syncFolder(folder),
    (error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    },
  );
  const temporaryPath = join(directory, `.${randomUUID()}.tmp`);
  let facts: SegmentFacts;
  try {
    const file = await open(temporaryPath, 'wx');
    try {
      const sha256 = await writeItems(file, items, signal);
      await file.datasync();
      const { size, mtimeMs } = await file.stat();
      facts = { bytes: size, modifiedAt: mtimeMs, sha256 };
    } finally {
      await file.close();
    }
    signal.throwIfAborted();
    await rename(temporaryPath, toSegmentPath(folder, dataType, key));
  } catch (error) {
    await rm(temporaryPath, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(directory);
  return facts;
}

/**
 * Whether a segment is there and holds what was written. The content is read only if its time differs, as that of a copy does.
 * @param facts undefined if they were not recorded: it then only has to be there.
 * @param read the times of the segments whose content was read and is whole; extended.
 */
export async function isWhole(
  path: string,
  facts: SegmentFacts | undefined,
  read: Map<string, number>,
): Promise<boolean> {
  try {
    const { size, mtimeMs } = await stat(path);
    if (facts === undefined) return true;
    if (size !== facts.bytes) return false;
    if (mtimeMs === facts.modifiedAt || mtimeMs === read.get(path)) return true;
    const content = createHash('sha256');
    for await (const chunk of createReadStream(path)) content.update(chunk);
    if (content.digest('base64url') !== facts.sha256) return false;
    read.set(path, mtimeMs);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** Makes uploads count whose segments have been written. */
export async function appendUploads(folder: string, entries: readonly UploadEntry[]): Promise<void> {
  if (entries.length === 0) return;
  // The line feed in front separates the line from one that a full disk cut off.
  const lines = Buffer.from(entries.map((entry) => `\n${JSON.stringify(entry)}\n`).join(''));
  // Not created: a folder that lost this file lost its uploads.
  const uploads = await open(toUploadsPath(folder), constants.O_WRONLY | constants.O_APPEND);
  try {
    // In one write: lines of other writers could come between several.
    const { bytesWritten } = await uploads.write(lines);
    if (bytesWritten !== lines.length) {
      throw Object.assign(new Error('The lines were cut off.'), { code: 'ENOSPC', syscall: 'write' });
    }
    await uploads.datasync();
  } finally {
    await uploads.close();
  }
}

/** Removes the segments of earlier uploads of the same key in data types that this one does not have. */
export async function removeOtherSegments(folder: string, { key, dataTypes }: UploadEntry): Promise<void> {
  for (const dataType of await listDataTypes(folder)) {
    if (!dataTypes.includes(dataType)) await rm(toSegmentPath(folder, dataType, key), { force: true });
  }
}

/** Reads the last upload of each key, in order. Lines that a full disk cut off are skipped. */
export async function readPresentUploads(folder: string): Promise<UploadEntry[]> {
  const uploads = new Map<string, UploadEntry>();
  for await (const line of readLines(toUploadsPath(folder))) {
    const entry = parseEntry(line);
    if (entry === null) continue;
    // Deleted first, so that it moves to the end.
    if (entry.isShortened !== true) uploads.delete(entry.key);
    uploads.set(entry.key, entry);
  }
  return [...uploads.values()];
}

/** Reads the complete lines of a file, without their line feeds; none if there is no file. */
export async function* readLines(path: string): AsyncGenerator<string> {
  // node:readline also ends lines at U+2028 and U+2029, which JSON texts may hold.
  let begun: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 262_144 })) {
      const bytes: Buffer = chunk;
      let start = 0;
      for (let end = bytes.indexOf(LINE_FEED); end !== -1; end = bytes.indexOf(LINE_FEED, start)) {
        const line = Buffer.concat([...begun, bytes.subarray(start, end)]);
        begun = [];
        start = end + 1;
        yield line.toString('utf8');
      }
      begun.push(bytes.subarray(start));
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Parses a line of `uploads.ndjson`; null for one that a full disk cut off. */
export function parseEntry(text: string): UploadEntry | null {
  try {
    return uploadEntrySchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

const UPLOADS_FILE = 'uploads.ndjson';
const LINE_FEED = 0x0a;
const SAFE_KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const SAFE_DATA_TYPE = /^[A-Za-z0-9_-]{1,100}$/;
const MAX_TEMPORARY_AGE_MS = 3_600_000;
const CHARACTERS_PER_WRITE = 1_048_576;

const segmentFactsSchema = z.object({ bytes: z.int(), modifiedAt: z.number(), sha256: z.string() });

const uploadEntrySchema = z.object({
  key: z.string().regex(SAFE_KEY),
  dataTypes: z.array(z.string().regex(SAFE_DATA_TYPE)).readonly(),
  /** By data type. Entries of earlier versions have none. */
  segments: z.record(z.string(), segmentFactsSchema).optional(),
  /** Set if items were removed from the segments of this upload, which keeps its place among the uploads. */
  isShortened: z.literal(true).optional(),
});

/**
 * Writes items in parts: all of them may be longer than the longest possible string.
 * @returns the hash of what was written.
 */
async function writeItems(
  file: FileHandle,
  items: readonly BladeItem[],
  signal: AbortSignal,
): Promise<string> {
  const written = createHash('sha256');
  let lines = '';
  for (const item of items) {
    lines += toLine(item);
    if (lines.length >= CHARACTERS_PER_WRITE) {
      signal.throwIfAborted();
      await file.appendFile(lines);
      written.update(lines);
      lines = '';
    }
  }
  await file.appendFile(lines);
  return written.update(lines).digest('base64url');
}

function toLine({ dataType, itemId, classificationMarking, contentHash, data, metadata }: BladeItem): string {
  const known = JSON.stringify({
    catalogId: toCatalogId(dataType, itemId),
    dataType,
    itemId,
    classificationMarking,
    contentHash,
  });
  return `${known.slice(0, -1)},"data":${joinLines(data)},"metadata":${joinLines(metadata)}}\n`;
}

/** Puts JSON text on one line: a line feed in it can only be white space. */
function joinLines(json: string): string {
  return json.includes('\n') ? json.replaceAll('\n', ' ') : json;
}

async function listDataTypes(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && isSafeDataType(entry.name)).map(({ name }) => name);
}

async function removeIfOld(path: string): Promise<void> {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > MAX_TEMPORARY_AGE_MS) await rm(path, { force: true });
  } catch (error) {
    // Its writer has just renamed it.
    if (!isNotFound(error)) throw error;
  }
}
