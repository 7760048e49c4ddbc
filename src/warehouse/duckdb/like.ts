import type { TreeNode } from './tree.ts';
import { functionCall, operator, text } from './tree-nodes.ts';

/** The functions that LIKE becomes, by whether they are NOT LIKE and whether case counts. */
const likes: ReadonlyMap<string, { readonly isNot: boolean; readonly isAnyCase: boolean }> = new Map([
  ['~~', { isNot: false, isAnyCase: false }],
  ['!~~', { isNot: true, isAnyCase: false }],
  ['~~*', { isNot: false, isAnyCase: true }],
  ['!~~*', { isNot: true, isAnyCase: true }],
  ['like_escape', { isNot: false, isAnyCase: false }],
  ['not_like_escape', { isNot: true, isAnyCase: false }],
  ['ilike_escape', { isNot: false, isAnyCase: true }],
  ['not_ilike_escape', { isNot: true, isAnyCase: true }],
]);

/**
 * A LIKE with the same result that the engine answers by reading the text once, or null where it is one already. It tries
 * each place in the text for each `%` of a pattern, unless that is a constant of characters and `%` alone.
 * @param textOf the text that an argument is, or null where it is not known.
 */
export function readingOnce(call: TreeNode, textOf: (node: TreeNode) => string | null): TreeNode | null {
  const like = likes.get(String(call.function_name));
  const [within, patternNode, escapeNode] = Array.isArray(call.children) ? (call.children as TreeNode[]) : [];
  if (like === undefined || within === undefined || patternNode === undefined) return null;
  const pattern = textOf(patternNode);
  const mark = escapeNode === undefined ? '' : textOf(escapeNode);
  if (pattern === null || mark === null || countSkips(pattern) < 2) return null;
  if (!like.isAnyCase && escapeNode === undefined && !pattern.includes('_'))
    return patternNode.class === 'CONSTANT' ? null : { ...call, children: [within, text(pattern)] };
  const expression = toExpression(like.isAnyCase ? lowerCase(pattern) : pattern, mark);
  if (expression === null) return null;
  const searched = like.isAnyCase ? functionCall('lower', [within]) : within;
  const matched = functionCall('regexp_matches', [searched, text(expression)]);
  return { ...(like.isNot ? operator('OPERATOR_NOT', [matched]) : matched), alias: call.alias };
}

/** How often a pattern of LIKE says that anything may stand before what follows. */
export function countSkips(pattern: string): number {
  return (pattern.match(/%+(?=[^%])/g) ?? []).length;
}

/** Each character alone, as the engine does it. */
function lowerCase(value: string): string {
  return Array.from(value, (character) => character.toLowerCase()).join('');
}

/** The regular expression that says the same, or null where the pattern ends within an escape. */
function toExpression(pattern: string, mark: string): string | null {
  const parts: string[] = [];
  const characters = Array.from(pattern);
  for (let index = 0; index < characters.length; index += 1) {
    const character = characters[index] ?? '';
    const isEscape = character === mark;
    if (isEscape) index += 1;
    const literal = isEscape ? characters[index] : character;
    if (literal === undefined) return null;
    if (!isEscape && literal === '%') parts.push(parts.at(-1) === '.*' ? '' : '.*');
    else if (!isEscape && literal === '_') parts.push('.');
    else parts.push(/[!-/:-@[-`{-~]/.test(literal) ? `\\${literal}` : literal);
  }
  return String.raw`(?s)\A${parts.join('')}\z`;
}
