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
  lambda(node: unknown, types: readonly KnownType[]): WrittenLambda;
  /** Writes what follows ORDER BY. */
  order(items: unknown): string;
  /** Writes what follows OVER. */
  over(spec: SyntaxNode): WrittenWindow;
}

/** A lambda with the names of its parameters. */
export interface WrittenLambda {
  readonly parameters: readonly string[];
  readonly body: Written;
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

/** The type that values become together. */
export function unify(values: readonly { readonly type: KnownType }[], what: string): KnownType {
  return values
    .map(({ type }) => type)
    .reduce<KnownType>((one, other) => {
      if (areUnlike(one, other)) refuseOnFolder(`${what} of a text and another type`, 'CAST one of them');
      return findCommonType(one, other);
    }, 'VOID');
}
