import { randomInt } from 'node:crypto';

/** Random choices that are the same for the same seed. */
export interface Chance {
  readonly seed: number;
  /** Returns a whole number from 0 to `end` exclusive. */
  below(end: number): number;
  oneOf<Value>(values: readonly [Value, ...Value[]]): Value;
}

/** @param seed of an earlier run, to repeat it; random when left out. */
export function createChance(seed: number = randomInt(2 ** 31)): Chance {
  let state = seed;
  /** Mulberry32: small, and even enough. */
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const below = (end: number) => Math.floor(next() * end);
  return {
    seed,
    below,
    oneOf: <Value>(values: readonly [Value, ...Value[]]) => values[below(values.length)] ?? values[0],
  };
}

/** Creates the choices of a chaos test, one for each of its runs. CHAOS_RUNS=50 runs more; CHAOS_SEED=… repeats one. */
export function createChaosChances(): Chance[] {
  const { CHAOS_RUNS = '1', CHAOS_SEED } = process.env;
  if (CHAOS_SEED !== undefined) return [createChance(Number(CHAOS_SEED))];
  return Array.from({ length: Number(CHAOS_RUNS) }, () => createChance());
}
