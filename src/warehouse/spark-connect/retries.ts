import { setTimeout } from 'node:timers/promises';

/** How often a request was sent again, and how long to wait before the next time. */
export interface Retries {
  /** Waits for the next attempt. False if there was the last one. @throws AbortError of Node if the signal is aborted. */
  wait(): Promise<boolean>;
  /** Starts to count anew, because a request has succeeded. */
  reset(): void;
}

/** @param firstDelayMs the wait before the first retry, in milliseconds. It doubles with each retry. */
export function createRetries(firstDelayMs: number, signal: AbortSignal): Retries {
  let count = 0;
  return {
    async wait() {
      if (count === MAX_RETRIES) return false;
      await setTimeout(firstDelayMs * 2 ** count, undefined, { signal });
      count += 1;
      return true;
    },
    reset() {
      count = 0;
    },
  };
}

const MAX_RETRIES = 5;
