import { refuse } from './refusal.ts';

/** A text without its comments and hints. */
export interface UncommentedText {
  /** The text with a space for each character of a comment or hint, except line ends. */
  readonly text: string;
  readonly hasComments: boolean;
  /** Where quotes open and close, as offsets in code points, `end` exclusive. */
  readonly quoted: readonly QuotedPart[];
}

export interface QuotedPart {
  readonly start: number;
  readonly end: number;
}

/**
 * Blanks the comments and hints of a statement, where Databricks finds them: outside of quotes, and those between slashes
 * within each other. The parser never sees one, so it cannot end one elsewhere.
 * @returns null if a quote or comment does not end.
 */
export function blankComments(sql: string): UncommentedText | null {
  const characters = Array.from(sql);
  const text = [...characters];
  const quoted: QuotedPart[] = [];
  let hasComments = false;
  let place = 0;
  while (place < characters.length) {
    const end = findEnd(characters, place);
    if (end === null) return null;
    if (isQuote(characters[place])) quoted.push({ start: place, end });
    else if (end > place + 1) {
      hasComments = true;
      for (let index = place; index < end; index += 1)
        if (!/[\r\n]/.test(characters[index] ?? '')) text[index] = ' ';
    }
    place = end;
  }
  return { text: text.join(''), hasComments, quoted };
}

/** Finds where a quote, comment or hint ends; the next place where none begins, and null if it does not end. */
function findEnd(characters: readonly string[], start: number): number | null {
  const first = characters[start];
  if (isQuote(first)) return findClosingQuote(characters, start);
  if (first === '-' && characters[start + 1] === '-') return findLineEnd(characters, start);
  if (first !== '/' || characters[start + 1] !== '*') return start + 1;
  return characters[start + 2] === '+' ? findHintEnd(characters, start) : findCommentEnd(characters, start);
}

function isQuote(character: string | undefined): boolean {
  return character === "'" || character === '"' || character === '`';
}

function findClosingQuote(characters: readonly string[], start: number): number | null {
  const quote = characters[start];
  const isRaw =
    quote !== '`' && /^r$/i.test(characters[start - 1] ?? '') && !isNamePart(characters[start - 2] ?? '');
  for (let index = start + 1; index < characters.length; index += 1) {
    if (characters[index] === '\\' && quote !== '`' && !isRaw) index += 1;
    else if (characters[index] === quote) {
      if (characters[index + 1] !== quote) return index + 1;
      index += 1;
    }
  }
  return null;
}

function isNamePart(character: string): boolean {
  return /[\p{L}\p{N}_]/u.test(character);
}

function findLineEnd(characters: readonly string[], start: number): number {
  for (let index = start; index < characters.length; index += 1) {
    const [character, next] = [characters[index], characters[index + 1]];
    if (character === '\n') return index;
    if (character === '\r' && next !== '\n') refuseComment('a carriage return without a line feed');
    if (character === '\\' && (next === '\n' || next === '\r')) refuseComment('a backslash at its end');
  }
  return characters.length;
}

/** Databricks nests comments. */
function findCommentEnd(characters: readonly string[], start: number): number | null {
  let depth = 0;
  for (let index = start; index < characters.length - 1; index += 1) {
    const pair = `${characters[index]}${characters[index + 1]}`;
    if (pair === '/*' && index > start && characters[index + 2] === '+') refuseComment('a hint');
    if (pair === '/*') depth += 1;
    if (pair === '*/') depth -= 1;
    if (pair === '/*' || pair === '*/') index += 1;
    if (depth === 0) return index + 1;
  }
  return null;
}

function findHintEnd(characters: readonly string[], start: number): number | null {
  for (let index = start + 3; index < characters.length - 1; index += 1) {
    const pair = `${characters[index]}${characters[index + 1]}`;
    if (pair === '*/') return index + 2;
    if (pair === '/*' || pair === '--' || isQuote(characters[index]))
      refuse('A hint contains a comment or a quote, so databases do not agree where it ends: remove it.');
  }
  return null;
}

function refuseComment(what: string): never {
  refuse(`A comment contains ${what}, so databases do not agree where it ends: remove it.`);
}
