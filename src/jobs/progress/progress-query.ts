import { Prisma } from '../../database/generated/prisma/client.ts';
import { createLevelArray } from '../../items/level-counts.ts';

/**
 * A subquery with a job's counts, by type and in all, from its partitions and errors: the only source of these counts.
 * @param partitions where the partitions are read from, if the statement itself writes them.
 */
export function progressQuery(jobId: string, partitions = Prisma.raw('job_partition')): Prisma.Sql {
  return Prisma.sql`(
    select
      -- As far as they are counted: rows of an uncounted partition were read all the same.
      case when count(total_items) > 0 then sum(coalesce(total_items, processed_items))::bigint end as total_items,
      coalesce(sum(processed_items), 0)::bigint as processed_items,
      coalesce(sum(success_count), 0)::bigint as success_count,
      coalesce(sum(error_count), 0)::bigint as error_count,
      coalesce(sum(restored_count), 0)::bigint as restored_count,
      ${RESTORED_BY_LEVEL} as restored_by_level,
      coalesce(sum(duplicate_count), 0)::bigint as duplicate_count,
      ${DUPLICATE_BY_LEVEL} as duplicate_by_level,
      coalesce(sum(deleted_count), 0)::bigint as deleted_count,
      ${DELETED_BY_LEVEL} as deleted_by_level,
      ${SUCCESS_BY_LEVEL} as success_by_level,
      ${INSERTED_BY_LEVEL} as inserted_by_level,
      ${UPDATED_BY_LEVEL} as updated_by_level,
      ${ERROR_BY_LEVEL} as error_by_level,
      coalesce(bool_and(total_items is not null), false) as is_total_counted,
      coalesce(bool_and(total_items is not null or state = 'FAILED'), false) as is_total_known,
      -- Sources that are not counted are taken to be as large as the others are on average: only counted ones are split.
      case when bool_or(total_items is null and state <> 'FAILED') and count(total_items) > 0 then
        sum(coalesce(total_items, processed_items))::bigint
          + count(*) filter (where total_items is null and state <> 'FAILED') * greatest(1,
            sum(total_items) / count(distinct source_name) filter (where total_items is not null))::bigint
      end as estimated_total,
      count(distinct source_name)::int as total_sources,
      (count(distinct source_name) - count(distinct source_name) filter (where state <> 'COMPLETED'))::int
        as completed_sources,
      (select coalesce(jsonb_agg(jsonb_build_object('dataType', data_type, 'totalItems', total_items,
          'processedItems', processed_items, 'successCount', success_count, 'errorCount', error_count,
          'duplicateCount', duplicate_count, 'deletedCount', deleted_count, 'deletedByLevel', deleted_by_level, 'successByLevel', success_by_level, 'errorByLevel', error_by_level,
          'insertedByLevel', inserted_by_level, 'updatedByLevel', updated_by_level,
          'duplicateByLevel', duplicate_by_level) order by data_type), '[]')
        from (
          select data_type,
            case when count(total_items) > 0 then sum(coalesce(total_items, processed_items))::bigint end as total_items,
            sum(processed_items)::bigint as processed_items,
            sum(success_count)::bigint as success_count, sum(error_count)::bigint as error_count,
            sum(duplicate_count)::bigint as duplicate_count, ${DUPLICATE_BY_LEVEL} as duplicate_by_level,
            sum(deleted_count)::bigint as deleted_count, ${DELETED_BY_LEVEL} as deleted_by_level,
            ${INSERTED_BY_LEVEL} as inserted_by_level, ${UPDATED_BY_LEVEL} as updated_by_level,
            ${SUCCESS_BY_LEVEL} as success_by_level, ${ERROR_BY_LEVEL} as error_by_level
          from ${partitions} where job_id = ${jobId}::uuid group by data_type
        ) as by_type
      ) as progress_by_type,
      (select coalesce(array_agg(message order by id), '{}') from (
        select id, message from job_error where job_id = ${jobId}::uuid order by id desc limit 10
      ) as recent) as recent_errors
    from ${partitions} where job_id = ${jobId}::uuid
  )`;
}

/** Assignments that set the total of a job that has not ended to that of `progress`: null while no rows are counted. */
export const SET_TOTAL = Prisma.sql`
  total_items = progress.total_items, is_total_known = progress.is_total_known,
  estimated_total = progress.estimated_total`;

/** Assignments that set the total of a job that ends: not known if a source failed or was cancelled before it was counted. */
export const SET_FINAL_TOTAL = Prisma.sql`
  total_items = coalesce(progress.total_items, progress.processed_items),
  is_total_known = progress.is_total_counted, estimated_total = null`;

/** Assignments that set a job's other counts to those of `progress`. */
export const SET_COUNTS = Prisma.sql`
  total_sources = progress.total_sources, completed_sources = progress.completed_sources,
  processed_items = progress.processed_items,
  success_count = progress.success_count, error_count = progress.error_count,
  restored_count = progress.restored_count, restored_by_level = progress.restored_by_level,
  deleted_count = progress.deleted_count, deleted_by_level = progress.deleted_by_level,
  duplicate_count = progress.duplicate_count, duplicate_by_level = progress.duplicate_by_level,
  inserted_by_level = progress.inserted_by_level, updated_by_level = progress.updated_by_level,
  success_by_level = progress.success_by_level, error_by_level = progress.error_by_level,
  progress_by_type = progress.progress_by_type, recent_errors = progress.recent_errors`;

/** Creates the sum of a column with a count for each level. */
function sumLevels(column: string): string {
  return createLevelArray((at) => `coalesce(sum(${column}[${at}]), 0)::bigint`);
}

/** Creates the same for a column that is empty where the counts are not known. */
function sumKnownLevels(column: string): string {
  return `case when bool_or(${column} = '{}') then '{}' else ${sumLevels(column)} end`;
}

const SUCCESS_BY_LEVEL = Prisma.raw(sumLevels('success_by_level'));
const INSERTED_BY_LEVEL = Prisma.raw(sumKnownLevels('inserted_by_level'));
const UPDATED_BY_LEVEL = Prisma.raw(sumKnownLevels('updated_by_level'));
const ERROR_BY_LEVEL = Prisma.raw(sumLevels('error_by_level'));
const DUPLICATE_BY_LEVEL = Prisma.raw(sumLevels('duplicate_by_level'));
const RESTORED_BY_LEVEL = Prisma.raw(sumLevels('restored_by_level'));
const DELETED_BY_LEVEL = Prisma.raw(sumLevels('deleted_by_level'));
