import { open } from 'node:fs/promises';
import {
  appendUploads,
  isWhole,
  parseEntry,
  toSegmentPath,
  toUploadsPath,
  type UploadEntry,
} from './files.ts';

/** Knows which uploads a folder holds. Reads only what was added to the list of uploads since the last call. */
export interface PresentKeys {
  /** Finds the keys of uploads that are not listed, are listed as empty, or whose segments are missing or altered. */
  findMissing(keys: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
}

export function createPresentKeys(folder: string): PresentKeys {
  let entries = new Map<string, UploadEntry>();
  const read = new Map<string, number>();
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
      const suspects = await findBroken(keys, signal);
      if (suspects.length === 0) return suspects;
      // Another process may have replaced an upload in the meantime.
      await update();
      const missing = await findBroken(suspects, signal);
      if (missing.length > 0) await removeBroken(signal);
      return missing;
    },
  };

  async function findBroken(keys: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    const broken: string[] = [];
    for (let first = 0; first < keys.length; first += CHECKS_AT_ONCE) {
      signal.throwIfAborted();
      const checked = keys.slice(first, first + CHECKS_AT_ONCE);
      const areWhole = await Promise.all(checked.map(hasWholeSegments));
      broken.push(...checked.filter((_key, index) => areWhole[index] === false));
    }
    return broken;
  }

  async function hasWholeSegments(key: string): Promise<boolean> {
    const { dataTypes = [], segments = {} } = entries.get(key) ?? {};
    for (const dataType of dataTypes)
      if (!(await isWhole(toSegmentPath(folder, dataType, key), segments[dataType], read))) return false;
    return dataTypes.length > 0;
  }

  /**
   * Lists uploads whose segments are missing or altered as empty: nobody is to read them, and the next start would report what
   * is missing.
   */
  async function removeBroken(signal: AbortSignal): Promise<void> {
    const listed = [...entries.values()].filter(({ dataTypes }) => dataTypes.length > 0);
    const broken = await findBroken(
      listed.map(({ key }) => key),
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

/** As many files are looked at in one go. */
const CHECKS_AT_ONCE = 32;
