import { setImmediate } from 'node:timers/promises';
import { collectGarbage } from '../../shared/collect-garbage.ts';

/** The most chunks that are read before garbage is collected. */
const MAX_CHUNKS = 64;

/** How large they may be together, in bytes. */
const MAX_BYTES = 32_000_000;

/**
 * Creates a function to call after each chunk, with its size in bytes. The engine frees a chunk when its JavaScript object
 * is collected. That object is so small that it does not trigger a collection, and memory would grow by the size of the table.
 */
export function createChunkCounter(): (bytes: number) => Promise<void> {
  let chunks = 0;
  let sum = 0;
  return async (bytes) => {
    chunks += 1;
    sum += bytes;
    if (chunks < MAX_CHUNKS && sum < MAX_BYTES) return;
    chunks = 0;
    sum = 0;
    await freeMemory();
  };
}

/** Frees what the engine keeps for objects that are no longer used, which happens a turn after they were collected. */
export async function freeMemory(): Promise<void> {
  collectGarbage();
  await setImmediate();
}
