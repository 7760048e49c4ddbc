import { getContent, getKind, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';

export type SetOperation = 'union' | 'intersect' | 'except';

/** A set operation with what it is of. */
export interface SetOperationNode {
  readonly kind: SetOperation;
  readonly content: SyntaxNode;
}

/**
 * Binds INTERSECT more tightly than UNION and EXCEPT, as the SQL standard and Databricks do; the parser reads all three
 * from left to right. It reads what is in parentheses as a sub-query.
 */
export function bindIntersect({ kind, content }: SetOperationNode): SetOperationNode {
  const left = readSetOperation(content.left);
  if (kind !== 'intersect' || left === null) return { kind, content };
  const bound = bindIntersect(left);
  if (bound.kind === 'intersect') return { kind, content };
  const { left: first, right: second, ...rest } = bound.content;
  const { left: _left, right, all, distinct, by_name, ...outer } = content;
  const inner = { all, distinct, by_name, left: second, right };
  return { kind: bound.kind, content: { ...rest, ...outer, left: first, right: { intersect: inner } } };
}

function readSetOperation(node: unknown): SetOperationNode | null {
  const kind = getKind(node);
  if (kind !== 'union' && kind !== 'intersect' && kind !== 'except') return null;
  return { kind, content: getContent(node, kind) };
}
