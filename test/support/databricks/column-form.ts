import { thrift } from '@databricks/sql';
import type { TColumn, TTypeId } from '@databricks/sql/thrift/TCLIService_types.js';
import { DuckDBBlobValue, type DuckDBType, DuckDBTypeId, type DuckDBValue } from '@duckdb/node-api';
import { findConverter } from '../../../src/warehouse/duckdb/value.ts';
import { int64 } from './thrift-library.ts';

const types = thrift.TCLIService_types;

/** The name that the Thrift service has for a type. */
export function toTypeId({ typeId }: DuckDBType): TTypeId {
  switch (typeId) {
    case DuckDBTypeId.BOOLEAN:
      return types.TTypeId.BOOLEAN_TYPE;
    case DuckDBTypeId.TINYINT:
      return types.TTypeId.TINYINT_TYPE;
    case DuckDBTypeId.SMALLINT:
      return types.TTypeId.SMALLINT_TYPE;
    case DuckDBTypeId.INTEGER:
      return types.TTypeId.INT_TYPE;
    case DuckDBTypeId.BIGINT:
      return types.TTypeId.BIGINT_TYPE;
    case DuckDBTypeId.FLOAT:
      return types.TTypeId.FLOAT_TYPE;
    case DuckDBTypeId.DOUBLE:
      return types.TTypeId.DOUBLE_TYPE;
    case DuckDBTypeId.DECIMAL:
      return types.TTypeId.DECIMAL_TYPE;
    case DuckDBTypeId.DATE:
      return types.TTypeId.DATE_TYPE;
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return types.TTypeId.TIMESTAMP_TYPE;
    case DuckDBTypeId.BLOB:
      return types.TTypeId.BINARY_TYPE;
    case DuckDBTypeId.LIST:
      return types.TTypeId.ARRAY_TYPE;
    case DuckDBTypeId.MAP:
      return types.TTypeId.MAP_TYPE;
    case DuckDBTypeId.STRUCT:
      return types.TTypeId.STRUCT_TYPE;
    default:
      return types.TTypeId.STRING_TYPE;
  }
}

/** A column as warehouses send it that do not send Arrow. */
export function toColumn(type: DuckDBType, values: readonly DuckDBValue[]): TColumn {
  const nulls = createNullBits(values);
  const numbers = { values: values.map((value) => Number(value ?? 0)), nulls };
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return new types.TColumn({ boolVal: { values: values.map((value) => value === true), nulls } });
    case DuckDBTypeId.TINYINT:
      return new types.TColumn({ byteVal: numbers });
    case DuckDBTypeId.SMALLINT:
      return new types.TColumn({ i16Val: numbers });
    case DuckDBTypeId.INTEGER:
      return new types.TColumn({ i32Val: numbers });
    case DuckDBTypeId.BIGINT:
      return new types.TColumn({
        i64Val: { values: values.map((value) => int64(typeof value === 'bigint' ? value : 0n)), nulls },
      });
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return new types.TColumn({ doubleVal: numbers });
    case DuckDBTypeId.BLOB:
      return new types.TColumn({
        binaryVal: {
          values: values.map((value) => Buffer.from(value instanceof DuckDBBlobValue ? value.bytes : [])),
          nulls,
        },
      });
    default:
      return new types.TColumn({
        stringVal: { values: values.map((value) => formatValue(type, value)), nulls },
      });
  }
}

function formatValue(type: DuckDBType, value: DuckDBValue): string {
  if (value === null) return '';
  const carried = findConverter(type)(value);
  const text = typeof carried === 'string' ? carried : JSON.stringify(carried);
  return /TIMESTAMP/.test(DuckDBTypeId[type.typeId]) ? text.replace('T', ' ').replace('Z', '') : text;
}

function createNullBits(values: readonly DuckDBValue[]): Buffer {
  const nulls = Buffer.alloc(Math.ceil(values.length / 8));
  values.forEach((value, index) => {
    if (value === null) nulls[index >> 3] = (nulls[index >> 3] ?? 0) | (1 << (index & 7));
  });
  return nulls;
}
