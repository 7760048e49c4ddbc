/** The options of the counts of successes by what became of their items. */
const UNKNOWN = 'Null for a job that an earlier version of the program ran.';
export const INSERTED_COUNT = {
  type: 'SafeInt',
  nullable: true,
  description: `Successes that made new items or brought deleted ones back. An item that the catalog has rejected until now is new, too. ${UNKNOWN}`,
} as const;
export const UPDATED_COUNT = {
  type: 'SafeInt',
  nullable: true,
  description: `Successes that changed the content, the marking or the source of an item. A source that shares an item with another one takes it over each time. ${UNKNOWN}`,
} as const;
export const UNCHANGED_COUNT = {
  type: 'SafeInt',
  nullable: true,
  description: `Successes whose items are as they were before the job; all successes of a repair. ${UNKNOWN}`,
} as const;

/** Successes, and by marking those that changed items; nothing if that is not known. */
export interface ChangedSuccesses {
  readonly successCount: bigint | number;
  readonly insertedByLevel: readonly (bigint | number)[];
  readonly updatedByLevel: readonly (bigint | number)[];
}

/** Sums counts by marking. Returns null if there are none. */
export function sumKnown(levels: readonly (bigint | number)[]): number | null {
  return levels.length === 0 ? null : levels.reduce<number>((sum, count) => sum + Number(count), 0);
}

/** Counts the successes that changed nothing; null if that is not known. */
export function countUnchanged({
  successCount,
  insertedByLevel,
  updatedByLevel,
}: ChangedSuccesses): number | null {
  return subtractChanges(Number(successCount), sumKnown(insertedByLevel), sumKnown(updatedByLevel));
}

/** Subtracts what has changed from successes; null if it is not known. */
export function subtractChanges(
  success: number,
  inserted: number | null,
  updated: number | null,
): number | null {
  return inserted === null || updated === null ? null : success - inserted - updated;
}
