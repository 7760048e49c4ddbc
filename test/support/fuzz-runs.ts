import { randomInt } from 'node:crypto';

/** The number of random cases in a test file. */
export const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 200);

/** FUZZ_SEED repeats the cases of an earlier run. */
export const fuzzSeed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));

process.stdout.write(`Random input: FUZZ_SEED=${fuzzSeed} FUZZ_RUNS=${fuzzRuns}\n`);

/** Returns the parameters of fast-check for a property, which gets a part of the cases. */
export function fuzzParameters(part: number, name: string): { numRuns: number; seed: number } {
  let seed = fuzzSeed;
  for (const character of name) seed = (Math.imul(seed, 31) + character.charCodeAt(0)) | 0;
  return { numRuns: Math.max(1, Math.round(fuzzRuns * part)), seed };
}
