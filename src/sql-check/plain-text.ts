import { refuse } from './refusal.ts';
import { findMissingParentheses } from './set-operands.ts';
import type { Token } from './syntax-tree.ts';

/**
 * Reduces a statement to its words: comments and hints become spaces, and every string literal is spelled in the way that
 * the parser and Databricks decode alike. Words keep their line and column unless a literal changes its length.
 * Refuses what the parser and Databricks would split into different words.
 */
export function toPlainText(sql: string, tokens: readonly Token[]): string {
  const characters = Array.from(sql);
  const missing = findMissingParentheses(tokens);
  const pieces: string[] = [];
  let end = 0;
  for (const [index, token] of tokens.entries()) {
    pieces.push(blank(characters.slice(end, token.start).join('')));
    const written = characters.slice(token.start, token.end).join('');
    if (missing.opened.has(index)) pieces.push('(');
    pieces.push(token.kind === 'HINT' ? blank(written) : spellToken(token, written));
    if (missing.closed.has(index)) pieces.push(')');
    const next = characters[token.end] ?? '';
    if (token.kind === 'NUMBER' && /[\p{L}\d_]/u.test(next))
      refuse(`${written}${next} is neither a number nor a name: put a space between them.`);
    end = token.end;
  }
  pieces.push(blank(characters.slice(end).join('')));
  return pieces.join('');
}

/**
 * White space, and comments that every parser ends at the same place. Unlike others, Databricks nests comments, ends a line
 * at a carriage return, and continues a line after a backslash.
 */
const COMMENTS = /^(?:\s|--(?:[^\r\n\\]|\\(?![\r\n]))*(?=\r?\n|$)|\/\*(?:[^*/]|\*(?!\/)|\/(?!\*))*\*\/)*$/;

function blank(text: string): string {
  if (/\S/.test(text) && !(COMMENTS.test(text) && !/\r(?!\n)/.test(text)))
    refuse(
      'A comment contains another one, a backslash at the end of a line or a lone carriage return, so databases do not agree where it ends: remove it.',
    );
  return text.replace(/\S/gu, ' ');
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

/** Spells exact numbers (suffix BD) without the suffix, because the parser would round them. */
function spellNumber(written: string): string {
  const digits = /^(.*)BD$/i.exec(written)?.[1];
  if (digits === undefined) return written;
  if (/^\d*\.\d*$/.test(digits)) return digits;
  if (/^\d+$/.test(digits)) return `CAST(${digits} AS DECIMAL(${digits.length}, 0))`;
  return refuse(`${written} is not supported: write the number without its exponent or without BD.`);
}
