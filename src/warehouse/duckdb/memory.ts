import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Frees chunks that are skipped without converting their rows. */
export interface ChunkMemory {
  /** Call it for each chunk that is read. */
  noteChunk(): void;
  /** Call it when the rows of a chunk are converted. */
  noteRows(): void;
}

/** The most chunks, of 2,048 rows each, before garbage is collected. */
const MAX_CHUNKS = 64;

let collectGarbage: (() => void) | null = null;

/**
 * Creates the counter of skipped chunks. The engine frees a chunk when its JavaScript object is collected. That object is so
 * small that skipping chunks never triggers a collection, and memory grows by the size of the table. Converting rows creates
 * enough garbage to trigger it.
 */
export function createChunkMemory(): ChunkMemory {
  let chunks = 0;
  return {
    noteChunk() {
      chunks += 1;
      if (chunks < MAX_CHUNKS) return;
      chunks = 0;
      collectGarbage ??= findCollector();
      collectGarbage();
    },
    noteRows() {
      chunks = 0;
    },
  };
}

function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
