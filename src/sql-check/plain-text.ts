import { spellNumber } from './number-literal.ts';
import { refuse } from './refusal.ts';
import { respell } from './respelling.ts';
import { findMissingParentheses } from './set-operands.ts';
import type { Token } from './syntax-tree.ts';

/**
 * Reduces a statement to words that the parser and Databricks read alike: every string literal is spelled in the way that
 * both decode alike, and what the parser lacks in another way. Words keep their line and column unless they are spelled in
 * another way. Refuses what the parser and Databricks would split into different words.
 * @param text the statement without comments.
 */
export function toPlainText(text: string, tokens: readonly Token[]): string {
  const characters = Array.from(text);
  const missing = findMissingParentheses(tokens);
  const spellings = respell(tokens);
  const pieces: string[] = [];
  let end = 0;
  for (const [index, token] of tokens.entries()) {
    const gap = characters.slice(end, token.start).join('');
    if (/\S/.test(gap)) refuse(`${gap.trim()} cannot be read: remove it.`);
    const written = characters.slice(token.start, token.end).join('');
    const { before = '', text: other, after = '' } = spellings.get(index) ?? {};
    if (missing.opened.has(index)) pieces.push('(');
    pieces.push(gap, before, other ?? spellToken(token, written), after);
    if (missing.closed.has(index)) pieces.push(')');
    const next = characters[token.end] ?? '';
    if (token.kind === 'NUMBER' && other === undefined && /[\p{L}\d_]/u.test(next))
      refuse(`${written}${next} is neither a number nor a name: put a space between them.`);
    end = token.end;
  }
  const rest = characters.slice(end).join('');
  if (/\S/.test(rest)) refuse(`${rest.trim()} cannot be read: remove it.`);
  return pieces.join('') + rest;
}

function spellToken(token: Token, written: string): string {
  switch (token.kind) {
    case 'STRING':
      return spellText(decodeText(written));
    case 'RAW_STRING':
      return spellText(decodeRawText(written));
    case 'HEX_STRING':
      if (!/^x'[0-9a-f]*'$/i.test(written))
        refuse(`${written} is not a binary literal: write it as in X'1F'.`);
      return written;
    case 'NUMBER':
      return spellNumber(written);
    default:
      if (/STRING/.test(token.kind))
        refuse(`${written.slice(0, 20)} is not supported: write a string in quotes, as in 'text'.`);
      return written;
  }
}

function spellText(value: string): string {
  if (value.includes('\0')) refuse('A string contains a NUL character: remove it.');
  if (!value.isWellFormed()) refuse('A string contains half a surrogate pair: remove it.');
  return `'${value.replace(/[\\']/g, '\\$&')}'`;
}

const ESCAPES = /\\(u[\da-fA-F]{4}|U[\da-fA-F]{8}|[01][0-7]{2}|[\s\S])|(["'])\2/g;

const CONTROL_CHARACTERS: ReadonlyMap<string, string> = new Map([
  ['0', '\0'],
  ['b', '\b'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['Z', '\x1a'],
]);

/** Decodes a string literal as Databricks does; a doubled quote is a quote. */
function decodeText(written: string): string {
  const quote = written[0];
  if (quote !== "'" && quote !== '"') refuse("A string must be in straight quotes, as in 'text'.");
  return written.slice(1, -1).replace(ESCAPES, (match, escaped?: string, doubled?: string) => {
    if (escaped === undefined) return doubled === quote ? quote : match;
    if (escaped.length > 3) return decodeCodePoint(Number.parseInt(escaped.slice(1), 16));
    if (escaped.length === 3) return String.fromCharCode(Number.parseInt(escaped, 8));
    // A LIKE pattern needs the backslash before its wildcards.
    if (escaped === '%' || escaped === '_') return match;
    return CONTROL_CHARACTERS.get(escaped) ?? escaped;
  });
}

function decodeCodePoint(codePoint: number): string {
  if (codePoint > 0x10ffff)
    refuse('A string contains an escape beyond U+10FFFF, which is no character: remove it.');
  return String.fromCodePoint(codePoint);
}

function decodeRawText(written: string): string {
  const quote = written[1] ?? '';
  return written.slice(2, -1).replaceAll(quote + quote, quote);
}
