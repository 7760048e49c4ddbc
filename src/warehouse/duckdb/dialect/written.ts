import { isObject } from '../../../shared/json.ts';
import type { SyntaxNode } from '../../../sql-check/syntax-tree.ts';
import { refuseOnFolder } from './refused.ts';
import { findCommonType, type KnownType } from './types.ts';

/** What follows OVER. */
export interface WrittenWindow {
  readonly sql: string;
  /** How Databricks shows it before its frame; null where that is not known, or the frame is written. */
  readonly name: string | null;
  readonly isOrdered: boolean;
}

/** Writes the parts of a statement. */
export interface ExpressionWriter {
  write(node: unknown): Written;
  /** Writes an argument or operand that may be an interval, which is no value by itself. */
  operand(node: unknown): Written;
  /** Writes a lambda, with the types of its parameters as far as they are known. */
  lambda(
    node: unknown,
    types: readonly KnownType[],
  ): { readonly parameters: readonly string[]; readonly body: Written };
  /** Writes what follows ORDER BY. */
  order(items: unknown): string;
  /** Writes what follows OVER. */
  over(spec: SyntaxNode): WrittenWindow;
}

/** An expression in the dialect of DuckDB. */
export interface Written {
  readonly sql: string;
  readonly type: KnownType;
  /** What Databricks calls a column of it without an alias; null where that is not known. */
  readonly name: string | null;
  /** The value of a literal. */
  readonly literal?: string | number | null;
  readonly isParameter?: boolean;
}

/** Writes the name of a column whose parts all have one. */
export function named(text: TemplateStringsArray, ...parts: readonly (Written | string)[]): string | null {
  const names = parts.map((part) => (typeof part === 'string' ? part : part.name));
  return names.includes(null) ? null : String.raw({ raw: text }, ...names);
}

/** Whether databases do not agree on what two types become together. */
export function areUnlike(left: KnownType, right: KnownType): boolean {
  if (left === null || right === null || left === 'VOID' || right === 'VOID' || left === right) return false;
  return (left === 'STRING') !== (right === 'STRING') || (left === 'BOOLEAN') !== (right === 'BOOLEAN');
}

/** The type that values become together, and how each of them is converted to it. */
export function unify(
  values: readonly Written[],
  what: string,
): { type: KnownType; convert: (value: Written) => string } {
  const types = values.map(({ type }) => type);
  const type = types.reduce<KnownType>((one, other) => {
    if (areUnlike(one, other)) refuseOnFolder(`${what} of a text and another type`, 'CAST one of them');
    return findCommonType(one, other);
  }, 'VOID');
  return { type, convert: ({ sql }) => sql };
}

/** The types of the items of an array, or of the keys and values of a map. */
export function innerTypes(type: KnownType): readonly KnownType[] {
  const [, kind, inner = ''] = /^(ARRAY|MAP)<(.*)>$/.exec(type ?? '') ?? [];
  if (kind === undefined) return [];
  const parts = splitTypes(inner).map((part) => (part === '?' ? null : part));
  return kind === 'ARRAY' ? [parts.length === 1 ? (parts[0] ?? null) : null] : parts;
}

/** Splits types at their commas, where none is within another. */
function splitTypes(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '<' || character === '(') depth += 1;
    if (character === '>' || character === ')') depth -= 1;
    if (character === ',' && depth === 0) {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}

/** Writes the type of a struct from its fields. */
export function structType(fields: readonly (readonly [string, KnownType])[]): KnownType {
  if (fields.some(([name]) => !/^\w+$/.test(name))) return 'STRUCT';
  return `STRUCT<${fields.map(([name, type]) => `${name}: ${type ?? '?'}`).join(', ')}>`;
}

/** The fields of a struct, or null where they are not known. */
export function structFields(type: KnownType): readonly (readonly [string, KnownType])[] | null {
  const [, inner] = /^STRUCT<(.*)>$/.exec(type ?? '') ?? [];
  if (inner === undefined) return null;
  return splitTypes(inner).map((part) => {
    const colon = part.indexOf(':');
    const field = part.slice(colon + 1).trim();
    return [part.slice(0, colon).trim(), field === '?' ? null : field] as const;
  });
}

export function readObjects(value: unknown): readonly SyntaxNode[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function readName(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!isObject(value)) return '';
  if (isObject(value.identifier)) return readName(value.identifier);
  return typeof value.name === 'string' ? value.name : '';
}
