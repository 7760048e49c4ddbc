import { toArgument } from '../arguments.ts';
import { appendName, type Call, showCall, writeResult } from '../call.ts';
import { toText } from '../casts.ts';
import { innerTypes } from '../nested-types.ts';
import { writeConcat } from '../operators.ts';
import { refuseOnFolder } from '../refused.ts';
import type { Written } from '../written.ts';
import { type Family, scalars } from './family.ts';

/** Text functions; most of them also take bytes. */
export const texts: Family = {
  ...scalars([
    ['ascii', 'spark_ascii($t1)', 'INT'],
    ['bit_length', 'spark_bit_length($x1)', 'INT'],
    ['octet_length', 'spark_octet_length($x1)', 'INT'],
    ['length char_length character_length len', 'spark_length($x1)', 'INT', 'length'],
    ['char chr', 'spark_chr($l1)', 'STRING'],
    ['collation', 'spark_collation($s1)', 'STRING'],
    ['find_in_set', 'spark_find_in_set($t1, $t2)', 'INT'],
    ['initcap', 'spark_js_initcap($t1)', 'STRING'],
    ['instr', 'CAST(instr($t1, $t2) AS INTEGER)', 'INT', 'locate($2, $1, 1)'],
    [
      'charindex locate position',
      ['spark_locate($t1, $t2, 1)', 'spark_locate($t1, $t2, $i3)'],
      'INT',
      ['locate($1, $2, 1)', 'locate($1, $2, $3)'],
    ],
    ['lcase lower', 'lower($t1)', 'STRING', 'lower'],
    ['ucase upper', 'spark_upper($t1)', 'STRING', 'upper'],
    ['right', 'spark_right($t1, $i2)', 'STRING'],
    ['levenshtein', ['levenshtein($t1, $t2)', 'spark_levenshtein($t1, $t2, $i3)'], 'INT'],
    ['luhn_check', 'spark_js_luhn_check($t1)', 'BOOLEAN'],
    ['repeat', 'repeat($t1, $i2)', 'STRING'],
    ['soundex', 'spark_js_soundex($s1)', 'STRING'],
    ['space', "repeat(' ', $i1)", 'STRING'],
    ['split_part', 'spark_split_part($t1, $t2, $i3)', 'STRING'],
    ['substring_index', 'spark_js_substring_index($t1, $t2, $i3)', 'STRING'],
    ['translate', 'spark_js_translate($t1, $t2, $t3)', 'STRING'],
    ['contains', 'spark_contains($x1, $x2)', 'BOOLEAN'],
    ['startswith starts_with', 'spark_starts_with($x1, $x2)', 'BOOLEAN', 'startswith'],
    ['endswith ends_with', 'spark_ends_with($x1, $x2)', 'BOOLEAN', 'endswith'],
    ['quote', 'spark_js_quote($t1)', 'STRING'],
    [
      'mask',
      [
        "spark_mask($s1, 'X', 'x', 'n', NULL)",
        "spark_mask($s1, $s2, 'x', 'n', NULL)",
        "spark_mask($s1, $s2, $s3, 'n', NULL)",
        'spark_mask($s1, $s2, $s3, $s4, NULL)',
        'spark_mask($s1, $s2, $s3, $s4, $s5)',
      ],
      'STRING',
      [
        'mask($1, X, x, n, NULL)',
        'mask($1, $2, x, n, NULL)',
        'mask($1, $2, $3, n, NULL)',
        'mask($1, $2, $3, $4, NULL)',
        'mask($1, $2, $3, $4, $5)',
      ],
    ],
    ['uuid', 'CAST(uuid() AS VARCHAR)', 'STRING'],
  ]),
  concat: (call) => writeConcat(call.args),
  concat_ws: (call) => {
    const [separator, ...parts] = call.args;
    if (separator === undefined) return refuseOnFolder('concat_ws() without arguments');
    const lists = parts.map((part) =>
      part.type?.startsWith('ARRAY') === true
        ? writeTextList(part)
        : part.type === null
          ? `spark_text_parts(${part.sql})`
          : `[${toText(part)}]`,
    );
    const list =
      lists.length === 0
        ? 'CAST([] AS VARCHAR[])'
        : lists.length === 1
          ? (lists[0] ?? '')
          : `flatten([${lists.join(', ')}])`;
    return writeResult(call, 'STRING', `spark_concat_ws(${toText(separator)}, ${list})`);
  },
  array_join: (call) => {
    const [list, separator, replacement] = call.args;
    if (list === undefined || separator === undefined)
      return refuseOnFolder('array_join() with so few arguments');
    const items = writeTextList({ ...list, sql: toArgument(call, list, 'a') });
    const sql =
      replacement === undefined
        ? `spark_array_join(${items}, ${toText(separator)})`
        : `spark_array_join_nulls(${items}, ${toText(separator)}, ${toText(replacement)})`;
    return writeResult(call, 'STRING', sql);
  },
  substring: writeSubstring,
  substr: writeSubstring,
  replace: (call) => {
    const [text, search, replacement] = call.args;
    const to = replacement === undefined ? "''" : toText(replacement);
    const sql = `spark_replace(${toArgument(call, text, 't')}, ${toArgument(call, search, 't')}, ${to})`;
    return { sql, type: 'STRING', name: replacement === undefined ? appendName(call, '') : showCall(call) };
  },
  reverse: (call) => {
    const [value] = call.args;
    if (value?.type?.startsWith('ARRAY') === true || value?.type === null)
      return writeResult(call, value.type, `spark_reverse(${value.sql})`);
    return writeResult(call, 'STRING', `spark_reverse(${toArgument(call, value, 't')})`);
  },
  overlay: (call) => {
    const [text, replacement, from, length] = call.args;
    const name = length === undefined ? appendName(call, '-1') : showCall(call);
    const start = toArgument(call, from, 'i');
    const count = length === undefined ? '-1' : toArgument(call, length, 'i');
    if (text?.type === 'BINARY' && replacement?.type === 'BINARY') {
      const sql = `unhex(spark_overlay(hex(${text.sql}), hex(${replacement.sql}), 2 * ${start} - 1, 2 * ${count}))`;
      return { sql, type: 'BINARY', name };
    }
    const texts = `${toArgument(call, text, 't')}, ${toArgument(call, replacement, 't')}`;
    return { sql: `spark_overlay(${texts}, ${start}, ${count})`, type: 'STRING', name };
  },
  left: (call) => {
    const [text, length] = call.args;
    const count = toArgument(call, length, 'i');
    if (text?.type === 'BINARY')
      return writeResult(call, 'BINARY', `unhex(spark_left(hex(${text.sql}), 2 * ${count}))`);
    return writeResult(call, 'STRING', `spark_left(${toArgument(call, text, 't')}, ${count})`);
  },
  elt: (call) => {
    const [index, ...texts] = call.args;
    if (texts.some(({ type }) => type === 'BINARY')) return refuseOnFolder('elt() of bytes');
    const sql = `spark_elt(${toArgument(call, index, 'i')}, [${texts.map((text) => toText(text)).join(', ')}])`;
    return writeResult(call, 'STRING', sql);
  },
};

/** The items of an array as texts. */
function writeTextList(list: Written): string {
  const item = innerTypes(list.type)[0] ?? null;
  if (item === 'STRING' || item === 'VOID') return list.sql;
  if (item === null) return `spark_text_list(${list.sql})`;
  return `list_transform(${list.sql}, lambda blade_text: ${toText({ sql: 'blade_text', type: item, name: null })})`;
}

function writeSubstring(call: Call): Written {
  const [text, start, length] = call.args;
  const name =
    length === undefined ? appendName(call, '2147483647', 'substring') : showCall(call, 'substring');
  const first = toArgument(call, start, 'i');
  const count = length === undefined ? '2147483647' : toArgument(call, length, 'i');
  if (text?.type === 'BINARY')
    return { sql: `spark_substring_bytes(${text.sql}, ${first}, ${count})`, type: 'BINARY', name };
  return { sql: `spark_substring(${toArgument(call, text, 't')}, ${first}, ${count})`, type: 'STRING', name };
}
