import type { Pool } from 'pg';
import type { RowItem } from '../data-types/blade-item.ts';
import { MARKINGS } from '../data-types/marking.ts';
import { encodeTextArray } from './binary-array.ts';
import type { LevelCounts } from './level-counts.ts';
import { countLevelsSql, toLevelSql } from './marking-sql.ts';

/** What a sync would do with the rows of a batch, by marking. */
export interface PreviewedItems {
  readonly inserted: LevelCounts;
  readonly updated: LevelCounts;
  readonly unchanged: LevelCounts;
}

/** Compares items of one data type with what is stored. */
export async function compareWithStored(
  pool: Pool,
  dataType: string,
  items: readonly RowItem[],
): Promise<PreviewedItems> {
  const { rows } = await pool.query<PreviewedItems>(COMPARE, [
    dataType,
    encodeTextArray(items.map(({ itemId }) => itemId)),
    encodeTextArray(items.map(({ contentHash }) => contentHash)),
    encodeTextArray(items.map(({ classificationMarking }) => classificationMarking)),
  ]);
  const [found] = rows;
  if (found === undefined) throw new Error('an aggregate returns one row');
  return found;
}

const ofKind = (kind: string) => countLevelsSql(`case when kind = '${kind}' then level end`);

// The limit keeps the planner from a join with all items.
const COMPARE = `select ${ofKind('inserted')} as inserted, ${ofKind('updated')} as updated, ${ofKind('unchanged')} as unchanged
from (
  select ${toLevelSql('coalesce(i.classification_marking, u.marking)')} as level,
    case when i.content_hash is null or i.deleted_at is not null then 'inserted'
      when i.content_hash = u.content_hash then 'unchanged' else 'updated' end as kind
  from unnest($2::text[], $3::text[], $4::text[]) as u (item_id, content_hash, marking)
  left join lateral (
    select i.content_hash, i.deleted_at, i.classification_marking from blade_item i
    where i.data_type = $1 and i.item_id = u.item_id limit 1
  ) as i on true
) as compared`;

/** An item that a source was the last to bring. */
export interface BroughtItem {
  readonly dataType: string;
  readonly itemId: string;
  readonly level: number;
  /** Whether another source has it, too. */
  readonly isShared: boolean;
}

/** Reads the items that a sync of a source was the last to bring and that are not deleted, in pages. */
export async function* readBroughtItems(
  pool: Pool,
  dataSourceId: string,
): AsyncGenerator<readonly BroughtItem[]> {
  for (const marking of MARKINGS) {
    let after = { dataType: '', itemId: '' };
    for (;;) {
      const { rows } = await pool.query<BroughtItem>(READ_BROUGHT, [
        ...[marking, dataSourceId, after.dataType, after.itemId],
      ]);
      const last = rows.at(-1);
      if (last === undefined) break;
      yield rows;
      after = last;
    }
  }
}

const READ_BROUGHT = `select i.data_type as "dataType", i.item_id as "itemId", ${toLevelSql('i.classification_marking')} as level,
  exists (
    select from jsonb_object_keys(i.other_markings) as other (id) join data_source s on s.id = other.id::uuid where s.id <> $2::uuid
  ) as "isShared"
from blade_item i
where i.classification_marking = $1 and i.data_source_id = $2::uuid and (i.data_type, i.item_id) > ($3, $4)
  and i.deleted_at is null and jsonb_exists(i.metadata, 'source_table')
order by i.data_type, i.item_id limit 5000`;
