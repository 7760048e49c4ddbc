import type { Token } from './syntax-tree.ts';
import { isText, isWord, toWord } from './words.ts';

/** Finds the words within the angle brackets of types such as `STRUCT<a: INT>`. */
export function findTypeWords(tokens: readonly Token[]): ReadonlySet<number> {
  const found = new Set<number>();
  for (let index = 0; index < tokens.length; index += 1) {
    if (found.has(index) || !/^(?:array|map|struct)$/.test(toWord(tokens[index]))) continue;
    const end = findTypeEnd(tokens, index + 1);
    for (let place = index + 1; end !== null && place <= end; place += 1) found.add(place);
  }
  return found;
}

/** Finds the bracket that ends a type; null where the first one is an operator. */
function findTypeEnd(tokens: readonly Token[], open: number): number | null {
  if (tokens[open]?.kind !== 'LT') return null;
  let depth = 0;
  for (let index = open; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token?.kind === 'LT') depth += 1;
    else if (token?.kind === 'GT') depth -= 1;
    else if (token?.kind === 'GT_GT') depth -= 2;
    else if (!isPartOfType(tokens, index)) return null;
    if (depth <= 0) return depth === 0 ? index : null;
  }
  return null;
}

function isPartOfType(tokens: readonly Token[], index: number): boolean {
  const token = tokens[index];
  if (token === undefined) return false;
  if (isText(token)) return toWord(tokens[index - 1]) === 'comment';
  return TYPE_SIGNS.has(token.kind) || isWord(token);
}

const TYPE_SIGNS: ReadonlySet<string> = new Set([
  ...['QUOTED_IDENTIFIER', 'NUMBER', 'COMMA', 'COLON', 'L_PAREN', 'R_PAREN'],
]);
