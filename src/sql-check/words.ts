import { asciiLowerCase } from '../shared/ascii-case.ts';
import type { Token } from './syntax-tree.ts';

/** Returns an unquoted word in lower case; an empty text for anything else. */
export function toWord(token: Token | undefined): string {
  return isWord(token) ? asciiLowerCase(token.text) : '';
}

export function isWord(token: Token | undefined): token is Token {
  return token !== undefined && !/STRING|QUOTED|NUMBER/.test(token.kind) && /^[\p{L}_]/u.test(token.text);
}

/** Whether a word is a text in quotes. */
export function isText(token: Token | undefined): boolean {
  return token?.kind === 'STRING' || token?.kind === 'RAW_STRING';
}

/** Finds the parenthesis that closes the one at a place; null if there is none. */
export function findClosing(tokens: readonly Token[], open: number): number | null {
  if (tokens[open]?.kind !== 'L_PAREN') return null;
  let depth = 0;
  for (let index = open; index < tokens.length; index += 1) {
    if (tokens[index]?.kind === 'L_PAREN') depth += 1;
    if (tokens[index]?.kind === 'R_PAREN') depth -= 1;
    if (depth === 0) return index;
  }
  return null;
}

/** The first and the last word of a part of a statement. */
export interface WordRange {
  readonly first: number;
  readonly last: number;
}

/** Splits the words from `first` to before `end` at those separators that are in no parentheses or brackets. */
export function splitList(
  tokens: readonly Token[],
  first: number,
  end: number,
  isSeparator: (token: Token) => boolean = ({ kind }) => kind === 'COMMA',
): readonly WordRange[] {
  const parts: WordRange[] = [];
  let start = first;
  let depth = 0;
  for (let index = first; index < end; index += 1) {
    const token = tokens[index];
    if (token === undefined) break;
    if (token.kind === 'L_PAREN' || token.kind === 'L_BRACKET') depth += 1;
    if (token.kind === 'R_PAREN' || token.kind === 'R_BRACKET') depth -= 1;
    if (depth !== 0 || !isSeparator(token)) continue;
    parts.push({ first: start, last: index - 1 });
    start = index + 1;
  }
  return [...parts, { first: start, last: end - 1 }];
}
