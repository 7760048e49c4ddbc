import { setTimeout as delay } from 'node:timers/promises';

/** A clock that is never set, for code that waits. */
export interface Clock {
  /** Milliseconds since any time. */
  now(): number;
  /** Resolves after a time in milliseconds; rejects with the signal's reason as soon as it aborts. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  async wait(milliseconds, signal) {
    try {
      await delay(milliseconds, undefined, { signal });
    } catch {
      throw signal.reason;
    }
  },
};
