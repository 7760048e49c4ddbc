import { asciiUpperCase } from '../shared/ascii-case.ts';

/** The classification markings of items, from the lowest level to the highest. */
export const MARKINGS = [
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

export type Marking = (typeof MARKINGS)[number];

/** Whether the value is a known marking exactly as stored: upper case, without spaces around it. */
export function isMarking(value: unknown): value is Marking {
  return typeof value === 'string' && LEVELS.has(value);
}

/**
 * Parses a marking. Case and surrounding spaces do not matter, but look-alike letters from outside ASCII do.
 * @returns undefined if it is not a known marking.
 */
export function parseMarking(text: string): Marking | undefined {
  const marking = asciiUpperCase(text.trim());
  return isMarking(marking) ? marking : undefined;
}

/**
 * Converts a marking to its level, from 0 (unclassified) to 4 (top secret). Both spellings of a marking have the same
 * level.
 */
export function toLevel(marking: Marking): number {
  return LEVELS.get(marking) ?? 0;
}

/** The number of levels. */
export const LEVEL_COUNT = 5;

/** The highest marking, also used when a marking is unknown. */
export const HIGHEST_MARKING = 'TOP SECRET' satisfies Marking;

/** Converts a stored text to its marking; an unknown text counts as the highest. */
export function toMarking(text: string): Marking {
  return isMarking(text) ? text : HIGHEST_MARKING;
}

/** Whether the clearance covers every marking. */
export function coversAll(clearance: Marking): boolean {
  return toLevel(clearance) === toLevel(HIGHEST_MARKING);
}

/** Lists the markings that a clearance covers, in every spelling. */
export function listMarkingsUpTo(clearance: Marking): readonly Marking[] {
  return MARKINGS.filter((marking) => toLevel(marking) <= toLevel(clearance));
}

/** Lists the spellings of a marking. */
export function listSpellings(marking: Marking): readonly Marking[] {
  return MARKINGS.filter((other) => toLevel(other) === toLevel(marking));
}

/** Picks the higher of two markings; the first if both have the same level. */
export function pickHigherMarking(one: Marking, other: Marking): Marking {
  return toLevel(other) > toLevel(one) ? other : one;
}

const LEVELS: ReadonlyMap<string, number> = new Map<Marking, number>([
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
