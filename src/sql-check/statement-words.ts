import { asciiLowerCase, asciiUpperCase } from '../shared/ascii-case.ts';
import { blankComments, type QuotedPart, type UncommentedText } from './comments.ts';
import { KNOWN_FUNCTIONS, SESSION_WORDS, WORDS_BEFORE_PARENTHESES } from './known-functions.ts';
import { refuse } from './refusal.ts';
import { FORBIDDEN_FUNCTION, FORBIDDEN_WORDS } from './statement-rules.ts';
import { readTokens, type Token } from './syntax-tree.ts';
import { toWord } from './words.ts';

/** The longest statement or filter, in bytes of UTF-8. */
export const MAX_STATEMENT_BYTES = 100_000;

/** The most words and signs: parsing more would block all requests for more than a few tenths of a second. */
export const MAX_STATEMENT_TOKENS = 10_000;

export type Subject = 'query' | 'filter';

/** The words of a statement or filter. */
export interface ReadWords {
  readonly tokens: readonly Token[];
  /** What they stand in: the statement without its comments. */
  readonly text: string;
  /** Whether there were comments or hints. */
  readonly hasComments: boolean;
}

/** Reads the words of a statement or filter. Refuses one that is too long or cannot be split into words. */
export function readWords(sql: string, subject: Subject, maxBytes: number): ReadWords {
  if (Buffer.byteLength(sql) > maxBytes)
    refuse(`The ${subject} is longer than ${maxBytes / 1000} kB: shorten it.`);
  // For some engines a NUL ends the text, so they would not run the checked statement.
  if (sql.includes('\0')) refuse(`The ${subject} contains a NUL character: remove it.`);
  const uncommented = blankComments(sql);
  const tokens = uncommented === null ? null : readTokens(uncommented.text);
  if (uncommented === null || tokens === null)
    refuse(`The ${subject} has a quote or a comment that does not end: close it.`);
  if (tokens.length > MAX_STATEMENT_TOKENS * Math.max(1, maxBytes / MAX_STATEMENT_BYTES))
    refuse(
      `The ${subject} has more than ${MAX_STATEMENT_TOKENS.toLocaleString('en')} words and signs: shorten it.`,
    );
  for (const token of tokens) {
    if (token.kind === 'STRING' || token.kind === 'QUOTED_IDENTIFIER') continue;
    if (token.kind === 'PARAMETER' || token.kind === 'DOLLAR' || token.kind === 'AT_AT' || token.text === '?')
      refuseParameter(subject);
    if (token.kind === 'VAR' && token.text.startsWith('@')) refuseParameter(subject);
  }
  checkQuotes(uncommented, tokens, subject);
  return { tokens, text: uncommented.text, hasComments: uncommented.hasComments };
}

/** Refuses a statement in which the parser finds other quotes than Databricks does. */
function checkQuotes({ text, quoted }: UncommentedText, tokens: readonly Token[], subject: Subject): void {
  const characters = Array.from(text);
  const read = tokens.flatMap(({ kind, start, end }) => {
    if (!/STRING|QUOTED/.test(kind) || kind === 'DOLLAR_STRING') return [];
    const length = characters.slice(start, end).findIndex((character) => /['"`]/.test(character));
    return length < 0 ? [] : [{ start: start + length, end }];
  });
  if (JSON.stringify(joinAdjacent(read)) !== JSON.stringify(joinAdjacent(quoted)))
    refuse(`Databases do not agree where the quotes of the ${subject} end: write them in another way.`);
}

/** Joins quotes without anything between them: one that is doubled can be read as two. */
function joinAdjacent(parts: readonly QuotedPart[]): readonly QuotedPart[] {
  const joined: QuotedPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (last?.end === part.start) joined.splice(-1, 1, { start: last.start, end: part.end });
    else joined.push(part);
  }
  return joined;
}

export function refuseParameter(subject: Subject): never {
  refuse(
    subject === 'query'
      ? 'Parameters must be named with a colon, as in :low. Marks such as ?, $1 and @name are not supported.'
      : 'A filter cannot have parameters: write the value itself.',
  );
}

export function dropClosingSemicolon(tokens: readonly Token[]): readonly Token[] {
  return tokens.at(-1)?.kind === 'SEMICOLON' ? tokens.slice(0, -1) : tokens;
}

/** Refuses a query that does not start like a SELECT. */
export function checkFirstWord(tokens: readonly Token[]): void {
  const first = tokens.find((token) => token.text !== '(');
  if (first === undefined) refuse('The query is empty: write one SELECT.');
  const word = asciiUpperCase(first.text);
  if (word === 'SELECT' || word === 'WITH') return;
  if (!/^[A-Z]+$/.test(word) || word.length > 20) refuse('Only a SELECT can run here.');
  const instead = OTHER_QUERIES.get(word);
  refuse(
    `Only a SELECT can run here: the query starts with ${word}${instead === undefined ? '.' : `. Write ${instead}.`}`,
  );
}

/** What to write instead of queries that start with another word. */
const OTHER_QUERIES: ReadonlyMap<string, string> = new Map([
  ['VALUES', 'SELECT * FROM VALUES …'],
  ['TABLE', 'SELECT * FROM catalog.schema.table'],
  ['FROM', 'SELECT … FROM …'],
]);

/** Whether any of the functions is called. */
export function callsAny(tokens: readonly Token[], functions: RegExp): boolean {
  return tokens.some(
    (token, index) =>
      functions.test(token.text) &&
      token.kind !== 'STRING' &&
      (tokens[index + 1]?.text === '(' || /^(current_|local)/i.test(token.text)),
  );
}

/**
 * Refuses every call of a function that is not known to compute only from its arguments. It looks at the word before each
 * parenthesis, so no way of parsing can hide a call.
 * @param aliases how often each name, in lower case, is an alias of a table with column aliases.
 */
export function checkCalls(tokens: readonly Token[], aliases: ReadonlyMap<string, number>): void {
  const unmet = new Map(aliases);
  tokens.forEach((token, index) => {
    const before = tokens[index - 1];
    const isQuoted = token.kind === 'QUOTED_IDENTIFIER';
    const word = asciiLowerCase(token.text);
    if (tokens[index + 1]?.kind !== 'L_PAREN') {
      if (isQuoted || before?.kind === 'DOT' || before?.kind === 'AS' || token.kind === 'STRING') return;
      if (SESSION_WORDS.has(word))
        refuse(
          `${token.text} describes the session: for a column of that name, write it with its table or in backquotes.`,
        );
      return;
    }
    if (token.kind === 'STRING' || token.kind === 'NUMBER') return;
    // Signs, such as operators, are not calls; a name may contain any letter.
    if (!isQuoted && !/[\p{L}_$]/u.test(word)) return;
    if (before?.kind === 'DOT')
      refuse(`The function ${token.text} cannot be used here: use a built-in function, by its name alone.`);
    if (KNOWN_FUNCTIONS.has(word) || (!isQuoted && WORDS_BEFORE_PARENTHESES.has(word))) return;
    if (!isQuoted && isClauseWord(tokens, index)) return;
    const times = unmet.get(word) ?? 0;
    if (times > 0 && isListOfNames(tokens, index + 1) && !FORBIDDEN_FUNCTION.test(word)) {
      unmet.set(word, times - 1);
      return;
    }
    refuse(
      `The function ${token.text} cannot be used here: use a built-in function that computes only from its arguments.`,
    );
  });
}

/** Whether a word before a parenthesis belongs to a clause: `UNPIVOT INCLUDE NULLS (` and `… ROWS) REPEATABLE (`. */
function isClauseWord(tokens: readonly Token[], index: number): boolean {
  const [one, two, word] = [tokens[index - 2], tokens[index - 1], tokens[index]].map(toWord);
  if (word === 'nulls') return one === 'unpivot' && (two === 'include' || two === 'exclude');
  return word === 'repeatable' && tokens[index - 1]?.kind === 'R_PAREN';
}

/** Whether the parentheses that open at a place contain only names, separated by commas. */
function isListOfNames(tokens: readonly Token[], open: number): boolean {
  for (let index = open + 1; ; index += 2) {
    const [name, after] = [tokens[index], tokens[index + 1]];
    if (name?.kind !== 'VAR' && name?.kind !== 'QUOTED_IDENTIFIER' && !/^[a-z_]\w*$/i.test(name?.text ?? ''))
      return false;
    if (name?.kind === 'STRING') return false;
    if (after?.kind === 'R_PAREN') return true;
    if (after?.kind !== 'COMMA') return false;
  }
}

/** Refuses what Databricks reads differently from the parser, whose tree does not show the difference. */
export function checkReading(tokens: readonly Token[]): void {
  const wordAt = (index: number) => asciiUpperCase(tokens[index]?.text ?? '');
  tokens.forEach((token, index) => {
    const before = tokens[index - 1]?.kind;
    if (token.kind === 'VAR' && wordAt(index) === 'GROUPING' && wordAt(index + 1) === 'SETS')
      if (before !== 'BY' && before !== 'COMMA')
        refuse(
          'GROUPING SETS must follow GROUP BY: write GROUP BY GROUPING SETS (…), without columns before it.',
        );
    if (token.kind === 'DISTINCT' && isTuple(tokens, index + 1))
      refuse(
        'DISTINCT takes columns without parentheses around them: write struct(…) for several columns as one value.',
      );
  });
}

/** Whether the parentheses that open at a place are the only content of others, and contain more than one value. */
function isTuple(tokens: readonly Token[], open: number): boolean {
  if (tokens[open]?.kind !== 'L_PAREN' || tokens[open - 2]?.kind !== 'L_PAREN') return false;
  let depth = 0;
  let commas = 0;
  for (let index = open; index < tokens.length; index += 1) {
    const { kind } = tokens[index] ?? {};
    if (kind === 'L_PAREN') depth += 1;
    if (kind === 'R_PAREN') depth -= 1;
    if (kind === 'COMMA' && depth === 1) commas += 1;
    if (depth === 0) return commas > 0 && tokens[index + 1]?.kind === 'R_PAREN';
  }
  return false;
}

/** Refuses words that, in a statement whose names are all quoted, can only come from something overlooked. */
export function checkWordsSent(tokens: readonly Token[]): void {
  for (const [index, { kind, text }] of tokens.entries()) {
    const before = tokens[index - 1]?.kind;
    if (kind === 'QUOTED_IDENTIFIER' || kind === 'STRING' || before === 'DOT' || before === 'COLON') continue;
    if (FORBIDDEN_WORDS.has(asciiLowerCase(text)))
      refuse(`${asciiUpperCase(text)} cannot be used here: remove it.`);
  }
}
