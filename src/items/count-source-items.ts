import type { Pool } from 'pg';
import { MARKINGS } from '../data-types/marking.ts';

/** Counts the items that were last read from a source and are not deleted. */
export async function countSourceItems(pool: Pick<Pool, 'query'>, dataSourceId: string): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(COUNT_SOURCE_ITEMS, [dataSourceId, MARKINGS]);
  return Number(rows[0]?.count ?? 0);
}

/** The index has the marking first. $1: the id of the source; $2: all markings. */
const COUNT_SOURCE_ITEMS = `select count(*) from blade_item
  where classification_marking = any($2) and data_source_id = $1::uuid and deleted_at is null`;
