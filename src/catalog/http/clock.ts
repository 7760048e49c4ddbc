import { setTimeout as delay } from 'node:timers/promises';

/** The time, for code that waits. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after a time in milliseconds; rejects with the signal's reason as soon as it aborts. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async wait(milliseconds, signal) {
    try {
      await delay(milliseconds, undefined, { signal });
    } catch {
      throw signal.reason;
    }
  },
};
