import type { BladeItem } from '../data-types/blade-item.ts';
import { LEVEL_COUNT, toLevel, toMarking } from '../data-types/marking.ts';

/** Counts for each level, from UNCLASSIFIED to TOP SECRET. */
export type LevelCounts = readonly number[];

export const NO_COUNTS: LevelCounts = Array.from({ length: LEVEL_COUNT }, () => 0);

/** The same in SQL. */
export const NO_COUNTS_SQL = `'{${NO_COUNTS.join()}}'::int[]`;

/** Counts markings by level; an unknown one counts as the highest. */
export function countByLevel(markings: Iterable<string>): LevelCounts {
  const counts = [...NO_COUNTS];
  for (const marking of markings) {
    const level = toLevel(toMarking(marking));
    counts[level] = (counts[level] ?? 0) + 1;
  }
  return counts;
}

/** Counts items by the level of their marking. */
export function countItemsByLevel(items: readonly BladeItem[]): LevelCounts {
  return countByLevel(items.map(({ classificationMarking }) => classificationMarking));
}

export function addCounts(...all: readonly LevelCounts[]): LevelCounts {
  return NO_COUNTS.map((_none, level) => all.reduce((sum, counts) => sum + (counts[level] ?? 0), 0));
}

export function subtractCounts(from: LevelCounts, subtracted: LevelCounts): LevelCounts {
  return from.map((count, level) => count - (subtracted[level] ?? 0));
}

/** Takes the lesser of two counts for each level. */
export function takeLesserCounts(one: LevelCounts, other: LevelCounts): LevelCounts {
  return one.map((count, level) => Math.min(count, other[level] ?? 0));
}

/** Sums the counts of all levels. */
export function sumLevels(counts: LevelCounts): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * Creates a SQL array with a value for each level.
 * @param at creates the SQL expression for a level; `index` is its index in a SQL array.
 */
export function createLevelArray(at: (index: number) => string): string {
  return `array[${NO_COUNTS.map((_none, level) => at(level + 1)).join(', ')}]`;
}
