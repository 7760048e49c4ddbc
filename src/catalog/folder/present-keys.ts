import { open, readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists, isNotFound } from './file-system.ts';
import { appendUploads, parseEntry, toSegmentPath, toUploadsPath, type UploadEntry } from './files.ts';

/** Knows which uploads a folder holds. Reads only what was added to the list of uploads since the last call. */
export interface PresentKeys {
  /** Finds the keys of uploads that are not listed, are listed as empty, or whose segments are missing. */
  findMissing(keys: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
}

export function createPresentKeys(folder: string): PresentKeys {
  let entries = new Map<string, UploadEntry>();
  let end = 0;
  let lastBytes = Buffer.alloc(0);

  async function update(): Promise<void> {
    const file = await open(toUploadsPath(folder), 'r');
    try {
      const { size } = await file.stat();
      // The list only grows. If what was read is no longer there, the folder is another one.
      const again = Buffer.alloc(lastBytes.length);
      if (size >= end) await file.read(again, 0, again.length, end - again.length);
      if (size < end || !again.equals(lastBytes)) {
        entries = new Map();
        end = 0;
        lastBytes = Buffer.alloc(0);
      }
      while (end < size) {
        const chunk = Buffer.alloc(Math.min(size - end, MAX_CHUNK_BYTES));
        const { bytesRead } = await file.read(chunk, 0, chunk.length, end);
        const length = chunk.subarray(0, bytesRead).lastIndexOf(LINE_FEED) + 1;
        if (length === 0) return;
        for (const line of chunk.toString('utf8', 0, length).split('\n')) {
          const entry = parseEntry(line);
          if (entry !== null) entries.set(entry.key, entry);
        }
        end += length;
        lastBytes = Buffer.from(chunk.subarray(Math.max(0, length - COMPARED_BYTES), length));
      }
    } finally {
      await file.close();
    }
  }

  return {
    async findMissing(keys, signal) {
      await update();
      const missing = await findMissing(keys, keys.length < MAX_STATS ? exists : createListing(), signal);
      if (missing.length > 0) await removeBroken(signal);
      return missing;
    },
  };

  async function findMissing(
    keys: Iterable<string>,
    has: Exists,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const missing: string[] = [];
    for (const key of keys) {
      signal.throwIfAborted();
      const dataTypes = entries.get(key)?.dataTypes ?? [];
      const paths = dataTypes.map((dataType) => toSegmentPath(folder, dataType, key));
      if (paths.length === 0 || !(await hasAll(paths, has))) missing.push(key);
    }
    return missing;
  }

  /** Lists uploads whose segments are missing as empty. Otherwise the next start would refuse the folder as damaged. */
  async function removeBroken(signal: AbortSignal): Promise<void> {
    const listed = [...entries.values()].filter(({ dataTypes }) => dataTypes.length > 0);
    const broken = await findMissing(
      listed.map(({ key }) => key),
      createListing(),
      signal,
    );
    await appendUploads(
      folder,
      broken.map((key) => ({ key, dataTypes: [] })),
    );
  }
}

const LINE_FEED = 0x0a;

/** Longer than any line. */
const MAX_CHUNK_BYTES = 1_048_576;

/** Enough to hold a key, which is never used twice. */
const COMPARED_BYTES = 512;

/** Above this, listing a folder is cheaper than looking for its files one by one. */
const MAX_STATS = 32;

type Exists = (path: string) => Promise<boolean>;

async function hasAll(paths: readonly string[], has: Exists): Promise<boolean> {
  for (const path of paths) if (!(await has(path))) return false;
  return true;
}

/** Lists each folder once. */
function createListing(): Exists {
  const folders = new Map<string, Promise<ReadonlySet<string>>>();
  return async (path) => {
    const folder = dirname(path);
    const listed = folders.get(folder) ?? listNames(folder);
    folders.set(folder, listed);
    return (await listed).has(path.slice(folder.length + 1));
  };
}

async function listNames(folder: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (error) {
    if (isNotFound(error)) return new Set();
    throw error;
  }
}
