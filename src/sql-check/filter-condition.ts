import { isObject } from '../shared/json.ts';
import { refuse } from './refusal.ts';
import { BOOLEAN_FUNCTION } from './statement-rules.ts';
import { QUERY_KINDS } from './statement-tree.ts';
import { getContent, getKind, holdsAggregate, type SyntaxNode, visitTree, writeNode } from './syntax-tree.ts';

/** Refuses anything but a condition on the columns of one row. */
export function checkCondition(condition: SyntaxNode): void {
  visitTree(condition, refuseInFilter);
  if (holdsAggregate(condition)) refuseAggregate();
  checkTruth(condition);
}

/** Finds the name of the first clause besides our own WHERE; null for none. */
export function findExtraClause(select: SyntaxNode): string | null {
  const own = new Set(['expressions', 'from', 'where_clause']);
  for (const [key, value] of Object.entries(select)) {
    if (own.has(key) || value === null || value === false) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    return key.replaceAll('_', ' ').toUpperCase();
  }
  return null;
}

function refuseInFilter(key: string, value: unknown): void {
  if (!isObject(value)) return;
  if (QUERY_KINDS.has(key) || key === 'subquery' || key === 'exists')
    refuse('A filter cannot contain a sub-query: use a query job for that.');
  if (key === 'window_function') refuse('A filter cannot use a window function: use a query job for that.');
  // Only aggregates have DISTINCT, and the parser does not know all of them.
  if (key === 'function' && value.distinct === true) refuseAggregate();
}

function refuseAggregate(): never {
  refuse('A filter cannot use an aggregate, because it checks one row at a time: use a query job for that.');
}

const CONDITION_KINDS: ReadonlySet<string> = new Set([
  ...['eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'null_safe_eq', 'null_safe_neq', 'like', 'i_like', 'similar_to'],
  ...['regexp_like', 'regexp_i_like', 'in', 'between', 'is_null', 'is_true', 'is_false', 'is', 'is_nan'],
  ...['is_inf', 'starts_with', 'ends_with', 'contains', 'array_contains', 'array_overlaps', 'equal_null'],
  ...['map_contains_key', 'array_any', 'array_all', 'any', 'all', 'xor'],
]);

/** Refuses what does not evaluate to true or false. */
function checkTruth(node: unknown): void {
  const kind = getKind(node) ?? '';
  const within = findConditions(kind, getContent(node, kind));
  if (within === null) refuseCondition(node, kind);
  for (const condition of within) checkTruth(condition);
}

/** Finds the parts of a node that must be conditions for it to be one; null if it cannot be a condition. */
function findConditions(kind: string, content: SyntaxNode): readonly unknown[] | null {
  if (CONDITION_KINDS.has(kind) || kind === 'boolean') return [];
  if (kind === 'paren' || kind === 'not') return [content.this];
  if (kind === 'and' || kind === 'or') return [content.left, content.right];
  if (kind === 'function' && BOOLEAN_FUNCTION.test(String(content.name))) return [];
  if (kind === 'cast' || kind === 'try_cast' || kind === 'safe_cast')
    return isObject(content.to) && content.to.data_type === 'boolean' ? [] : null;
  if (kind === 'if_func') return [content.true_value, content.false_value].filter(isPresent);
  if (kind === 'coalesce' && Array.isArray(content.expressions)) return content.expressions;
  if (kind === 'case' && Array.isArray(content.whens)) {
    const results = content.whens.map((branch) => (Array.isArray(branch) ? branch[1] : null));
    return [...results, content.else_].filter(isPresent);
  }
  return null;
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined;
}

function refuseCondition(node: unknown, kind: string): never {
  const text = isObject(node) && kind !== '' ? writeNode(node) : '';
  const clipped = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  if (kind === 'column')
    refuse(`${clipped} is not a condition: compare it, as in ${clipped} = 'HIGH' or ${clipped} IS NOT NULL.`);
  refuse(`${clipped} is not a condition: write a comparison, as in priority = 'HIGH' AND quantity > 10.`);
}
