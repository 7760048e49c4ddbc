import type { JsonValue } from '../../shared/json.ts';
import {
  dateText,
  decimalText,
  integerValue,
  jsonValue,
  numberValue,
  setKey,
  timestampText,
} from '../value.ts';
import { arrow, type Data, type DataType, type Field } from './arrow.ts';

/** The JSON of the value at an index of a column. */
export type ColumnReader = (index: number) => JsonValue;

/**
 * Reads a column of Arrow as Databricks fills it, by the rules of `value.ts`. It goes to the buffers themselves, as
 * Arrow's own accessors round timestamps to milliseconds.
 */
export function columnReader(data: Data, field: Field): ColumnReader {
  const read = valueReader(data, field);
  if (data.nullCount === 0) return read;
  const { nullBitmap, offset } = data;
  if (!nullBitmap || nullBitmap.length === 0) return read;
  return (index) => {
    const bit = offset + index;
    return ((nullBitmap[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0 ? null : read(index);
  };
}

const { Type, TimeUnit, DateUnit, DataType: types, Vector } = arrow;

function valueReader(data: Data, field: Field): ColumnReader {
  const { type } = data;
  if (types.isUtf8(type)) return textReader(data, isVariant(field));
  if (types.isInt(type)) return type.bitWidth === 64 ? longReader(data) : numberReader(data);
  if (types.isFloat(type)) {
    const { values } = data;
    return (index) => numberValue(values[index]);
  }
  if (types.isBool(type)) {
    const { values, offset } = data;
    return (index) => {
      const bit = offset + index;
      return (values[bit >> 3] & (1 << (bit & 7))) !== 0;
    };
  }
  if (types.isDecimal(type) && type.bitWidth === 128) return decimalReader(data, type.scale);
  if (types.isTimestamp(type)) return timestampReader(data, type.unit, Boolean(type.timezone));
  if (types.isDate(type) && type.unit === DateUnit.DAY) {
    const { values } = data;
    return (index) => dateText(values[index]) ?? String(values[index]);
  }
  if (types.isBinary(type)) {
    const { valueOffsets } = data;
    const bytes = bytesOf(data);
    return (index) => bytes.toString('base64', valueOffsets[index], valueOffsets[index + 1]);
  }
  if (types.isList(type)) return listReader(data);
  if (types.isStruct(type)) return structReader(data);
  if (types.isMap(type)) return mapReader(data);
  if (type.typeId === Type.Null) return () => null;
  const vector = new Vector([data]);
  return (index) => String(vector.get(index));
}

function numberReader({ values }: Data): ColumnReader {
  return (index) => values[index];
}

function longReader({ values }: Data): ColumnReader {
  return (index) => integerValue(values[index]);
}

function bytesOf({ values }: Data): Buffer {
  const bytes: Uint8Array = values ?? new Uint8Array();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textReader(data: Data, isJson: boolean): ColumnReader {
  const { valueOffsets } = data;
  const bytes = bytesOf(data);
  const text = (index: number) => bytes.toString('utf8', valueOffsets[index], valueOffsets[index + 1]);
  return isJson ? (index) => jsonValue(text(index)) : text;
}

/** Databricks hands a VARIANT over as its JSON, and says so beside the type. */
function isVariant(field: Field): boolean {
  return field.metadata.get('Spark:DataType:SqlName') === 'VARIANT';
}

/** Values of 64 bits that Arrow shows as pairs of 32. */
function wordsOf({ values }: Data): BigInt64Array {
  return new BigInt64Array(values.buffer, values.byteOffset, Math.floor(values.byteLength / 8));
}

function decimalReader(data: Data, scale: number): ColumnReader {
  const words = wordsOf(data);
  return (index) => {
    const low = words[2 * index] ?? 0n;
    const high = words[2 * index + 1] ?? 0n;
    const isShort = high === low >> 63n;
    return decimalText(isShort ? low : (high << 64n) | BigInt.asUintN(64, low), scale);
  };
}

function timestampReader(data: Data, unit: number, isZoned: boolean): ColumnReader {
  const words = wordsOf(data);
  const microseconds = microsecondsIn(unit);
  return (index) => {
    const value = microseconds(words[index] ?? 0n);
    const text = timestampText(value);
    if (text === null) return value.toString();
    return isZoned ? `${text}Z` : text;
  };
}

function microsecondsIn(unit: number): (value: bigint) => bigint {
  switch (unit) {
    case TimeUnit.SECOND:
      return (value) => value * 1_000_000n;
    case TimeUnit.MILLISECOND:
      return (value) => value * 1_000n;
    case TimeUnit.NANOSECOND:
      return (value) => value / 1_000n;
    default:
      return (value) => value;
  }
}

function childOf(data: Data, index: number): { data: Data; field: Field } {
  const child = data.children[index];
  const field = (data.type as DataType).children?.[index];
  if (child === undefined || field === undefined)
    throw new Error(`A column of type ${data.type} has no parts.`);
  return { data: child, field };
}

function readerOfChild(data: Data, index: number): ColumnReader {
  const child = childOf(data, index);
  return columnReader(child.data, child.field);
}

function listReader(data: Data): ColumnReader {
  const { valueOffsets } = data;
  const item = readerOfChild(data, 0);
  return (index) => {
    const items: JsonValue[] = [];
    const end = valueOffsets[index + 1] ?? 0;
    for (let position = valueOffsets[index] ?? 0; position < end; position += 1) items.push(item(position));
    return items;
  };
}

function structReader(data: Data): ColumnReader {
  const entries = data.children.map((_, index) => ({
    name: childOf(data, index).field.name,
    read: readerOfChild(data, index),
  }));
  return (index) => {
    const object: Record<string, JsonValue> = {};
    for (const { name, read } of entries) setKey(object, name, read(index));
    return object;
  };
}

function mapReader(data: Data): ColumnReader {
  const { valueOffsets } = data;
  const entries = childOf(data, 0).data;
  const key = readerOfChild(entries, 0);
  const value = readerOfChild(entries, 1);
  const keysAreText = types.isUtf8(childOf(entries, 0).data.type);
  return (index) => {
    const start = valueOffsets[index] ?? 0;
    const end = valueOffsets[index + 1] ?? 0;
    if (!keysAreText) {
      const pairs: JsonValue[] = [];
      for (let position = start; position < end; position += 1)
        pairs.push({ key: key(position), value: value(position) });
      return pairs;
    }
    const object: Record<string, JsonValue> = {};
    for (let position = start; position < end; position += 1)
      setKey(object, String(key(position)), value(position));
    return object;
  };
}
