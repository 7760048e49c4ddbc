import type { Pool } from 'pg';
import type { JsonValue } from '../shared/json.ts';
import { BATCH_BYTES, type Row, type RowBatch } from '../warehouse/warehouse.ts';

/**
 * Creates the `from` and `where` of a statement over errors `e` that can be retried without the warehouse, with their
 * stored items `b`; further conditions may follow. A stored row is taken from the store. Left out are rows that could not
 * be read, rows in which U+FFFD replaces what could not be kept, and rows whose items have changed since, because the kept
 * row is older, or were deleted.
 * @param retryJobId SQL expression for the job whose own writes do not count as changes.
 */
export const selectRetryableErrors = (retryJobId: string) => `from job_error e
  left join blade_item b on b.data_type = e.data_type and b.item_id = e.item_id
  where e.stage <> 'READ' and coalesce(e."row", b.data) is not null
    and (e.stage <> 'TRANSFORM' or position(chr(65533) in e."row"::text) = 0)
    and (e."row" is not null or b.deleted_at is null)
    and (e."row" is null or b.item_id is null or b.updated_at <= e.created_at or b.job_id = ${retryJobId})`;

/** The same, before a job retries them. */
export const RETRYABLE_ERRORS = selectRetryableErrors('null::uuid');

/** Counts the failed rows of a partition that can be retried. */
export async function countFailedItems(pool: Pool, partitionId: string): Promise<number> {
  const { rows } = await pool.query<{ total: number }>(
    `select count(*)::int as total ${RETRYABLE_ERRORS} and e.partition_id = $1`,
    [partitionId],
  );
  return rows[0]?.total ?? 0;
}

/** Lower than the id of any error. */
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/**
 * Reads the failed rows of a partition that can be retried, in the order in which they failed.
 * @param options.resumeAfter the position of the last saved batch; null to read all.
 * @param options.signal ends the stream before its next batch.
 */
export async function* readFailedItems(
  pool: Pool,
  { partitionId, retryJobId }: { partitionId: string; retryJobId: string },
  options: { batchSize: number; resumeAfter: JsonValue | null; signal: AbortSignal },
): AsyncGenerator<RowBatch> {
  let after = typeof options.resumeAfter === 'string' ? options.resumeAfter : BEFORE_ALL;
  while (!options.signal.aborted) {
    const { rows } = await pool.query<{ id: string; row: Row; storedId: string | null }>(
      `with page as (
         select e.id, coalesce(e."row", b.data) as "row", case when e."row" is null then b.item_id end as "storedId" ${selectRetryableErrors('$4::uuid')}
           and e.partition_id = $1 and e.id > $2 order by e.id limit $3
       ), measured as (
         select *, row_number() over (order by id) as place, sum(length("row"::text)) over (order by id) as bytes from page
       )
       select id::text, "row", "storedId" from measured where place = 1 or bytes <= $5 order by measured.id`,
      [partitionId, after, options.batchSize, retryJobId, BATCH_BYTES],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
    yield {
      rows: rows.map(({ row }) => row),
      // An id that was derived from a row cannot be derived from the data of its item.
      storedIds: rows.map(({ storedId }) => storedId),
      ...{ size: rows.length, fingerprint: null, position: after },
    };
  }
}
