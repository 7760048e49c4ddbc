import { isObject } from '../shared/json.ts';
import { UNSIGNED_SHIFT } from './respelling.ts';
import { buildCall, getContent, replaceObjects, type SyntaxNode } from './syntax-tree.ts';

/** Restores `a >>> b`, which was spelled with a name between two other shifts, as a call. */
export function restoreShifts(statement: SyntaxNode): SyntaxNode {
  return replaceObjects(statement, restoreShift) as SyntaxNode;
}

function restoreShift(object: SyntaxNode): SyntaxNode | null {
  const { left, right } = getContent(object, 'bitwise_right_shift');
  const inner = getContent(left, 'bitwise_right_shift');
  const { name } = getContent(inner.right, 'column');
  if (!isObject(name) || name.name !== UNSIGNED_SHIFT) return null;
  return buildCall('shiftrightunsigned', [inner.left, right]);
}
