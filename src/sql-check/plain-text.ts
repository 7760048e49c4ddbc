import { refuse } from './refusal.ts';
import { findMissingParentheses } from './set-operands.ts';
import type { Token } from './syntax-tree.ts';

/**
 * The statement as its words alone: comments and hints become spaces, and every text literal is spelled in the one way
 * that the parser and Databricks decode alike. Whatever keeps its length keeps its line and column.
 * Refuses what the two would split into different words.
 */
export function plainText(sql: string, tokens: readonly Token[]): string {
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
 * White space and the comments that every parser ends at the same place. Databricks nests comments, ends a line at a
 * carriage return and continues one behind a backslash; others do not.
 */
const COMMENTS = /^(?:\s|--(?:[^\r\n\\]|\\(?![\r\n]))*(?=\r?\n|$)|\/\*(?:[^*/]|\*(?!\/)|\/(?!\*))*\*\/)*$/;

function blank(text: string): string {
  if (/\S/.test(text) && !(COMMENTS.test(text) && !/\r(?!\n)/.test(text)))
    refuse(
      'Databases do not agree where a comment ends that holds another one, a backslash before the end of its line or a lone carriage return: remove it.',
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
      if (!/^x'[0-9a-f]*'$/i.test(written)) refuse(`${written} is not a literal of bytes such as X'1F'.`);
      return written;
    case 'NUMBER':
      return spellNumber(written);
    default:
      if (/STRING/.test(token.kind))
        refuse(`${written.slice(0, 20)} is not known: write a text in quotes, as in 'text'.`);
      return written;
  }
}

function spellText(value: string): string {
  if (value.includes('\0')) refuse('A text holds a NUL character: remove it.');
  if (!value.isWellFormed()) refuse('A text holds half a character: remove it.');
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

/** The value of a text literal as Databricks decodes it; a doubled quote is a quote. */
function decodeText(written: string): string {
  const quote = written[0];
  if (quote !== "'" && quote !== '"') refuse("A text stands in straight quotes, as in 'text'.");
  return written.slice(1, -1).replace(ESCAPES, (match, escaped?: string, doubled?: string) => {
    if (escaped === undefined) return doubled === quote ? quote : match;
    if (escaped.length > 3) return decodeCodePoint(Number.parseInt(escaped.slice(1), 16));
    if (escaped.length === 3) return String.fromCharCode(Number.parseInt(escaped, 8));
    // A pattern needs the backslash before its wildcards.
    if (escaped === '%' || escaped === '_') return match;
    return CONTROL_CHARACTERS.get(escaped) ?? escaped;
  });
}

function decodeCodePoint(codePoint: number): string {
  if (codePoint > 0x10ffff) refuse('A text holds an escape that stands for no character.');
  return String.fromCodePoint(codePoint);
}

function decodeRawText(written: string): string {
  const quote = written[1] ?? '';
  return written.slice(2, -1).replaceAll(quote + quote, quote);
}

/** The parser would round a number with the suffix of an exact one. */
function spellNumber(written: string): string {
  const digits = /^(.*)BD$/i.exec(written)?.[1];
  if (digits === undefined) return written;
  if (/^\d*\.\d*$/.test(digits)) return digits;
  if (/^\d+$/.test(digits)) return `CAST(${digits} AS DECIMAL(${digits.length}, 0))`;
  return refuse(`${written} is not known: write the number without its exponent or without BD.`);
}
