import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Sees to it that chunks of which no rows are made are freed. */
export interface ChunkMemory {
  /** Told of each chunk that is read. */
  chunkRead(): void;
  /** Told when rows are made of one. */
  rowsMade(): void;
}

/** How many chunks, of 2,048 rows each, may wait for being freed. */
const MOST_CHUNKS = 64;

let collectGarbage: (() => void) | null = null;

/**
 * The engine frees a chunk when its object is collected. That object is small: where a read passes chunks by, nothing is
 * ever collected, and memory grows by the table. The rows of a chunk, where they are made, are enough to be collected with.
 */
export function createChunkMemory(): ChunkMemory {
  let chunks = 0;
  return {
    chunkRead() {
      chunks += 1;
      if (chunks < MOST_CHUNKS) return;
      chunks = 0;
      collectGarbage ??= findCollector();
      collectGarbage();
    },
    rowsMade() {
      chunks = 0;
    },
  };
}

function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
