import type { DuckDBType } from '@duckdb/node-api';
import { ROOM_FUNCTION } from './room.ts';
import { isLargeType } from './table-size.ts';

/** The maximum size of a batch whose rows may be larger than those of the tables, in bytes. */
export const MAX_BATCH_BYTES = 1 << 26;

/**
 * Builds an expression for the bytes that the texts and lists of a row take; it fails if the rows do not fit.
 * @param types the types of the columns, in the same order; null if they are unknown.
 * @param statement the number of the statement.
 * @returns null if no column can be large.
 */
export function buildRowBytes(
  columns: readonly string[],
  types: readonly DuckDBType[] | null,
  statement: number,
): string | null {
  const large = columns.filter((_column, index) => {
    const type = types?.[index];
    return type === undefined || isLargeType(type);
  });
  if (large.length === 0) return null;
  const sizes = large.map((column) => `coalesce(strlen(CAST(${column} AS VARCHAR)), 0)`);
  const bytes = `CAST(${sizes.join(' + ')} AS DOUBLE)`;
  return `CASE WHEN ${ROOM_FUNCTION}('The result', ${MAX_BATCH_BYTES}, ${bytes}, ${statement}) THEN ${bytes} END`;
}
