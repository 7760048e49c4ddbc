import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
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
  formatDate,
  formatDecimal,
  formatFraction,
  formatTime,
  formatTimestamp,
  parseJsonValue,
  setKey,
  toIntegerValue,
  toNumberValue,
} from '../value.ts';

/** Carries a value of one column to JSON. */
export type ValueConverter = (value: DuckDBValue) => JsonValue;

/** The converter for the values of a type, chosen once for a column; `value.ts` has the rules. */
export function converterOf(type: DuckDBType): ValueConverter {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
      return asItIs;
    case DuckDBTypeId.VARCHAR:
      return type.alias === 'JSON' ? ofJson : asItIs;
    case DuckDBTypeId.ARRAY:
    case DuckDBTypeId.LIST:
      return ofList(converterOf(type.valueType));
    case DuckDBTypeId.STRUCT:
      return ofStruct(
        type.entryNames.map((name, index) => [name, converterOf(type.typeForEntry(name)), index]),
      );
    case DuckDBTypeId.MAP:
      return ofMap(converterOf(type.keyType), converterOf(type.valueType), isText(type.keyType));
    case DuckDBTypeId.UNION: {
      const members = new Map(type.memberTags.map((tag) => [tag, converterOf(type.memberTypeForTag(tag))]));
      return (value) =>
        value instanceof DuckDBUnionValue ? (members.get(value.tag) ?? ofAny)(value.value) : ofAny(value);
    }
    case DuckDBTypeId.TIMESTAMP:
      return ofTimestamp;
    default:
      return ofAny;
  }
}

const asItIs: ValueConverter = (value) => value as JsonValue;

/** The commonest of the dates and times, without a look at whether it has an end, which costs as much as the rest. */
const ofTimestamp: ValueConverter = (value) => {
  if (!(value instanceof DuckDBTimestampValue)) return null;
  const { micros } = value;
  return micros > -distant && micros < distant ? (formatTimestamp(micros) ?? ofAny(value)) : ofAny(value);
};

/** Microseconds from 1970 to a time that no row of ours comes near. */
const distant = 1n << 52n;

const ofJson: ValueConverter = (value) => (typeof value === 'string' ? parseJsonValue(value) : null);

function isText(type: DuckDBType): boolean {
  return type.typeId === DuckDBTypeId.VARCHAR || type.typeId === DuckDBTypeId.ENUM;
}

function ofList(convert: ValueConverter): ValueConverter {
  return (value) =>
    value instanceof DuckDBListValue || value instanceof DuckDBArrayValue
      ? value.items.map((item) => (item === null ? null : convert(item)))
      : null;
}

function ofStruct(entries: readonly (readonly [string, ValueConverter, number])[]): ValueConverter {
  return (value) => {
    if (!(value instanceof DuckDBStructValue)) return null;
    const object: Record<string, JsonValue> = {};
    for (const [name, convert] of entries) {
      const entry = value.entries[name] ?? null;
      setKey(object, name, entry === null ? null : convert(entry));
    }
    return object;
  };
}

function ofMap(
  convertKey: ValueConverter,
  convertValue: ValueConverter,
  keysAreText: boolean,
): ValueConverter {
  const carry = (value: DuckDBValue) => (value === null ? null : convertValue(value));
  return (value) => {
    if (!(value instanceof DuckDBMapValue)) return null;
    if (!keysAreText)
      return value.entries.map((entry) => ({ key: convertKey(entry.key), value: carry(entry.value) }));
    const object: Record<string, JsonValue> = {};
    for (const entry of value.entries) setKey(object, String(entry.key), carry(entry.value));
    return object;
  };
}

/** Goes by the value itself, for types whose values say all there is to know. */
function ofAny(value: DuckDBValue): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return toNumberValue(value);
  if (typeof value === 'bigint') return toIntegerValue(value);
  if (value instanceof DuckDBTimestampValue)
    return finite(value) ?? formatTimestamp(value.micros) ?? String(value);
  if (value instanceof DuckDBTimestampTZValue)
    return finite(value) ?? zoned(formatTimestamp(value.micros), value);
  if (value instanceof DuckDBDateValue) return finite(value) ?? formatDate(value.days) ?? String(value);
  if (value instanceof DuckDBDecimalValue) return formatDecimal(value.value, value.scale);
  if (value instanceof DuckDBTimeValue) return formatTime(Number(value.micros));
  if (value instanceof DuckDBTimestampSecondsValue)
    return finite(value) ?? formatTimestamp(value.seconds * 1_000_000n) ?? String(value);
  if (value instanceof DuckDBTimestampMillisecondsValue)
    return finite(value) ?? formatTimestamp(value.millis * 1_000n) ?? String(value);
  if (value instanceof DuckDBTimestampNanosecondsValue) return finite(value) ?? nanosecondsText(value.nanos);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64');
  if (value instanceof DuckDBVariantValue) return ofAny(value.value);
  if (value instanceof DuckDBUnionValue) return ofAny(value.value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(ofAny);
  if (value instanceof DuckDBStructValue) {
    const object: Record<string, JsonValue> = {};
    for (const [name, entry] of Object.entries(value.entries)) setKey(object, name, ofAny(entry));
    return object;
  }
  if (value instanceof DuckDBMapValue)
    return value.entries.map((entry) => ({ key: ofAny(entry.key), value: ofAny(entry.value) }));
  return value.toString();
}

/** The text of a date or time without end, or null for all the others. */
function finite(value: { readonly isFinite: boolean }): string | null {
  return value.isFinite ? null : String(value);
}

function zoned(text: string | null, value: DuckDBTimestampTZValue): string {
  return text === null ? String(value) : `${text}Z`;
}

function nanosecondsText(nanoseconds: bigint): string {
  const rest = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const text = formatTimestamp((nanoseconds - rest) / 1_000n) ?? '';
  return rest === 0n ? text : `${text}.${formatFraction(Number(rest), 9)}`;
}
