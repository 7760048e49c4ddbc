import { quoteText } from '../../text.ts';
import { toArgument } from '../arguments.ts';
import { appendName, type Call, readPair, showCall } from '../call.ts';
import { toText } from '../casts.ts';
import { checkPattern } from '../patterns.ts';
import { refuseOnFolder } from '../refused.ts';
import type { KnownType } from '../types.ts';
import type { Written } from '../written.ts';
import type { Family } from './family.ts';

/** Functions that match patterns. */
export const regularExpressions: Family = {
  regexp: writeRegexpLike,
  regexp_like: writeRegexpLike,
  rlike: writeRegexpLike,
  regexp_replace: (call) => {
    const [text, pattern, replacement, position] = call.args;
    if (position !== undefined && position.literal !== 1)
      return refuseOnFolder('regexp_replace() from another position than 1');
    if (text === undefined || pattern === undefined || replacement === undefined)
      return refuseOnFolder('regexp_replace() with so few arguments');
    checkPattern(pattern);
    const name = position === undefined ? appendName(call, '1') : showCall(call);
    return {
      sql: `regexp_replace(${toText(text)}, ${pattern.sql}, ${writeReplacement(replacement)}, 'g')`,
      type: 'STRING',
      name,
    };
  },
  regexp_extract: (call) => writeRegexp(call, 'STRING', 'spark_regexp_extract', { group: '1' }),
  regexp_extract_all: (call) =>
    writeRegexp(call, 'ARRAY<STRING>', 'spark_regexp_extract_all', { group: '1' }),
  regexp_count: (call) => writeRegexp(call, 'INT', 'spark_regexp_count'),
  regexp_substr: (call) => writeRegexp(call, 'STRING', 'spark_regexp_substr'),
  regexp_instr: (call) => writeRegexp(call, 'INT', 'spark_regexp_instr', { shown: '0' }),
  split: (call) => {
    const [text, pattern, limit] = call.args;
    if (text === undefined || pattern === undefined) return refuseOnFolder('split() with so few arguments');
    checkPattern(pattern);
    if (
      typeof pattern.literal !== 'string' ||
      pattern.literal === '' ||
      /[*?|]/.test(pattern.literal.replace(/\\./g, ''))
    )
      return refuseOnFolder('split() by a pattern that may match nothing');
    const name = limit === undefined ? appendName(call, '-1') : showCall(call);
    if (limit === undefined || (typeof limit.literal === 'number' && limit.literal <= 0))
      return { sql: `string_split_regex(${toText(text)}, ${pattern.sql})`, type: 'ARRAY<STRING>', name };
    return {
      sql: `spark_split_limit(${toText(text)}, ${pattern.sql}, ${toArgument(call, limit, 'i')})`,
      type: 'ARRAY<STRING>',
      name,
    };
  },
  like: (call) => writeLike(call, 'like'),
  ilike: (call) => writeLike(call, 'i_like'),
};

function writeLike({ writer, nodes: [left, right, mark = null] }: Call, kind: 'like' | 'i_like'): Written {
  return writer.write({ [kind]: { left, right, escape: mark } });
}

function writeRegexpLike(call: Call): Written {
  const [text, pattern] = readPair(call);
  checkPattern(pattern);
  return {
    sql: `regexp_matches(${toText(text)}, ${toText(pattern)})`,
    type: 'BOOLEAN',
    name: showCall(call, call.name.toUpperCase()),
  };
}

/** @param group which the function extracts by default; `shown` what Databricks adds to its name. */
function writeRegexp(
  call: Call,
  type: KnownType,
  macro: string,
  { group = null, shown = group }: { readonly group?: string | null; readonly shown?: string | null } = {},
): Written {
  const [text, pattern, third] = call.args;
  if (text === undefined || pattern === undefined)
    return refuseOnFolder(`${call.name}() with so few arguments`);
  if (typeof pattern.literal !== 'string')
    return refuseOnFolder(`${call.name}() with a pattern that is not a text in the statement`);
  checkPattern(pattern);
  if (group === null && third !== undefined && call.name !== 'regexp_instr')
    return refuseOnFolder(`${call.name}() with so many arguments`);
  const index = third === undefined ? (group ?? '0') : String(third.literal);
  if (!/^\d$/.test(index)) return refuseOnFolder(`${call.name}() with such a group`);
  const groups = (pattern.literal.replace(/\\./g, '').match(/\((?!\?(?!P?<))/g) ?? []).length;
  if (group !== null && Number(index) > groups)
    return refuseOnFolder(`${call.name}() with a group that the pattern does not have`);
  const name = third === undefined && shown !== null ? appendName(call, shown) : showCall(call);
  const args = [toText(text), pattern.sql, ...(group === null ? [] : [index])];
  return { sql: `${macro}(${args.join(', ')})`, type, name };
}

/** Writes what a match is replaced by as DuckDB reads it: `$1` is `\1` there. */
function writeReplacement(replacement: Written): string {
  const text = replacement.literal;
  if (typeof text !== 'string')
    return refuseOnFolder('regexp_replace() with a replacement that is not a text in the statement');
  let written = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    const next = text[index + 1] ?? '';
    if (character === '\\') {
      if (next === '') return refuseOnFolder('A replacement that ends in a backslash');
      written += next === '\\' ? '\\\\' : next;
      index += 1;
    } else if (character === '$') {
      if (!/\d/.test(next) || /\d/.test(text[index + 2] ?? ''))
        return refuseOnFolder('A replacement with such a group');
      written += `\\${next}`;
      index += 1;
    } else written += character;
  }
  return quoteText(written);
}
