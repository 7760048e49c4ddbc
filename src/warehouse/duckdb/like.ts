import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { textIn } from './argument-size.ts';
import { listIn, type TreeNode } from './tree.ts';
import { functionCall, operator, text } from './tree-nodes.ts';

/** The functions that LIKE becomes, by whether they are NOT LIKE and whether case counts. */
const LIKES: ReadonlyMap<string, { readonly isNot: boolean; readonly isAnyCase: boolean }> = new Map([
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
 * Rewrites a LIKE, or a regular expression that the optimizer would turn into one, so that the engine reads the text only
 * once. For LIKE it tries every place in the text for every `%` of the pattern, unless the pattern is a constant without `_`.
 * @param readText returns the text of an argument; null if it is unknown.
 * @returns a call with the same result, or null if the call already reads the text once or the pattern is unknown.
 */
export function readingOnce(call: TreeNode, readText: (node: TreeNode) => string | null): TreeNode | null {
  const [within, patternNode, ...others] = listIn(call, 'children');
  if (within === undefined || patternNode === undefined) return null;
  if (call.function_name === 'regexp_matches') {
    const kept = keptExpression(patternNode, readText(patternNode));
    return kept === null ? null : { ...call, children: [within, kept, ...others] };
  }
  const like = LIKES.get(String(call.function_name));
  const [escapeNode] = others;
  const pattern = readText(patternNode);
  const mark = escapeNode === undefined ? '' : readText(escapeNode);
  if (like === undefined || pattern === null || mark === null || countSkips(pattern) < 2) return null;
  if (!like.isAnyCase && escapeNode === undefined && !pattern.includes('_'))
    return patternNode.class === 'CONSTANT' ? null : { ...call, children: [within, text(pattern)] };
  // Engines disagree on the case of letters beyond ASCII, and the text is compared in the engine's.
  if (like.isAnyCase && hasForeignCase(pattern)) return null;
  const expression = toExpression(like.isAnyCase ? asciiLowerCase(pattern) : pattern, mark);
  if (expression === null) return null;
  const searched = like.isAnyCase ? functionCall('lower', [within]) : within;
  const matched = functionCall('regexp_matches', [searched, text(expression)]);
  return { ...(like.isNot ? operator('OPERATOR_NOT', [matched]) : matched), alias: call.alias };
}

/** Rewrites an expression that the optimizer may turn into a LIKE with a `_`: it leaves those with groups alone. */
function keptExpression(node: TreeNode, expression: string | null): TreeNode | null {
  if (expression === null) {
    // It works out an expression of constants first.
    const isKept = node.function_name === '||' && textIn(listIn(node, 'children')[0]) === GROUP;
    return isKept ? null : functionCall('||', [text(GROUP), node], true);
  }
  const becomesLike = expression.includes('*') && /\.(?!\*)/.test(expression);
  return becomesLike && !expression.startsWith(GROUP) ? text(`${GROUP}${expression}`) : null;
}

const GROUP = '()';

/** How often a pattern of LIKE says that anything may stand before what follows. */
export function countSkips(pattern: string): number {
  return (pattern.match(/%+(?=[^%])/g) ?? []).length;
}

function hasForeignCase(pattern: string): boolean {
  return Array.from(pattern).some(
    (character) => character > '\x7f' && character.toLowerCase() !== character.toUpperCase(),
  );
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
  return String.raw`${GROUP}(?s)\A${parts.join('')}\z`;
}
