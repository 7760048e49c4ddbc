import { stat } from 'node:fs/promises';
import { readLines, readUploads, segmentPath, type UploadEntry, uploadsPath } from './files.ts';

/** Knows which items a folder catalog has, whoever uploaded them. */
export interface FolderIndex {
  has(dataType: string, itemId: string): Promise<boolean>;
}

/** An index in memory that is empty at first and reads, when asked, only the segments that changed since. */
export function createFolderIndex(folder: string): FolderIndex {
  let state = emptyState();
  let refreshing: Promise<void> = Promise.resolve();

  async function refresh(): Promise<void> {
    const uploads = await stat(uploadsPath(folder));
    if (uploads.ino !== state.inode || uploads.size < state.position) {
      state = { ...emptyState(), inode: uploads.ino };
    }
    if (uploads.size === state.position) {
      return;
    }
    const changed = new Map<string, UploadEntry>();
    let position = state.position;
    for await (const { entry, end } of readUploads(folder, position)) {
      position = end;
      if (entry !== null) {
        changed.set(entry.key, entry);
      }
    }
    for (const entry of changed.values()) {
      await replaceSegments(folder, state, entry);
    }
    // Only now: where a segment could not be read, the next question reads it again.
    state.position = position;
  }

  return {
    has: async (dataType, itemId) => {
      // One after the other, and after a failed one too.
      const refreshed = refreshing.then(refresh);
      refreshing = refreshed.catch(() => {});
      await refreshed;
      return state.holders.has(identityOf(dataType, itemId));
    },
  };
}

interface IndexState {
  inode: number;
  /** How many bytes of the uploads have been taken in. */
  position: number;
  /** The items of each batch. */
  readonly batches: Map<string, readonly string[]>;
  /** In how many batches each item is. */
  readonly holders: Map<string, number>;
}

function emptyState(): IndexState {
  return { inode: -1, position: 0, batches: new Map(), holders: new Map() };
}

async function replaceSegments(folder: string, state: IndexState, entry: UploadEntry): Promise<void> {
  const identities: string[] = [];
  for (const dataType of entry.dataTypes) {
    for await (const { text } of readLines(segmentPath(folder, dataType, entry.key))) {
      const itemId = itemIdIn(text);
      if (itemId !== null) {
        identities.push(identityOf(dataType, itemId));
      }
    }
  }
  const { batches, holders } = state;
  for (const identity of identities) {
    holders.set(identity, (holders.get(identity) ?? 0) + 1);
  }
  for (const identity of batches.get(entry.key) ?? []) {
    const left = (holders.get(identity) ?? 0) - 1;
    if (left > 0) {
      holders.set(identity, left);
    } else {
      holders.delete(identity);
    }
  }
  batches.set(entry.key, identities);
}

// The name of a data type has no slash.
function identityOf(dataType: string, itemId: string): string {
  return `${dataType}/${itemId}`;
}

// Reads only the beginning of the line: parsing the data of every item would cost many times as much.
function itemIdIn(line: string): string | null {
  const itemId = beginning.exec(line)?.[1];
  return itemId === undefined ? null : JSON.parse(itemId);
}

const beginning = /^\{"catalogId":"(?:[^"\\]|\\.)*","dataType":"[^"]*","itemId":("(?:[^"\\]|\\.)*")/;
