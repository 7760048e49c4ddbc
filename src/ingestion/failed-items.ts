import type { Pool } from 'pg';
import type { JsonValue } from '../shared/json.ts';
import type { Row, RowBatch } from '../warehouse/warehouse.ts';

/**
 * The errors `e` whose rows can be tried again without the warehouse, with the stored items `b` that they are of: the
 * part of a statement from `from` on, to be narrowed by further conditions. A row that was stored is taken from the
 * store. Left out are what could not be read; rows in which something is shown as U+FFFD that could not be kept; and
 * rows whose items have come in since with another content, for the kept row is older than that.
 * @param retryJobId the job whose own writes do not count as that, as an expression of SQL.
 */
export const retryableErrors = (retryJobId: string) => `from job_error e
  left join blade_item b on b.data_type = e.data_type and b.item_id = e.item_id
  where e.stage <> 'READ' and coalesce(e."row", b.data) is not null
    and (e.stage <> 'TRANSFORM' or position(chr(65533) in e."row"::text) = 0)
    and (e."row" is null or b.item_id is null or b.updated_at <= e.created_at or b.job_id = ${retryJobId})`;

/** The same before there is a job that retries them. */
export const RETRYABLE_ERRORS = retryableErrors('null::uuid');

/** How many failed rows of a partition can be tried again. */
export async function countFailedItems(pool: Pool, partitionId: string): Promise<number> {
  const { rows } = await pool.query<{ total: number }>(
    `select count(*)::int as total ${RETRYABLE_ERRORS} and e.partition_id = $1`,
    [partitionId],
  );
  return rows[0]?.total ?? 0;
}

/** Less than the id of any error. */
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/**
 * The failed rows of a partition that can be tried again, in the order in which they failed.
 * @param resumeAfter position of the last batch that was kept, or null for all.
 * @param signal ends the stream before its next batch.
 */
export async function* readFailedItems(
  pool: Pool,
  { partitionId, retryJobId }: { partitionId: string; retryJobId: string },
  options: { batchSize: number; resumeAfter: JsonValue | null; signal: AbortSignal },
): AsyncGenerator<RowBatch> {
  let after = typeof options.resumeAfter === 'string' ? options.resumeAfter : BEFORE_ALL;
  while (!options.signal.aborted) {
    const { rows } = await pool.query<{ id: string; row: Row }>(
      `select e.id::text as id, coalesce(e."row", b.data) as "row" ${retryableErrors('$4::uuid')}
         and e.partition_id = $1 and e.id > $2 order by e.id limit $3`,
      [partitionId, after, options.batchSize, retryJobId],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
    yield { rows: rows.map(({ row }) => row), size: rows.length, fingerprint: null, position: after };
  }
}
