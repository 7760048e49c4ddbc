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
 * The marking that a text means: spaces around it and its case do not matter.
 * Undefined where it is none of the known markings.
 */
export function parseMarking(text: string): Marking | undefined {
  const marking = text.trim().toUpperCase();
  return isMarking(marking) ? marking : undefined;
}

/**
 * How high a clearance the marking asks for, from 0 (unclassified) to 4 (top secret). The two ways to write a
 * marking give the same number.
 */
export function clearanceOf(marking: Marking): number {
  return clearances.get(marking) ?? 0;
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
