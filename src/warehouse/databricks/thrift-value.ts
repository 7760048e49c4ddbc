import { thrift } from '@databricks/sql';
import type { TColumn, TColumnDesc } from '@databricks/sql/thrift/TCLIService_types.js';
import type { JsonValue } from '../../shared/json.ts';
import { parseJsonValue, toFloatValue, toIntegerValue, toIntervalText, toNumberValue } from '../value.ts';

const { TTypeId } = thrift.TCLIService_types;

/** The values of a column in the format of warehouses that cannot send Arrow. */
export interface ThriftColumn {
  readonly length: number;
  read(index: number): JsonValue;
}

/** Creates a reader for a column, by the rules of `value.ts`. In this format exact numbers, dates and times are text. */
export function createThriftColumn(column: TColumn, description: TColumnDesc | undefined): ThriftColumn {
  const typeId = description?.typeDesc.types[0]?.primitiveEntry?.type;
  const { values, nulls, convert } = toParts(column, typeId);
  return {
    length: values.length,
    read(index) {
      return ((nulls[index >> 3] ?? 0) & (1 << (index & 7))) === 0 ? convert(index) : null;
    },
  };
}

/** Whether a column holds texts, and not what this format writes as text. */
export function isTextColumn(description: TColumnDesc | undefined): boolean {
  const typeId = description?.typeDesc.types[0]?.primitiveEntry?.type;
  return typeId === TTypeId.STRING_TYPE || typeId === TTypeId.VARCHAR_TYPE || typeId === TTypeId.CHAR_TYPE;
}

interface Parts {
  readonly values: readonly unknown[];
  readonly nulls: Uint8Array;
  readonly convert: (index: number) => JsonValue;
}

function toParts(column: TColumn, typeId: number | undefined): Parts {
  const { boolVal, byteVal, i16Val, i32Val, i64Val, doubleVal, binaryVal, stringVal } = column;
  const plain = boolVal ?? byteVal ?? i16Val ?? i32Val;
  if (plain) return { ...plain, convert: (index) => plain.values[index] ?? null };
  if (doubleVal) {
    const convert = typeId === TTypeId.FLOAT_TYPE ? toFloatValue : toNumberValue;
    return { ...doubleVal, convert: (index) => convert(doubleVal.values[index] ?? 0) };
  }
  if (i64Val)
    return {
      ...i64Val,
      convert: (index) => toIntegerValue(i64Val.values[index]?.toBuffer().readBigInt64BE() ?? 0n),
    };
  if (binaryVal)
    return { ...binaryVal, convert: (index) => binaryVal.values[index]?.toString('base64') ?? null };
  if (!stringVal) return { values: [], nulls: Buffer.alloc(0), convert: () => null };
  const convert = createTextConverter(typeId);
  return { ...stringVal, convert: (index) => convert(stringVal.values[index] ?? '') };
}

function createTextConverter(typeId: number | undefined): (text: string) => JsonValue {
  switch (typeId) {
    case TTypeId.TIMESTAMP_TYPE:
      // The session is in UTC. This format cannot tell TIMESTAMP_NTZ from TIMESTAMP.
      return (text) =>
        `${text
          .replace(' ', 'T')
          .replace(/(\.\d*?)0+$/, '$1')
          .replace(/\.$/, '')}Z`;
    case TTypeId.ARRAY_TYPE:
    case TTypeId.MAP_TYPE:
    case TTypeId.STRUCT_TYPE:
      return parseJsonValue;
    case TTypeId.INTERVAL_YEAR_MONTH_TYPE:
    case TTypeId.INTERVAL_DAY_TIME_TYPE:
      return toIntervalText;
    case TTypeId.NULL_TYPE:
      return () => null;
    default:
      return (text) => text;
  }
}
