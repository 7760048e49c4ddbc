import type { Pool } from 'pg';
import type { JsonValue } from '../json.ts';
import type { Row, RowBatch } from '../warehouse/warehouse.ts';

/** Rows of a partition that failed and can be tried again without the warehouse: all but what could not be read. */
export async function countFailedItems(pool: Pool, partitionId: string): Promise<number> {
  const { rows } = await pool.query<{ total: number }>(`select count(*)::int as total ${FAILED_ITEMS}`, [
    partitionId,
  ]);
  return rows[0]?.total ?? 0;
}

/**
 * The failed rows of a partition in the order in which they failed. A row that was stored is taken from the store,
 * and one is left out that has come in since with another content: the kept row is older than that.
 * @param resumeAfter position of the last batch that was kept, or null for all.
 * @param signal ends the stream before its next batch.
 */
export async function* readFailedItems(
  pool: Pool,
  partitionId: string,
  options: { batchSize: number; resumeAfter: JsonValue | null; signal: AbortSignal },
): AsyncGenerator<RowBatch> {
  let after = typeof options.resumeAfter === 'string' ? options.resumeAfter : '0';
  while (!options.signal.aborted) {
    const { rows } = await pool.query<{ id: string; row: Row }>(
      `select e.id::text as id, coalesce(e."row", b.data) as "row" ${FAILED_ITEMS} and e.id > $2 order by e.id limit $3`,
      [partitionId, after, options.batchSize],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
    yield { rows: rows.map(({ row }) => row), position: after };
  }
}

const FAILED_ITEMS = `from job_error e
  left join blade_item b on b.data_type = e.data_type and b.item_id = e.item_id
  where e.partition_id = $1 and e.stage <> 'READ' and coalesce(e."row", b.data) is not null
    and (e."row" is null or b.item_id is null or b.updated_at <= e.created_at)`;
