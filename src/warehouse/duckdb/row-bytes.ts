import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { listInnerTypes } from './type.ts';

/**
 * Builds an expression for the bytes that the lists, objects and maps of a row take as text. Plain texts have their lengths
 * in the rows that the engine gives.
 * @param types the types of the columns, in the same order; null if they are unknown.
 * @returns null if there is no such column.
 */
export function buildNestedBytes(
  columns: readonly string[],
  types: readonly DuckDBType[] | null,
): string | null {
  const nested = columns.filter((_column, index) => {
    const type = types?.[index];
    return type === undefined || isNested(type);
  });
  const sizes = nested.map((column) => `coalesce(strlen(CAST(${column} AS VARCHAR)), 0)`);
  return nested.length === 0 ? null : `CAST(${sizes.join(' + ')} AS DOUBLE)`;
}

function isNested(type: DuckDBType): boolean {
  return listInnerTypes(type).length > 0 || UNBOUNDED.has(type.typeId);
}

/** Types beside texts whose values can be as long as one likes. */
const UNBOUNDED: ReadonlySet<DuckDBTypeId> = new Set([
  ...[DuckDBTypeId.BIT, DuckDBTypeId.BIGNUM, DuckDBTypeId.GEOMETRY, DuckDBTypeId.VARIANT],
]);
