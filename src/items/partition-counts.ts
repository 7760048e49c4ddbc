import { HELD, LEASE, type LeasedWriter } from '../database/partition-lease.ts';
import { addChanges, type ChangeCounts } from './change-counts.ts';
import { createLevelArray, type LevelCounts, NO_COUNTS_SQL, sumLevels } from './level-counts.ts';

/** Statements that change only the counts of a partition, and the place where it resumes. */
export interface PartitionCounts {
  /** Resets position, counts and errors, so that the read starts over from its first row. */
  startOver(): Promise<void>;
  /** Saves the total number of rows of the partition. */
  saveTotal(totalItems: number): Promise<void>;
  /** Counts rows as success that an earlier attempt saved and that need no upload any more. */
  countSuccess(rows: LevelCounts, changes: ChangeCounts): Promise<void>;
}

export function createPartitionCounts({ write }: Pick<LeasedWriter, 'write'>): PartitionCounts {
  return {
    async startOver() {
      await write(START_OVER, []);
    },

    async saveTotal(totalItems) {
      await write(SAVE_TOTAL, [totalItems]);
    },

    async countSuccess(rows, { inserted, updated }) {
      await write(COUNT_SUCCESS, [sumLevels(rows), rows, inserted, updated]);
    },
  };
}

const START_OVER = `with ${LEASE},
forgotten as (delete from job_error e using lease where e.partition_id = lease.id),
unread as (delete from read_ids r using lease where r.partition_id = lease.id)
update job_partition p
set ${HELD}, position = null, read_items = 0, processed_items = 0, success_count = 0, error_count = 0,
  read_by_level = ${NO_COUNTS_SQL}, success_by_level = ${NO_COUNTS_SQL}, error_by_level = ${NO_COUNTS_SQL},
  inserted_by_level = case when p.inserted_by_level = '{}' then '{}' else ${NO_COUNTS_SQL} end,
  updated_by_level = case when p.updated_by_level = '{}' then '{}' else ${NO_COUNTS_SQL} end,
  restored_count = 0, restored_by_level = ${NO_COUNTS_SQL},
  duplicate_count = 0, duplicate_by_level = ${NO_COUNTS_SQL}, duplicate_item_id = null, duplicate_marking = null
from lease where p.id = lease.id returning p.id`;

const SAVE_TOTAL = `with ${LEASE}
update job_partition p set ${HELD}, total_items = greatest($3::bigint, p.read_items)
from lease where p.id = lease.id
returning p.id`;

const COUNT_SUCCESS = `with ${LEASE}
update job_partition p set
  ${HELD},
  success_count = p.success_count + $3::bigint,
  processed_items = p.processed_items + $3::bigint,
  total_items = case when p.total_items is not null then greatest(p.total_items, p.processed_items + $3::bigint) end,
  success_by_level = ${createLevelArray((at) => `p.success_by_level[${at}] + ($4::bigint[])[${at}]`)},
  ${addChanges(
    (at) => `($5::bigint[])[${at}]`,
    (at) => `($6::bigint[])[${at}]`,
  )}
from lease where p.id = lease.id
returning p.id`;
