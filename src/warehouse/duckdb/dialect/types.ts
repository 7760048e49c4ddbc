import { isObject } from '../../../shared/json.ts';
import type { SyntaxNode } from '../../../sql-check/syntax-tree.ts';
import { quoteName } from '../text.ts';
import { refuseOnFolder } from './refused.ts';

/** A type of Databricks as far as an expression shows it by itself, such as `INT` or `DECIMAL(10,2)`; null if only its columns do. */
export type KnownType = string | null;

const SIMPLE: ReadonlyMap<unknown, readonly [databricks: string, duckDb: string]> = new Map([
  ['boolean', ['BOOLEAN', 'BOOLEAN']],
  ['tiny_int', ['TINYINT', 'TINYINT']],
  ['small_int', ['SMALLINT', 'SMALLINT']],
  ['int', ['INT', 'INTEGER']],
  ['big_int', ['BIGINT', 'BIGINT']],
  ['float', ['FLOAT', 'FLOAT']],
  ['double', ['DOUBLE', 'DOUBLE']],
  ['text', ['STRING', 'VARCHAR']],
  ['string', ['STRING', 'VARCHAR']],
  ['date', ['DATE', 'DATE']],
  ['binary', ['BINARY', 'BLOB']],
  ['blob', ['BINARY', 'BLOB']],
  ['var_binary', ['BINARY', 'BLOB']],
]);

/** The names of a type in Databricks and in DuckDB. */
export interface NamedType {
  readonly databricks: string;
  readonly duckDb: string;
}

/** Reads the type of a CAST. */
export function readType(type: unknown): NamedType {
  const node: SyntaxNode = isObject(type) ? type : {};
  const kind = node.data_type;
  const simple = SIMPLE.get(kind);
  if (
    (kind === 'text' || kind === 'string' || kind === 'var_char' || kind === 'char') &&
    typeof node.length === 'number'
  )
    refuseOnFolder('A type with a length, such as VARCHAR(3),', 'write STRING');
  if (kind === 'var_char' || kind === 'char') return { databricks: 'STRING', duckDb: 'VARCHAR' };
  if (simple !== undefined) return { databricks: simple[0], duckDb: simple[1] };
  if (kind === 'decimal') {
    const precision = typeof node.precision === 'number' ? node.precision : 10;
    const scale = typeof node.scale === 'number' ? node.scale : 0;
    return { databricks: `DECIMAL(${precision},${scale})`, duckDb: `DECIMAL(${precision},${scale})` };
  }
  if (kind === 'timestamp')
    return node.timezone === false && node.precision === null
      ? { databricks: 'TIMESTAMP', duckDb: 'TIMESTAMPTZ' }
      : { databricks: 'TIMESTAMP', duckDb: 'TIMESTAMPTZ' };
  if (kind === 'timestamp_tz' || kind === 'timestamptz')
    return { databricks: 'TIMESTAMP', duckDb: 'TIMESTAMPTZ' };
  if (kind === 'array') {
    const item = readType(node.element_type);
    return { databricks: `ARRAY<${item.databricks}>`, duckDb: `${item.duckDb}[]` };
  }
  if (kind === 'map') {
    const [key, value] = [readType(node.key_type), readType(node.value_type)];
    return {
      databricks: `MAP<${key.databricks}, ${value.databricks}>`,
      duckDb: `MAP(${key.duckDb}, ${value.duckDb})`,
    };
  }
  if (kind === 'struct' && Array.isArray(node.fields)) {
    const fields = node.fields
      .filter(isObject)
      .map((field) => [String(field.name), readType(field.data_type)] as const);
    return {
      databricks: `STRUCT<${fields.map(([name, inner]) => `${name}: ${inner.databricks}`).join(', ')}>`,
      duckDb: `STRUCT(${fields.map(([name, inner]) => `${quoteName(name)} ${inner.duckDb}`).join(', ')})`,
    };
  }
  if (kind === 'custom' && /^timestamp_?ntz$/i.test(String(node.name)))
    return { databricks: 'TIMESTAMP_NTZ', duckDb: 'TIMESTAMP' };
  if (kind === 'custom' && /^timestamp_?ltz$/i.test(String(node.name)))
    return { databricks: 'TIMESTAMP', duckDb: 'TIMESTAMPTZ' };
  if (kind === 'custom' && /^(string|int|integer|long|short|byte|real)$/i.test(String(node.name)))
    return readType({ data_type: CUSTOM.get(String(node.name).toLowerCase()) });
  return refuseOnFolder(`The type ${String(kind === 'custom' ? node.name : kind).toUpperCase()}`);
}

const CUSTOM: ReadonlyMap<string, string> = new Map([
  ...([
    ['string', 'string'],
    ['int', 'int'],
    ['integer', 'int'],
    ['long', 'big_int'],
    ['short', 'small_int'],
    ['byte', 'tiny_int'],
    ['real', 'float'],
  ] as const),
]);

const INTEGERS = ['TINYINT', 'SMALLINT', 'INT', 'BIGINT'];

export function isInteger(type: KnownType): boolean {
  return type !== null && INTEGERS.includes(type);
}

export function isDecimal(type: KnownType): boolean {
  return type?.startsWith('DECIMAL') === true;
}

export function isFloating(type: KnownType): boolean {
  return type === 'DOUBLE' || type === 'FLOAT';
}

export function isNumeric(type: KnownType): boolean {
  return isInteger(type) || isDecimal(type) || isFloating(type);
}

export function isTime(type: KnownType): boolean {
  return type === 'DATE' || type === 'TIMESTAMP' || type === 'TIMESTAMP_NTZ';
}

/** The precision and scale of a number as a decimal. */
export function readDecimal(type: string): readonly [precision: number, scale: number] {
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(type) ?? [];
  if (precision !== undefined) return [Number(precision), Number(scale)];
  const digits = { TINYINT: 3, SMALLINT: 5, INT: 10 }[type] ?? 20;
  return [digits, 0];
}

/** The type of Databricks for a decimal that may have more than 38 digits: it gives up digits behind the point. */
export function fitDecimal(precision: number, scale: number): string {
  if (precision <= 38) return `DECIMAL(${precision},${scale})`;
  const whole = precision - scale;
  return `DECIMAL(38,${Math.max(38 - whole, Math.min(scale, 6))})`;
}

/** The type that values of both types are converted to; null if it is not known. */
export function findCommonType(left: KnownType, right: KnownType): KnownType {
  if (left === right || right === 'VOID') return left;
  if (left === 'VOID') return right;
  if (left === null || right === null) return null;
  if (isInteger(left) && isInteger(right))
    return INTEGERS[Math.max(INTEGERS.indexOf(left), INTEGERS.indexOf(right))] ?? null;
  if (isFloating(left) && isNumeric(right))
    return right === 'FLOAT' || !isFloating(right) ? (isFloating(right) ? left : 'DOUBLE') : 'DOUBLE';
  if (isFloating(right) && isNumeric(left)) return findCommonType(right, left);
  if (isNumeric(left) && isNumeric(right)) {
    const [[p1, s1], [p2, s2]] = [readDecimal(left), readDecimal(right)];
    const scale = Math.max(s1, s2);
    return fitDecimal(Math.max(p1 - s1, p2 - s2) + scale, scale);
  }
  if (isTime(left) && isTime(right)) return left === 'DATE' ? right : right === 'DATE' ? left : null;
  return null;
}
