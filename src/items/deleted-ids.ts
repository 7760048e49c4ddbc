import { Prisma } from '../database/generated/prisma/client.ts';
import type { GoneItems } from './gone-items.ts';
import { composeDeletes, isSharedSql, type Judgement } from './judged-items.ts';
import { countLevelsSql } from './marking-sql.ts';

/** Items of a source whose rows are known to be gone. */
export interface DeletedRows extends Judgement {
  readonly dataType: string;
  readonly itemIds: readonly string[];
}

/** What became of them. */
export type DeletedItems = Pick<GoneItems, 'items' | 'gone' | 'deleted' | 'written'>;

/**
 * Marks items of a source as deleted by their ids. An item that another source still has passes to that one, and one that this
 * source has not brought stays.
 */
export async function deleteItems(
  transaction: Prisma.TransactionClient,
  read: DeletedRows,
): Promise<DeletedItems> {
  const { dataSourceId, dataType, itemIds } = read;
  const source = Prisma.sql`${dataSourceId}::uuid`;
  const [found] = await transaction.$queryRaw<DeletedItems[]>`
    with ${composeDeletes(
      read,
      Prisma.sql`
        select i.ctid as place, i.data_type, i.item_id, i.upload_batch_id, i.job_id,
          i.data_source_id <> ${source} or ${isSharedSql(source)} as is_shared
        from unnest(${[...itemIds]}::text[]) as given (item_id)
        join blade_item i on i.data_type = ${dataType} and i.item_id = given.item_id
        -- Items that only query jobs have made come from no sync.
        where i.deleted_at is null and jsonb_exists(i.metadata, 'source_table')
          and (i.data_source_id = ${source} or jsonb_exists(i.other_markings, ${dataSourceId}))`,
    )}
    select counted.items::int as items, counted.gone::int as gone,
      (select ${Prisma.raw(countLevelsSql())} from deleted) as deleted,
      (select count(*)::int from judged where is_written) as written
    from counted`;
  if (found === undefined) throw new Error('an aggregate returns one row');
  return found;
}
