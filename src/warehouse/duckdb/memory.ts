import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** The most chunks, of 2,048 rows each, before garbage is collected. */
const MAX_CHUNKS = 64;

/**
 * Creates a function to call for each chunk that is read. The engine frees a chunk when its JavaScript object is collected.
 * That object is so small that it does not trigger a collection, and memory would grow by the size of the table.
 */
export function createChunkCounter(): () => void {
  let chunks = 0;
  return () => {
    chunks += 1;
    if (chunks < MAX_CHUNKS) return;
    chunks = 0;
    collectGarbage();
  };
}

let collector: (() => void) | null = null;

/** Collects all garbage. */
export function collectGarbage(): void {
  collector ??= findCollector();
  collector();
}

function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
