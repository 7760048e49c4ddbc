import { expect } from 'vitest';

/** Reads what a watch with --json wrote: the states of a job, each newer than the one before. */
export function readStates(out: string) {
  const states = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const revisions = states.map(({ revision }) => revision);
  expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
  return states;
}
