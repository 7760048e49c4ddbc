import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { quoteIdentifier } from '../../sql-check/quoted-name.ts';

/** Formats a DuckDB type by its Databricks name in upper case, such as `ARRAY<STRING>`. */
export function formatDatabricksType(type: DuckDBType): string {
  switch (type.typeId) {
    case DuckDBTypeId.DECIMAL:
      return `DECIMAL(${type.width},${type.scale})`;
    case DuckDBTypeId.VARCHAR:
      return type.alias === 'JSON' ? 'VARIANT' : 'STRING';
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return `ARRAY<${formatDatabricksType(type.valueType)}>`;
    case DuckDBTypeId.STRUCT:
      return `STRUCT<${type.entryTypes.map((entry, index) => `${formatFieldName(type.entryNames[index] ?? '')}: ${formatDatabricksType(entry)}`).join(', ')}>`;
    case DuckDBTypeId.MAP:
      return `MAP<${formatDatabricksType(type.keyType)}, ${formatDatabricksType(type.valueType)}>`;
    default:
      return SIMPLE_TYPES.get(type.typeId) ?? 'STRING';
  }
}

/** Lists the types that a type is made of: those of items, keys and values, fields and members. */
export function listInnerTypes(type: DuckDBType): readonly DuckDBType[] {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return [type.valueType];
    case DuckDBTypeId.MAP:
      return [type.keyType, type.valueType];
    case DuckDBTypeId.STRUCT:
      return type.entryTypes;
    case DuckDBTypeId.UNION:
      return type.memberTypes;
    default:
      return [];
  }
}

function formatFieldName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : quoteIdentifier(name);
}

/** A type that Databricks lacks has the name of its smallest type that holds all values. */
const SIMPLE_TYPES: ReadonlyMap<DuckDBTypeId, string> = new Map([
  [DuckDBTypeId.BOOLEAN, 'BOOLEAN'],
  [DuckDBTypeId.TINYINT, 'TINYINT'],
  [DuckDBTypeId.SMALLINT, 'SMALLINT'],
  [DuckDBTypeId.INTEGER, 'INT'],
  [DuckDBTypeId.BIGINT, 'BIGINT'],
  [DuckDBTypeId.UTINYINT, 'SMALLINT'],
  [DuckDBTypeId.USMALLINT, 'INT'],
  [DuckDBTypeId.UINTEGER, 'BIGINT'],
  [DuckDBTypeId.UBIGINT, 'DECIMAL(20,0)'],
  [DuckDBTypeId.HUGEINT, 'DECIMAL(38,0)'],
  [DuckDBTypeId.UHUGEINT, 'DECIMAL(38,0)'],
  [DuckDBTypeId.FLOAT, 'FLOAT'],
  [DuckDBTypeId.DOUBLE, 'DOUBLE'],
  [DuckDBTypeId.DATE, 'DATE'],
  [DuckDBTypeId.TIMESTAMP, 'TIMESTAMP_NTZ'],
  [DuckDBTypeId.TIMESTAMP_S, 'TIMESTAMP_NTZ'],
  [DuckDBTypeId.TIMESTAMP_MS, 'TIMESTAMP_NTZ'],
  [DuckDBTypeId.TIMESTAMP_NS, 'TIMESTAMP_NTZ'],
  [DuckDBTypeId.TIMESTAMP_TZ, 'TIMESTAMP'],
  [DuckDBTypeId.INTERVAL, 'INTERVAL'],
  [DuckDBTypeId.BLOB, 'BINARY'],
  [DuckDBTypeId.SQLNULL, 'VOID'],
  [DuckDBTypeId.VARIANT, 'VARIANT'],
]);
