import type { BladeItem } from '../data-types/blade-item.ts';
import { countItemsByLevel, createLevelArray, type LevelCounts, NO_COUNTS } from './level-counts.ts';
import { countLevelsSql } from './marking-sql.ts';
import { isUploadedSql } from './stored-items.ts';

/** How many successes are new items and how many have changed, by marking. The others are unchanged. */
export interface ChangeCounts {
  readonly inserted: LevelCounts;
  readonly updated: LevelCounts;
}

export const NO_CHANGES: ChangeCounts = { inserted: NO_COUNTS, updated: NO_COUNTS };

/** Which items of a batch are new and which have changed; null for all of them. */
export interface ChangedIds {
  readonly inserted: ReadonlySet<string> | null;
  readonly updated: ReadonlySet<string> | null;
}

/** Counts the items that are new or have changed. */
export function countChanges(items: readonly BladeItem[], { inserted, updated }: ChangedIds): ChangeCounts {
  const count = (ids: ReadonlySet<string> | null) => {
    if (ids === null) return countItemsByLevel(items);
    return ids.size === 0 ? NO_COUNTS : countItemsByLevel(items.filter(({ itemId }) => ids.has(itemId)));
  };
  return { inserted: count(inserted), updated: count(updated) };
}

/** Creates aggregates that count rows with a `change` by level, as `inserted` and `updated`. */
export const COUNT_CHANGES = `${countLevelsSql(`case when change = 'INSERTED' then level end`)} as inserted,
    ${countLevelsSql(`case when change = 'UPDATED' then level end`)} as updated`;

/**
 * Creates assignments that add to the changes of a partition `p`. They stay unknown if an earlier version of the program has
 * begun it.
 * @param inserted creates the SQL of what is added at a level, as `createLevelArray` does.
 */
export const addChanges = (inserted: (index: number) => string, updated: (index: number) => string) => `
  inserted_by_level = ${whereKnown('p.inserted_by_level', inserted)},
  updated_by_level = ${whereKnown('p.updated_by_level', updated)}`;

const whereKnown = (column: string, added: (index: number) => string) =>
  `case when ${column} = '{}' then '{}' else ${createLevelArray((at) => `${column}[${at}] + ${added(at)}`)} end`;

/**
 * Creates the change that a sync makes to a stored item, besides what its own job has made before. An item that no job has
 * brought into the catalog is new, even if it is stored: so each is inserted once, by the job that counts it as success.
 * @param stored the alias of the item.
 * @param contentHash the hash of what is to be stored.
 */
export const createChangeSql = (
  stored: string,
  contentHash: string,
) => `case when ${stored}.deleted_at is not null or not (${stored}.was_uploaded or ${isCountedSql(stored)}) then 'INSERTED'
      when ${stored}.content_hash <> ${contentHash} or not ${isCountedSql(stored)} then 'UPDATED' end::item_change`;

/** Whether the present content of an item was a success of some job, or is going to be. */
const isCountedSql = (item: string) => `(${isUploadedSql(item)} or exists (
        select from upload_batch b left join job_partition p on p.id = b.partition_id
        where b.id = ${item}.upload_batch_id and (b.lost_at is not null or p.state in ('PENDING', 'RUNNING'))))`;
