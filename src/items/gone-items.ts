import { MARKINGS } from '../data-types/marking.ts';
import { Prisma } from '../database/generated/prisma/client.ts';
import { noteItemChanges } from './item-changes.ts';
import type { LevelCounts } from './level-counts.ts';
import { countLevelsSql, toLevelSql } from './marking-sql.ts';
import { hashIds } from './seen-ids.ts';
import { isUploadedSql } from './stored-items.ts';

/** A complete read of a source, whose ids are saved. */
export interface CompleteRead {
  readonly jobId: string;
  readonly dataSourceId: string;
  readonly dataType: string;
  readonly partitionIds: readonly string[];
  /** When it began: what other jobs have written since is kept, and left to the next sync. */
  readonly startedAt: Date;
  /** When the items were stored that the share is of: later ones came with rows that may have replaced them. */
  readonly settledAt: Date;
  /** Whether the deleted items are to be removed from the catalog and then here, too, with those that were deleted before. */
  readonly removes: boolean;
  /** Nothing is deleted if more than this share of those items would be, from 0 to 100. */
  readonly maxDeletePercent: number;
}

/** What became of the items whose rows are gone. */
export interface GoneItems {
  /** False if the database cannot tell which ids were read. */
  readonly isKnown: boolean;
  /** The items that the share is of. */
  readonly items: number;
  /** Those of them that no source has any more. */
  readonly gone: number;
  /** The same by marking. */
  readonly goneByLevel: LevelCounts;
  /** The deleted ones, which are all of those or none. */
  readonly deleted: LevelCounts;
  /** Those that the read has not seen, but another job wrote since it began. */
  readonly written: number;
}

/**
 * Marks the items of a source as deleted that a complete read of it has not seen, unless a failed row has their id. An item
 * that another source still has passes to that one.
 */
export async function deleteGoneItems(
  transaction: Prisma.TransactionClient,
  read: CompleteRead,
): Promise<GoneItems> {
  const { jobId, dataSourceId, dataType, partitionIds, startedAt, settledAt, removes, maxDeletePercent } =
    read;
  // Without statistics, the planner would compare each item with each id. What it thinks that costs would start its compiler.
  await transaction.$queryRaw`select set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true)`;
  const source = Prisma.sql`${dataSourceId}::uuid`;
  const ids = Prisma.sql`${[...partitionIds]}::uuid[]`;
  // Items of another data type are those that the source had before it was changed.
  const unseen = Prisma.sql`i.deleted_at is null and not (i.data_type = ${dataType} and (
    exists (select from seen where seen.hash = int8send(hashtextextended(i.item_id, 0)))
    or exists (select from failed where failed.item_id = i.item_id)))`;
  const [found] = await transaction.$queryRaw<GoneItems[]>`
    with read as materialized (
      -- Unpacked once, not for each id in it.
      select hashes || ''::bytea as hashes from read_ids where partition_id = any(${ids})
    ),
    seen as (
      select substring(read.hashes from at * 8 + 1 for 8) as hash
      from read cross join lateral generate_series(0, length(read.hashes) / 8 - 1) as at
    ),
    failed as (select item_id from job_error where partition_id = any(${ids}) and item_id is not null),
    known as materialized (select int8send(hashtextextended(${PROBE}, 0)) = ${hashIds([PROBE])}::bytea as is_known),
    -- Items that only query jobs have made come from no sync.
    unseen as materialized (
      select i.ctid as place, i.data_type, i.item_id, i.upload_batch_id, i.job_id,
        ${LEVEL} as level, exists (
        select from jsonb_object_keys(i.other_markings) as other (id) join data_source s on s.id = other.id::uuid
        where s.id <> ${source}
      ) as is_shared
      from blade_item i where i.classification_marking = any(${[...MARKINGS]}) and i.data_source_id = ${source}
        and jsonb_exists(i.metadata, 'source_table') and ${unseen}
      union all
      select i.ctid, i.data_type, i.item_id, i.upload_batch_id, i.job_id, ${LEVEL}, true from blade_item i where i.other_markings is not null
        and jsonb_exists(i.other_markings, ${dataSourceId}) and i.data_source_id <> ${source} and ${unseen}
    ),
    judged as materialized (
      select unseen.*, writer.id is not null and coalesce(writer.finished_at > ${startedAt}, true) as is_written
      from unseen left join job writer on writer.id = unseen.job_id and writer.id <> ${jobId}::uuid
      where (select is_known from known)
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
      union all
      select i.data_type, i.item_id, ${source}, null from blade_item i, known
      where ${removes} and known.is_known and i.classification_marking = any(${[...MARKINGS]}) and i.data_source_id = ${source}
        and jsonb_exists(i.metadata, 'source_table') and i.deleted_at is not null
        and (i.was_uploaded or i.floor_marking is null)
        and not exists (select from item_removal r where r.data_type = i.data_type and r.item_id = i.item_id)
      order by 1, 2
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
    select known.is_known as "isKnown", counted.items::int as items, counted.gone::int as gone,
      (select ${Prisma.raw(countLevelsSql())} from deleted) as deleted,
      (select ${Prisma.raw(countLevelsSql())} from gone where not is_shared) as "goneByLevel",
      (select count(*)::int from judged where is_written) as written
    from known, counted`;
  await transaction.$queryRaw`select set_config('enable_nestloop', 'on', true)`;
  if (found === undefined) throw new Error('an aggregate returns one row');
  return found;
}

const LEVEL = Prisma.raw(toLevelSql('i.classification_marking'));

const IS_UPLOADED = Prisma.raw(isUploadedSql('i'));

/** Orders a removal that was ordered before once more. */
export const RENEW_REMOVAL = Prisma.sql`
  on conflict (data_type, item_id) do update set data_source_id = excluded.data_source_id,
    upload_batch_id = coalesce(excluded.upload_batch_id, item_removal.upload_batch_id), revision = item_removal.revision + 1`;

/**
 * Whether the ids are saved of all items that partitions have read. Without them, items would seem to be gone: those of a job that
 * is being cancelled are forgotten, and a partition of it may still end.
 */
export async function hasAllIds(
  transaction: Prisma.TransactionClient,
  partitionIds: readonly string[],
): Promise<boolean> {
  const [found] = await transaction.$queryRaw<{ hasAll: boolean }[]>`
    select coalesce(bool_and(p.success_count <= coalesce((
      select sum(length(r.hashes)) / 8 from read_ids r where r.partition_id = p.id), 0)), true) as "hasAll"
    from job_partition p where p.id = any(${[...partitionIds]}::uuid[])`;
  return found?.hasAll === true;
}

/** A text whose hash differs on a server with another byte order. */
const PROBE = 'BLADE';
