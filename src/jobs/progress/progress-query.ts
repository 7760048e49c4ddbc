import { Prisma } from '../../database/generated/prisma/client.ts';
import { createLevelArray } from '../../items/level-counts.ts';

/** A subquery with a job's counts, by type and in all, from its partitions and errors: the only source of these counts. */
export function progressQuery(jobId: string): Prisma.Sql {
  return Prisma.sql`(
    select
      sum(total_items)::int as total_items,
      coalesce(sum(processed_items), 0)::int as processed_items,
      coalesce(sum(success_count), 0)::int as success_count,
      coalesce(sum(error_count), 0)::int as error_count,
      coalesce(sum(restored_count), 0)::int as restored_count,
      ${RESTORED_BY_LEVEL} as restored_by_level,
      ${SUCCESS_BY_LEVEL} as success_by_level,
      ${ERROR_BY_LEVEL} as error_by_level,
      coalesce(bool_and(total_items is not null), false) as is_total_known,
      (select coalesce(jsonb_agg(jsonb_build_object('dataType', data_type, 'totalItems', total_items,
          'processedItems', processed_items, 'successCount', success_count, 'errorCount', error_count,
          'successByLevel', success_by_level, 'errorByLevel', error_by_level) order by data_type), '[]')
        from (
          select data_type, sum(total_items)::int as total_items, sum(processed_items)::int as processed_items,
            sum(success_count)::int as success_count, sum(error_count)::int as error_count,
            ${SUCCESS_BY_LEVEL} as success_by_level, ${ERROR_BY_LEVEL} as error_by_level
          from job_partition where job_id = ${jobId}::uuid group by data_type
        ) as by_type
      ) as progress_by_type,
      (select coalesce(array_agg(message order by id), '{}') from (
        select id, message from job_error where job_id = ${jobId}::uuid order by id desc limit 10
      ) as recent) as recent_errors
    from job_partition where job_id = ${jobId}::uuid
  )`;
}

/** Assignments that set the total of a job that has not ended to that of `progress`: null while no rows are counted. */
export const SET_TOTAL = Prisma.sql`
  total_items = progress.total_items, is_total_known = progress.is_total_known`;

/** Assignments that set the total of a job that ends. */
export const SET_FINAL_TOTAL = Prisma.sql`
  total_items = coalesce(progress.total_items, 0), is_total_known = true`;

/** Assignments that set a job's other counts to those of `progress`. */
export const SET_COUNTS = Prisma.sql`
  processed_items = progress.processed_items,
  success_count = progress.success_count, error_count = progress.error_count,
  restored_count = progress.restored_count, restored_by_level = progress.restored_by_level,
  success_by_level = progress.success_by_level, error_by_level = progress.error_by_level,
  progress_by_type = progress.progress_by_type, recent_errors = progress.recent_errors`;

const SUCCESS_BY_LEVEL = Prisma.raw(
  createLevelArray((at) => `coalesce(sum(success_by_level[${at}]), 0)::int`),
);
const ERROR_BY_LEVEL = Prisma.raw(createLevelArray((at) => `coalesce(sum(error_by_level[${at}]), 0)::int`));
const RESTORED_BY_LEVEL = Prisma.raw(
  createLevelArray((at) => `coalesce(sum(restored_by_level[${at}]), 0)::int`),
);
