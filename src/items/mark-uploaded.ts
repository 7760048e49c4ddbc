import { HELD, LEASE, type LeasedWriter, type PartitionLease } from '../database/partition-lease.ts';
import { encodeTextArray } from './binary-array.ts';
import { addChanges } from './change-counts.ts';
import type { UploadedBatch } from './item-batches.ts';
import { noteItemChanges } from './item-changes.ts';
import { createLevelArray, sumLevels } from './level-counts.ts';
import { countLevelsSql, pickHigherSql, toLevelSql } from './marking-sql.ts';
import { ON_KNOWN_BATCH } from './read-batches.ts';
import { ACCEPTED_COLUMNS, HAS_OTHER_CONTENT, toAcceptedValues } from './stored-items.ts';

/**
 * Marks a batch as uploaded and stores the rejections as errors.
 * @returns whether accepted items that another job has changed in the meantime became a new pending batch.
 */
export async function markUploaded(
  { write }: Pick<LeasedWriter, 'write'>,
  { jobId }: Pick<PartitionLease, 'jobId'>,
  batch: UploadedBatch,
): Promise<boolean> {
  const { id, receipt, readBatch, dataType, accepted, rejected, countsRejections } = batch;
  const { success, changes, failedDuplicates } = batch;
  const errors = countsRejections ? rejected : [];
  const { isPending } = await write<{ isPending: boolean }>(MARK_UPLOADED, [
    jobId,
    dataType,
    id,
    ...toAcceptedValues(accepted),
    encodeTextArray(rejected.map(({ item }) => item.itemId)),
    encodeTextArray(errors.map(({ item }) => item.itemId)),
    encodeTextArray(errors.map(({ message }) => message)),
    encodeTextArray(errors.map(({ item }) => item.classificationMarking)),
    sumLevels(success),
    success,
    readBatch?.dataSourceId ?? null,
    readBatch?.fingerprint ?? null,
    readBatch?.rows ?? null,
    receipt.generation,
    receipt.key,
    batch.isRestored,
    batch.countsRestored,
    readBatch?.idHashes ?? null,
    sumLevels(failedDuplicates),
    failedDuplicates,
    changes.inserted,
    changes.updated,
  ]);
  return isPending;
}

// The outcome of an upload is written to the batch, not to its items. They are checked one by one only if some have left the
// batch, because another job has saved them in the meantime.
const MARK_UPLOADED = `with ${LEASE},
uploaded as (
  update upload_batch b set uploaded_at = blade_now(), partition_id = null, lost_at = null, generation = $19, upload_key = $20
  from lease where b.id = $5 and b.partition_id = lease.id
),
present as (select count(*) from blade_item where upload_batch_id = $5),
superseded as materialized (
  select u.item_id from unnest($6::text[], $7::text[], $8::text[], $9::jsonb[])
    as u (${ACCEPTED_COLUMNS})
  cross join lateral (
    select i.content_hash, i.classification_marking, i.query_metadata, i.upload_batch_id
    from blade_item i where i.data_type = $4 and i.item_id = u.item_id limit 1
  ) as i
  where (select count from present) < cardinality($6::text[]) + cardinality($10::text[])
    and ${HAS_OTHER_CONTENT}
    and not exists (select from upload_batch b where b.id = i.upload_batch_id and b.partition_id = $1)
),
again as (
  insert into upload_batch (partition_id) select lease.id from lease where exists (select from superseded) returning id
),
owed as (
  update blade_item i set upload_batch_id = again.id, was_uploaded = true
  from again where i.data_type = $4 and i.item_id = any(array(select item_id from superseded))
  returning 1
),
remembered as (
  insert into read_batch (data_source_id, fingerprint, rows_by_level, upload_batch_ids, item_counts, id_hashes)
  select $16::uuid, $17::text, $18::int[], array[$5::bigint], array[present.count::int], $23::bytea from lease, present
  where $17::text is not null and present.count = cardinality($6::text[]) and cardinality($10::text[]) = 0
  ${ON_KNOWN_BATCH}
),
still_lost as (
  insert into upload_batch (lost_at) select blade_now() from lease where $21::boolean and cardinality($10::text[]) > 0 returning id
),
released as (
  update blade_item i set upload_batch_id = (select id from still_lost)
  from lease where i.data_type = $4 and i.item_id = any($10::text[]) and i.upload_batch_id = $5
  returning i.data_source_id
),
noticed as (${noteItemChanges('select data_source_id from released')}),
bad as materialized (
  select u.item_id, u.message, ${pickHigherSql('u.marking', 'stored.classification_marking')} as marking
  from unnest($11::text[], $12::text[], $13::text[]) as u (item_id, message, marking)
  left join lateral (
    select i.classification_marking from blade_item i where i.data_type = $4 and i.item_id = u.item_id limit 1
  ) as stored on true
),
failed as (
  insert into job_error (job_id, partition_id, data_type, stage, item_id, message, marking)
  select $3::uuid, lease.id, $4, 'UPLOAD', bad.item_id, bad.message, bad.marking from lease, bad
),
errors as (select ${countLevelsSql(toLevelSql('marking'))} as by_level from bad),
-- The update below reads this, so it waits until the items are written.
written as (select (select count(*) from owed) + (select count(*) from released) as count)
update job_partition p set
  ${HELD},
  success_count = p.success_count + $14::int,
  restored_count = p.restored_count + case when $22::boolean then $14::int else 0 end,
  error_count = p.error_count + cardinality($11::text[]),
  duplicate_count = p.duplicate_count - $24::int,
  processed_items = p.processed_items + $14::int + cardinality($11::text[]) - $24::int,
  total_items = case when p.total_items is not null
    then greatest(p.total_items, p.processed_items + $14::int + cardinality($11::text[]) - $24::int) end,
  success_by_level = ${createLevelArray((at) => `p.success_by_level[${at}] + ($15::int[])[${at}]`)},
  ${addChanges(
    (at) => `($26::int[])[${at}]`,
    (at) => `($27::int[])[${at}]`,
  )},
  restored_by_level = case when $22::boolean then ${createLevelArray(
    (at) => `p.restored_by_level[${at}] + ($15::int[])[${at}]`,
  )} else p.restored_by_level end,
  error_by_level = ${createLevelArray((at) => `p.error_by_level[${at}] + errors.by_level[${at}]`)},
  duplicate_by_level = ${createLevelArray((at) => `p.duplicate_by_level[${at}] - ($25::int[])[${at}]`)}
from lease, written, errors where p.id = lease.id and written.count >= 0
returning exists (select from again) as "isPending"`;
