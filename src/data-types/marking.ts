import { asciiUpperCase } from '../shared/ascii-case.ts';

/** The classification markings that items may carry, from the lowest clearance to the highest. */
export const markings = [
  'U',
  'UNCLASSIFIED',
  'CUI',
  'C',
  'CONFIDENTIAL',
  'S',
  'SECRET',
  'TS',
  'TOP SECRET',
] as const;

export type Marking = (typeof markings)[number];

/** Whether the value is a known marking exactly as it is stored: upper case, nothing around it. */
export function isMarking(value: unknown): value is Marking {
  return typeof value === 'string' && clearances.has(value);
}

/**
 * The marking that a text means: spaces around it and its case do not matter, letters that only look like its own do.
 * Undefined where it is none of the known markings.
 */
export function parseMarking(text: string): Marking | undefined {
  const marking = asciiUpperCase(text.trim());
  return isMarking(marking) ? marking : undefined;
}

/**
 * How high a clearance the marking asks for, from 0 (unclassified) to 4 (top secret). The two ways to write a
 * marking give the same number.
 */
export function clearanceOf(marking: Marking): number {
  return clearances.get(marking) ?? 0;
}

/** How many levels of clearance there are. */
export const clearanceLevels = 5;

/** The marking that nobody is cleared above: that of what nobody can tell the marking of. */
export const highestOfAll = 'TOP SECRET' satisfies Marking;

/** A marking as it is stored; the highest in place of what is none, which nobody can tell. */
export function storedMarking(text: string): Marking {
  return isMarking(text) ? text : highestOfAll;
}

/** Whether the clearance covers every marking. */
export function coversAll(clearance: Marking): boolean {
  return clearanceOf(clearance) === clearanceOf(highestOfAll);
}

/** The markings that a clearance covers, in every way to write them. */
export function markingsUpTo(clearance: Marking): readonly Marking[] {
  return markings.filter((marking) => clearanceOf(marking) <= clearanceOf(clearance));
}

/** The higher of two markings; the first where both ask for the same clearance. */
export function higherMarking(one: Marking, other: Marking): Marking {
  return clearanceOf(other) > clearanceOf(one) ? other : one;
}

const clearances: ReadonlyMap<string, number> = new Map<Marking, number>([
  ['U', 0],
  ['UNCLASSIFIED', 0],
  ['CUI', 1],
  ['C', 2],
  ['CONFIDENTIAL', 2],
  ['S', 3],
  ['SECRET', 3],
  ['TS', 4],
  ['TOP SECRET', 4],
]);
