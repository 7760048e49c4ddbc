import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { FullDiskGuard } from './full-disk-guard.ts';

/**
 * Creates a function that saves the start or end of an attempt, waiting for the database if it is away: otherwise the
 * attempt would count as running until its heartbeats are missed. While a disk is full, it waits without a limit.
 * @param stopping aborted when the worker stops, which ends the waiting.
 */
export function createPersistentWrite(fullDisk: FullDiskGuard, stopping: AbortSignal, log: Logger) {
  return async function writePersistently<Result>(
    partitionId: string,
    lost: AbortSignal | null,
    write: () => Promise<Result>,
  ): Promise<Result> {
    const deadline = performance.now() + WRITE_TIMEOUT_MS;
    for (let wait = FIRST_WRITE_RETRY_MS; ; wait = Math.min(wait * 2, LONGEST_WRITE_RETRY_MS)) {
      try {
        return await write();
      } catch (error) {
        if (stopping.aborted || lost?.aborted) throw error;
        log.debug({ err: error }, 'an attempt cannot be saved yet');
        const problem = await fullDisk.find(error);
        if (problem !== null) {
          await fullDisk.wait(partitionId, problem, lost);
          continue;
        }
        if (performance.now() + wait > deadline) throw error;
        await setTimeout(wait);
      }
    }
  };
}

/** How long, and how often, saving the start or end of an attempt is retried, in milliseconds. */
const WRITE_TIMEOUT_MS = 60_000;
const FIRST_WRITE_RETRY_MS = 100;
const LONGEST_WRITE_RETRY_MS = 2_000;
