import { toArgument } from '../arguments.ts';
import { type Call, writeResult } from '../call.ts';
import { writeComparison } from '../operators.ts';
import { refuseOnFolder } from '../refused.ts';
import { unify, type Written } from '../written.ts';
import { type Family, scalars } from './family.ts';

/** Functions that write bytes as texts, and read them. */
export const encodings: Family = {
  ...scalars([
    ['is_valid_utf8', 'spark_is_valid_utf8($x1)', 'BOOLEAN'],
    ['make_valid_utf8', 'spark_make_valid_utf8($x1)', 'STRING'],
    ['validate_utf8', 'spark_validate_utf8($x1)', 'STRING'],
    ['try_validate_utf8', 'spark_try_validate_utf8($x1)', 'STRING'],
    ['base64', 'to_base64($b1)', 'STRING'],
    ['unbase64', 'spark_unbase64($t1)', 'BINARY'],
    ['url_encode', 'spark_js_url_encode($t1)', 'STRING'],
    ['url_decode', 'spark_js_url_decode($t1)', 'STRING'],
    ['try_url_decode', 'spark_js_try_url_decode($t1)', 'STRING'],
    ['parse_url', ['spark_js_parse_url($s1, $s2)', 'spark_js_parse_url_key($s1, $s2, $s3)'], 'STRING'],
    [
      'try_parse_url',
      ['spark_js_try_parse_url($s1, $s2)', 'spark_js_try_parse_url_key($s1, $s2, $s3)'],
      'STRING',
    ],
  ]),
  encode: (call) => {
    checkCharset(call);
    return writeResult(call, 'BINARY', `encode(${toArgument(call, call.args[0], 't')})`);
  },
  decode: (call) => {
    if (call.args.length === 2) {
      checkCharset(call);
      return writeResult(call, 'STRING', `spark_decode(${toArgument(call, call.args[0], 'b')})`);
    }
    const [value, ...pairs] = call.args;
    if (value === undefined) return refuseOnFolder('decode() without arguments');
    const whens: string[] = [];
    const results: Written[] = [];
    let otherwise = 'NULL';
    for (let index = 0; index < pairs.length; index += 2) {
      const [search, result] = [pairs[index], pairs[index + 1]];
      if (search === undefined) continue;
      if (result === undefined) {
        otherwise = search.sql;
        results.push(search);
      } else {
        whens.push(`WHEN ${writeComparison('null_safe_eq', value, search).sql} THEN ${result.sql}`);
        results.push(result);
      }
    }
    return writeResult(call, unify(results, 'decode()'), `CASE ${whens.join(' ')} ELSE ${otherwise} END`);
  },
  to_binary: (call) => writeToBinary(call, false),
  try_to_binary: (call) => writeToBinary(call, true),
};

function checkCharset(call: Call): void {
  const charset = call.args[1]?.literal;
  if (typeof charset !== 'string' || !/^utf-?8$/i.test(charset))
    refuseOnFolder(`${call.name}() with another character set than UTF-8`);
}

function writeToBinary(call: Call, isTry: boolean): Written {
  const format = call.args.length === 1 ? 'hex' : call.args[1]?.literal;
  const text = toArgument(call, call.args[0], 't');
  const known = typeof format === 'string' ? format.toLowerCase() : '';
  const sql =
    known === 'hex' ? `spark_to_binary_hex(${text})` : /^utf-?8$/.test(known) ? `encode(${text})` : undefined;
  if (sql === undefined) return refuseOnFolder(`${call.name}() of this format`);
  return writeResult(call, 'BINARY', isTry ? `TRY(${sql})` : sql);
}
