import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';

/**
 * An expression of 64 bits over columns, equal for two different rows only by chance.
 * @param types those of the columns, in the same order.
 * @returns null for no columns, and for types whose values a hash cannot tell apart.
 */
export function buildRowHash(columns: readonly string[], types: readonly DuckDBType[]): string | null {
  const kinds = types.map(kindOf);
  if (columns.length === 0 || kinds.includes('NONE')) return null;
  const hashed = columns.map((column, index) => (kinds[index] === 'JSON' ? `to_json(${column})` : column));
  return `hash(${hashed.join(', ')})`;
}

/**
 * How values of a type are hashed. The engine's hash of what is nested takes an empty list for NULL, that of an ENUM is of
 * its number, and that of an INTERVAL says a month for thirty days: these are hashed as JSON text.
 */
function kindOf(type: DuckDBType): 'VALUE' | 'JSON' | 'NONE' {
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
      return within(type.valueType);
    case DuckDBTypeId.MAP:
      return within(type.keyType, type.valueType);
    case DuckDBTypeId.STRUCT:
      return within(...type.entryTypes);
    default:
      return 'NONE';
  }
}

function within(...types: readonly DuckDBType[]): 'JSON' | 'NONE' {
  return types.some((type) => kindOf(type) === 'NONE') ? 'NONE' : 'JSON';
}
