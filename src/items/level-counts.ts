import type { BladeItem } from '../data-types/blade-item.ts';
import { LEVEL_COUNT, toLevel, toMarking } from '../data-types/marking.ts';

/** How many of something there are of each level of clearance, from UNCLASSIFIED to TOP SECRET. */
export type LevelCounts = readonly number[];

export const NO_COUNTS: LevelCounts = Array.from({ length: LEVEL_COUNT }, () => 0);

/** Counts markings by their levels; what is no marking counts as the highest. */
export function countByLevel(markings: Iterable<string>): LevelCounts {
  const counts = [...NO_COUNTS];
  for (const marking of markings) {
    const level = levelOf(marking);
    counts[level] = (counts[level] ?? 0) + 1;
  }
  return counts;
}

/** Counts items by the levels of their markings. */
export function countItemsByLevel(items: readonly BladeItem[]): LevelCounts {
  return countByLevel(items.map(({ classificationMarking }) => classificationMarking));
}

/** The level of a stored marking: the highest for a text that is none. */
export function levelOf(marking: string): number {
  return toLevel(toMarking(marking));
}

export function sumOfCounts(...all: readonly LevelCounts[]): LevelCounts {
  return NO_COUNTS.map((_none, level) => all.reduce((sum, counts) => sum + (counts[level] ?? 0), 0));
}

export function differenceOfCounts(from: LevelCounts, subtracted: LevelCounts): LevelCounts {
  return from.map((count, level) => count - (subtracted[level] ?? 0));
}

/** The lesser of the two counts of each level. */
export function leastOfCounts(one: LevelCounts, other: LevelCounts): LevelCounts {
  return one.map((count, level) => Math.min(count, other[level] ?? 0));
}

/** All of them, whatever their level. */
export function totalOf(counts: LevelCounts): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * An array in SQL with a value for each level.
 * @param at the value of a level as an expression of SQL; `index` is that of the level in an array of SQL.
 */
export function arrayOfLevels(at: (index: number) => string): string {
  return `array[${NO_COUNTS.map((_none, level) => at(level + 1)).join(', ')}]`;
}
