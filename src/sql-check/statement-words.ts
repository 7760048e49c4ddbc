import { asciiLowerCase, asciiUpperCase } from '../shared/ascii-case.ts';
import { knownFunctions, wordsBeforeParentheses, wordsOfTheSession } from './known-functions.ts';
import { refuse } from './refusal.ts';
import { forbiddenFunction, forbiddenWords } from './statement-rules.ts';
import { readTokens, type Token } from './syntax-tree.ts';

/** The longest statement or filter that is taken, in bytes of UTF-8. */
export const maxStatementBytes = 100_000;

/** The most words and signs that are taken: parsing more would hold everybody up for more than some tenths of a second. */
export const maxStatementTokens = 10_000;

export type Subject = 'query' | 'filter';

/** The words of a statement or filter. Refuses one that is too long, or that cannot be split into words. */
export function readWords(sql: string, subject: Subject, maxBytes: number): readonly Token[] {
  if (Buffer.byteLength(sql) > maxBytes) refuse(`The ${subject} is longer than ${maxBytes / 1000} kB.`);
  // A NUL ends a text for some engines, so that they would run another statement than the one checked.
  if (sql.includes('\0')) refuse(`The ${subject} holds a NUL character: remove it.`);
  const tokens = readTokens(sql);
  if (tokens === null) refuse(`The ${subject} has a quote or a comment that does not end.`);
  if (tokens.length > maxStatementTokens * Math.max(1, maxBytes / maxStatementBytes))
    refuse(`The ${subject} has more than ${maxStatementTokens.toLocaleString('en')} words and signs.`);
  for (const token of tokens) {
    if (token.kind === 'PARAMETER' || token.kind === 'DOLLAR' || token.kind === 'AT_AT' || token.text === '?')
      refuseParameter(subject);
    if (token.kind === 'VAR' && token.text.startsWith('@')) refuseParameter(subject);
  }
  return tokens;
}

export function refuseParameter(subject: Subject): never {
  refuse(
    subject === 'query'
      ? 'Parameters are written by name with a colon, as in :low. Marks such as ?, $1 and @name are not known.'
      : 'A filter has no parameters: write the value itself.',
  );
}

export function withoutClosingSemicolon(tokens: readonly Token[]): readonly Token[] {
  return tokens.at(-1)?.kind === 'SEMICOLON' ? tokens.slice(0, -1) : tokens;
}

/** Refuses a query that does not begin as a SELECT does. */
export function checkFirstWord(tokens: readonly Token[]): void {
  const first = tokens.find((token) => token.text !== '(');
  if (first === undefined) refuse('The query is empty: write one SELECT.');
  const word = asciiUpperCase(first.text);
  if (word !== 'SELECT' && word !== 'WITH')
    refuse(
      /^[A-Z]+$/.test(word) && word.length <= 20
        ? `Only a SELECT can run here: the query starts with ${word}.`
        : 'Only a SELECT can run here.',
    );
}

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
 * Refuses every call of a function that is not known to compute from its arguments alone. It goes by what stands before a
 * parenthesis, so that no way of parsing a call can hide it.
 * @param aliases how often the statement gives each name, in lower case, to a table together with names for its columns.
 */
export function checkCalls(tokens: readonly Token[], aliases: ReadonlyMap<string, number>): void {
  const unmet = new Map(aliases);
  tokens.forEach((token, index) => {
    const before = tokens[index - 1];
    const isQuoted = token.kind === 'QUOTED_IDENTIFIER';
    const word = asciiLowerCase(token.text);
    if (tokens[index + 1]?.kind !== 'L_PAREN') {
      if (isQuoted || before?.kind === 'DOT' || before?.kind === 'AS' || token.kind === 'STRING') return;
      if (wordsOfTheSession.has(word))
        refuse(
          `${token.text} tells of the session: for a column of that name write it with its table or in backquotes.`,
        );
      return;
    }
    if (token.kind === 'STRING' || token.kind === 'NUMBER') return;
    // A sign, such as an operator, calls nothing; a name may hold any letter.
    if (!isQuoted && !/[\p{L}_$]/u.test(word)) return;
    if (before?.kind === 'DOT')
      refuse(
        `The function ${token.text} cannot be used here: only functions that are built in can, and only by their name.`,
      );
    if (knownFunctions.has(word) || (!isQuoted && wordsBeforeParentheses.has(word))) return;
    const times = unmet.get(word) ?? 0;
    if (times > 0 && isListOfNames(tokens, index + 1) && !forbiddenFunction.test(word)) {
      unmet.set(word, times - 1);
      return;
    }
    refuse(
      `The function ${token.text} cannot be used here: only functions that compute from their arguments can.`,
    );
  });
}

/** Whether names alone, with commas between them, stand in the parentheses that open at the place. */
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

/** Refuses what Databricks reads in another way than the parser does, which keeps no sign of it in its tree. */
export function checkReading(tokens: readonly Token[]): void {
  const wordAt = (index: number) => asciiUpperCase(tokens[index]?.text ?? '');
  tokens.forEach((token, index) => {
    const before = tokens[index - 1]?.kind;
    if (token.kind === 'VAR' && wordAt(index) === 'GROUPING' && wordAt(index + 1) === 'SETS')
      if (before !== 'BY' && before !== 'COMMA')
        refuse(
          'GROUPING SETS follows GROUP BY: write GROUP BY GROUPING SETS (…), without columns before it.',
        );
    if (token.kind === 'LIMIT' && tokens[index + 1]?.kind === 'ALL')
      refuse('LIMIT ALL is no limit: leave it out.');
    if (token.kind === 'DISTINCT' && isTuple(tokens, index + 1))
      refuse(
        'DISTINCT takes columns without parentheses around them: for rows of several columns, write struct(…).',
      );
  });
}

/** Whether the parentheses that open at the place, and stand in others alone, hold more than one value. */
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

/** Refuses words that only what was overlooked can have brought into a statement whose names are all in quotes. */
export function checkWordsSent(tokens: readonly Token[]): void {
  for (const [index, { kind, text }] of tokens.entries()) {
    const before = tokens[index - 1]?.kind;
    if (kind === 'QUOTED_IDENTIFIER' || kind === 'STRING' || before === 'DOT' || before === 'COLON') continue;
    if (forbiddenWords.has(asciiLowerCase(text))) refuse(`${asciiUpperCase(text)} cannot be used here.`);
  }
}
