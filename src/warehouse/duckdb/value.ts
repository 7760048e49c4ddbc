import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBType,
  DuckDBTypeId,
  DuckDBUnionValue,
  type DuckDBValue,
  DuckDBVariantValue,
} from '@duckdb/node-api';
import type { JsonValue } from '../../shared/json.ts';
import {
  formatCalendarInterval,
  formatDate,
  formatDayTimeInterval,
  formatDecimal,
  formatFraction,
  formatTime,
  formatTimestamp,
  formatYearMonthInterval,
  parseJsonValue,
  setKey,
  setNewKey,
  toFloatValue,
  toIntegerValue,
  toNumberValue,
} from '../value.ts';

/** Converts a value of one column to JSON. */
export type ValueConverter = (value: DuckDBValue) => JsonValue;

/** Finds the converter for a type, once per column, by the rules of `value.ts`. */
export function findConverter(type: DuckDBType): ValueConverter {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
      return passThrough;
    case DuckDBTypeId.VARCHAR:
      return type.alias === 'JSON' ? convertJson : passThrough;
    case DuckDBTypeId.ARRAY:
    case DuckDBTypeId.LIST:
      return createListConverter(findConverter(type.valueType));
    case DuckDBTypeId.STRUCT:
      return createStructConverter(
        type.entryTypes.map((entry, index) => [type.entryNames[index] ?? '', findConverter(entry)]),
      );
    case DuckDBTypeId.MAP:
      return createMapConverter(
        findConverter(type.keyType),
        findConverter(type.valueType),
        isText(type.keyType),
      );
    case DuckDBTypeId.UNION: {
      const members = new Map(type.memberTags.map((tag) => [tag, findConverter(type.memberTypeForTag(tag))]));
      return (value) =>
        value instanceof DuckDBUnionValue
          ? (members.get(value.tag) ?? convertAny)(value.value)
          : convertAny(value);
    }
    case DuckDBTypeId.FLOAT:
      return convertFloat;
    case DuckDBTypeId.TIMESTAMP:
      return convertTimestamp;
    default:
      return convertAny;
  }
}

const passThrough: ValueConverter = (value) => value as JsonValue;

const convertFloat: ValueConverter = (value) => (typeof value === 'number' ? toFloatValue(value) : null);

/** Converts the most common time type without checking for infinity, which costs as much as the rest. */
const convertTimestamp: ValueConverter = (value) => {
  if (!(value instanceof DuckDBTimestampValue)) return null;
  const { micros } = value;
  return micros > -DISTANT_MICROSECONDS && micros < DISTANT_MICROSECONDS
    ? formatTimestamp(micros)
    : convertAny(value);
};

/** Microseconds from 1970 to a time far beyond any real one. */
const DISTANT_MICROSECONDS = 1n << 52n;

/** A file can say of any text that it is JSON. */
const convertJson: ValueConverter = (value) => {
  if (typeof value !== 'string') return null;
  try {
    return parseJsonValue(value);
  } catch (error) {
    if (error instanceof SyntaxError) return value;
    throw error;
  }
};

function isText(type: DuckDBType): boolean {
  return type.typeId === DuckDBTypeId.VARCHAR || type.typeId === DuckDBTypeId.ENUM;
}

function createListConverter(convert: ValueConverter): ValueConverter {
  return (value) =>
    value instanceof DuckDBListValue || value instanceof DuckDBArrayValue
      ? value.items.map((item) => (item === null ? null : convert(item)))
      : null;
}

function createStructConverter(entries: readonly (readonly [string, ValueConverter])[]): ValueConverter {
  const names = entries.map(([name]) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  return (value) => {
    // The bindings keep only the last of them.
    if (repeated !== undefined) throw new Error(`two fields are called ${JSON.stringify(repeated)}`);
    if (!(value instanceof DuckDBStructValue)) return null;
    const object: Record<string, JsonValue> = {};
    for (const [name, convert] of entries) {
      const entry = value.entries[name] ?? null;
      setKey(object, name, entry === null ? null : convert(entry));
    }
    return object;
  };
}

function createMapConverter(
  convertKey: ValueConverter,
  convertValue: ValueConverter,
  hasTextKeys: boolean,
): ValueConverter {
  const convertEntry = (value: DuckDBValue) => (value === null ? null : convertValue(value));
  return (value) => {
    if (!(value instanceof DuckDBMapValue)) return null;
    if (!hasTextKeys)
      return value.entries.map((entry) => ({ key: convertKey(entry.key), value: convertEntry(entry.value) }));
    const object: Record<string, JsonValue> = {};
    for (const entry of value.entries) setNewKey(object, String(entry.key), convertEntry(entry.value));
    return object;
  };
}

/** Converts a value by its class, for types whose values carry all that is needed. */
function convertAny(value: DuckDBValue): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return toNumberValue(value);
  if (typeof value === 'bigint') return toIntegerValue(value);
  if (value instanceof DuckDBTimestampValue)
    return formatInfinite(value, value.micros) ?? formatTimestamp(value.micros);
  if (value instanceof DuckDBTimestampTZValue)
    return formatInfinite(value, value.micros) ?? `${formatTimestamp(value.micros)}Z`;
  if (value instanceof DuckDBDateValue) return formatInfinite(value, value.days) ?? formatDate(value.days);
  if (value instanceof DuckDBDecimalValue) return formatDecimal(value.value, value.scale);
  if (value instanceof DuckDBIntervalValue) return formatInterval(value);
  if (value instanceof DuckDBTimeValue) return formatTime(Number(value.micros));
  if (value instanceof DuckDBTimestampSecondsValue)
    return formatInfinite(value, value.seconds) ?? formatTimestamp(value.seconds * 1_000_000n);
  if (value instanceof DuckDBTimestampMillisecondsValue)
    return formatInfinite(value, value.millis) ?? formatTimestamp(value.millis * 1_000n);
  if (value instanceof DuckDBTimestampNanosecondsValue)
    return formatInfinite(value, value.nanos) ?? formatNanoseconds(value.nanos);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64');
  if (value instanceof DuckDBVariantValue) return convertAny(value.value);
  if (value instanceof DuckDBUnionValue) return convertAny(value.value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)
    return value.items.map(convertAny);
  if (value instanceof DuckDBStructValue) {
    const object: Record<string, JsonValue> = {};
    for (const [name, entry] of Object.entries(value.entries)) setKey(object, name, convertAny(entry));
    return object;
  }
  if (value instanceof DuckDBMapValue)
    return value.entries.map((entry) => ({ key: convertAny(entry.key), value: convertAny(entry.value) }));
  return value.toString();
}

/** Formats an infinite date or time, which the bindings write as a day far away; null for a finite one. */
function formatInfinite(value: { readonly isFinite: boolean }, distance: number | bigint): string | null {
  if (value.isFinite) return null;
  return distance < 0 ? '-infinity' : 'infinity';
}

function formatNanoseconds(nanoseconds: bigint): string {
  const rest = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const text = formatTimestamp((nanoseconds - rest) / 1_000n);
  return rest === 0n ? text : `${text}.${formatFraction(Number(rest), 9)}`;
}

/** Formats an interval as the narrowest type of Databricks that holds it. */
function formatInterval({ months, days, micros }: DuckDBIntervalValue): string {
  if (months === 0) return formatDayTimeInterval(BigInt(days) * MICROSECONDS_PER_DAY + micros);
  return days === 0 && micros === 0n
    ? formatYearMonthInterval(months)
    : formatCalendarInterval(months, days, micros);
}

const MICROSECONDS_PER_DAY = 86_400_000_000n;
