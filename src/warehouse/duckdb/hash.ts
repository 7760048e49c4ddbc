import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { listInnerTypes } from './type.ts';

/**
 * Builds a SQL expression for a hash of 64 bits over columns.
 * @param types the types of the columns, in the same order.
 * @returns null for no columns, and for types whose different values can have equal hashes by design.
 */
export function buildRowHash(columns: readonly string[], types: readonly DuckDBType[]): string | null {
  const kinds = types.map(findHashKind);
  if (columns.length === 0 || kinds.includes('NONE')) return null;
  const hashed = columns.map((column, index) => (kinds[index] === 'JSON' ? `to_json(${column})` : column));
  return `hash(${hashed.join(', ')})`;
}

/**
 * Finds how to hash values of a type. For some types the engine's hash does not distinguish values: an empty list and NULL,
 * ENUM values with the same number, a month and 30 days of an INTERVAL. These are hashed as JSON text.
 */
function findHashKind(type: DuckDBType): 'VALUE' | 'JSON' | 'NONE' {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
    case DuckDBTypeId.UBIGINT:
    case DuckDBTypeId.UHUGEINT:
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
    case DuckDBTypeId.DECIMAL:
    case DuckDBTypeId.VARCHAR:
    case DuckDBTypeId.BLOB:
    case DuckDBTypeId.UUID:
    case DuckDBTypeId.DATE:
    case DuckDBTypeId.TIME:
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_S:
    case DuckDBTypeId.TIMESTAMP_MS:
    case DuckDBTypeId.TIMESTAMP_NS:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return 'VALUE';
    case DuckDBTypeId.ENUM:
    case DuckDBTypeId.INTERVAL:
    case DuckDBTypeId.TIME_TZ:
      return 'JSON';
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
    case DuckDBTypeId.MAP:
    case DuckDBTypeId.STRUCT:
      return listInnerTypes(type).some((inner) => findHashKind(inner) === 'NONE') ? 'NONE' : 'JSON';
    default:
      return 'NONE';
  }
}
