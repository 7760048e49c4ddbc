import type { JsonValue } from '../../shared/json.ts';
import {
  formatCalendarInterval,
  formatDate,
  formatDayTimeInterval,
  formatDecimal,
  formatTimestamp,
  formatYearMonthInterval,
  parseJsonValue,
  setKey,
  setNewKey,
  toFloatValue,
  toIntegerValue,
  toIntervalText,
  toNumberValue,
} from '../value.ts';
import { arrow, type Data, type DataType, type Field } from './arrow.ts';
import { isDuration } from './arrow-schema.ts';
import { createTextDecoder } from './text-bytes.ts';
import { parseVariant } from './variant.ts';

/** Reads the value at an index of a column as JSON. */
export type ColumnReader = (index: number) => JsonValue;

/**
 * Creates a reader for an Arrow column from Databricks, by the rules of `value.ts`. It reads the buffers directly, because
 * Arrow's accessors round timestamps to milliseconds.
 */
export function createColumnReader(data: Data, field: Field): ColumnReader {
  const read = createValueReader(data, field);
  if (data.nullCount === 0) return read;
  const { nullBitmap, offset } = data;
  if (!nullBitmap || nullBitmap.length === 0) return read;
  return (index) => {
    const bit = offset + index;
    return ((nullBitmap[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0 ? null : read(index);
  };
}

const { Type, TimeUnit, DateUnit, IntervalUnit, Precision, DataType: types, Vector } = arrow;

function createValueReader(data: Data, field: Field): ColumnReader {
  const { type } = data;
  if (types.isUtf8(type)) return createTextReader(data, field);
  if (types.isInt(type)) return type.bitWidth === 64 ? createLongReader(data) : createNumberReader(data);
  if (types.isFloat(type)) {
    const { values } = data;
    const convert = type.precision === Precision.SINGLE ? toFloatValue : toNumberValue;
    return (index) => convert(values[index]);
  }
  if (types.isBool(type)) {
    const { values, offset } = data;
    return (index) => {
      const bit = offset + index;
      return (values[bit >> 3] & (1 << (bit & 7))) !== 0;
    };
  }
  if (types.isDecimal(type) && type.bitWidth === 128) return createDecimalReader(data, type.scale);
  if (types.isInterval(type)) return createIntervalReader(data, type.unit);
  if (types.isTimestamp(type))
    return isDuration(field)
      ? createDurationReader(data, type.unit)
      : createTimestampReader(data, type.unit, Boolean(type.timezone));
  if (types.isDate(type) && type.unit === DateUnit.DAY) {
    const { values } = data;
    return (index) => formatDate(values[index]);
  }
  if (types.isBinary(type)) {
    const { valueOffsets } = data;
    const bytes = toBuffer(data);
    return (index) => bytes.toString('base64', valueOffsets[index], valueOffsets[index + 1]);
  }
  if (types.isList(type)) return createListReader(data);
  if (types.isStruct(type)) return isVariant(type) ? createVariantReader(data) : createStructReader(data);
  if (types.isMap(type)) return createMapReader(data);
  if (type.typeId === Type.Null) return () => null;
  const vector = new Vector([data]);
  return (index) => String(vector.get(index));
}

function createNumberReader({ values }: Data): ColumnReader {
  return (index) => values[index];
}

function createLongReader({ values }: Data): ColumnReader {
  return (index) => toIntegerValue(values[index]);
}

function toBuffer({ values }: Data): Buffer {
  const bytes: Uint8Array = values ?? new Uint8Array();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function createTextReader(data: Data, field: Field): ColumnReader {
  const { valueOffsets } = data;
  const bytes = toBuffer(data);
  const text = createTextDecoder(bytes, valueOffsets);
  if (findSqlName(field) === 'VARIANT') return (index) => parseJsonValue(text(index));
  return findSqlName(field).startsWith('INTERVAL') ? (index) => toIntervalText(text(index)) : text;
}

/** Whether a column holds texts: Databricks also sends an INTERVAL as text, and names the type in the metadata of the field. */
export function isTextField(field: Field): boolean {
  return types.isUtf8(field.type) && /^(?:STRING|VARCHAR|CHAR|VARIANT)?(?:\(|$)/.test(findSqlName(field));
}

/** Finds the type that Databricks notes on a column that it sends as text: JSON of a VARIANT, or an INTERVAL. */
function findSqlName({ metadata }: Field): string {
  return metadata.get('Spark:DataType:SqlName') ?? '';
}

/** Converts the pairs of 32 bits that Arrow shows to values of 64 bits. */
function toWords({ values }: Data): BigInt64Array {
  return new BigInt64Array(values.buffer, values.byteOffset, Math.floor(values.byteLength / 8));
}

function createDecimalReader(data: Data, scale: number): ColumnReader {
  const words = toWords(data);
  return (index) => {
    const low = words[2 * index] ?? 0n;
    const high = words[2 * index + 1] ?? 0n;
    const isShort = high === low >> 63n;
    return formatDecimal(isShort ? low : (high << 64n) | BigInt.asUintN(64, low), scale);
  };
}

function createTimestampReader(data: Data, unit: number, isZoned: boolean): ColumnReader {
  const words = toWords(data);
  const microseconds = createMicrosecondConverter(unit);
  return (index) => {
    const text = formatTimestamp(microseconds(words[index] ?? 0n));
    return isZoned ? `${text}Z` : text;
  };
}

function createDurationReader(data: Data, unit: number): ColumnReader {
  const words = toWords(data);
  const microseconds = createMicrosecondConverter(unit);
  return (index) => formatDayTimeInterval(microseconds(words[index] ?? 0n));
}

function createIntervalReader(data: Data, unit: number): ColumnReader {
  const { values } = data;
  if (unit === IntervalUnit.YEAR_MONTH) return (index) => formatYearMonthInterval(values[index]);
  const words = toWords(data);
  if (unit === IntervalUnit.DAY_TIME)
    return (index) =>
      formatDayTimeInterval(
        BigInt(values[2 * index]) * 86_400_000_000n + BigInt(values[2 * index + 1]) * 1_000n,
      );
  // Months and days of 32 bits, and nanoseconds of 64.
  return (index) =>
    formatCalendarInterval(values[4 * index], values[4 * index + 1], (words[2 * index + 1] ?? 0n) / 1_000n);
}

function createMicrosecondConverter(unit: number): (value: bigint) => bigint {
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

function findChild(data: Data, index: number): { data: Data; field: Field } {
  const child = data.children[index];
  const field = (data.type as DataType).children?.[index];
  if (child === undefined || field === undefined)
    throw new Error(`A column of type ${data.type} has no parts.`);
  return { data: child, field };
}

function createChildReader(data: Data, index: number): ColumnReader {
  const child = findChild(data, index);
  return createColumnReader(child.data, child.field);
}

function createListReader(data: Data): ColumnReader {
  const { valueOffsets } = data;
  const item = createChildReader(data, 0);
  return (index) => {
    const items: JsonValue[] = [];
    const end = valueOffsets[index + 1] ?? 0;
    for (let position = valueOffsets[index] ?? 0; position < end; position += 1) items.push(item(position));
    return items;
  };
}

/** Whether a column is a VARIANT in its binary form, as Spark sends it. */
function isVariant(type: DataType): boolean {
  const [value, metadata] = type.children ?? [];
  return value?.name === 'value' && metadata?.metadata.get('variant') === 'true';
}

function createVariantReader(data: Data): ColumnReader {
  const [value, metadata] = [findChild(data, 0).data, findChild(data, 1).data].map((part) => {
    const bytes = toBuffer(part);
    const { valueOffsets } = part;
    return (index: number) => bytes.subarray(valueOffsets[index], valueOffsets[index + 1]);
  });
  if (value === undefined || metadata === undefined) throw new Error('A VARIANT has no parts.');
  return (index) => parseVariant(value(index), metadata(index));
}

function createStructReader(data: Data): ColumnReader {
  const entries = data.children.map((_, index) => ({
    name: findChild(data, index).field.name,
    read: createChildReader(data, index),
  }));
  return (index) => {
    const object: Record<string, JsonValue> = {};
    for (const { name, read } of entries) setKey(object, name, read(index));
    return object;
  };
}

function createMapReader(data: Data): ColumnReader {
  const { valueOffsets } = data;
  const entries = findChild(data, 0).data;
  const key = createChildReader(entries, 0);
  const value = createChildReader(entries, 1);
  const hasTextKeys = types.isUtf8(findChild(entries, 0).data.type);
  return (index) => {
    const start = valueOffsets[index] ?? 0;
    const end = valueOffsets[index + 1] ?? 0;
    if (!hasTextKeys) {
      const pairs: JsonValue[] = [];
      for (let position = start; position < end; position += 1)
        pairs.push({ key: key(position), value: value(position) });
      return pairs;
    }
    const object: Record<string, JsonValue> = {};
    for (let position = start; position < end; position += 1)
      setNewKey(object, String(key(position)), value(position));
    return object;
  };
}
