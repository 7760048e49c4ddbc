import type { Call } from './call.ts';
import { convert, toText, typeParameter } from './casts.ts';
import { refuseOnFolder } from './refused.ts';
import { isDecimal, isFloating, isInteger, type KnownType } from './types.ts';
import type { Written } from './written.ts';

/** Converts an argument to the time that is written: one without a zone stays as it is, which takes far less time. */
export function toWrittenTime(call: Pick<Call, 'name'>, value: Written | undefined): string {
  return value?.type === 'TIMESTAMP_NTZ' ? value.sql : toArgument(call, value, 'T');
}

/** Converts an argument to what a function takes, where Databricks would do so by itself. */
export function toArgument(call: Pick<Call, 'name'>, value: Written | undefined, kind: string): string {
  if (value === undefined) return refuseOnFolder(`${call.name}() with so few arguments`);
  const { type } = value;
  const sql = typeParameter(value);
  const isNull = type === 'VOID';
  const unlike = () => refuseOnFolder(`${call.name}() with an argument of the type ${type}`, 'CAST it');
  switch (kind) {
    case 't':
      if (type === 'BINARY' || isNested(type)) return unlike();
      return toText(value);
    case 's':
      if (!isNull && type !== null && type !== 'STRING') return unlike();
      return toText(value);
    case 'y':
      return type === 'BINARY' ? `decode(${sql})` : toArgument(call, value, 't');
    case 'I':
      if (isNull) return 'CAST(NULL AS INTEGER)';
      if (type !== null && !isInteger(type)) return unlike();
      return sql;
    case 'f':
      if (isDecimal(type)) return unlike();
      return toArgument(call, value, 'd');
    case 'x':
      if (type === 'BINARY' || type === null) return sql;
      if (isNested(type)) return unlike();
      return toText(value);
    case 'h':
      if (isNull) return 'CAST(NULL AS VARCHAR)';
      if (type !== null && type !== 'BINARY' && type !== 'STRING' && !isInteger(type)) return unlike();
      return sql;
    case 'b':
      return isNull
        ? 'CAST(NULL AS BLOB)'
        : type === 'BINARY'
          ? sql
          : type === 'STRING'
            ? `encode(${sql})`
            : type === null
              ? `spark_bytes(${sql})`
              : unlike();
    case 'i':
      if (isNull) return 'CAST(NULL AS INTEGER)';
      if (type === 'STRING') return convert(value, INT);
      if (type !== null && !isInteger(type)) return unlike();
      return value.literal === undefined || type === 'BIGINT' ? `CAST(${sql} AS INTEGER)` : sql;
    case 'l':
      if (isNull) return 'CAST(NULL AS BIGINT)';
      if (type === 'STRING') return convert(value, BIGINT);
      if (type !== null && !isInteger(type)) return unlike();
      return `CAST(${sql} AS BIGINT)`;
    case 'd':
      if (isNull) return 'CAST(NULL AS DOUBLE)';
      if (type === 'STRING') return convert(value, DOUBLE);
      if (type !== null && !isInteger(type) && !isFloating(type) && !isDecimal(type)) return unlike();
      return `CAST(${sql} AS DOUBLE)`;
    case 'D':
      if (isNull) return 'CAST(NULL AS DATE)';
      if (type === 'DATE') return sql;
      if (type !== null && !['STRING', 'TIMESTAMP', 'TIMESTAMP_NTZ'].includes(type)) return unlike();
      return convert(value, DATE);
    case 'T':
      if (isNull) return 'CAST(NULL AS TIMESTAMPTZ)';
      if (type === 'TIMESTAMP') return sql;
      if (type !== null && !['STRING', 'DATE', 'TIMESTAMP_NTZ'].includes(type)) return unlike();
      return convert(value, TIMESTAMP);
    case 'B':
      if (isNull) return 'CAST(NULL AS BOOLEAN)';
      if (type !== null && type !== 'BOOLEAN') return unlike();
      return sql;
    case 'n':
      if (type === 'STRING') return convert(value, DOUBLE);
      if (type !== null && !isInteger(type) && !isFloating(type) && !isDecimal(type) && !isNull)
        return unlike();
      return sql;
    case 'a':
      if (type !== null && !type.startsWith('ARRAY') && !isNull) return unlike();
      return isNull ? 'CAST(NULL AS INTEGER[])' : sql;
    case 'm':
      if (type !== null && !type.startsWith('MAP') && !isNull) return unlike();
      return isNull ? 'CAST(NULL AS MAP(VARCHAR, VARCHAR))' : sql;
    default:
      return sql;
  }
}

/** Whether values of a type have parts: those of an array, a map, a struct or an interval. */
export function isNested(type: KnownType): boolean {
  return /^(ARRAY|MAP|STRUCT|INTERVAL)/.test(type ?? '');
}

const INT = { databricks: 'INT', duckDb: 'INTEGER' };
const BIGINT = { databricks: 'BIGINT', duckDb: 'BIGINT' };
const DOUBLE = { databricks: 'DOUBLE', duckDb: 'DOUBLE' };
const DATE = { databricks: 'DATE', duckDb: 'DATE' };
const TIMESTAMP = { databricks: 'TIMESTAMP', duckDb: 'TIMESTAMPTZ' };
