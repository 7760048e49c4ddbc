import type { Pool } from 'pg';
import type { BladeItem } from '../data-types/blade-item.ts';
import { createLeasedWriter, HELD, LEASE, type PartitionLease } from '../database/partition-lease.ts';
import { encodeTextArray } from './binary-array.ts';
import { noteItemChanges } from './item-changes.ts';
import { createLevelArray, type LevelCounts, sumLevels } from './level-counts.ts';
import { countLevelsSql, toLevelSql } from './marking-sql.ts';
import { ITEM_COLUMNS } from './stored-items.ts';

/** An item that the catalog should hold. */
export interface ExpectedItem extends BladeItem {
  /** Whether the catalog is known to have lost it. */
  readonly isLost: boolean;
}

/** Items that were compared with the catalog. */
export interface ComparedItems {
  readonly dataType: string;
  /** The items that the catalog does not have as they are. */
  readonly wrong: readonly BladeItem[];
  readonly heldByLevel: LevelCounts;
  readonly wrongByLevel: LevelCounts;
  /** The last item id that was compared. */
  readonly position: string;
}

/** Compares what the store says is uploaded with the catalog. */
export interface ComparedItemStore {
  /** Finds the next items of a data type, in the order of their ids. @param after null to begin. */
  findExpected(dataType: string, after: string | null, limit: number): Promise<readonly ExpectedItem[]>;
  /**
   * Counts items as compared and moves the checkpoint. The wrong ones become a pending batch, without those that have changed
   * or that another job uploads in the meantime, which count as success.
   * @returns the batch, and the items in it; null for none.
   * @throws LeaseLostError
   */
  saveCompared(compared: ComparedItems): Promise<{ id: string; itemIds: ReadonlySet<string> } | null>;
}

/** Counts the items of a data type that the catalog should hold. */
export async function countExpected(pool: Pool, dataType: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*)::int as count ${FROM_EXPECTED} and i.data_type = $1`,
    [dataType],
  );
  return rows[0]?.count ?? 0;
}

export function createComparedItems(pool: Pool, lease: PartitionLease): ComparedItemStore {
  const { write } = createLeasedWriter(pool, lease);
  return {
    async findExpected(dataType, after, limit) {
      const { rows } = await pool.query<ExpectedItem>(
        `select ${ITEM_COLUMNS}, b.lost_at is not null as "isLost" ${FROM_EXPECTED}
           and i.data_type = $1 and ($2::text is null or i.item_id > $2) order by i.item_id limit $3`,
        [dataType, after, limit],
      );
      return rows;
    },

    async saveCompared({ dataType, wrong, heldByLevel, wrongByLevel, position }) {
      const { id, ids } = await write<{ id: string | null; ids: string[] }>(SAVE_COMPARED, [
        dataType,
        encodeTextArray(wrong.map((item) => item.itemId)),
        encodeTextArray(wrong.map((item) => item.contentHash)),
        encodeTextArray(wrong.map((item) => item.classificationMarking)),
        JSON.stringify(position),
        sumLevels(heldByLevel) + wrong.length,
        heldByLevel,
        wrongByLevel,
      ]);
      return id === null ? null : { id, itemIds: new Set(ids) };
    },
  };
}

const FROM_EXPECTED = `from blade_item i join upload_batch b on b.id = i.upload_batch_id
  where (b.uploaded_at is not null or b.lost_at is not null) and i.deleted_at is null`;

const SAVE_COMPARED = `with ${LEASE},
wrong as materialized (
  select i.item_id, ${toLevelSql('i.classification_marking')} as level
  from unnest($4::text[], $5::text[], $6::text[]) as u (item_id, content_hash, marking)
  join blade_item i on i.data_type = $3 and i.item_id = u.item_id
  join upload_batch b on b.id = i.upload_batch_id
  where i.content_hash = u.content_hash and i.classification_marking = u.marking
    and (b.uploaded_at is not null or (b.lost_at is not null and not exists (
      select from job_partition p where p.id = b.partition_id and p.id <> $1 and p.state = 'RUNNING')))
  order by i.item_id for update of i
),
batch as (insert into upload_batch (partition_id) select lease.id from lease where exists (select from wrong) returning id),
moved as (
  update blade_item i set upload_batch_id = batch.id from batch, wrong
  where i.data_type = $3 and i.item_id = wrong.item_id
  returning i.data_source_id
),
noticed as (${noteItemChanges('select data_source_id from moved')}),
counted as (
  select coalesce(array_agg(item_id), '{}') as ids, count(*)::int as count, ${countLevelsSql()} as by_level from wrong
)
update job_partition p set
  ${HELD},
  position = $7::jsonb,
  read_items = p.read_items + $8::int,
  success_count = p.success_count + $8::int - counted.count,
  processed_items = p.processed_items + $8::int - counted.count,
  total_items = case when p.total_items is not null then greatest(p.total_items, p.read_items + $8::int) end,
  read_by_level = ${createLevelArray((at) => `p.read_by_level[${at}] + ($9::int[])[${at}] + ($10::int[])[${at}]`)},
  success_by_level = ${createLevelArray(
    (at) => `p.success_by_level[${at}] + ($9::int[])[${at}] + ($10::int[])[${at}] - counted.by_level[${at}]`,
  )}
from lease, counted where p.id = lease.id and (select count(*) from moved) >= 0
returning (select id from batch), counted.ids`;
