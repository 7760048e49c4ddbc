import { asciiLowerCase } from '../../../shared/ascii-case.ts';
import { getContent, getKind, type SyntaxNode } from '../../../sql-check/syntax-tree.ts';
import { convert, typeParameter } from './casts.ts';
import { toText } from './operators.ts';
import { refuseOnFolder } from './refused.ts';
import { isDecimal, isFloating, isInteger, type KnownType } from './types.ts';
import {
  type ExpressionWriter,
  innerTypes,
  readName,
  structType,
  type Written,
  type WrittenWindow,
} from './written.ts';

/** A call with everything around it. */
export interface Call {
  readonly writer: ExpressionWriter;
  /** In lower case. */
  readonly name: string;
  readonly nodes: readonly unknown[];
  /** The arguments, written when they are first asked for. */
  readonly args: readonly Written[];
  readonly isDistinct: boolean;
  readonly ignoresNulls: boolean;
  /** The order of WITHIN GROUP. */
  readonly within: readonly SyntaxNode[] | null;
  /** The condition of FILTER. */
  readonly filter: string | null;
  /** What follows OVER. */
  readonly over: string | null;
  readonly window: WrittenWindow | null;
}

/** How the folder provides a function. */
export type Provision =
  | {
      readonly kind: 'scalar';
      readonly templates: readonly string[];
      readonly type: ResultType;
      readonly shown?: string | readonly string[];
    }
  | {
      readonly kind: 'aggregate';
      readonly templates: readonly string[];
      readonly type: ResultType;
      readonly shown?: string | readonly string[];
    }
  | {
      readonly kind: 'window';
      /** Whether its frame is shown as RANGE. */
      readonly range?: boolean;
      readonly templates: readonly string[];
      readonly type: ResultType;
      readonly shown?: string | readonly string[];
    }
  | { readonly kind: 'rewrite'; readonly write: (call: Call) => Written };

export type ResultType = KnownType | ((types: readonly KnownType[]) => KnownType);

export function findType(type: ResultType, call: Call): KnownType {
  return typeof type === 'function' ? type(call.args.map((argument) => argument.type)) : type;
}

export function pickTemplate(call: Call, templates: readonly string[]): string {
  const count = call.nodes.length;
  const found = templates.find((template) => countArguments(template) === count || template.includes('*)'));
  return found ?? refuseOnFolder(`${call.name}() with ${count === 1 ? '1 argument' : `${count} arguments`}`);
}

function countArguments(template: string): number {
  const places = [...template.matchAll(/\$[a-zA-Z]?(\d)/g)].map(([, place]) => Number(place));
  return Math.max(0, ...places);
}

const ARGUMENT = /\$([a-zA-Z]?)(\d|\*)/g;

/** Functions of arrays whose items must be of one type, and of an array and an item. */
const ITEM_FUNCTIONS: ReadonlySet<string> = new Set([
  ...[
    'array_append',
    'array_prepend',
    'array_remove',
    'array_contains',
    'array_position',
    'map_contains_key',
  ],
]);
const LIST_FUNCTIONS: ReadonlySet<string> = new Set([
  ...['array_except', 'array_intersect', 'array_union', 'arrays_overlap'],
]);

/** Refuses items of different types, which each engine converts in its way. */
export function checkItems(call: Call): void {
  const isItem = ITEM_FUNCTIONS.has(call.name);
  if (!isItem && !LIST_FUNCTIONS.has(call.name)) return;
  const [list = null, other = null] = call.args.map(({ type }) => type);
  const [one = null, two = null] = [innerTypes(list)[0], isItem ? other : innerTypes(other)[0]];
  const isSame = one === null || two === null || one === two || one === 'VOID' || two === 'VOID';
  if (isSame || (isInteger(one) && isInteger(two))) return;
  refuseOnFolder(`${call.name}() with items of the types ${one} and ${two}`, 'CAST them');
}

/** Fills a template: `$1` is the first argument, `$t1` as a text, `$i1` as a whole number, `$*` all. */
export function fill(template: string, call: Call): string {
  return template.replace(ARGUMENT, (_match, kind: string, place: string) =>
    place === '*'
      ? call.args.map((argument) => toArgument(call, argument, kind)).join(', ')
      : toArgument(call, call.args[Number(place) - 1], kind),
  );
}

const INT = { databricks: 'INT', duckDb: 'INTEGER' };
const BIGINT = { databricks: 'BIGINT', duckDb: 'BIGINT' };
const DOUBLE = { databricks: 'DOUBLE', duckDb: 'DOUBLE' };
const DATE = { databricks: 'DATE', duckDb: 'DATE' };
const TIMESTAMP = { databricks: 'TIMESTAMP', duckDb: 'TIMESTAMPTZ' };

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

export function isNested(type: KnownType): boolean {
  return /^(ARRAY|MAP|STRUCT|INTERVAL)/.test(type ?? '');
}

/**
 * Writes an aggregate. The template may wrap it: `spark_sum({sum($1)})`; each part in braces is a call of an aggregate, which
 * takes DISTINCT, FILTER and OVER, after `|` with a further condition.
 */
export function writeAggregate(
  call: Call,
  template: string,
  type: ResultType,
  shown?: string | readonly string[],
): Written {
  const text = template.includes('{') ? template : `{${template}}`;
  const sql = text.replace(/\{([^}]*)\}/g, (_match, inner: string) => {
    const [aggregate = '', condition] = inner.split('|');
    const filled = fill(aggregate, call);
    const distinct = call.isDistinct ? filled.replace('(', '(DISTINCT ') : filled;
    const conditions = [
      ...(condition === undefined ? [] : [fill(condition, call)]),
      ...(call.filter === null ? [] : [call.filter]),
    ];
    const filter = conditions.length === 0 ? '' : ` FILTER (WHERE ${conditions.join(' AND ')})`;
    return `${distinct}${filter}${call.over === null ? '' : ` OVER (${call.over})`}`;
  });
  if (call.within !== null) refuseOnFolder(`${call.name}() with WITHIN GROUP`);
  if (call.ignoresNulls) refuseOnFolder(`${call.name}() with IGNORE NULLS`);
  return {
    sql,
    type: findType(type, call),
    name:
      call.filter !== null
        ? null
        : call.over === null
          ? showCall(call, shown)
          : showWindow(call, showCall(call, shown), null),
  };
}

export const ROWS = 'ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW';
export const RANGE = 'RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW';
const WHOLE = 'ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING';

/** The name of a column that is a call over a window. */
export function showWindow({ window }: Call, name: string | null, frame: string | null): string | null {
  if (name === null || window === null || window.name === null) return null;
  const end = frame ?? (window.isOrdered ? RANGE : WHOLE);
  return `${name} OVER (${window.name === '' ? '' : `${window.name} `}${end})`;
}

/** The name of a column of the call. */
export function showCall(call: Call, form: string | readonly string[] = call.name): string | null {
  const shown =
    typeof form === 'string'
      ? form
      : (form.find((text) => countArguments(text) === call.args.length) ?? call.name);
  const names = call.args.map(({ name }) => name);
  if (names.includes(null)) return null;
  if (shown.endsWith('()')) return shown;
  if (shown.includes('$'))
    return shown.replace(/\$(\d)/g, (_match, place: string) => names[Number(place) - 1] ?? '');
  return `${shown}(${call.isDistinct ? 'DISTINCT ' : ''}${names.join(', ')})`;
}

/** Writes struct(…) and named_struct(…). */
export function writeStruct(
  fields: readonly (readonly [name: string, value: Written])[],
  name: string | null,
): Written {
  const keys = fields.map(([key]) => asciiLowerCase(key));
  if (new Set(keys).size < keys.length) return refuseOnFolder('A struct of two fields with one name');
  if (fields.length === 0) return refuseOnFolder('A struct without fields');
  const list = fields.map(([key, value]) => `${quoteField(key)} := ${value.sql}`).join(', ');
  return {
    sql: `struct_pack(${list})`,
    type: structType(fields.map(([key, value]) => [key, value.type])),
    name,
  };
}

function quoteField(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The name that a column or the alias of an argument gives to a field. */
export function readFieldName(node: unknown, index: number): string {
  if (getKind(node) === 'alias') return readName(getContent(node, 'alias').alias);
  if (getKind(node) === 'column') return readName(getContent(node, 'column').name);
  if (getKind(node) === 'dot') return readName(getContent(node, 'dot').field);
  return `col${index + 1}`;
}
