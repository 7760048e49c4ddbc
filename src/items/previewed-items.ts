import type { Pool } from 'pg';
import type { RowItem } from '../data-types/blade-item.ts';
import { MARKINGS } from '../data-types/marking.ts';
import { Prisma } from '../database/generated/prisma/client.ts';
import { encodeTextArray } from './binary-array.ts';
import { type ChangeCounts, COUNT_CHANGES, createChangeSql } from './change-counts.ts';
import { isSharedSql } from './judged-items.ts';
import type { LevelCounts } from './level-counts.ts';
import { countLevelsSql, toLevelSql } from './marking-sql.ts';

/** What a sync would do with the rows of a batch, by marking. */
export interface PreviewedItems extends ChangeCounts {
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

// The limit keeps the planner from a join with all items.
const COMPARE = `select ${COUNT_CHANGES}, ${countLevelsSql('case when change is null then level end')} as unchanged
from (
  select ${toLevelSql('coalesce(i.classification_marking, u.marking)')} as level,
    case when i.content_hash is null then 'INSERTED' else ${createChangeSql('i', 'u.content_hash')} end as change
  from unnest($2::text[], $3::text[], $4::text[]) as u (item_id, content_hash, marking)
  left join lateral (
    select i.content_hash, i.deleted_at, i.classification_marking, i.was_uploaded, i.upload_batch_id from blade_item i
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
      const { text, values } = composeBrought(marking, dataSourceId, after);
      const { rows } = await pool.query<BroughtItem>(text, values);
      const last = rows.at(-1);
      if (last === undefined) break;
      yield rows;
      after = last;
    }
  }
}

function composeBrought(
  marking: string,
  dataSourceId: string,
  after: Pick<BroughtItem, 'dataType' | 'itemId'>,
): Prisma.Sql {
  const source = Prisma.sql`${dataSourceId}::uuid`;
  return Prisma.sql`select i.data_type as "dataType", i.item_id as "itemId",
      ${Prisma.raw(toLevelSql('i.classification_marking'))} as level, ${isSharedSql(source)} as "isShared"
    from blade_item i
    where i.classification_marking = ${marking} and i.data_source_id = ${source}
      and (i.data_type, i.item_id) > (${after.dataType}, ${after.itemId})
      and i.deleted_at is null and jsonb_exists(i.metadata, 'source_table')
    order by i.data_type, i.item_id limit 5000`;
}
