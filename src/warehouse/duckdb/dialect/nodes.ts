import { isObject } from '../../../shared/json.ts';
import type { SyntaxNode } from '../../../sql-check/syntax-tree.ts';

/** The objects of a list of the syntax tree; none where there is no list. */
export function readObjects(value: unknown): readonly SyntaxNode[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A list of the syntax tree; empty where there is none. */
export function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The name that a node holds; empty where it holds none. */
export function readName(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!isObject(value)) return '';
  if (isObject(value.identifier)) return readName(value.identifier);
  return typeof value.name === 'string' ? value.name : '';
}

/** Whether a part of a node was written in the statement. */
export function isPresent(value: unknown): boolean {
  return (
    value !== null && value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0)
  );
}

/** What a person calls a kind of node. */
export function describeKind(kind: string | null): string {
  return (kind ?? 'This construct').replaceAll('_', ' ').toUpperCase();
}
