import type { Pool } from 'pg';
import type { PartitionLease } from '../database/partition-lease.ts';
import { encodeTextArray } from './binary-array.ts';
import type { SaveBatch } from './item-batches.ts';
import type { LevelCounts } from './level-counts.ts';
import { countLevelsSql, toLevelSql } from './marking-sql.ts';
import type { CountedUploadBatch } from './read-batches.ts';
import { isOrphanSql, isUploadedSql } from './stored-items.ts';

/** The items of a batch that are stored and uploaded as they are, and belong to a source that is there. */
export interface UnchangedItems {
  /** Null if it is all of them. */
  readonly ids: string[] | null;
  readonly byLevel: LevelCounts;
  /**
   * The upload batches of the items, with the total number of items in each. Null if some items of the batch have changed,
   * if they are in too many upload batches, or if the batch must not be remembered.
   */
  readonly uploadBatches: readonly CountedUploadBatch[] | null;
  /** Whether some of them are what the job itself has made of them. */
  readonly hasOwn: boolean;
}

export async function findUnchangedItems(
  pool: Pool,
  { jobId }: Pick<PartitionLease, 'jobId'>,
  { dataType, items, fingerprint, dataSourceId, markingRule }: SaveBatch,
): Promise<UnchangedItems> {
  const { rows } = await pool.query<UnchangedItems>(FIND_UNCHANGED, [
    dataType,
    encodeTextArray(items.map((item) => item.itemId)),
    encodeTextArray(items.map((item) => item.contentHash)),
    fingerprint !== null,
    markingRule.kind === 'SOURCE' ? dataSourceId : null,
    jobId,
  ]);
  const [found] = rows;
  if (found === undefined) throw new Error('an aggregate returns one row');
  return found;
}

/** The most upload batches of a remembered batch: counting more costs as much as comparing the rows again. */
const MAX_UPLOAD_BATCHES = 16;

// The limit keeps the planner from a join, which would read a whole table for which it has no statistics yet.
const FIND_UNCHANGED = `with unchanged as materialized (
  select u.item_id, i.upload_batch_id, i.job_id = $6 and i.change is not null as is_own, ${toLevelSql('i.classification_marking')} as level
  from unnest($2::text[], $3::text[]) as u (item_id, content_hash)
  cross join lateral (
    select i.content_hash, i.upload_batch_id, i.classification_marking, i.data_source_id, i.deleted_at, i.job_id, i.change
    from blade_item i where i.data_type = $1 and i.item_id = u.item_id limit 1
  ) as i
  where i.content_hash = u.content_hash and ${isUploadedSql('i')} and ${isOrphanSql('i', '$5')} is not true
    and i.deleted_at is null
)
select
  case when count(*) < cardinality($2::text[]) then coalesce(array_agg(item_id), '{}') end as ids,
  ${countLevelsSql()} as "byLevel", coalesce(bool_or(is_own), false) as "hasOwn",
  case when $4 and count(*) = cardinality($2::text[]) and count(distinct upload_batch_id) <= ${MAX_UPLOAD_BATCHES} then (
    select json_agg(json_build_object('id', b.id::text, 'count', (
      select count(*) from blade_item i where i.upload_batch_id = b.id
    ))) from (select distinct upload_batch_id as id from unchanged) as b
  ) end as "uploadBatches"
from unchanged`;
