import { MARKINGS } from '../data-types/marking.ts';
import { Prisma } from '../database/generated/prisma/client.ts';
import type { DeletingTransaction } from './deleting-transaction.ts';
import { composeDeletes, isSharedSql, type Judgement } from './judged-items.ts';
import type { LevelCounts } from './level-counts.ts';
import { countLevelsSql, toLevelSql } from './marking-sql.ts';
import { hashIds } from './seen-ids.ts';

/** A complete read of a source, whose ids are saved. */
export interface CompleteRead extends Judgement {
  readonly dataType: string;
  readonly partitionIds: readonly string[];
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
  /** Those that have passed to another source. */
  readonly passed: number;
  /** Those that the read has not seen, but another job wrote since it began. */
  readonly written: number;
}

/**
 * Marks the items of a source as deleted that a complete read of it has not seen, unless a failed row has their id. An item
 * that another source still has passes to that one.
 */
export async function deleteGoneItems(
  transaction: DeletingTransaction,
  read: CompleteRead,
): Promise<GoneItems> {
  const { dataSourceId, dataType, partitionIds, removes } = read;
  // Without statistics, the planner would compare each item with each id. What it thinks that costs would start its compiler.
  await transaction.$queryRaw`select set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true)`;
  const source = Prisma.sql`${dataSourceId}::uuid`;
  const ids = Prisma.sql`${[...partitionIds]}::uuid[]`;
  // Items of another data type are those that the source had before it was changed. Joined by an OR, the two would be no
  // joins, and each item would be compared with each id.
  const unseen = Prisma.sql`i.deleted_at is null
    and not exists (select from seen
      where i.data_type = ${dataType} and seen.hash = int8send(hashtextextended(i.item_id, 0)))
    and not exists (select from failed where i.data_type = ${dataType} and failed.item_id = i.item_id)`;
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
        ${LEVEL} as level, ${isSharedSql(source)} as is_shared, true as is_owned
      from blade_item i where i.classification_marking = any(${[...MARKINGS]}) and i.data_source_id = ${source}
        and jsonb_exists(i.metadata, 'source_table') and ${unseen}
      union all
      select i.ctid, i.data_type, i.item_id, i.upload_batch_id, i.job_id, ${LEVEL}, true, false from blade_item i where i.other_markings is not null
        and jsonb_exists(i.other_markings, ${dataSourceId}) and i.data_source_id <> ${source} and ${unseen}
    ),
    ${composeDeletes(
      read,
      Prisma.sql`select * from unseen where (select is_known from known)`,
      Prisma.sql`
      union all
      select i.data_type, i.item_id, ${source}, null from blade_item i, known
      where ${removes} and known.is_known and i.classification_marking = any(${[...MARKINGS]}) and i.data_source_id = ${source}
        and jsonb_exists(i.metadata, 'source_table') and i.deleted_at is not null
        and (i.was_uploaded or i.floor_marking is null)
        and not exists (select from item_removal r where r.data_type = i.data_type and r.item_id = i.item_id)`,
    )}
    select known.is_known as "isKnown", counted.items::int as items, counted.gone::int as gone,
      (select ${Prisma.raw(countLevelsSql())} from deleted) as deleted,
      (select ${Prisma.raw(countLevelsSql())} from gone where not is_shared) as "goneByLevel",
      (select count(*)::int from allowed where is_shared and is_owned) as passed,
      (select count(*)::int from judged where is_written) as written
    from known, counted`;
  await transaction.$queryRaw`select set_config('enable_nestloop', 'on', true)`;
  if (found === undefined) throw new Error('an aggregate returns one row');
  return found;
}

const LEVEL = Prisma.raw(toLevelSql('i.classification_marking'));

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
