import { MARKINGS } from '../data-types/marking.ts';
import { Prisma } from '../database/generated/prisma/client.ts';
import { noteItemChanges } from './item-changes.ts';
import { toLevelSql } from './marking-sql.ts';
import { isUploadedSql } from './stored-items.ts';

/** How items of a source without a row are judged. */
export interface Judgement {
  readonly jobId: string;
  readonly dataSourceId: string;
  /** When the read began: what other jobs have written since is kept, and left to the next sync. */
  readonly startedAt: Date;
  /** When the items were stored that the share is of: later ones came with rows that may have replaced them. */
  readonly settledAt: Date;
  /** Whether the deleted items are to be removed from the catalog and then here, too, with those that were deleted before. */
  readonly removes: boolean;
  /** Nothing is deleted if more than this share of those items would be, from 0 to 100. */
  readonly maxDeletePercent: number;
}

/**
 * Composes the parts of a WITH that delete items without a row, all or none of them, and let those pass to their other sources
 * that are shared: `judged`, `gone`, `counted`, `deleted` and what follows from them.
 * @param rows a query for the items: place, data_type, item_id, upload_batch_id, job_id, is_shared.
 * @param earlierRemovals further removals to order, as a part of a UNION ALL.
 */
export function composeDeletes(
  { jobId, dataSourceId, startedAt, settledAt, removes, maxDeletePercent }: Judgement,
  rows: Prisma.Sql,
  earlierRemovals: Prisma.Sql = Prisma.empty,
): Prisma.Sql {
  const source = Prisma.sql`${dataSourceId}::uuid`;
  return Prisma.sql`judged as materialized (
      select found.*, writer.id is not null and coalesce(writer.finished_at > ${startedAt}, true) as is_written
      from (${rows}) as found left join job writer on writer.id = found.job_id and writer.id <> ${jobId}::uuid
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
      returning ${LEVEL} as level
    ),
    -- An upload that is under way would bring the item back.
    removed as (
      insert into item_removal (data_type, item_id, data_source_id, upload_batch_id)
      select data_type, item_id, ${source}, upload_batch_id from allowed where ${removes} and not is_shared
      ${earlierRemovals}
      order by 1, 2
      ${RENEW_REMOVAL}
    ),
    released as (
      update blade_item i set was_uploaded = i.was_uploaded or ${IS_UPLOADED},
        -- Called once an item, which is most of the work.
        (data_source_id, row_marking, other_markings, upload_batch_id) = (
          select passed.owner, passed.own, passed.others, case when not passed.must_be_read then i.upload_batch_id end
          from blade_without_source(i, ${source}) as passed)
      where i.ctid = any(array(select place from allowed where is_shared))
      returning i.data_source_id
    ),
    noticed as (${Prisma.raw(noteItemChanges('select data_source_id from released'))})`;
}

/** Whether another source still has an item `i`. */
export function isSharedSql(source: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`exists (
    select from jsonb_object_keys(i.other_markings) as other (id) join data_source s on s.id = other.id::uuid
    where s.id <> ${source})`;
}

const LEVEL = Prisma.raw(toLevelSql('i.classification_marking'));

const IS_UPLOADED = Prisma.raw(isUploadedSql('i'));

/** Orders a removal that was ordered before once more. */
const RENEW_REMOVAL = Prisma.sql`
  on conflict (data_type, item_id) do update set data_source_id = excluded.data_source_id,
    upload_batch_id = coalesce(excluded.upload_batch_id, item_removal.upload_batch_id), revision = item_removal.revision + 1`;
