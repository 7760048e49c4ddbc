import { randomInt } from 'node:crypto';

/** How many cases the random tests of a file have in all, and what they are chosen by. */
export const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 400);

/** FUZZ_SEED has the same cases again. */
export const fuzzSeed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));

process.stdout.write(`Random input: FUZZ_SEED=${fuzzSeed} FUZZ_RUNS=${fuzzRuns}\n`);

/** What fast-check is told by the property of this name, which has a part of the cases. */
export function fuzzParameters(part: number, name: string): { numRuns: number; seed: number } {
  let seed = fuzzSeed;
  for (const character of name) seed = (Math.imul(seed, 31) + character.charCodeAt(0)) | 0;
  return { numRuns: Math.max(1, Math.round(fuzzRuns * part)), seed };
}
