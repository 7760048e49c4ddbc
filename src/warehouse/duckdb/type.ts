import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';
import { quoteIdentifier } from '../../sql-check/statement.ts';

/** The name that Databricks has for a type of DuckDB, upper case, e.g. `ARRAY<STRING>`. */
export function databricksTypeOf(type: DuckDBType): string {
  switch (type.typeId) {
    case DuckDBTypeId.DECIMAL:
      return `DECIMAL(${type.width},${type.scale})`;
    case DuckDBTypeId.VARCHAR:
      return type.alias === 'JSON' ? 'VARIANT' : 'STRING';
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return `ARRAY<${databricksTypeOf(type.valueType)}>`;
    case DuckDBTypeId.STRUCT:
      return `STRUCT<${type.entryNames.map((name) => `${fieldName(name)}: ${databricksTypeOf(type.typeForEntry(name))}`).join(', ')}>`;
    case DuckDBTypeId.MAP:
      return `MAP<${databricksTypeOf(type.keyType)}, ${databricksTypeOf(type.valueType)}>`;
    default:
      return simpleTypes.get(type.typeId) ?? 'STRING';
  }
}

function fieldName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : quoteIdentifier(name);
}

/** Types that Databricks lacks go by the smallest of its own that holds all their values. */
const simpleTypes: ReadonlyMap<DuckDBTypeId, string> = new Map([
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
