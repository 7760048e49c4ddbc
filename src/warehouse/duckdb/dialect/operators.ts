import { convert, toText, typeParameter } from './casts.ts';
import { refuseOnFolder } from './refused.ts';
import {
  findCommonType,
  fitDecimal,
  isDecimal,
  isFloating,
  isInteger,
  isNumeric,
  isTime,
  type KnownType,
  readDecimal,
} from './types.ts';
import { named, type Written } from './written.ts';

type Comparison = 'eq' | 'neq' | 'lt' | 'lte' | 'gt' | 'gte' | 'null_safe_eq' | 'null_safe_neq';

const COMPARISONS: Readonly<Record<Comparison, readonly [duckDb: string, databricks: string]>> = {
  eq: ['=', '='],
  neq: ['<>', '='],
  lt: ['<', '<'],
  lte: ['<=', '<='],
  gt: ['>', '>'],
  gte: ['>=', '>='],
  null_safe_eq: ['IS NOT DISTINCT FROM', '<=>'],
  null_safe_neq: ['IS DISTINCT FROM', '<=>'],
};

export function writeComparison(kind: Comparison, left: Written, right: Written): Written {
  const [word, shown] = COMPARISONS[kind];
  const name =
    isWholeBeside(left, right) || isWholeBeside(right, left) ? null : named`(${left} ${shown} ${right})`;
  const isNegated = kind === 'neq' || kind === 'null_safe_neq';
  return {
    sql: `(${align(left, right.type)} ${word} ${align(right, left.type)})`,
    type: 'BOOLEAN',
    name: isNegated && name !== null ? `(NOT ${name})` : name,
  };
}

/** Whether one is a whole number and the other a written fraction, which Databricks rounds before it shows it. */
function isWholeBeside(whole: Written, { type, literal }: Written): boolean {
  return (
    isInteger(whole.type) && isDecimal(type) && typeof literal === 'number' && !Number.isInteger(literal)
  );
}

/** Has a text take the type of what it is compared with, as Databricks does. */
function align(value: Written, other: KnownType): string {
  if (value.type === 'BOOLEAN' && isNumeric(other))
    return refuseOnFolder('A comparison of BOOLEAN and a number');
  if (value.type !== 'STRING' || other === null || other === 'STRING' || other === 'VOID') return value.sql;
  const text = typeParameter(value);
  if (isInteger(other)) return `CAST(spark_int_text(${text}) AS BIGINT)`;
  if (isDecimal(other) || isFloating(other)) return `CAST(spark_double_source(${text}) AS DOUBLE)`;
  if (isTime(other) || other === 'BOOLEAN')
    return convert(value, {
      databricks: other,
      duckDb: other === 'TIMESTAMP' ? 'TIMESTAMPTZ' : other === 'TIMESTAMP_NTZ' ? 'TIMESTAMP' : other,
    });
  if (other === 'BINARY') return `encode(${text})`;
  return value.sql;
}

type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'int_div';

const SIGNS: Readonly<Record<Arithmetic, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  mod: '%',
  int_div: 'div',
};

export function writeArithmetic(kind: Arithmetic, one: Written, other: Written): Written {
  const [left, right] = [toNumber(one, other.type), toNumber(other, one.type)];
  const name = named`(${one} ${SIGNS[kind]} ${other})`;
  if (left.type?.startsWith('INTERVAL') || right.type?.startsWith('INTERVAL'))
    return addInterval(kind, left, right);
  if (isTime(left.type) || isTime(right.type)) return addDays(kind, left, right);
  if (isDecimal(left.type) || isDecimal(right.type)) {
    const decimal = calculateDecimal(kind, left, right);
    if (decimal !== null) return { ...decimal, name };
  }
  const [l, r] = [widen(left, right.type), widen(right, left.type)];
  const common = findCommonType(left.type, right.type);
  switch (kind) {
    case 'add':
    case 'mul':
      return { sql: `(${l} ${SIGNS[kind]} ${r})`, type: common, name };
    case 'sub': {
      const isPlain = isNumeric(left.type) || isNumeric(right.type);
      if (left.type !== null && right.type !== null && !isPlain) return refuseOnFolder('- of these types');
      return { sql: isPlain ? `(${l} - ${r})` : `spark_subtract(${l}, ${r})`, type: common, name };
    }
    case 'div': {
      const isKnown = left.type !== null && right.type !== null;
      const isSafe = typeof right.literal === 'number' && right.literal !== 0;
      if (isKnown && isSafe) return { sql: `(CAST(${l} AS DOUBLE) / ${r})`, type: 'DOUBLE', name };
      if (isKnown) return { sql: `(CAST(${l} AS DOUBLE) / spark_divisor(${l}, ${r}))`, type: 'DOUBLE', name };
      return {
        sql: `spark_divide(${l}, ${r})`,
        type: isKnown ? 'DOUBLE' : isFloating(left.type) || isFloating(right.type) ? 'DOUBLE' : null,
        name,
      };
    }
    case 'mod':
      return { sql: `spark_modulo(${l}, ${r})`, type: common, name };
    case 'int_div':
      if (isInteger(left.type) && isInteger(right.type))
        return { sql: `CAST(${l} // spark_divisor(${l}, ${r}) AS BIGINT)`, type: 'BIGINT', name };
      if (left.type !== null && right.type !== null) return refuseOnFolder('div of these types');
      return { sql: `spark_int_divide(${l}, ${r})`, type: 'BIGINT', name };
  }
}

/** A text that is calculated with is a number; a null has the type of the other. */
function toNumber(value: Written, other: KnownType): Written {
  if (value.type === 'BOOLEAN') return refuseOnFolder('Arithmetic with BOOLEAN', 'CAST it to INT');
  if (value.type !== 'STRING') return value;
  const text = typeParameter(value);
  if (isTime(other)) return refuseOnFolder('Arithmetic with a time and a text', 'CAST the text');
  if (isInteger(other)) return { ...value, sql: `CAST(spark_int_text(${text}) AS BIGINT)`, type: 'BIGINT' };
  if (other === null) return refuseOnFolder('Arithmetic with a text', 'CAST it to a number');
  return { ...value, sql: `CAST(spark_double_source(${text}) AS DOUBLE)`, type: 'DOUBLE' };
}

/** In DuckDB, a literal takes the type of the other operand if that is a small integer. */
function widen(value: Written, other: KnownType): string {
  const isSmall = other === 'TINYINT' || other === 'SMALLINT';
  return isSmall && value.type === 'INT' && value.literal !== undefined
    ? `CAST(${value.sql} AS INTEGER)`
    : value.sql;
}

function addInterval(kind: Arithmetic, left: Written, right: Written): Written {
  const isSwapped = left.type?.startsWith('INTERVAL') === true;
  const [time, interval] = isSwapped ? [right, left] : [left, right];
  const isSum = kind === 'add' || (kind === 'sub' && !isSwapped);
  if (!isSum || interval.type === null || time.type?.startsWith('INTERVAL') === true)
    return refuseOnFolder('This arithmetic with an INTERVAL');
  const sign = kind === 'add' ? '+' : '-';
  if (interval.type === 'INTERVAL SECOND')
    return {
      sql: `(${time.type === null ? `spark_any_timestamp(${time.sql})` : time.type === 'DATE' ? `CAST(CAST(${time.sql} AS TIMESTAMP) AS TIMESTAMPTZ)` : time.sql} ${sign} ${interval.sql})`,
      type: time.type === 'DATE' ? 'TIMESTAMP' : time.type,
      name: null,
    };
  if (time.type === 'DATE')
    return { sql: `CAST(${time.sql} ${sign} ${interval.sql} AS DATE)`, type: 'DATE', name: null };
  if (time.type === 'TIMESTAMP' || time.type === 'TIMESTAMP_NTZ')
    return { sql: `(${time.sql} ${sign} ${interval.sql})`, type: time.type, name: null };
  if (time.type !== null) return refuseOnFolder(`An INTERVAL beside ${time.type}`);
  return {
    sql: `spark_add_days(${time.sql}, ${sign === '-' ? `-${interval.sql}` : interval.sql})`,
    type: null,
    name: null,
  };
}

/** Whether a number of this type can be added to a date. */
function isDays(type: KnownType): boolean {
  return type === null || type === 'INT' || type === 'SMALLINT' || type === 'TINYINT';
}

function addDays(kind: Arithmetic, left: Written, right: Written): Written {
  const isSwapped = kind === 'add' && right.type === 'DATE';
  const [date, days] = isSwapped ? [right, left] : [left, right];
  if ((kind === 'add' || kind === 'sub') && date.type === 'DATE' && isDays(days.type))
    return {
      sql: `(${date.sql} ${SIGNS[kind]} CAST(${days.sql} AS INTEGER))`,
      type: 'DATE',
      name: named`${`date_${kind}`}(${date}, ${days})`,
    };
  return refuseOnFolder('The difference of two times', 'write datediff() or timestampdiff()');
}

/** Calculates with decimals; null where one of the numbers is no decimal after all. */
function calculateDecimal(kind: Arithmetic, left: Written, right: Written): Written | null {
  if (isFloating(left.type) || isFloating(right.type)) return null;
  if (left.type === null || right.type === null || !isNumeric(left.type) || !isNumeric(right.type))
    return null;
  const [[p1, s1], [p2, s2]] = [decimalOperand(left), decimalOperand(right)];
  const [one, two] = [left, right].map((value) => value.sql);
  switch (kind) {
    case 'add':
    case 'sub': {
      const scale = Math.max(s1, s2);
      const precision = Math.max(p1 - s1, p2 - s2) + scale + 1;
      if (precision > 38)
        return refuseOnFolder('A sum of decimals of more than 38 digits', 'CAST them to fewer digits');
      return { sql: `(${one} ${SIGNS[kind]} ${two})`, type: `DECIMAL(${precision},${scale})`, name: null };
    }
    case 'mul': {
      if (p1 + p2 + 1 > 38)
        return refuseOnFolder('A product of decimals of more than 38 digits', 'CAST them to fewer digits');
      const type = `DECIMAL(${p1 + p2 + 1},${s1 + s2})`;
      return { sql: `(${exact(left, p1, s1)} * ${exact(right, p2, s2)})`, type, name: null };
    }
    case 'div':
      return divideDecimal(left, right, [p1, s1], [p2, s2]);
    case 'mod': {
      const scale = Math.max(s1, s2);
      const precision = Math.min(p1 - s1, p2 - s2) + scale;
      return {
        sql: `CAST(spark_modulo(${one}, ${two}) AS DECIMAL(${Math.max(precision, 1)},${scale}))`,
        type: `DECIMAL(${Math.max(precision, 1)},${scale})`,
        name: null,
      };
    }
    case 'int_div':
      if (p1 > 15 || p2 > 15) return refuseOnFolder('div of decimals of more than 15 digits');
      return {
        sql: `CAST(trunc(CAST(${one} AS DOUBLE) / spark_divisor(${one}, CAST(${two} AS DOUBLE))) AS BIGINT)`,
        type: 'BIGINT',
        name: null,
      };
  }
}

function decimalOperand({ type, literal }: Written): readonly [number, number] {
  // A whole number that is written has as many digits as it shows.
  if (isInteger(type) && typeof literal === 'number') return [String(Math.abs(literal)).length, 0];
  return readDecimal(type ?? '');
}

function exact({ sql, type }: Written, precision: number, scale: number): string {
  return isDecimal(type) ? sql : `CAST(${sql} AS DECIMAL(${precision},${scale}))`;
}

/** Divides exactly, and rounds the last digit half up. */
function divideDecimal(
  left: Written,
  right: Written,
  [p1, s1]: readonly [number, number],
  [p2, s2]: readonly [number, number],
): Written {
  const wanted = Math.max(6, s1 + p2 + 1);
  const type = fitDecimal(p1 - s1 + s2 + wanted, wanted);
  const [, scale] = readDecimal(type);
  const shift = scale - s1 + s2;
  if (shift < 0 || p1 + shift > 37)
    return refuseOnFolder(
      'A quotient of decimals of so many digits',
      'CAST them to fewer digits, or to DOUBLE',
    );
  const [one, two] = [exact(left, p1, s1), exact(right, p2, s2)];
  return {
    sql: `CAST(spark_divide_decimal(${one}, ${two}, ${10n ** BigInt(shift)}, ${scale}) AS ${type})`,
    type,
    name: null,
  };
}

type Binary = 'bitwise_and' | 'bitwise_or' | 'bitwise_xor' | 'concat';

export function writeBinary(kind: Binary, left: Written, right: Written): Written {
  if (kind === 'concat') return writeConcat([left, right]);
  const sign = { bitwise_and: '&', bitwise_or: '|', bitwise_xor: '^' }[kind];
  const type = findCommonType(left.type, right.type);
  for (const value of [left, right])
    if (value.type !== null && value.type !== 'VOID' && !isInteger(value.type))
      refuseOnFolder(`${sign} of ${value.type}`);
  const sql =
    kind === 'bitwise_xor' ? `xor(${left.sql}, ${right.sql})` : `(${left.sql} ${sign} ${right.sql})`;
  return { sql, type, name: named`(${left} ${sign} ${right})` };
}

/** Joins texts, bytes or arrays; null if any of them is. */
export function writeConcat(values: readonly Written[]): Written {
  const names = values.map(({ name }) => name);
  const name = names.includes(null) ? null : `concat(${names.join(', ')})`;
  const types = values.map(({ type }) => type).filter((type) => type !== 'VOID');
  const isArray = types.some((type) => type?.startsWith('ARRAY'));
  const areBytes = types.length > 0 && types.every((type) => type === 'BINARY');
  const known = types.every((type) => type !== null);
  const type = areBytes
    ? 'BINARY'
    : isArray
      ? (types.reduce((one, other) => (one === other ? one : 'ARRAY')) ?? null)
      : known
        ? 'STRING'
        : null;
  if (values.length === 0) return { sql: "''", type: 'STRING', name };
  if (isArray || areBytes) return { sql: `(${values.map(({ sql }) => sql).join(' || ')})`, type, name };
  return { sql: `(${values.map((value) => toText(value)).join(' || ')})`, type, name };
}
