import { asciiLowerCase } from '../shared/ascii-case.ts';
import { KNOWN_FUNCTIONS } from './known-functions.ts';
import { spellNumber } from './number-literal.ts';
import type { Token } from './syntax-tree.ts';
import { findTypeWords } from './type-words.ts';
import { findClosing, isText, isWord, splitList, toWord } from './words.ts';

/** How to write a word of a statement so that the parser reads in it what Databricks does. */
export interface Spelling {
  readonly before?: string;
  /** Replaces the word; undefined to leave it. */
  readonly text?: string;
  readonly after?: string;
}

/** A name that no statement can contain. It stands between the halves of the operator `>>>`, which the parser lacks. */
export const UNSIGNED_SHIFT = 'blade\0shift';

/** Spells in another way what Databricks reads and the parser does not; the values are the same. */
export function respell(tokens: readonly Token[]): ReadonlyMap<number, Spelling> {
  const spellings = new Spellings();
  const types = findTypeWords(tokens);
  tokens.forEach((_token, index) => {
    if (types.has(index)) respellField(tokens, index, spellings);
    else for (const rule of RULES) rule(tokens, index, spellings);
  });
  return spellings.found;
}

type Rule = (tokens: readonly Token[], index: number, spellings: Spellings) => void;

class Spellings {
  readonly found = new Map<number, Spelling>();

  replace(index: number, text: string): void {
    this.found.set(index, { ...this.found.get(index), text });
  }

  enclose(first: number, last: number, before: string, after = ')'): void {
    this.insert(first, before);
    this.found.set(last, { ...this.found.get(last), after: `${this.found.get(last)?.after ?? ''}${after}` });
  }

  insert(index: number, before: string): void {
    this.found.set(index, {
      ...this.found.get(index),
      before: `${before}${this.found.get(index)?.before ?? ''}`,
    });
  }
}

const areAdjacent = (one: Token | undefined, other: Token | undefined) =>
  one !== undefined && one.end === other?.start;

/** `TIMESTAMP_NTZ'…'` */
const respellTime: Rule = (tokens, index, spellings) => {
  const type = toWord(tokens[index]);
  if (type !== 'timestamp_ntz' && type !== 'timestamp_ltz') return;
  if (!isText(tokens[index + 1]) || tokens[index - 1]?.kind === 'DOT') return;
  spellings.replace(index, '');
  spellings.enclose(index + 1, index + 1, 'CAST(', ` AS ${type.toUpperCase()})`);
};

/** `!a`, `a !> b` and `a !< b` */
const respellExclamation: Rule = (tokens, index, spellings) => {
  const [token, next, then] = tokens.slice(index, index + 3);
  if (token?.kind !== 'EXCLAMATION') return;
  if (!areAdjacent(token, next) || (next?.kind !== 'GT' && next?.kind !== 'LT')) {
    spellings.replace(index, ' NOT ');
    return;
  }
  if (areAdjacent(next, then) && /^[<=>]/.test(then?.text ?? '')) return;
  spellings.replace(index, next.kind === 'GT' ? '<=' : '>=');
  spellings.replace(index + 1, '');
};

/** `a >>> b` */
const respellShift: Rule = (tokens, index, spellings) => {
  const [token, next] = tokens.slice(index, index + 2);
  if (token?.kind !== 'GT_GT' || next?.kind !== 'GT' || !areAdjacent(token, next)) return;
  spellings.replace(index, `>> \`${UNSIGNED_SHIFT}\` >>`);
  spellings.replace(index + 1, '');
};

/** `.5D`, which the parser takes for a number and a name */
const respellFraction: Rule = (tokens, index, spellings) => {
  const [token, next] = tokens.slice(index, index + 2);
  if (token?.kind !== 'NUMBER' || !token.text.startsWith('.') || !areAdjacent(token, next)) return;
  if (next?.kind !== 'VAR' || !/^(?:f|d|bd)$/i.test(next.text)) return;
  spellings.replace(index, spellNumber(`${token.text}${next.text}`));
  spellings.replace(index + 1, '');
};

/** `-128Y`, whose number alone is none of its type */
const respellLeast: Rule = (tokens, index, spellings) => {
  const type =
    tokens[index - 1]?.kind === 'DASH' ? LEAST.get(asciiLowerCase(tokens[index]?.text ?? '')) : undefined;
  if (type === undefined) return;
  spellings.replace(index - 1, '');
  spellings.replace(index, `CAST(-${tokens[index]?.text.split(':')[0]} AS ${type})`);
};

const LEAST: ReadonlyMap<string, string> = new Map([
  ['128::tinyint', 'TINYINT'],
  ['32768::smallint', 'SMALLINT'],
  ['9223372036854775808::bigint', 'BIGINT'],
]);

const TRIM_WORDS: ReadonlySet<string> = new Set(['both', 'leading', 'trailing']);

/** The words of TRIM as names, and TRIM without the characters to cut off */
const respellTrim: Rule = (tokens, index, spellings) => {
  const word = toWord(tokens[index]);
  if (!TRIM_WORDS.has(word)) return;
  const isWithin = toWord(tokens[index - 2]) === 'trim' && tokens[index - 1]?.kind === 'L_PAREN';
  if (!isWithin || !holdsFrom(tokens, index - 1)) {
    spellings.replace(index, `\`${tokens[index]?.text}\``);
  } else if (tokens[index + 1]?.kind === 'FROM') {
    spellings.replace(index - 2, word === 'both' ? 'trim' : word === 'leading' ? 'ltrim' : 'rtrim');
    spellings.replace(index, '');
    spellings.replace(index + 1, '');
  }
};

function holdsFrom(tokens: readonly Token[], open: number): boolean {
  const close = findClosing(tokens, open) ?? open;
  return splitList(tokens, open + 1, close, (token) => token.kind === 'FROM').length > 1;
}

/** `LIMIT ALL` and `LIMIT CAST(…)` */
const respellLimit: Rule = (tokens, index, spellings) => {
  if (tokens[index]?.kind !== 'LIMIT' || tokens[index - 1]?.kind === 'DOT') return;
  const next = tokens[index + 1];
  if (next?.kind === 'ALL') {
    spellings.replace(index, '');
    spellings.replace(index + 1, '');
  }
  const close = toWord(next) === 'cast' ? findClosing(tokens, index + 2) : null;
  if (close !== null) spellings.enclose(index + 1, close, '(');
};

/** `sum(ALL a)`, where ALL changes nothing */
const respellAll: Rule = (tokens, index, spellings) => {
  const [name, open, next] = [tokens[index - 2], tokens[index - 1], tokens[index + 1]];
  if (tokens[index]?.kind !== 'ALL' || open?.kind !== 'L_PAREN' || !isWord(name)) return;
  if (!KNOWN_FUNCTIONS.has(toWord(name))) return;
  if (isName(next) || isText(next) || next?.kind === 'NUMBER' || next?.kind === 'L_PAREN')
    spellings.replace(index, '');
};

/** `div(a, b)` */
const respellDivision: Rule = (tokens, index, spellings) => {
  const close = toWord(tokens[index]) === 'div' ? findClosing(tokens, index + 1) : null;
  if (close === null || tokens[index - 1]?.kind === 'DOT') return;
  const [one, other, ...rest] = splitList(tokens, index + 2, close);
  if (one === undefined || other === undefined || rest.length > 0) return;
  spellings.replace(index, '');
  spellings.enclose(one.first, one.last, '(');
  spellings.replace(one.last + 1, ' DIV ');
  spellings.enclose(other.first, other.last, '(');
};

/** `NOT a LIKE ALL (…)`, which the parser does not read at all */
const respellNotLike: Rule = (tokens, index, spellings) => {
  if (!/^i?like$/.test(toWord(tokens[index])) || !/^(?:all|any|some)$/.test(toWord(tokens[index + 1])))
    return;
  const close = findClosing(tokens, index + 2);
  if (close === null || toWord(tokens[index - 1]) === 'not') return;
  let depth = 0;
  for (let place = index - 1; place >= 0; place -= 1) {
    const token = tokens[place];
    if (token?.kind === 'R_PAREN') depth += 1;
    if (token?.kind === 'L_PAREN') depth -= 1;
    if (depth < 0 || (depth === 0 && (token?.kind === 'COMMA' || ENDS_OPERAND.has(toWord(token))))) return;
    if (depth > 0 || toWord(token) !== 'not') continue;
    spellings.enclose(place + 1, close, '(');
    return;
  }
};

const ENDS_OPERAND: ReadonlySet<string> = new Set([
  ...['and', 'or', 'select', 'where', 'on', 'when', 'then', 'else', 'having', 'qualify', 'by', 'is'],
]);

/** `WITH w AS (VALUES …)`, and rows of one value without parentheses */
const respellValues: Rule = (tokens, index, spellings) => {
  if (toWord(tokens[index]) !== 'values') return;
  if (tokens[index - 1]?.kind === 'L_PAREN' && toWord(tokens[index - 2]) === 'as')
    spellings.insert(index, 'SELECT * FROM ');
  const rows: { first: number; last: number }[] = [];
  let first = index + 1;
  for (;;) {
    const last = findRowEnd(tokens, first);
    if (last === null) return;
    if (tokens[first]?.kind !== 'L_PAREN') rows.push({ first, last });
    const next = tokens[last + 1];
    if (next?.kind !== 'COMMA') {
      if (next !== undefined && next.kind !== 'R_PAREN' && next.kind !== 'SEMICOLON' && !isWord(next)) return;
      break;
    }
    first = last + 2;
  }
  for (const row of rows) spellings.enclose(row.first, row.last, '(');
};

/** Finds the last word of a row that is a literal, a call or in parentheses; null for other rows. */
function findRowEnd(tokens: readonly Token[], first: number): number | null {
  const start = tokens[first]?.kind === 'DASH' ? first + 1 : first;
  const token = tokens[start];
  if (token?.kind === 'L_PAREN') return findClosing(tokens, start);
  if (token?.kind === 'NUMBER' || isText(token) || /^(?:null|true|false)$/.test(toWord(token))) return start;
  if (!isWord(token)) return null;
  if (isText(tokens[start + 1])) return start + 1;
  return findClosing(tokens, start + 1);
}

/** `PIVOT (… FOR a IN (1 one, 2 two))`, and aggregates of PIVOT that are sums and the like */
const respellPivot: Rule = (tokens, index, spellings) => {
  if (!/^(?:un)?pivot$/.test(toWord(tokens[index]))) return;
  const open = tokens.findIndex(({ kind }, place) => place > index && kind === 'L_PAREN');
  if (open > index + 3) return;
  const close = findClosing(tokens, open);
  if (close === null) return;
  const [aggregates, ...values] = splitList(tokens, open + 1, close, (token) => toWord(token) === 'for');
  for (const { first, last } of values) {
    const list = tokens.findIndex(
      (token, place) => place >= first && place <= last && toWord(token) === 'in',
    );
    const end = findClosing(tokens, list + 1);
    if (list < 0 || end === null) continue;
    for (const value of splitList(tokens, list + 2, end)) {
      const [before, name] = [tokens[value.last - 1], tokens[value.last]];
      if (value.last > value.first && isName(name) && endsValue(before)) spellings.insert(value.last, 'AS ');
    }
  }
  if (aggregates === undefined || toWord(tokens[index]) === 'unpivot') return;
  for (const { first, last } of splitList(tokens, aggregates.first, aggregates.last + 1)) {
    const alias = toWord(tokens[last - 1]) === 'as' ? last - 1 : null;
    const isSum = splitList(tokens, first, alias ?? last, ({ text }) => /^[-+*/%]$/.test(text)).length > 1;
    if (alias !== null && isSum) spellings.enclose(first, alias - 1, '(');
  }
};

function isName(token: Token | undefined): boolean {
  return token?.kind === 'QUOTED_IDENTIFIER' || isWord(token);
}

function endsValue(token: Token | undefined): boolean {
  return token?.kind === 'NUMBER' || token?.kind === 'R_PAREN' || isText(token) || isValueName(token);
}

function isValueName(token: Token | undefined): boolean {
  return isName(token) && toWord(token) !== 'as';
}

/** Drops what a field of a struct says beside its type: no value depends on it. */
function respellField(tokens: readonly Token[], index: number, spellings: Spellings): void {
  const [word, next] = [toWord(tokens[index]), tokens[index + 1]];
  if ((word === 'not' && toWord(next) === 'null') || (word === 'comment' && isText(next))) {
    spellings.replace(index, '');
    spellings.replace(index + 1, '');
  }
}

const RULES: readonly Rule[] = [
  respellTime,
  respellExclamation,
  respellShift,
  respellFraction,
  respellLeast,
  respellTrim,
  respellLimit,
  respellAll,
  respellDivision,
  respellNotLike,
  respellValues,
  respellPivot,
];

/** Describes what the parser does not read and nothing else spells; null if there is no such thing. */
export function findUnreadConstruct(tokens: readonly Token[]): string | null {
  for (const [index, token] of tokens.entries()) {
    const [word, next, then] = [token, tokens[index + 1], tokens[index + 2]].map(toWord);
    if (token.kind === 'PIPE_GT') return 'Pipe syntax (|>) is not read here: write it as a sub-query.';
    if (word === 'max' && next === 'recursion' && then === 'level')
      return 'MAX RECURSION LEVEL is not read here: leave it out, or stop the recursion with WHERE.';
    if (
      word === 'struct' &&
      tokens[index + 1]?.kind === 'NEQ' &&
      /^(?:as|::)$/.test(tokens[index - 1]?.text.toLowerCase() ?? '')
    )
      return 'STRUCT<> is not read here: name the fields of the struct.';
    if (
      asciiLowerCase(token.text) === 'identifier' &&
      tokens[index + 1]?.kind === 'L_PAREN' &&
      token.kind === 'VAR'
    )
      return 'IDENTIFIER(…) cannot be used here: write the name itself.';
  }
  return null;
}
