import { quoteName } from '../text.ts';
import { innerTypes, structFields } from './nested-types.ts';
import { refuseOnFolder } from './refused.ts';
import {
  isDecimal,
  isFloating,
  isInteger,
  isNumeric,
  isTime,
  type KnownType,
  type NamedType,
  readDecimal,
} from './types.ts';
import type { Written } from './written.ts';

/** The macro that converts to each type as Databricks does. */
const MACROS: ReadonlyMap<string, string> = new Map([
  ...[
    'BOOLEAN',
    'TINYINT',
    'SMALLINT',
    'INT',
    'BIGINT',
    'FLOAT',
    'DOUBLE',
    'STRING',
    'DATE',
    'TIMESTAMP',
    'TIMESTAMP_NTZ',
  ].map((type) => [type, `spark_cast_${type.toLowerCase()}`] as const),
  ['BINARY', 'spark_cast_binary'],
]);

/** Converts a value to a type. */
export function writeCast(value: Written, to: NamedType, word: 'CAST' | 'TRY_CAST'): Written {
  // Databricks does not show a cast to an array, a map or a struct.
  const isShown = value.name !== null && !/^(?:ARRAY|MAP|STRUCT)/.test(to.databricks);
  const sql = convert(value, to);
  return {
    sql: word === 'TRY_CAST' && sql !== value.sql ? `TRY(${sql})` : sql,
    type: to.databricks,
    name: isShown ? `${word}(${value.name} AS ${to.databricks})` : value.name,
  };
}

/** Writes the conversion of a value; by a macro that decides at run time where its type is not known. */
export function convert(value: Written, to: NamedType): string {
  const from = value.type;
  if (from === 'VOID') return `CAST(NULL AS ${to.duckDb})`;
  if (from === to.databricks && !value.isParameter) return value.sql;
  if (to.databricks.startsWith('TIMESTAMP') && OTHER_ZONE.test(String(value.literal ?? '')))
    return refuseOnFolder('A time zone of this form', 'write +08:00');
  if (
    to.databricks.startsWith('TIMESTAMP') &&
    OTHER_DAY.test(String(value.literal ?? '')) &&
    from === 'STRING'
  )
    return refuseOnFolder('A time without a date, or in a year of other than four digits,');
  const sql = typeParameter(value);
  const macro = MACROS.get(to.databricks);
  if (from === null) {
    if (macro !== undefined) return `${macro}(${sql})`;
    if (isDecimal(to.databricks)) return `CAST(spark_decimal_source(${sql}) AS ${to.duckDb})`;
    return refuseOnFolder(`CAST of a column to ${to.databricks}`);
  }
  const known = convertKnown(sql, from, to) ?? convertNested(value, from, to);
  return known ?? refuseOnFolder(`CAST of ${from} to ${to.databricks}`);
}

/** A time without a date, or in a year of other than four digits. */
const OTHER_DAY = /^\s*(?:[+-]?\d{5,}|[+-]|T?\d{1,2}:)/;

/** A time with a zone that DuckDB does not read. */
const OTHER_ZONE =
  /^\s*\d{4}-\d+-\d+[ T][\d:.]+ ?(?!(?:Z|UTC|GMT|[+-]\d{1,2}(?::\d{2})?|[A-Z][A-Za-z]+(?:\/[A-Za-z_]+)+)\s*$)[A-Z+-]/;

function convertKnown(sql: string, from: string, { databricks: to, duckDb }: NamedType): string | null {
  const cast = `CAST(${sql} AS ${duckDb})`;
  if (isInteger(to)) {
    if (from === 'STRING') return `CAST(spark_int_text(${sql}) AS ${duckDb})`;
    if (isInteger(from) || from === 'BOOLEAN') return cast;
    if (isFloating(from) && (to === 'BIGINT' || (to === 'INT' && from === 'FLOAT')))
      return `spark_nearest_${to.toLowerCase()}(CAST(spark_whole_double(${sql}) AS DOUBLE))`;
    if (isFloating(from)) return `CAST(spark_whole_double(${sql}) AS ${duckDb})`;
    if (isDecimal(from)) return `CAST(trunc(${sql}) AS ${duckDb})`;
    if (from === 'TIMESTAMP') return `CAST(spark_floor_divide(epoch_us(${sql}), 1000000) AS ${duckDb})`;
    return null;
  }
  if (isFloating(to)) {
    const single = to === 'FLOAT' ? 'spark_single' : '';
    if (from === 'STRING') return `${single}(CAST(spark_double_source(${sql}) AS DOUBLE))`;
    if (from === 'BOOLEAN') return `CAST(CAST(${sql} AS INTEGER) AS ${duckDb})`;
    if (isDecimal(from)) return `CAST(CAST(${sql} AS VARCHAR) AS ${duckDb})`;
    if (from === 'DOUBLE' && to === 'FLOAT') return `${single}(${sql})`;
    if (isInteger(from) || isFloating(from)) return cast;
    if (from === 'TIMESTAMP') return `CAST(epoch_us(${sql}) / 1000000 AS ${duckDb})`;
    return null;
  }
  if (isDecimal(to)) {
    if (from === 'STRING') return `CAST(spark_decimal_text(${sql}) AS ${duckDb})`;
    if (from === 'BOOLEAN') return `CAST(CAST(${sql} AS INTEGER) AS ${duckDb})`;
    if (isFloating(from)) return `CAST(CAST(spark_finite(CAST(${sql} AS ${from})) AS VARCHAR) AS ${duckDb})`;
    return isInteger(from) || isDecimal(from) ? cast : null;
  }
  switch (to) {
    case 'STRING':
      return formatKnown(sql, from);
    case 'BOOLEAN':
      if (from === 'STRING') return `spark_text_boolean(${sql})`;
      return isNumeric(from) ? `(${sql} <> 0)` : null;
    case 'DATE':
      if (from === 'STRING') return `spark_text_date(${sql})`;
      return isTime(from) ? `CAST(CAST(${sql} AS TIMESTAMP) AS DATE)` : null;
    case 'TIMESTAMP':
      if (from === 'STRING') return `CAST(spark_time_source(${sql}) AS TIMESTAMPTZ)`;
      if (isTime(from)) return `CAST(CAST(${sql} AS TIMESTAMP) AS TIMESTAMPTZ)`;
      return isNumeric(from) ? secondsToTime(sql, from) : null;
    case 'TIMESTAMP_NTZ':
      if (from === 'STRING') return `spark_text_timestamp_ntz(${sql})`;
      return isTime(from) ? `CAST(${sql} AS TIMESTAMP)` : null;
    case 'BINARY':
      return from === 'STRING' ? `encode(${sql})` : null;
    default:
      return null;
  }
}

/** The time that a number of seconds since 1970 is. */
export function secondsToTime(sql: string, type: KnownType): string {
  if (isInteger(type)) return `make_timestamptz(CAST(${sql} AS BIGINT) * 1000000)`;
  if (isDecimal(type))
    return `make_timestamptz(CAST(trunc(CAST(${sql} AS DECIMAL(30, 9)) * 1000000) AS BIGINT))`;
  if (isFloating(type)) return `make_timestamptz(CAST(trunc(CAST(${sql} AS DOUBLE) * 1000000) AS BIGINT))`;
  return `spark_timestamp_seconds(${sql})`;
}

/** Writes a value of a known type as text; null where the folder does not. */
function formatKnown(sql: string, from: KnownType): string | null {
  if (from === 'STRING') return sql;
  if (isDecimal(from)) {
    const [precision, scale] = readDecimal(from ?? '');
    // DuckDB leaves out the zero before the point where the type has no digit for it.
    return precision > scale
      ? `CAST(${sql} AS VARCHAR)`
      : `regexp_replace(CAST(${sql} AS VARCHAR), '^(-?)\\.', '\\10.')`;
  }
  if (isInteger(from) || from === 'BOOLEAN') return `CAST(${sql} AS VARCHAR)`;
  if (from === 'DOUBLE') return `spark_js_double_text(${sql})`;
  if (from === 'FLOAT') return `spark_js_float_text(${sql})`;
  if (from === 'DATE') return `strftime(${sql}, '%Y-%m-%d')`;
  if (from === 'TIMESTAMP') return `spark_time_text(CAST(${sql} AS TIMESTAMP))`;
  if (from === 'TIMESTAMP_NTZ') return `spark_time_text(${sql})`;
  return from === 'BINARY' ? `decode(${sql})` : null;
}

/** Converts the items of an array, the values of a map, the fields of a struct. */
function convertNested(value: Written, from: string, to: NamedType): string | null {
  const [item] = innerTypes(from);
  const [target] = innerTypes(to.databricks);
  if (from.startsWith('ARRAY') && to.databricks.startsWith('ARRAY') && item && target) {
    if (item === 'VOID') return `CAST(${value.sql} AS ${to.duckDb})`;
    const inner = convert(
      { sql: 'blade_cast', type: item, name: null },
      { databricks: target, duckDb: to.duckDb.replace(/\[\]$/, '') },
    );
    return `list_transform(${value.sql}, lambda blade_cast: ${inner})`;
  }
  if (to.databricks !== 'STRING') return null;
  return formatNested(value.sql, from, 0);
}

/** Writes an array as `[1, 2]`, a map as `{a -> 1}` and a struct as `{1, a}`. */
function formatNested(sql: string, type: string, depth: number): string | null {
  const variable = `blade_text_${depth}`;
  const show = (inner: string, of: KnownType): string | null => {
    const text =
      of === 'VOID'
        ? "'null'"
        : (formatKnown(inner, of) ?? (of === null ? null : formatNested(inner, of, depth + 1)));
    return text === null ? null : `coalesce(${text}, 'null')`;
  };
  if (type.startsWith('ARRAY')) {
    const item = show(variable, innerTypes(type)[0] ?? null);
    return item === null
      ? null
      : `('[' || array_to_string(list_transform(${sql}, lambda ${variable}: ${item}), ', ') || ']')`;
  }
  if (type.startsWith('MAP')) {
    const [key, value] = innerTypes(type);
    const [one, other] = [show(`${variable}.key`, key ?? null), show(`${variable}.value`, value ?? null)];
    return one === null || other === null
      ? null
      : `('{' || array_to_string(list_transform(map_entries(${sql}), lambda ${variable}: ${one} || ' -> ' || ${other}), ', ') || '}')`;
  }
  const fields = structFields(type)?.map(([name, field]) => show(`(${sql}).${quoteName(name)}`, field));
  if (fields === undefined || fields.includes(null)) return null;
  return `CASE WHEN ${sql} IS NOT NULL THEN '{' || concat_ws(', ', ${fields.join(', ')}) || '}' END`;
}

const PARAMETER_TYPES: ReadonlyMap<KnownType, string> = new Map<KnownType, string>([
  ['STRING', 'VARCHAR'],
  ['BIGINT', 'BIGINT'],
  ['DOUBLE', 'DOUBLE'],
  ['BOOLEAN', 'BOOLEAN'],
]);

/** A parameter with the type of its value, for what must know it before the value is bound. */
export function typeParameter(value: Written): string {
  const type = PARAMETER_TYPES.get(value.type);
  return value.isParameter !== true || type === undefined ? value.sql : `CAST(${value.sql} AS ${type})`;
}

/** A value as the text that Databricks makes of it where it needs one. */
export function toText(value: Written): string {
  if (value.type === 'STRING') return typeParameter(value);
  if (value.type === 'VOID') return 'CAST(NULL AS VARCHAR)';
  if (value.isParameter === true && value.type === null) return `CAST(${value.sql} AS VARCHAR)`;
  return (
    formatKnown(typeParameter(value), value.type) ??
    (value.type === null ? `spark_text(${typeParameter(value)})` : refuseOnFolder(`A text of ${value.type}`))
  );
}
