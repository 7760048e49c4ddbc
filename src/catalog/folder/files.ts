import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type BladeItem, catalogIdOf } from '../../data-types/blade-item.ts';
import { withoutClutter } from '../../shared/folder-error.ts';
import { CatalogError } from '../catalog-error.ts';

// What lies in the folder of a catalog:
//
//   <dataType>/<key>.ndjson   a segment: the items of one data type of one batch, one a line
//   <dataType>/.<uuid>.tmp    a segment that is being written, or that a killed process left
//   uploads.ndjson            one line for every upload that came to its end
//
// Segments are complete when they appear, and an upload counts from the moment its line is in `uploads.ndjson`.
// The order of the lines is the order of the uploads. Appending a short line to a file is atomic, so that all
// threads and processes agree on that order whatever their clocks say, and a reader learns what changed from the
// lines it has not seen. Where a process is killed between the two steps, its upload has not been acknowledged and
// is uploaded again.

/** A line of `uploads.ndjson`: the batch, and the data types it has a segment of. */
export type UploadEntry = z.infer<typeof uploadEntry>;

/** Whether a key can name a segment: 1 to 200 letters, digits, `_`, `-` and `.`, and no `.` first. */
export function isSafeKey(key: string): boolean {
  return safeKey.test(key);
}

/** Whether the name of a data type can name a folder. */
export function isSafeDataType(name: string): boolean {
  return safeDataType.test(name);
}

export function segmentPath(folder: string, dataType: string, key: string): string {
  return join(folder, dataType, `${key}.ndjson`);
}

export function uploadsPath(folder: string): string {
  return join(folder, uploadsFile);
}

/** Whether a folder holds something, and no catalog. */
export function isForeign(names: readonly string[]): boolean {
  return withoutClutter(names).length > 0 && !names.includes(uploadsFile);
}

/**
 * Makes the folder where there is none, and clears away what killed processes left in it.
 * @throws CatalogError when it holds something, and no catalog: its segments would be hidden by new ones.
 */
export async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (isForeign(await readdir(folder))) {
    throw new CatalogError(
      `The catalog's folder holds files, and ${uploadsFile} is not among them: put back a whole back-up of it, or choose an empty folder.`,
    );
  }
  const uploads = await open(uploadsPath(folder), 'a');
  await uploads.close();
  await syncFolder(folder);
  for (const dataType of await dataTypesIn(folder)) {
    for (const name of await readdir(join(folder, dataType))) {
      if (temporaryName.test(name)) {
        await removeIfOld(join(folder, dataType, name));
      }
    }
  }
}

/**
 * Writes a segment, all of it or nothing: until the end, and where it is aborted or the process is killed, what was
 * there before stays in its place.
 */
export async function writeSegment(
  folder: string,
  dataType: string,
  key: string,
  items: readonly BladeItem[],
  signal: AbortSignal,
): Promise<void> {
  const directory = join(folder, dataType);
  if ((await mkdir(directory, { recursive: true })) !== undefined) {
    await syncFolder(folder);
  }
  const temporaryPath = join(directory, `.${randomUUID()}.tmp`);
  try {
    const file = await open(temporaryPath, 'wx');
    try {
      await writeItems(file, items, signal);
      await file.datasync();
    } finally {
      await file.close();
    }
    signal.throwIfAborted();
    await rename(temporaryPath, segmentPath(folder, dataType, key));
  } catch (error) {
    await rm(temporaryPath, { force: true }).catch(() => {});
    throw error;
  }
  await syncFolder(directory);
}

/** Lets an upload count whose segments have been written. */
export async function appendUpload(folder: string, entry: UploadEntry): Promise<void> {
  // The line feed in front keeps the line apart from one that was cut off by a full disk.
  const line = Buffer.from(`\n${JSON.stringify(entry)}\n`);
  const uploads = await open(uploadsPath(folder), 'a');
  try {
    // In one write, since writing in parts would let lines of other writers come in between.
    const { bytesWritten } = await uploads.write(line);
    if (bytesWritten !== line.length) {
      throw Object.assign(new Error('The line was cut off.'), { code: 'ENOSPC', syscall: 'write' });
    }
    await uploads.datasync();
  } finally {
    await uploads.close();
  }
}

/** Takes away the segments of the batch in data types that it no longer has. */
export async function removeOtherSegments(folder: string, { key, dataTypes }: UploadEntry): Promise<void> {
  for (const dataType of await dataTypesIn(folder)) {
    if (!dataTypes.includes(dataType)) {
      await rm(segmentPath(folder, dataType, key), { force: true });
    }
  }
}

/**
 * The uploads from a position in bytes on, in their order, each with the position after it. Lines that a full disk
 * cut off are passed over.
 */
export async function* readUploads(
  folder: string,
  from: number,
): AsyncGenerator<{ readonly entry: UploadEntry | null; readonly end: number }> {
  for await (const { text, end } of readLines(uploadsPath(folder), from)) {
    yield { entry: parseEntry(text), end };
  }
}

/** The last upload of each batch, in the order of these uploads. */
export async function readPresentUploads(folder: string): Promise<UploadEntry[]> {
  const uploads = new Map<string, UploadEntry>();
  for await (const { entry } of readUploads(folder, 0)) {
    if (entry !== null) {
      // Taken out first, so that it comes in at the end.
      uploads.delete(entry.key);
      uploads.set(entry.key, entry);
    }
  }
  return [...uploads.values()];
}

/**
 * The complete lines of a file from a position in bytes on, without their line feeds, each with the position after
 * it. A file that does not exist has none.
 */
export async function* readLines(
  path: string,
  from = 0,
): AsyncGenerator<{ readonly text: string; readonly end: number }> {
  // Not node:readline, which also ends lines at U+2028 and U+2029; JSON texts may hold these.
  let begun: Buffer[] = [];
  let position = from;
  try {
    for await (const chunk of createReadStream(path, { start: from, highWaterMark: 262_144 })) {
      const bytes: Buffer = chunk;
      let start = 0;
      for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, start)) {
        const line = Buffer.concat([...begun, bytes.subarray(start, end)]);
        begun = [];
        position += line.length + 1;
        start = end + 1;
        yield { text: line.toString('utf8'), end: position };
      }
      begun.push(bytes.subarray(start));
    }
  } catch (error) {
    if (!isNotFound(error)) {
      throw error;
    }
  }
}

const uploadsFile = 'uploads.ndjson';
const lineFeed = 0x0a;
const safeKey = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const safeDataType = /^[A-Za-z0-9_-]{1,100}$/;
const temporaryName = /^\..*\.tmp$/;
const oldAfterMilliseconds = 3_600_000;
const charactersPerWrite = 1_048_576;

const uploadEntry = z.object({
  key: z.string().regex(safeKey),
  dataTypes: z.array(z.string().regex(safeDataType)).readonly(),
});

function parseEntry(text: string): UploadEntry | null {
  try {
    return uploadEntry.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

// A batch can be larger than the longest string there can be.
async function writeItems(file: FileHandle, items: readonly BladeItem[], signal: AbortSignal): Promise<void> {
  let lines = '';
  for (const item of items) {
    lines += lineOf(item);
    if (lines.length >= charactersPerWrite) {
      signal.throwIfAborted();
      await file.appendFile(lines);
      lines = '';
    }
  }
  await file.appendFile(lines);
}

function lineOf({ dataType, itemId, classificationMarking, contentHash, data, metadata }: BladeItem): string {
  const known = JSON.stringify({
    catalogId: catalogIdOf(dataType, itemId),
    dataType,
    itemId,
    classificationMarking,
    contentHash,
  });
  return `${known.slice(0, -1)},"data":${onOneLine(data)},"metadata":${onOneLine(metadata)}}\n`;
}

// A line feed in JSON text can only be white space between its parts.
function onOneLine(json: string): string {
  return json.includes('\n') ? json.replaceAll('\n', ' ') : json;
}

async function dataTypesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory() && isSafeDataType(entry.name)).map(({ name }) => name);
}

async function removeIfOld(path: string): Promise<void> {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > oldAfterMilliseconds) {
      await rm(path, { force: true });
    }
  } catch (error) {
    // Its writer has just finished it.
    if (!isNotFound(error)) {
      throw error;
    }
  }
}

/** A new name in a folder outlasts a power failure only once the folder itself is on the disk. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') {
    return;
  }
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
