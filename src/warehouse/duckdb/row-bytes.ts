import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { ROOM_FUNCTION } from './room.ts';

/** How large the rows of a batch may be that a statement makes larger than those of its tables. */
export const MOST_BATCH_BYTES = 1 << 26;

/**
 * An expression for how many bytes the texts and lists of a row take, which asks whether there is room for the rows.
 * @param types those of the columns, in the same order; null where they are not known.
 * @param statement the number by which the statement asks.
 * @returns null where no column has any.
 */
export function buildRowBytes(
  columns: readonly string[],
  types: readonly DuckDBType[] | null,
  statement: number,
): string | null {
  const large = columns.filter((_column, index) => types === null || LARGE.has(types[index]?.typeId));
  if (large.length === 0) return null;
  const sizes = large.map((column) => `coalesce(strlen(CAST(${column} AS VARCHAR)), 0)`);
  const bytes = `CAST(${sizes.join(' + ')} AS DOUBLE)`;
  return `CASE WHEN ${ROOM_FUNCTION}('The result', ${MOST_BATCH_BYTES}, ${bytes}, ${statement}) THEN ${bytes} END`;
}

const LARGE: ReadonlySet<DuckDBTypeId | undefined> = new Set([
  ...[DuckDBTypeId.VARCHAR, DuckDBTypeId.BLOB, DuckDBTypeId.LIST, DuckDBTypeId.ARRAY, DuckDBTypeId.STRUCT],
  ...[DuckDBTypeId.MAP, DuckDBTypeId.UNION, DuckDBTypeId.VARIANT, DuckDBTypeId.BIT, DuckDBTypeId.BIGNUM],
]);
