import type { DuckDBType } from '@duckdb/node-api';
import { isTextType } from './column-reader.ts';
import { ROOM_FUNCTION } from './room.ts';
import { isLargeType } from './table-size.ts';

/** The maximum size of the rows that the engine makes at once, if they may be larger than those of the tables, in bytes. */
const MAX_CHUNK_BYTES = 1 << 26;

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
  const bytes = sumLengths(large);
  return `CASE WHEN ${ROOM_FUNCTION}('The result', ${MAX_CHUNK_BYTES}, ${bytes}, ${statement}) THEN ${bytes} END`;
}

/**
 * Builds an expression for the bytes that the lists, objects and maps of a row take as text. Plain texts have their lengths
 * in the rows that the engine gives.
 * @returns null if there is no such column.
 */
export function buildNestedBytes(
  columns: readonly string[],
  types: readonly DuckDBType[] | null,
): string | null {
  const nested = columns.filter((_column, index) => {
    const type = types?.[index];
    return type !== undefined && isLargeType(type) && !isTextType(type);
  });
  return nested.length === 0 ? null : sumLengths(nested);
}

function sumLengths(columns: readonly string[]): string {
  const sizes = columns.map((column) => `coalesce(strlen(CAST(${column} AS VARCHAR)), 0)`);
  return `CAST(${sizes.join(' + ')} AS DOUBLE)`;
}
