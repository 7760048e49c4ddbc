import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../src/catalog/http/clock.ts';

/** A clock whose waits are over at once, and take their time all the same. */
export interface LeapingClock extends Clock {
  /** What was waited for, in milliseconds. */
  readonly waits: readonly number[];
}

/** @param onWait is told of each wait before that is over, counted from 1. */
export function createLeapingClock(onWait: (count: number) => void | Promise<void> = () => {}): LeapingClock {
  const waits: number[] = [];
  let time = Date.UTC(2030, 0, 1);
  return {
    waits,
    now: () => time,
    async wait(milliseconds, signal) {
      signal.throwIfAborted();
      const end = time + milliseconds;
      await onWait(waits.push(milliseconds));
      await setImmediate();
      // Others that wait meanwhile do not make it longer.
      time = Math.max(time, end);
      signal.throwIfAborted();
    },
  };
}
