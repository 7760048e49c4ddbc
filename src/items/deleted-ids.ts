import { MARKINGS } from '../data-types/marking.ts';
import { Prisma } from '../database/generated/prisma/client.ts';
import { type CompleteRead, type GoneItems, RENEW_REMOVAL } from './gone-items.ts';
import { noteItemChanges } from './item-changes.ts';
import { countLevelsSql, toLevelSql } from './marking-sql.ts';
import { isUploadedSql } from './stored-items.ts';

/** Items of a source whose rows are known to be gone. */
export interface DeletedRows extends Omit<CompleteRead, 'partitionIds'> {
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
  { jobId, dataSourceId, dataType, itemIds, startedAt, settledAt, removes, maxDeletePercent }: DeletedRows,
): Promise<DeletedItems> {
  const source = Prisma.sql`${dataSourceId}::uuid`;
  const [found] = await transaction.$queryRaw<DeletedItems[]>`
    with judged as materialized (
      select i.ctid as place, i.item_id, i.upload_batch_id,
        writer.id is not null and coalesce(writer.finished_at > ${startedAt}, true) as is_written, i.data_source_id <> ${source} or exists (
        select from jsonb_object_keys(i.other_markings) as other (id) join data_source s on s.id = other.id::uuid
        where s.id <> ${source}
      ) as is_shared
      from unnest(${[...itemIds]}::text[]) as given (item_id)
      join blade_item i on i.data_type = ${dataType} and i.item_id = given.item_id
      left join job writer on writer.id = i.job_id and writer.id <> ${jobId}::uuid
      -- Items that only query jobs have made come from no sync.
      where i.deleted_at is null and jsonb_exists(i.metadata, 'source_table')
        and (i.data_source_id = ${source} or jsonb_exists(i.other_markings, ${dataSourceId}))
    ),
    gone as materialized (select * from judged where not is_written),
    counted as materialized (
      select (select count(*) from gone where not is_shared) as gone, (
        select count(*) from blade_item i where exists (select from gone)
          and i.classification_marking = any(${[...MARKINGS]}) and i.data_source_id = ${source} and i.deleted_at is null
          and jsonb_exists(i.metadata, 'source_table') and i.created_at <= ${settledAt}
      ) as items
    ),
    allowed as materialized (
      select gone.* from gone, counted
      where ${maxDeletePercent}::int = 100 or counted.gone * 100 <= counted.items * ${maxDeletePercent}::int
    ),
    deleted as (
      update blade_item i set deleted_at = blade_now(), updated_at = greatest(blade_now(), i.updated_at),
        was_uploaded = i.was_uploaded or ${IS_UPLOADED}, upload_batch_id = null, job_id = ${jobId}::uuid
      where i.ctid = any(array(select place from allowed where not is_shared))
      returning ${Prisma.raw(toLevelSql('i.classification_marking'))} as level
    ),
    -- An upload that is under way would bring the item back.
    removed as (
      insert into item_removal (data_type, item_id, data_source_id, upload_batch_id)
      select ${dataType}, item_id, ${source}, upload_batch_id from allowed where ${removes} and not is_shared
      order by item_id
      ${RENEW_REMOVAL}
    ),
    released as (
      update blade_item i set data_source_id = (blade_without_source(i, ${source})).owner,
        row_marking = (blade_without_source(i, ${source})).own,
        other_markings = (blade_without_source(i, ${source})).others,
        was_uploaded = i.was_uploaded or ${IS_UPLOADED},
        upload_batch_id = case when not (blade_without_source(i, ${source})).must_be_read then i.upload_batch_id end
      where i.ctid = any(array(select place from allowed where is_shared))
      returning i.data_source_id
    ),
    noticed as (${Prisma.raw(noteItemChanges('select data_source_id from released'))})
    select counted.items::int as items, counted.gone::int as gone,
      (select ${Prisma.raw(countLevelsSql())} from deleted) as deleted,
      (select count(*)::int from judged where is_written) as written
    from counted`;
  if (found === undefined) throw new Error('an aggregate returns one row');
  return found;
}

const IS_UPLOADED = Prisma.raw(isUploadedSql('i'));
