import { setTimeout } from 'node:timers/promises';
import { findFreeBytes } from '../shared/full-disk.ts';

/** A folder that the program writes to. */
export interface WrittenFolder {
  /** What it is for, as in "the disk of the database is full". */
  readonly name: string;
  readonly path: string;
  /** Its disk counts as full with fewer free bytes than this. */
  readonly minFreeBytes: number;
}

/** The disks that the program writes to. */
export interface DiskSpace {
  /** Describes the disks that are full now; null if there is none. */
  findFull(): Promise<string | null>;
  /** Describes the disks that are full now, and those that work waits for; null if there is none. */
  findProblem(): Promise<string | null>;
  /**
   * Waits until the disks have space again, so that work that a full disk has interrupted can be tried again. A quota cannot be
   * seen, so each wait of the same work is longer.
   * @param waiter identifies the work.
   * @param problem shown while it waits.
   * @param signal ends the wait.
   */
  wait(waiter: string, problem: string, signal: AbortSignal): Promise<void>;
  /** Whether work was interrupted by a full disk, and has not succeeded or failed for another reason since. */
  isWaiting(waiter: string): boolean;
  /** Ends what `wait` began, because the work got further. */
  forget(waiter: string): void;
}

export function createDiskSpace(folders: readonly WrittenFolder[]): DiskSpace {
  const waiters = new Map<string, { problem: string; delayMs: number }>();

  async function findFullDisks(): Promise<string[]> {
    const found = await Promise.all(
      folders.map(async ({ name, path, minFreeBytes }) => {
        const free = await findFreeBytes(path);
        return free !== null && free < minFreeBytes ? [`the disk of ${name} is full`] : [];
      }),
    );
    return found.flat();
  }

  return {
    async findFull() {
      const full = await findFullDisks();
      return full.length === 0 ? null : full.join(SEPARATOR);
    },

    async findProblem() {
      const problems = new Set([
        ...(await findFullDisks()),
        ...[...waiters.values()].flatMap(({ problem }) => problem.split(SEPARATOR)),
      ]);
      return problems.size === 0 ? null : [...problems].join(SEPARATOR);
    },

    async wait(waiter, problem, signal) {
      const delayMs = Math.min((waiters.get(waiter)?.delayMs ?? FIRST_DELAY_MS / 2) * 2, LONGEST_DELAY_MS);
      waiters.set(waiter, { problem, delayMs });
      const earliest = performance.now() + delayMs;
      while (!signal.aborted && (performance.now() < earliest || (await findFullDisks()).length > 0)) {
        await setTimeout(CHECK_INTERVAL_MS, undefined, { signal }).catch(() => {});
      }
    },

    isWaiting: (waiter) => waiters.has(waiter),
    forget: (waiter) => void waiters.delete(waiter),
  };
}

const SEPARATOR = '; ';
const CHECK_INTERVAL_MS = 500;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 15_000;
