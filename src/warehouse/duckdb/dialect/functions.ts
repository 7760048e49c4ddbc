import { getContent, getKind } from '../../../sql-check/syntax-tree.ts';
import { quoteName, quoteText } from '../text.ts';
import {
  type Call,
  isNested,
  type Provision,
  type ResultType,
  readFieldName,
  showCall,
  showWindow,
  toArgument,
  writeAggregate,
  writeStruct,
} from './call.ts';
import { secondsToTime } from './casts.ts';
import { readDatePattern, writeDateFormat, writeDateParse } from './date-patterns.ts';
import { toText, writeArithmetic, writeComparison, writeConcat } from './operators.ts';
import { checkPattern, writeReplacement } from './patterns.ts';
import { refuseOnFolder } from './refused.ts';
import { readSchema } from './schemas.ts';
import {
  findCommonType,
  isDecimal,
  isFloating,
  isInteger,
  isNumeric,
  isTime,
  type KnownType,
  readDecimal,
} from './types.ts';
import { areUnlike, innerTypes, named, structFields, structType, unify, type Written } from './written.ts';

/** What a function returns: the type of its first argument. */
const FIRST: ResultType = ([first]) => first ?? null;
const ITEM: ResultType = ([list]) => innerTypes(list ?? null)[0] ?? null;
const COMMON: ResultType = (types) =>
  types.reduce<KnownType>((one, other) => findCommonType(one, other), 'VOID');
const arrayOf = (type: KnownType): KnownType => (type === null ? 'ARRAY<?>' : `ARRAY<${type}>`);

type Row = readonly [
  names: string,
  templates: string | readonly string[],
  type: ResultType,
  shown?: string | readonly string[],
];

/** Functions of one row: `$1` is the first argument; a letter says what it must be (see `toArgument`). */
const SCALARS: readonly Row[] = [
  // Numbers
  ['acos', 'spark_acos($d1)', 'DOUBLE', 'ACOS'],
  ['acosh', 'spark_acosh($d1)', 'DOUBLE', 'ACOSH'],
  ['asin', 'spark_asin($d1)', 'DOUBLE', 'ASIN'],
  ['asinh', 'asinh($d1)', 'DOUBLE', 'ASINH'],
  ['atan', 'atan($d1)', 'DOUBLE', 'ATAN'],
  ['atan2', 'atan2($d1, $d2)', 'DOUBLE', 'ATAN2'],
  ['atanh', 'spark_atanh($d1)', 'DOUBLE', 'ATANH'],
  ['cbrt', 'cbrt($d1)', 'DOUBLE', 'CBRT'],
  ['cos', 'spark_cos($d1)', 'DOUBLE', 'COS'],
  ['cosh', 'cosh($d1)', 'DOUBLE', 'COSH'],
  ['cot', 'spark_cot($d1)', 'DOUBLE', 'COT'],
  ['csc', '(1 / spark_sin($d1))', 'DOUBLE', 'CSC'],
  ['sec', '(1 / spark_cos($d1))', 'DOUBLE', 'SEC'],
  ['degrees', 'degrees($d1)', 'DOUBLE', 'DEGREES'],
  ['radians', 'radians($d1)', 'DOUBLE', 'RADIANS'],
  ['e', 'spark_e()', 'DOUBLE', 'E'],
  ['pi', 'pi()', 'DOUBLE', 'PI'],
  ['exp', 'exp($d1)', 'DOUBLE', 'EXP'],
  ['expm1', 'spark_expm1($d1)', 'DOUBLE', 'EXPM1'],
  ['log1p', 'spark_log1p($d1)', 'DOUBLE', 'LOG1P'],
  ['ln', 'spark_ln($d1)', 'DOUBLE'],
  ['log10', 'spark_log10($d1)', 'DOUBLE', 'LOG10'],
  ['log2', 'spark_log2($d1)', 'DOUBLE', 'LOG2'],
  ['sin', 'spark_sin($d1)', 'DOUBLE', 'SIN'],
  ['sinh', 'sinh($d1)', 'DOUBLE', 'SINH'],
  ['tan', 'spark_tan($d1)', 'DOUBLE', 'TAN'],
  ['tanh', 'tanh($d1)', 'DOUBLE', 'TANH'],
  ['sqrt', 'spark_sqrt($d1)', 'DOUBLE', 'SQRT'],
  ['hypot', 'spark_hypot($d1, $d2)', 'DOUBLE', 'HYPOT'],
  ['pow power', 'power($d1, $d2)', 'DOUBLE', 'POWER'],
  ['rint', 'round_even($d1, 0)', 'DOUBLE'],
  ['sign', 'CAST(sign($d1) AS DOUBLE)', 'DOUBLE'],
  ['signum', 'CAST(sign($d1) AS DOUBLE)', 'DOUBLE', 'SIGNUM'],
  ['factorial', 'spark_factorial($i1)', 'BIGINT'],
  ['isnan is_nan', 'coalesce(isnan($d1), false)', 'BOOLEAN'],
  ['bin', 'spark_js_bin($l1)', 'STRING'],
  ['conv', 'spark_js_conv($t1, $i2, $i3)', 'STRING'],
  ['shiftleft', 'spark_shift_left($I1, $i2)', FIRST],
  ['shiftright', 'spark_shift_right($I1, $i2)', FIRST],
  ['shiftrightunsigned', 'spark_shift_right_unsigned($I1, $i2)', FIRST],
  ['bit_count', 'spark_bit_count($1)', 'INT'],
  ['bit_get getbit', 'spark_bit_get($I1, $I2)', 'TINYINT'],
  ['width_bucket', 'spark_width_bucket($d1, $d2, $d3, $l4)', 'BIGINT'],
  ['hex', 'spark_hex($h1)', 'STRING'],
  ['unhex', 'spark_unhex($t1)', 'BINARY'],
  ['bitmap_bit_position', 'spark_bitmap_bit_position($l1)', 'BIGINT'],
  ['bitmap_bucket_number', 'spark_bitmap_bucket_number($l1)', 'BIGINT'],
  // Texts and bytes
  ['ascii', 'spark_ascii($t1)', 'INT'],
  ['bit_length', 'spark_bit_length($x1)', 'INT'],
  ['octet_length', 'spark_octet_length($x1)', 'INT'],
  ['length char_length character_length len', 'spark_length($x1)', 'INT', 'length'],
  ['char chr', 'spark_chr($l1)', 'STRING'],
  ['collation', 'spark_collation($s1)', 'STRING'],
  ['crc32', 'spark_js_crc32($b1)', 'BIGINT'],
  ['find_in_set', 'spark_find_in_set($t1, $t2)', 'INT'],
  ['initcap', 'spark_js_initcap($t1)', 'STRING'],
  ['instr', 'spark_locate($t2, $t1, 1)', 'INT', 'locate($2, $1, 1)'],
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
  ['is_valid_utf8', 'spark_is_valid_utf8($x1)', 'BOOLEAN'],
  ['make_valid_utf8', 'spark_make_valid_utf8($x1)', 'STRING'],
  ['validate_utf8', 'spark_validate_utf8($x1)', 'STRING'],
  ['try_validate_utf8', 'spark_try_validate_utf8($x1)', 'STRING'],
  ['md5', 'spark_md5($b1)', 'STRING'],
  ['sha sha1', 'sha1($b1)', 'STRING'],
  ['sha2', 'spark_js_sha2($b1, $i2)', 'STRING'],
  ['repeat', 'repeat($t1, $i2)', 'STRING'],
  ['soundex', 'spark_js_soundex($s1)', 'STRING'],
  ['space', "repeat(' ', $i1)", 'STRING'],
  ['split_part', 'spark_split_part($t1, $t2, $i3)', 'STRING'],
  ['substring_index', 'spark_js_substring_index($t1, $t2, $i3)', 'STRING'],
  ['translate', 'spark_js_translate($t1, $t2, $t3)', 'STRING'],
  ['trim', 'trim($t1, chr(32))', 'STRING'],
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
  // Times
  ['add_months', 'spark_add_months($D1, $i2)', 'DATE'],
  ['date_from_unix_date', "(DATE '1970-01-01' + $i1)", 'DATE'],
  ['date_sub', '($D1 - $i2)', 'DATE'],
  ['day dayofmonth', 'CAST(day($D1) AS INTEGER)', 'INT'],
  ['dayname', "strftime($D1, '%a')", 'STRING'],
  ['dayofweek', 'CAST(dayofweek($D1) + 1 AS INTEGER)', 'INT'],
  ['dayofyear', 'CAST(dayofyear($D1) AS INTEGER)', 'INT'],
  ['weekday', 'CAST(isodow($D1) - 1 AS INTEGER)', 'INT'],
  ['weekofyear', 'CAST(week($D1) AS INTEGER)', 'INT'],
  ['month', 'CAST(month($D1) AS INTEGER)', 'INT'],
  ['monthname', "strftime($D1, '%b')", 'STRING'],
  ['quarter', 'CAST(quarter($D1) AS INTEGER)', 'INT'],
  ['year', 'CAST(year($D1) AS INTEGER)', 'INT'],
  ['hour', 'CAST(hour($T1) AS INTEGER)', 'INT'],
  ['minute', 'CAST(minute($T1) AS INTEGER)', 'INT'],
  ['second', 'CAST(second($T1) AS INTEGER)', 'INT'],
  ['last_day', 'last_day($D1)', 'DATE'],
  ['next_day', 'spark_next_day($D1, $t2)', 'DATE'],
  ['make_date', 'spark_make_date($i1, $i2, $i3)', 'DATE'],
  [
    'months_between',
    ['spark_months_between($T1, $T2, true)', 'spark_months_between($T1, $T2, $B3)'],
    'DOUBLE',
    ['months_between($1, $2, true)', 'months_between($1, $2, $3)'],
  ],
  ['from_utc_timestamp', 'spark_from_utc($T1, $t2)', 'TIMESTAMP'],
  ['to_utc_timestamp', 'spark_to_utc($T1, $t2)', 'TIMESTAMP'],
  ['timestamp_micros', 'make_timestamptz(CAST($I1 AS BIGINT))', 'TIMESTAMP'],
  ['timestamp_millis', 'make_timestamptz(CAST($I1 AS BIGINT) * 1000)', 'TIMESTAMP'],
  ['unix_date', "CAST(datediff('day', DATE '1970-01-01', $D1) AS INTEGER)", 'INT'],
  ['unix_micros', 'epoch_us($T1)', 'BIGINT'],
  ['unix_millis', 'spark_floor_divide(epoch_us($T1), 1000)', 'BIGINT'],
  ['unix_seconds', 'spark_floor_divide(epoch_us($T1), 1000000)', 'BIGINT'],
  // Arrays, maps and structs
  ['array_append', 'spark_array_append($a1, $2)', FIRST],
  ['array_prepend', 'spark_array_prepend($a1, $2)', FIRST],
  ['array_compact', 'spark_array_compact($a1)', FIRST],
  ['array_contains', 'spark_array_contains($a1, $2)', 'BOOLEAN'],
  ['array_distinct', 'spark_array_distinct($a1)', FIRST],
  ['array_except', 'spark_array_except($a1, $a2)', FIRST],
  ['array_intersect', 'spark_array_intersect($a1, $a2)', FIRST],
  ['array_union', 'spark_array_union($a1, $a2)', FIRST],
  ['array_max', 'spark_array_max($a1)', ITEM],
  ['array_min', 'spark_array_min($a1)', ITEM],
  ['array_position', 'spark_array_position($a1, $2)', 'BIGINT'],
  ['array_remove', 'spark_array_remove($a1, $2)', FIRST],
  ['array_insert', 'spark_array_insert($a1, $i2, $3)', FIRST],
  ['array_repeat', 'spark_array_repeat($1, $i2)', ([item]) => arrayOf(item ?? null)],
  ['array_size', 'CAST(len($a1) AS INTEGER)', 'INT'],
  ['arrays_overlap', 'spark_arrays_overlap($a1, $a2)', 'BOOLEAN'],
  ['flatten', 'spark_flatten($a1)', ITEM],
  ['get', 'spark_get($a1, $I2)', ITEM],
  ['slice', 'spark_slice($a1, $i2, $i3)', FIRST],
  ['sort_array', ['spark_sort_array($a1, true)', 'spark_sort_array($a1, $B2)'], FIRST],
  ['map_concat', 'spark_map_concat($m1, $m2)', FIRST],
  ['map_contains_key', 'spark_map_contains_key($m1, $2)', 'BOOLEAN'],
  [
    'map_entries',
    'map_entries($m1)',
    ([map]) => {
      const [key = null, value = null] = innerTypes(map ?? null);
      return arrayOf(
        structType([
          ['key', key],
          ['value', value],
        ]),
      );
    },
  ],
  ['map_keys', 'map_keys($m1)', ([map]) => arrayOf(innerTypes(map ?? null)[0] ?? null)],
  ['map_values', 'map_values($m1)', ([map]) => arrayOf(innerTypes(map ?? null)[1] ?? null)],
  [
    'map_from_arrays',
    'spark_map_from_arrays($a1, $a2)',
    ([keys, values]) => `MAP<${innerTypes(keys ?? null)[0] ?? '?'}, ${innerTypes(values ?? null)[0] ?? '?'}>`,
  ],
  [
    'str_to_map',
    [
      "spark_js_str_to_map($s1, ',', ':')",
      "spark_js_str_to_map($s1, $t2, ':')",
      'spark_js_str_to_map($s1, $t2, $t3)',
    ],
    'MAP<STRING, STRING>',
    ['str_to_map($1, ,, :)', 'str_to_map($1, $2, :)', 'str_to_map($1, $2, $3)'],
  ],
  // JSON
  ['json_array_length', 'spark_json_array_length($s1)', 'INT'],
  ['json_object_keys', 'spark_json_object_keys($s1)', 'ARRAY<STRING>'],
  ['get_json_object', 'spark_js_get_json_object($s1, $s2)', 'STRING'],
  // Values that change each time, which no comparison can cover
  ['rand random', 'random()', 'DOUBLE', 'rand()'],
  ['uuid', 'CAST(uuid() AS VARCHAR)', 'STRING'],
  // Conditions
  ['isnotnull', '($1 IS NOT NULL)', 'BOOLEAN', '($1 IS NOT NULL)'],
  ['isnull', '($1 IS NULL)', 'BOOLEAN', '($1 IS NULL)'],
];

/** Aggregates: what is in braces is the aggregate, and what follows `|` in it a condition on its rows. */
const AGGREGATES: readonly Row[] = [
  ['any some bool_or', 'bool_or($B1)', 'BOOLEAN'],
  ['bool_and every', 'bool_and($B1)', 'BOOLEAN', 'bool_and'],
  ['approx_count_distinct', 'count(DISTINCT $1)', 'BIGINT'],
  [
    'array_agg collect_list',
    'coalesce({list($1)|$1 IS NOT NULL}, [])',
    ([item]) => arrayOf(item ?? null),
    'collect_list',
  ],
  ['bit_and', 'bit_and($1)', FIRST],
  ['bit_or', 'bit_or($1)', FIRST],
  ['bit_xor', 'bit_xor($1)', FIRST],
  ['count_if', 'CAST({count_if($B1)} AS BIGINT)', 'BIGINT'],
  ['corr', 'spark_corr({corr($d1, $d2)}, {regr_count($d1, $d2)})', 'DOUBLE'],
  ['covar_pop', 'covar_pop($d1, $d2)', 'DOUBLE'],
  ['covar_samp', 'covar_samp($d1, $d2)', 'DOUBLE'],
  ['kurtosis', 'spark_kurtosis({kurtosis_pop($d1)}, {var_pop($d1)})', 'DOUBLE'],
  ['skewness', 'spark_skewness({skewness($d1)}, {count($d1)}, {var_pop($d1)})', 'DOUBLE'],
  ['median', 'quantile_cont($d1, 0.5)', 'DOUBLE'],
  ['regr_avgx', 'regr_avgx($f1, $f2)', 'DOUBLE'],
  ['regr_avgy', 'regr_avgy($f1, $f2)', 'DOUBLE'],
  ['regr_count', 'CAST({regr_count($d1, $d2)} AS BIGINT)', 'BIGINT'],
  ['regr_intercept', 'spark_with_nan({sum($d1 + $d2)}, {regr_intercept($d1, $d2)})', 'DOUBLE'],
  ['regr_r2', 'regr_r2($d1, $d2)', 'DOUBLE'],
  ['regr_slope', 'spark_with_nan({sum($d1 + $d2)}, {regr_slope($d1, $d2)})', 'DOUBLE'],
  ['regr_sxx', 'regr_sxx($d1, $d2)', 'DOUBLE'],
  ['regr_sxy', 'regr_sxy($d1, $d2)', 'DOUBLE'],
  ['regr_syy', 'regr_syy($d1, $d2)', 'DOUBLE'],
  ['std', 'stddev_samp($d1)', 'DOUBLE'],
  ['stddev', 'stddev_samp($d1)', 'DOUBLE'],
  ['stddev_samp', 'stddev_samp($d1)', 'DOUBLE'],
  ['stddev_pop', 'stddev_pop($d1)', 'DOUBLE'],
  ['var_pop', 'var_pop($d1)', 'DOUBLE'],
  ['var_samp', 'var_samp($d1)', 'DOUBLE'],
  ['variance', 'var_samp($d1)', 'DOUBLE'],
  ['grouping', 'CAST(grouping($1) AS TINYINT)', 'TINYINT'],
];

const WINDOWS: readonly Row[] = [
  ['row_number', 'row_number()', 'INT'],
  ['rank', 'rank()', 'INT', 'RANK()'],
  ['dense_rank', 'dense_rank()', 'INT', 'DENSE_RANK()'],
  ['percent_rank', 'percent_rank()', 'DOUBLE', 'PERCENT_RANK()'],
  ['cume_dist', 'cume_dist()', 'DOUBLE'],
  ['ntile', 'ntile($i1)', 'INT'],
];

/** What needs more than a template. */
const REWRITES: Readonly<Record<string, (call: Call) => Written>> = {
  array: (call) => {
    const { type } = unify(call.args, 'array()');
    return {
      sql: call.args.length === 0 ? '[]' : `[${call.args.map(({ sql }) => sql).join(', ')}]`,
      type: arrayOf(type),
      name: showCall(call),
    };
  },
  map: (call) => {
    if (call.args.length % 2 !== 0) return refuseOnFolder('map() with a key and no value');
    const keys = call.args.filter((_, index) => index % 2 === 0);
    const values = call.args.filter((_, index) => index % 2 === 1);
    const type: KnownType = `MAP<${unify(keys, 'map()').type ?? '?'}, ${unify(values, 'map()').type ?? '?'}>`;
    const list = (items: readonly Written[]) => `[${items.map(({ sql }) => sql).join(', ')}]`;
    return { sql: `map(${list(keys)}, ${list(values)})`, type, name: showCall(call) };
  },
  struct: (call) => {
    const fields = call.nodes.map(
      (node, index) => [readFieldName(node, index), call.args[index] as Written] as const,
    );
    const names = call.nodes.map((node, index) => {
      const shown = call.args[index]?.name ?? null;
      return getKind(node) === 'alias' && shown !== null
        ? `${shown} AS ${readFieldName(node, index)}`
        : shown;
    });
    return writeStruct(fields, names.includes(null) ? null : `struct(${names.join(', ')})`);
  },
  named_struct: (call) => {
    const fields = call.args.flatMap((key, index) => {
      if (index % 2 === 1) return [];
      const value = call.args[index + 1];
      if (typeof key.literal !== 'string' || value === undefined)
        return refuseOnFolder('named_struct() with a name that is not a text in the statement');
      return [[key.literal, value] as const];
    });
    return writeStruct(fields, showCall(call));
  },
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
    return { sql: `spark_concat_ws(${toText(separator)}, ${list})`, type: 'STRING', name: showCall(call) };
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
    return { sql, type: 'STRING', name: showCall(call) };
  },
  substring: writeSubstring,
  substr: writeSubstring,
  replace: (call) => {
    const [text, search, replacement] = call.args;
    const to = replacement === undefined ? "''" : toText(replacement);
    const name = showCall(call);
    return {
      sql: `spark_replace(${toArgument(call, text, 't')}, ${toArgument(call, search, 't')}, ${to})`,
      type: 'STRING',
      name: replacement === undefined ? name && `${name.slice(0, -1)}, )` : name,
    };
  },
  reverse: (call) => {
    const [value] = call.args;
    if (value?.type?.startsWith('ARRAY') === true || value?.type === null)
      return { sql: `spark_reverse(${value.sql})`, type: value.type, name: showCall(call) };
    return { sql: `spark_reverse(${toArgument(call, value, 't')})`, type: 'STRING', name: showCall(call) };
  },
  lpad: (call) => writePad(call, 'lpad'),
  rpad: (call) => writePad(call, 'rpad'),
  ltrim: (call) => writeTrim(call, 'ltrim', 'function'),
  rtrim: (call) => writeTrim(call, 'rtrim', 'function'),
  btrim: (call) => writeTrim(call, 'btrim', 'function'),
  'ltrim from': (call) => writeTrim(call, 'ltrim', 'keyword'),
  'rtrim from': (call) => writeTrim(call, 'rtrim', 'keyword'),
  'btrim from': (call) => writeTrim(call, 'btrim', 'keyword'),
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
      return {
        sql: `unhex(spark_left(hex(${text.sql}), 2 * ${count}))`,
        type: 'BINARY',
        name: showCall(call),
      };
    return {
      sql: `spark_left(${toArgument(call, text, 't')}, ${count})`,
      type: 'STRING',
      name: showCall(call),
    };
  },
  elt: (call) => {
    const [index, ...texts] = call.args;
    const sql = `spark_elt(${toArgument(call, index, 'i')}, [${texts.map((text) => toText(text)).join(', ')}])`;
    return { sql, type: 'STRING', name: showCall(call) };
  },
  encode: (call) =>
    writeCharset(call, ([text]) => ({ sql: `encode(${toArgument(call, text, 't')})`, type: 'BINARY' })),
  decode: (call) => {
    if (call.args.length === 2)
      return writeCharset(call, ([bytes]) => ({
        sql: `spark_decode(${toArgument(call, bytes, 'b')})`,
        type: 'STRING',
      }));
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
    return {
      sql: `CASE ${whens.join(' ')} ELSE ${otherwise} END`,
      type: unify(results, 'decode()').type,
      name: showCall(call),
    };
  },
  to_char: writeToChar,
  to_varchar: writeToChar,
  to_number: (call) => writeToNumber(call, false),
  try_to_number: (call) => writeToNumber(call, true),
  to_binary: (call) => writeToBinary(call, false),
  try_to_binary: (call) => writeToBinary(call, true),
  format_number: (call) => {
    const [value, digits] = call.args;
    if (typeof digits?.literal === 'string')
      return refuseOnFolder('format_number() with a pattern', 'write the number of digits');
    const number = isFloating(value?.type ?? null)
      ? `spark_js_double_text(${value?.sql})`
      : value?.type === null
        ? `spark_number_text(${value.sql})`
        : `CAST(${toArgument(call, value, 'n')} AS VARCHAR)`;
    return {
      sql: `spark_js_format_number(${number}, ${toArgument(call, digits, 'i')})`,
      type: 'STRING',
      name: showCall(call),
    };
  },
  format_string: writeFormatString,
  printf: writeFormatString,
  hash: (call) => writeHash(call, 'spark_murmur', 'INT', '42'),
  xxhash64: (call) => writeHash(call, 'spark_xxhash', 'BIGINT', 'CAST(42 AS BIGINT)'),
  // Regular expressions
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
  regexp_extract: (call) =>
    writeRegexp(
      call,
      (text, pattern, group) => `spark_regexp_extract(${text}, ${pattern}, ${group})`,
      'STRING',
      '1',
    ),
  regexp_extract_all: (call) =>
    writeRegexp(
      call,
      (text, pattern, group) => `regexp_extract_all(${text}, ${pattern}, ${group})`,
      'ARRAY<STRING>',
      '1',
    ),
  regexp_count: (call) =>
    writeRegexp(call, (text, pattern) => `spark_regexp_count(${text}, ${pattern})`, 'INT', null),
  regexp_substr: (call) =>
    writeRegexp(call, (text, pattern) => `spark_regexp_substr(${text}, ${pattern})`, 'STRING', null),
  regexp_instr: (call) =>
    writeRegexp(call, (text, pattern) => `spark_regexp_instr(${text}, ${pattern})`, 'INT', null, '0'),
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
  like: (call) =>
    call.writer.write({ like: { left: call.nodes[0], right: call.nodes[1], escape: call.nodes[2] ?? null } }),
  ilike: (call) =>
    call.writer.write({
      i_like: { left: call.nodes[0], right: call.nodes[1], escape: call.nodes[2] ?? null },
    }),
  // Numbers
  abs: (call) => {
    const [value] = call.args;
    if (isNested(value?.type ?? null)) return refuseOnFolder('abs() of this type');
    return {
      sql: `abs(${toArgument(call, value, 'n')})`,
      type: value?.type === 'STRING' ? 'DOUBLE' : (value?.type ?? null),
      name: showCall(call),
    };
  },
  negative: (call) => ({
    sql: `(-${toArgument(call, call.args[0], 'n')})`,
    type: readFirstType(call),
    name: showCall(call),
  }),
  positive: (call) => ({
    sql: toArgument(call, call.args[0], 'n'),
    type: readFirstType(call),
    name: named`(+ ${call.args[0] as Written})`,
  }),
  ceil: (call) => writeRounding(call, 'ceil'),
  ceiling: (call) => writeRounding(call, 'ceil'),
  floor: (call) => writeRounding(call, 'floor'),
  round: (call) => writeRound(call, 'spark_round'),
  bround: (call) => writeRound(call, 'spark_bround'),
  log: (call) => {
    const [one, other] = call.args;
    if (other === undefined)
      return {
        sql: `spark_ln(${toArgument(call, one, 'd')})`,
        type: 'DOUBLE',
        name: one?.name == null ? null : `LOG(E(), ${one.name})`,
      };
    return {
      sql: `spark_log(${toArgument(call, one, 'd')}, ${toArgument(call, other, 'd')})`,
      type: 'DOUBLE',
      name: showCall(call, 'LOG'),
    };
  },
  mod: (call) => writeArithmetic('mod', call.args[0] as Written, call.args[1] as Written),
  div: (call) => writeArithmetic('int_div', call.args[0] as Written, call.args[1] as Written),
  pmod: (call) => {
    const [one, other] = call.args as [Written, Written];
    return {
      sql: `spark_pmod(${toArgument(call, one, 'n')}, ${toArgument(call, other, 'n')})`,
      type: findCommonType(one.type, other.type),
      name: showCall(call),
    };
  },
  nanvl: (call) => ({
    sql: `spark_nanvl(${toArgument(call, call.args[0], 'd')}, ${toArgument(call, call.args[1], 'd')})`,
    type: 'DOUBLE',
    name: showCall(call),
  }),
  greatest: (call) => writeExtreme(call, 'greatest'),
  least: (call) => writeExtreme(call, 'least'),
  try_add: (call) => writeTry(call, 'add'),
  try_subtract: (call) => writeTry(call, 'sub'),
  try_multiply: (call) => writeTry(call, 'mul'),
  try_divide: (call) => writeTry(call, 'div'),
  try_mod: (call) => writeTry(call, 'mod'),
  // Conditions
  coalesce: (call) => {
    const { type } = unify(call.args, 'coalesce()');
    return { sql: `coalesce(${call.args.map(({ sql }) => sql).join(', ')})`, type, name: showCall(call) };
  },
  ifnull: writeTwo,
  nvl: writeTwo,
  nvl2: (call) => {
    const [test, one, other] = call.args as [Written, Written, Written];
    const { type } = unify([one, other], 'nvl2()');
    return {
      sql: `CASE WHEN ${test.sql} IS NOT NULL THEN ${one.sql} ELSE ${other.sql} END`,
      type,
      name: showCall(call),
    };
  },
  if: writeIf,
  iff: writeIf,
  nullif: (call) => {
    const [one, other] = call.args as [Written, Written];
    return {
      sql: `CASE WHEN ${writeComparison('eq', one, other).sql} THEN NULL ELSE ${one.sql} END`,
      type: one.type,
      name: showCall(call),
    };
  },
  nullifzero: (call) =>
    refuseText(call) ?? {
      sql: `CASE WHEN ${toArgument(call, call.args[0], 'n')} = 0 THEN NULL ELSE ${toArgument(call, call.args[0], 'n')} END`,
      type: readFirstType(call),
      name: showCall(call),
    },
  zeroifnull: (call) =>
    refuseText(call) ?? {
      sql: `coalesce(${call.args[0]?.type === 'VOID' ? 'CAST(NULL AS INTEGER)' : toArgument(call, call.args[0], 'n')}, 0)`,
      type: readFirstType(call),
      name: showCall(call),
    },
  equal_null: (call) => ({
    ...writeComparison('null_safe_eq', call.args[0] as Written, call.args[1] as Written),
    name: showCall(call),
  }),
  typeof: (call) => {
    const type = call.args[0]?.type ?? null;
    if (type === null || type.includes('?')) return refuseOnFolder('typeof() of what only a column knows');
    return {
      sql: quoteText(type.toLowerCase().replaceAll(', ', ',').replaceAll(': ', ':')),
      type: 'STRING',
      name: showCall(call),
    };
  },
  assert_true: (call) => {
    const [condition, message] = call.args;
    const text =
      message === undefined
        ? quoteText(`'${condition?.name ?? 'the condition'}' is not true!`)
        : toText(message);
    const shown =
      condition?.name == null
        ? null
        : message === undefined
          ? `assert_true(${condition.name}, '${condition.name}' is not true!)`
          : showCall(call);
    return { sql: `spark_assert(${toArgument(call, condition, 'B')}, ${text})`, type: 'VOID', name: shown };
  },
  raise_error: (call) => ({
    sql: `error(${toArgument(call, call.args[0], 't')})`,
    type: 'VOID',
    name: showCall(call),
  }),
  // Casts that are written as functions
  ...Object.fromEntries(
    (
      [
        ['bigint', 'BIGINT', 'BIGINT'],
        ['binary', 'BINARY', 'BLOB'],
        ['boolean', 'BOOLEAN', 'BOOLEAN'],
        ['date', 'DATE', 'DATE'],
        ['decimal', 'DECIMAL(10,0)', 'DECIMAL(10,0)'],
        ['double', 'DOUBLE', 'DOUBLE'],
        ['float', 'FLOAT', 'FLOAT'],
        ['int', 'INT', 'INTEGER'],
        ['smallint', 'SMALLINT', 'SMALLINT'],
        ['string', 'STRING', 'VARCHAR'],
        ['timestamp', 'TIMESTAMP', 'TIMESTAMPTZ'],
        ['tinyint', 'TINYINT', 'TINYINT'],
      ] as const
    ).map(([name, databricks]) => [
      name,
      (call: Call): Written => {
        const kind = CAST_KINDS[databricks];
        const cast = { cast: { this: call.nodes[0], to: kind } };
        const written = call.writer.write(cast);
        return { ...written, name: call.args[0]?.name ?? null };
      },
    ]),
  ),
  // Times
  current_date: () => ({ sql: 'current_date', type: 'DATE', name: 'current_date()' }),
  curdate: () => ({ sql: 'current_date', type: 'DATE', name: 'current_date()' }),
  current_timestamp: () => ({ sql: 'current_timestamp', type: 'TIMESTAMP', name: 'current_timestamp()' }),
  getdate: () => ({ sql: 'current_timestamp', type: 'TIMESTAMP', name: 'now()' }),
  now: () => ({ sql: 'current_timestamp', type: 'TIMESTAMP', name: 'now()' }),
  localtimestamp: () => ({
    sql: 'CAST(current_timestamp AS TIMESTAMP)',
    type: 'TIMESTAMP_NTZ',
    name: 'localtimestamp()',
  }),
  date_add: writeDateAdd,
  dateadd: writeDateAdd,
  timestampadd: writeDateAdd,
  datediff: (call) => writeDateDiff(call, 'datediff'),
  date_diff: (call) => writeDateDiff(call, 'date_diff'),
  timestampdiff: (call) => writeDateDiff(call, 'timestampdiff'),
  date_part: (call) => writeDatePart(call),
  extract: (call) => writeDatePart(call),
  datepart: (call) => writeDatePart(call),
  date_trunc: (call) => {
    const [unit, time] = call.args;
    const word = readUnit(unit, TRUNCATED_UNITS, 'date_trunc()');
    return {
      sql: `date_trunc('${word}', ${toArgument(call, time, 'T')})`,
      type: 'TIMESTAMP',
      name: showCall(call),
    };
  },
  trunc: (call) => {
    const [date, unit] = call.args;
    const word = readUnit(unit, DATE_UNITS, 'trunc()');
    return {
      sql: `CAST(date_trunc('${word}', ${toArgument(call, date, 'D')}) AS DATE)`,
      type: 'DATE',
      name: showCall(call),
    };
  },
  date_format: (call) => {
    const [time, pattern] = call.args;
    return {
      sql: writeDateFormat(toArgument(call, time, 'T'), readDatePattern(pattern)),
      type: 'STRING',
      name: showCall(call),
    };
  },
  from_unixtime: (call) => {
    const [seconds, pattern] = call.args;
    const time = `make_timestamptz(${toArgument(call, seconds, 'l')} * 1000000)`;
    const shown = pattern === undefined ? appendName(call, 'yyyy-MM-dd HH:mm:ss') : showCall(call);
    const sql =
      pattern === undefined
        ? `strftime(${time}, '%Y-%m-%d %H:%M:%S')`
        : writeDateFormat(time, readDatePattern(pattern));
    return { sql, type: 'STRING', name: shown };
  },
  timestamp_seconds: (call) => ({
    sql: secondsToTime(toArgument(call, call.args[0], 'n'), call.args[0]?.type ?? null),
    type: 'TIMESTAMP',
    name: showCall(call),
  }),
  to_date: (call) => writeParse(call, 'DATE', false),
  try_to_date: (call) => writeParse(call, 'DATE', true),
  to_timestamp: (call) => writeParse(call, 'TIMESTAMP', false),
  try_to_timestamp: (call) => writeParse(call, 'TIMESTAMP', true),
  unix_timestamp: (call) => writeUnix(call),
  to_unix_timestamp: (call) => writeUnix(call),
  make_timestamp: (call) => {
    const [year, month, day, hour, minute, second, zone] = call.args;
    const whole = [year, month, day, hour, minute].map((part) => toArgument(call, part, 'i')).join(', ');
    const sql = `spark_make_timestamp(${whole}, CAST(${toArgument(call, second, 'n')} AS DECIMAL(16, 6)))`;
    const zoned = zone === undefined ? sql : `spark_to_utc(${sql}, ${toText(zone)})`;
    return { sql: zoned, type: 'TIMESTAMP', name: showCall(call) };
  },
  convert_timezone: (call) => {
    if (call.args.length !== 3) return refuseOnFolder('convert_timezone() without the zone it converts from');
    const [from, to, time] = call.args;
    const local =
      time?.type === 'TIMESTAMP_NTZ' ? time.sql : `CAST(${toArgument(call, time, 'T')} AS TIMESTAMP)`;
    return {
      sql: `timezone(${toArgument(call, to, 't')}, timezone(${toArgument(call, from, 't')}, ${local}))`,
      type: 'TIMESTAMP_NTZ',
      name: showCall(call),
    };
  },
  // Arrays and maps with lambdas
  transform: (call) => {
    const list = call.writer.write(call.nodes[0]);
    const { parameters, body } = call.writer.lambda(call.nodes[1], [innerTypes(list.type)[0] ?? null, 'INT']);
    const index = parameters[1];
    const sql =
      index === undefined
        ? `list_transform(${toArgument(call, list, 'a')}, lambda ${quoteName(parameters[0] ?? '')}: ${body.sql})`
        : `list_transform(${toArgument(call, list, 'a')}, lambda ${quoteName(parameters[0] ?? '')}, blade_place: ${shiftIndex(body.sql, index)})`;
    return { sql, type: arrayOf(body.type), name: showLambda(call, list, [[parameters.length, body]]) };
  },
  filter: (call) => {
    const list = call.writer.write(call.nodes[0]);
    const { parameters, body } = call.writer.lambda(call.nodes[1], [innerTypes(list.type)[0] ?? null, 'INT']);
    const index = parameters[1];
    const head = `list_filter(${toArgument(call, list, 'a')}, lambda ${quoteName(parameters[0] ?? '')}`;
    const sql =
      index === undefined
        ? `${head}: coalesce(${body.sql}, false))`
        : `${head}, blade_place: coalesce(${shiftIndex(body.sql, index)}, false))`;
    return { sql, type: list.type, name: showLambda(call, list, [[parameters.length, body]]) };
  },
  exists: (call) => writeQuantifier(call, 'spark_any_true'),
  forall: (call) => writeQuantifier(call, 'spark_all_true'),
  aggregate: writeReduce,
  reduce: writeReduce,
  zip_with: (call) => {
    const [left, right] = [call.writer.write(call.nodes[0]), call.writer.write(call.nodes[1])];
    const [one = null, other = null] = [innerTypes(left.type)[0], innerTypes(right.type)[0]];
    const { parameters, body } = call.writer.lambda(call.nodes[2], [one, other]);
    const [x = 'x', y = 'y'] = parameters;
    const replaced = replaceName(replaceName(body.sql, x, 'blade_pair[1]'), y, 'blade_pair[2]');
    const sql = `list_transform(list_zip(${left.sql}, ${right.sql}), lambda blade_pair: ${replaced})`;
    const name =
      left.name === null || right.name === null || body.name === null
        ? null
        : `zip_with(${left.name}, ${right.name}, ${showBody(2, body)})`;
    return { sql, type: arrayOf(body.type), name };
  },
  array_sort: (call) => {
    if (call.nodes.length > 1) return refuseOnFolder('array_sort() with a comparison', 'write sort_array()');
    const list = call.writer.write(call.nodes[0]);
    return {
      sql: `list_sort(${toArgument(call, list, 'a')}, 'ASC', 'NULLS LAST')`,
      type: list.type,
      name: list.name === null ? null : `array_sort(${list.name}, ${ARRAY_SORT_NAME})`,
    };
  },
  map_filter: (call) =>
    writeMapLambda(call, (entry, body, type) => ({
      sql: `map_from_entries(list_filter(${entry}, ${body}))`,
      type,
    })),
  transform_values: (call) =>
    writeMapLambda(call, (entry, body, type, result) => ({
      sql: `spark_map_from_arrays(list_transform(${entry}, lambda blade_entry: blade_entry.key), list_transform(${entry}, ${body}))`,
      type: `MAP<${innerTypes(type)[0] ?? '?'}, ${result ?? '?'}>`,
    })),
  transform_keys: (call) =>
    writeMapLambda(call, (entry, body, type, result) => ({
      sql: `spark_map_from_arrays(list_transform(${entry}, ${body}), list_transform(${entry}, lambda blade_entry: blade_entry.value))`,
      type: `MAP<${result ?? '?'}, ${innerTypes(type)[1] ?? '?'}>`,
    })),
  map_from_entries: (call) => {
    const list = call.writer.write(call.nodes[0]);
    const fields = structFields(innerTypes(list.type)[0] ?? null);
    if (fields?.length !== 2)
      return refuseOnFolder('map_from_entries() of rows whose fields are not in the statement');
    const [key, value] = fields.map(([field]) => quoteName(field));
    const sql = `spark_map_from_arrays(list_transform(${list.sql}, lambda blade_entry: blade_entry.${key}), list_transform(${list.sql}, lambda blade_entry: blade_entry.${value}))`;
    return { sql, type: `MAP<${fields[0]?.[1] ?? '?'}, ${fields[1]?.[1] ?? '?'}>`, name: showCall(call) };
  },
  arrays_zip: (call) => {
    const lists = call.args;
    const names = call.nodes.map((node, index) =>
      getKind(node) === 'column' ? readFieldName(node, index) : String(index),
    );
    const zipped = `list_zip(${lists.map((list) => toArgument(call, list, 'a')).join(', ')})`;
    const fields = names.map((name, index) => `${quoteName(name)} := blade_pair[${index + 1}]`).join(', ');
    const type = arrayOf(
      structType(names.map((name, index) => [name, innerTypes(lists[index]?.type ?? null)[0] ?? null])),
    );
    return {
      sql: `list_transform(${zipped}, lambda blade_pair: struct_pack(${fields}))`,
      type,
      name: showCall(call),
    };
  },
  element_at: (call) => writeElement(call, 'spark_element_at'),
  try_element_at: (call) => writeElement(call, 'spark_try_element_at'),
  size: (call) => writeSize(call),
  cardinality: (call) => writeSize(call),
  sequence: (call) => {
    const [start, end, step] = call.args as [Written, Written, Written | undefined];
    if (isInteger(start.type) && isInteger(end.type)) {
      const by =
        step === undefined ? `spark_sequence_step(${start.sql}, ${end.sql})` : toArgument(call, step, 'l');
      const type = findCommonType(start.type, end.type);
      return {
        sql: `spark_sequence(${start.sql}, ${end.sql}, ${by})`,
        type: arrayOf(type),
        name: showCall(call),
      };
    }
    if (start.type === 'DATE' && end.type === 'DATE') {
      const by = step === undefined ? "(INTERVAL '1' DAY)" : step.sql;
      if (step !== undefined && step.type !== 'INTERVAL MONTH' && step.type !== 'INTERVAL DAY')
        return refuseOnFolder('sequence() of dates by this step');
      return {
        sql: `list_transform(generate_series(CAST(${start.sql} AS TIMESTAMP), CAST(${end.sql} AS TIMESTAMP), ${by}), lambda blade_day: CAST(blade_day AS DATE))`,
        type: 'ARRAY<DATE>',
        name: null,
      };
    }
    if (start.type === 'TIMESTAMP' && end.type === 'TIMESTAMP' && step?.type?.startsWith('INTERVAL'))
      return {
        sql: `generate_series(${start.sql}, ${end.sql}, ${step.sql})`,
        type: 'ARRAY<TIMESTAMP>',
        name: null,
      };
    return refuseOnFolder('sequence() of this type');
  },
  // JSON
  to_json: (call) => {
    const [value] = call.args;
    if (value === undefined || call.args.length > 1) return refuseOnFolder('to_json() with options');
    return { sql: writeJson(value.sql, value.type, 0), type: 'STRING', name: showCall(call) };
  },
  from_json: (call) => {
    const [json, schema] = call.args;
    if (json === undefined || typeof schema?.literal !== 'string' || call.args.length > 2)
      return refuseOnFolder('from_json() with options, or a schema that is not in the statement');
    const { duckDb, databricks } = readSchema(schema.literal);
    const read = `from_json(spark_js_read_json(${toArgument(call, json, 's')}, ${quoteText(databricks)}), ${quoteText(duckDb)})`;
    return { sql: read, type: databricks, name: json.name === null ? null : `from_json(${json.name})` };
  },
  // Aggregates
  count: (call) => {
    const isStar = getKind(call.nodes[0]) === 'star';
    if (isStar)
      return {
        ...writeAggregate({ ...call, nodes: [], args: [] }, '{count(*)}', 'BIGINT'),
        name: call.over === null && call.filter === null ? 'count(1)' : null,
      };
    if (call.args.length === 1) return writeAggregate(call, '{count($1)}', 'BIGINT');
    const values = call.args.map(({ sql }) => sql);
    const present = values.map((value) => `${value} IS NOT NULL`).join(' AND ');
    return writeAggregate(
      call,
      call.isDistinct ? `{count((${values.join(', ')}))|${present}}` : `{count(1)|${present}}`,
      'BIGINT',
    );
  },
  sum: writeSum,
  try_sum: (call) => {
    if (!isInteger(call.args[0]?.type ?? null))
      return refuseOnFolder('try_sum() of this type', 'write sum()');
    return writeAggregate(call, 'TRY_CAST({sum($1)} AS BIGINT)', 'BIGINT');
  },
  avg: writeAverage,
  mean: writeAverage,
  try_avg: writeAverage,
  min: (call) => writeAggregate(call, '{min($1)}', FIRST),
  max: (call) => writeAggregate(call, '{max($1)}', FIRST),
  max_by: (call) => writeAggregate(call, '{arg_max_null($1, $2)}', FIRST),
  min_by: (call) => writeAggregate(call, '{arg_min_null($1, $2)}', FIRST),
  first: (call) => writeFirst(call, 'first'),
  first_value: (call) => writeFirst(call, 'first'),
  any_value: (call) => writeFirst(call, 'first'),
  last: (call) => writeFirst(call, 'last'),
  last_value: (call) => writeFirst(call, 'last'),
  collect_set: (call) =>
    writeAggregate(
      { ...call, isDistinct: false },
      'coalesce(spark_distinct_in_order({list($1)|$1 IS NOT NULL}), [])',
      ([item]) => arrayOf(item ?? null),
    ),
  listagg: writeListAggregate,
  string_agg: writeListAggregate,
  percentile: (call) => {
    const [value, share, frequency] = call.args;
    if (frequency !== undefined) return refuseOnFolder('percentile() with a frequency');
    const list = share?.type?.startsWith('ARRAY') === true;
    const written = writeAggregate(
      call,
      `{quantile_cont($d1, ${share?.sql})}`,
      list ? 'ARRAY<DOUBLE>' : 'DOUBLE',
    );
    void value;
    return { ...written, name: appendName(call, '1') };
  },
  percentile_approx: writeApproximate,
  approx_percentile: writeApproximate,
  percentile_cont: (call) =>
    writeWithin(call, (share, value) => `quantile_cont(CAST(${value} AS DOUBLE), ${share})`, 'DOUBLE'),
  percentile_disc: (call) =>
    writeWithin(call, (share, value) => `quantile_disc(CAST(${value} AS DOUBLE), ${share})`, 'DOUBLE'),
  mode: (call) => {
    if (call.within !== null || call.args.length !== 1) return refuseOnFolder('mode() with an order');
    return writeAggregate(call, '{mode($1)}', FIRST);
  },
  grouping_id: (call) => {
    if (call.args.length === 0) return refuseOnFolder('grouping_id() without columns', 'name them');
    return {
      sql: `CAST(grouping(${call.args.map(({ sql }) => sql).join(', ')}) AS BIGINT)`,
      type: 'BIGINT',
      name: showCall(call),
    };
  },
  lag: (call) => writeShift(call, 'lag'),
  lead: (call) => writeShift(call, 'lead'),
  nth_value: (call) => {
    if (call.over === null) return refuseOnFolder('nth_value() without OVER');
    const nulls = call.ignoresNulls ? ' IGNORE NULLS' : '';
    return {
      sql: `nth_value(${call.args[0]?.sql}, ${toArgument(call, call.args[1], 'i')}${nulls}) OVER (${call.over})`,
      type: readFirstType(call),
      name: call.ignoresNulls ? null : showWindow(call, showCall(call), null),
    };
  },
};

const CAST_KINDS: Readonly<Record<string, object>> = {
  BIGINT: { data_type: 'big_int' },
  BINARY: { data_type: 'binary' },
  BOOLEAN: { data_type: 'boolean' },
  DATE: { data_type: 'date' },
  'DECIMAL(10,0)': { data_type: 'decimal', precision: 10, scale: 0 },
  DOUBLE: { data_type: 'double' },
  FLOAT: { data_type: 'float' },
  INT: { data_type: 'int' },
  SMALLINT: { data_type: 'small_int' },
  STRING: { data_type: 'string' },
  TIMESTAMP: { data_type: 'timestamp' },
  TINYINT: { data_type: 'tiny_int' },
};

function readFirstType(call: Call): KnownType {
  return call.args[0]?.type ?? null;
}

/** The name of a call with an argument that Databricks adds. */
function appendName(call: Call, argument: string): string | null {
  const name = showCall(call);
  return name === null ? null : `${name.slice(0, -1)}, ${argument})`;
}

/** The items of an array as texts. */
function writeTextList(list: Written): string {
  const item = innerTypes(list.type)[0] ?? null;
  if (item === 'STRING' || item === 'VOID') return list.sql;
  if (item === null) return `spark_text_list(${list.sql})`;
  return `list_transform(${list.sql}, lambda blade_text: ${toText({ sql: 'blade_text', type: item, name: null })})`;
}

function writeSubstring(call: Call): Written {
  const [text, start, length] = call.args;
  const shown = showCall(call, 'substring');
  const name = length === undefined && shown !== null ? `${shown.slice(0, -1)}, 2147483647)` : shown;
  const count = length === undefined ? '2147483647' : toArgument(call, length, 'i');
  if (text?.type === 'BINARY')
    return {
      sql: `spark_substring_bytes(${text.sql}, ${toArgument(call, start, 'i')}, ${count})`,
      type: 'BINARY',
      name,
    };
  return {
    sql: `spark_substring(${toArgument(call, text, 't')}, ${toArgument(call, start, 'i')}, ${count})`,
    type: 'STRING',
    name,
  };
}

function writePad(call: Call, word: 'lpad' | 'rpad'): Written {
  const [text, length, fill] = call.args;
  if (text?.type === 'BINARY') {
    if (fill !== undefined && fill.type !== 'BINARY')
      return refuseOnFolder(`${word}() of BINARY with a text`);
    const bytes = fill === undefined ? "'00'" : `hex(${fill.sql})`;
    const sql = `unhex(spark_${word}(hex(${text.sql}), 2 * ${toArgument(call, length, 'i')}, ${bytes}))`;
    return { sql, type: 'BINARY', name: fill === undefined ? appendName(call, "X'00'") : showCall(call) };
  }
  const pad = fill === undefined ? "' '" : toText(fill);
  const sql = `spark_${word}(${toArgument(call, text, 't')}, ${toArgument(call, length, 'i')}, ${pad})`;
  return { sql, type: 'STRING', name: fill === undefined ? appendName(call, ' ') : showCall(call) };
}

function writeTrim(call: Call, word: 'ltrim' | 'rtrim' | 'btrim', form: 'function' | 'keyword'): Written {
  const [first, second] = call.args;
  // As a function, ltrim and rtrim take what they cut off first.
  const isSwapped = form === 'function' && word !== 'btrim' && second !== undefined;
  const [text, characters] = isSwapped ? [second, first] : [first, second];
  const shown = { ltrim: 'LEADING', rtrim: 'TRAILING', btrim: 'BOTH' }[word];
  const cut = characters === undefined ? 'chr(32)' : toArgument(call, characters, 'y');
  const sql = `${word === 'btrim' ? 'trim' : word}(${toArgument(call, text, 'y')}, ${cut})`;
  const isPlain = characters === undefined || (word === 'btrim' && form === 'function');
  const name = isPlain
    ? showCall(call, form === 'keyword' ? 'trim' : word)
    : named`TRIM(${shown} ${characters} FROM ${text as Written})`;
  return { sql, type: 'STRING', name };
}

function writeCharset(
  call: Call,
  write: (args: readonly Written[]) => { sql: string; type: KnownType },
): Written {
  const charset = call.args[1]?.literal;
  if (typeof charset !== 'string' || !/^utf-?8$/i.test(charset))
    return refuseOnFolder(`${call.name}() with another character set than UTF-8`);
  return { ...write(call.args), name: showCall(call) };
}

function writeToBinary(call: Call, isTry: boolean): Written {
  const format = call.args.length === 1 ? 'hex' : call.args[1]?.literal;
  const text = toArgument(call, call.args[0], 't');
  const known = typeof format === 'string' ? format.toLowerCase() : '';
  const sql = { hex: `spark_to_binary_hex(${text})`, 'utf-8': `encode(${text})`, utf8: `encode(${text})` }[
    known
  ];
  if (sql === undefined) return refuseOnFolder(`${call.name}() of this format`);
  return { sql: isTry ? `TRY(${sql})` : sql, type: 'BINARY', name: showCall(call) };
}

/** A format of digits, such as `99G999D9S`. */
const DIGITS = /^(S|MI)?(\$)?([09,G]*[09])(?:[.D]([09]+))?(\$)?(S|MI|PR)?$/;

function readDigits(call: Call): {
  readonly format: string;
  readonly precision: number;
  readonly scale: number;
} {
  const format = call.args[1]?.literal;
  const match = typeof format === 'string' ? DIGITS.exec(format.toUpperCase()) : null;
  if (match === null || typeof format !== 'string') return refuseOnFolder(`${call.name}() with this format`);
  const whole = (match[3] ?? '').replace(/[,G]/g, '').length;
  const scale = match[4]?.length ?? 0;
  return { format: format.toUpperCase(), precision: whole + scale, scale };
}

function writeToNumber(call: Call, isTry: boolean): Written {
  const { format, precision, scale } = readDigits(call);
  const type = `DECIMAL(${precision},${scale})`;
  const read = `CAST(spark_js_read_digits(${toArgument(call, call.args[0], 's')}, ${quoteText(format)}) AS ${type})`;
  return { sql: isTry ? `TRY(${read})` : read, type, name: showCall(call) };
}

function writeToChar(call: Call): Written {
  const [value, format] = call.args;
  const type = value?.type ?? null;
  const name = showCall(call, 'to_char');
  if (type === 'BINARY') {
    const word = typeof format?.literal === 'string' ? format.literal.toLowerCase() : '';
    const [macro, shown] =
      { base64: ['to_base64', 'base64'], hex: ['hex', 'hex'], 'utf-8': ['decode', 'decode'] }[word] ?? [];
    if (macro === undefined || shown === undefined) return refuseOnFolder(`${call.name}() with this format`);
    const isRenamed = call.name === 'to_char';
    const label =
      shown === 'decode'
        ? showCall(call, isRenamed ? 'decode' : call.name)
        : value?.name == null
          ? null
          : `${isRenamed ? shown : call.name}(${value.name})`;
    return { sql: `${macro}(${value?.sql})`, type: 'STRING', name: label };
  }
  if (isTime(type))
    return {
      sql: writeDateFormat(toArgument(call, value, 'T'), readDatePattern(format)),
      type: 'STRING',
      name: showCall(call, 'date_format'),
    };
  if (!isInteger(type) && !isDecimal(type))
    return refuseOnFolder(`${call.name}() of this type`, 'CAST it to DECIMAL');
  const { format: digits } = readDigits(call);
  return {
    sql: `spark_js_write_digits(CAST(${value?.sql} AS VARCHAR), ${quoteText(digits)})`,
    type: 'STRING',
    name,
  };
}

/** Splits a format that is in the statement, and formats each value by itself. */
function writeFormatString(call: Call): Written {
  const [format, ...values] = call.args;
  if (typeof format?.literal !== 'string')
    return refuseOnFolder(`${call.name}() with a format that is not in the statement`);
  const parts: string[] = [];
  let rest = format.literal;
  let next = 0;
  for (let match = FORMAT.exec(rest); match !== null; match = FORMAT.exec(rest)) {
    if (match.index > 0) parts.push(quoteText(rest.slice(0, match.index)));
    rest = rest.slice(match.index + match[0].length);
    const [whole, flag = '', width = '', , digits, kind = ''] = match;
    if (whole === '%%' || whole === '%n') {
      parts.push(whole === '%%' ? "'%'" : 'chr(10)');
      continue;
    }
    const value = values[next];
    next += 1;
    if (value === undefined) return refuseOnFolder(`${call.name}() with more formats than values`);
    parts.push(pad(formatOne(call, value, kind, digits), flag, width));
  }
  if (rest.includes('%')) return refuseOnFolder(`${call.name}() with such a format`);
  if (rest !== '') parts.push(quoteText(rest));
  return { sql: parts.length === 0 ? "''" : `(${parts.join(' || ')})`, type: 'STRING', name: showCall(call) };
}

const FORMAT = /%(-|0)?(\d+)?(\.(\d+))?([sdf%nx])/;

function formatOne(call: Call, value: Written, kind: string, digits: string | undefined): string {
  if (kind === 's') {
    const text = `coalesce(${toArgument(call, value, 't')}, 'null')`;
    return digits === undefined ? text : `left(${text}, ${digits})`;
  }
  if (kind === 'd' && digits === undefined)
    return `coalesce(CAST(${toArgument(call, value, 'l')} AS VARCHAR), 'null')`;
  if (kind === 'f' && (isFloating(value.type) || isDecimal(value.type))) {
    const number = isDecimal(value.type)
      ? `CAST(${value.sql} AS VARCHAR)`
      : `spark_js_double_text(CAST(${value.sql} AS DOUBLE))`;
    return `coalesce(spark_js_fixed(${number}, ${digits ?? 6}), 'null')`;
  }
  return refuseOnFolder(`${call.name}() with %${kind} of this type`);
}

function pad(text: string, flag: string, width: string): string {
  if (width === '') return text;
  if (flag === '0') return refuseOnFolder('A format with leading zeros', 'write lpad()');
  return flag === '-' ? `spark_pad_right(${text}, ${width})` : `spark_pad_left(${text}, ${width})`;
}

function writeHash(call: Call, macro: string, type: KnownType, seed: string): Written {
  const sql = call.args.reduce((before, value) => {
    if (isNested(value.type) || value.type === null || isDecimal(value.type))
      return refuseOnFolder(`${call.name}() of a column, or of this type`);
    return value.type === 'VOID' ? before : `${macro}(${value.sql}, ${before})`;
  }, seed);
  return { sql, type, name: showCall(call) };
}

function writeRegexpLike(call: Call): Written {
  const [text, pattern] = call.args as [Written, Written];
  checkPattern(pattern);
  return {
    sql: `regexp_matches(${toText(text)}, ${toText(pattern)})`,
    type: 'BOOLEAN',
    name: showCall(call, call.name.toUpperCase()),
  };
}

function writeRegexp(
  call: Call,
  write: (text: string, pattern: string, group: string) => string,
  type: KnownType,
  group: string | null,
  added: string | null = null,
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
  const name =
    third === undefined && (group ?? added) !== null
      ? appendName(call, group ?? added ?? '')
      : showCall(call);
  return { sql: write(toText(text), pattern.sql, index), type, name };
}

function writeRounding(call: Call, word: 'ceil' | 'floor'): Written {
  const [value, scale] = call.args;
  const type = value?.type ?? null;
  if (scale !== undefined) {
    if (!isDecimal(type) || typeof scale.literal !== 'number' || value === undefined)
      return refuseOnFolder(`${word}() to a number of digits, of this type`);
    const [precision, digits] = readDecimal(type ?? '');
    const kept = Math.min(Math.max(scale.literal, 0), digits);
    const wanted = `DECIMAL(${Math.max(precision - digits + kept + 1, 1, -scale.literal + 1)},${kept})`;
    const power = 10 ** Math.abs(scale.literal);
    const shift = (sql: string, sign: string) => `${sql} ${sign} ${power}`;
    const sql =
      scale.literal >= digits
        ? value.sql
        : scale.literal >= 0
          ? shift(`${word}(${shift(value.sql, '*')})`, '/')
          : shift(`${word}(${shift(value.sql, '/')})`, '*');
    return { sql: `CAST(${sql} AS ${wanted})`, type: wanted, name: showCall(call, word) };
  }
  const name = showCall(call, word.toUpperCase());
  const sql = `${word}(${toArgument(call, value, 'n')})`;
  if (isDecimal(type)) {
    const [precision, digits] = readDecimal(type ?? '');
    const result = `DECIMAL(${precision - digits + 1},0)`;
    return { sql: `CAST(${sql} AS ${result})`, type: result, name };
  }
  if (type === null) return { sql: `spark_${word}(${value?.sql})`, type: null, name };
  return { sql: `CAST(${sql} AS BIGINT)`, type: 'BIGINT', name };
}

function writeRound(call: Call, macro: string): Written {
  const [value, scale] = call.args;
  const type = value?.type ?? null;
  const digits = scale === undefined ? 0 : scale.literal;
  if (value === undefined || typeof digits !== 'number')
    return refuseOnFolder(`${call.name}() to a number of digits that is not in the statement`);
  const name = scale === undefined ? appendName(call, '0') : showCall(call);
  if (isDecimal(type)) {
    const [precision, places] = readDecimal(type ?? '');
    const kept = Math.min(Math.max(digits, 0), places);
    const result = `DECIMAL(${Math.min(38, Math.max(precision - places + kept + 1, 1))},${kept})`;
    if (digits < 0 || (macro === 'spark_bround' && precision > 15))
      return refuseOnFolder(`${call.name}() of DECIMAL to this number of digits`);
    const sql = macro === 'spark_bround' ? `round_even(CAST(${value.sql} AS DOUBLE), ${digits})` : value.sql;
    return { sql: `CAST(${sql} AS ${result})`, type: result, name };
  }
  if (isInteger(type)) {
    const word = macro === 'spark_round' ? 'round' : 'round_even';
    return {
      sql:
        digits >= 0
          ? value.sql
          : `CAST(${word}(${value.sql}, ${digits}) AS ${type === 'INT' ? 'INTEGER' : type})`,
      type,
      name,
    };
  }
  if (type === null && macro === 'spark_round')
    return { sql: `spark_round_any(${value.sql}, ${digits})`, type: null, name };
  return { sql: `spark_js_${call.name}(${toArgument(call, value, 'd')}, ${digits})`, type: 'DOUBLE', name };
}

function writeExtreme(call: Call, word: string): Written {
  const { type } = unify(call.args, `${word}()`);
  if (call.args.some((value) => isNested(value.type) || areUnlike(value.type, type)))
    return refuseOnFolder(`${word}() of this type`);
  return { sql: `${word}(${call.args.map(({ sql }) => sql).join(', ')})`, type, name: showCall(call) };
}

function writeTry(call: Call, kind: 'add' | 'sub' | 'mul' | 'div' | 'mod'): Written {
  const [one, other] = call.args as [Written, Written];
  const written = writeArithmetic(kind, one, other);
  return { ...written, sql: `TRY(${written.sql})`, name: showCall(call) };
}

function writeTwo(call: Call): Written {
  const { type } = unify(call.args, `${call.name}()`);
  return { sql: `coalesce(${call.args.map(({ sql }) => sql).join(', ')})`, type, name: showCall(call) };
}

/** Refuses a text, because the engines give it different types. */
function refuseText(call: Call): null {
  return call.args[0]?.type === 'STRING' ? refuseOnFolder(`${call.name}() of a text`, 'CAST it') : null;
}

function writeIf(call: Call): Written {
  const [test, one, other] = call.args;
  if (test === undefined || one === undefined || other === undefined)
    return refuseOnFolder('if() with so few arguments');
  const { type } = unify([one, other], 'if()');
  const shown = named`(IF(${test}, ${one}, ${other}))`;
  return { sql: `CASE WHEN ${test.sql} THEN ${one.sql} ELSE ${other.sql} END`, type, name: shown };
}

const DATE_UNITS: ReadonlyMap<string, string> = new Map([
  ...(['year', 'yyyy', 'yy'] as const).map((unit) => [unit, 'year'] as const),
  ['quarter', 'quarter'],
  ...(['month', 'mon', 'mm'] as const).map((unit) => [unit, 'month'] as const),
  ['week', 'week'],
]);

const TRUNCATED_UNITS: ReadonlyMap<string, string> = new Map([
  ...DATE_UNITS,
  ['day', 'day'],
  ['dd', 'day'],
  ['hour', 'hour'],
  ['minute', 'minute'],
  ['second', 'second'],
  ['millisecond', 'millisecond'],
  ['microsecond', 'microsecond'],
]);

function readUnit(unit: Written | undefined, known: ReadonlyMap<string, string>, what: string): string {
  const word = typeof unit?.literal === 'string' ? known.get(unit.literal.toLowerCase()) : undefined;
  return word ?? refuseOnFolder(`${what} with this unit`);
}

const ADDED_UNITS = /^(year|quarter|month|week|day|hour|minute|second|millisecond|microsecond)s?$/i;

function readUnitName(node: unknown): string | null {
  const { name, table } = getContent(node, 'column');
  const word = typeof name === 'object' && name !== null && 'name' in name ? String(name.name) : '';
  return table == null ? (ADDED_UNITS.exec(word)?.[1]?.toLowerCase() ?? null) : null;
}

function writeDateAdd(call: Call): Written {
  if (call.nodes.length === 2) {
    const [date, days] = call.args;
    return {
      sql: `(${toArgument(call, date, 'D')} + ${toArgument(call, days, 'i')})`,
      type: 'DATE',
      name: showCall(call, 'date_add'),
    };
  }
  const unit = readUnitName(call.nodes[0]) ?? refuseOnFolder(`${call.name}() with this unit`);
  const [amount, time] = [call.writer.write(call.nodes[1]), call.writer.write(call.nodes[2])];
  const step = `to_${unit}s(${toArgument(call, amount, 'i')})`;
  const isLong = /year|quarter|month|week|day/.test(unit);
  const shown = named`${call.name === 'timestampadd' ? 'timestampadd' : call.name}(${unit.toUpperCase()}, ${amount}, ${time})`;
  if (time.type === 'DATE' && isLong)
    return {
      sql: `CAST(CAST(${time.sql} AS TIMESTAMP) + ${step} AS TIMESTAMPTZ)`,
      type: 'TIMESTAMP',
      name: shown,
    };
  if (time.type === 'TIMESTAMP_NTZ')
    return { sql: `(${time.sql} + ${step})`, type: 'TIMESTAMP_NTZ', name: shown };
  return { sql: `(${toArgument(call, time, 'T')} + ${step})`, type: 'TIMESTAMP', name: shown };
}

function writeDateDiff(call: Call, shown: string): Written {
  if (call.nodes.length === 2) {
    const [end, start] = call.args;
    return {
      sql: `CAST(datediff('day', ${toArgument(call, start, 'D')}, ${toArgument(call, end, 'D')}) AS INTEGER)`,
      type: 'INT',
      name: showCall(call, shown),
    };
  }
  const unit = readUnitName(call.nodes[0]) ?? refuseOnFolder(`${call.name}() with this unit`);
  const [start, end] = [call.writer.write(call.nodes[1]), call.writer.write(call.nodes[2])];
  const name = named`${shown}(${unit.toUpperCase()}, ${start}, ${end})`;
  return {
    sql: `spark_time_difference('${unit}', ${toArgument(call, start, 'T')}, ${toArgument(call, end, 'T')})`,
    type: 'BIGINT',
    name,
  };
}

/** What a part of a time is called, and how it is read. */
const PARTS: ReadonlyMap<string, string> = new Map(
  (
    [
      ['year y years yr yrs', 'year($D)'],
      ['yearofweek', 'isoyear($D)'],
      ['quarter qtr', 'quarter($D)'],
      ['month mon mons months', 'month($D)'],
      ['week w weeks', 'week($D)'],
      ['day d days', 'day($D)'],
      ['dayofweek dow', 'dayofweek($D) + 1'],
      ['dayofweek_iso dow_iso', 'isodow($D)'],
      ['doy', 'dayofyear($D)'],
      ['hour h hours hr hrs', 'hour($T)'],
      ['minute m min mins minutes', 'minute($T)'],
    ] as const
  ).flatMap(([names, template]) => names.split(' ').map((name) => [name, template] as const)),
);

function writeDatePart(call: Call): Written {
  const [part, time] = call.args;
  const word =
    typeof part?.literal === 'string'
      ? part.literal
      : refuseOnFolder(`${call.name}() with a part that is not in the statement`);
  const lower = word.toLowerCase();
  const name =
    call.name === 'extract' ? named`extract(${word} FROM ${time as Written})` : showCall(call, 'date_part');
  if (['second', 's', 'sec', 'seconds', 'secs'].includes(lower))
    return {
      sql: `CAST((epoch_us(${toArgument(call, time, 'T')}) % 60000000 + 60000000) % 60000000 / 1000000 AS DECIMAL(8, 6))`,
      type: 'DECIMAL(8,6)',
      name,
    };
  const found = PARTS.get(lower) ?? refuseOnFolder(`${call.name}() of ${word}`);
  const sql = found.replace(/\$([DT])/, (_match, kind: string) => toArgument(call, time, kind));
  return { sql: `CAST(${sql} AS INTEGER)`, type: 'INT', name };
}

function writeParse(call: Call, type: 'DATE' | 'TIMESTAMP', isTry: boolean): Written {
  const [text, pattern] = call.args;
  const name = showCall(call);
  const letter = type === 'DATE' ? 'D' : 'T';
  if (pattern === undefined || isTime(text?.type ?? null)) {
    const sql = toArgument(call, text, letter);
    return { sql: isTry && !isTime(text?.type ?? null) ? `TRY(${sql})` : sql, type, name };
  }
  const parsed = writeDateParse(toArgument(call, text, 's'), readDatePattern(pattern));
  const sql = type === 'DATE' ? `CAST(${parsed} AS DATE)` : `CAST(${parsed} AS TIMESTAMPTZ)`;
  return { sql: isTry ? `TRY(${sql})` : sql, type, name };
}

function writeUnix(call: Call): Written {
  const [text, pattern] = call.args;
  if (text === undefined)
    return refuseOnFolder(`${call.name}() without arguments`, 'write current_timestamp()');
  const time =
    text.type === 'STRING'
      ? pattern === undefined
        ? writeDateParse(toText(text), 'yyyy-MM-dd HH:mm:ss')
        : writeDateParse(toText(text), readDatePattern(pattern))
      : text.type === null
        ? refuseOnFolder(`${call.name}() of a column whose type only its table knows`, 'CAST it')
        : toArgument(call, text, 'T');
  const name = pattern === undefined ? appendName(call, 'yyyy-MM-dd HH:mm:ss') : showCall(call);
  return { sql: `spark_floor_divide(epoch_us(${time}), 1000000)`, type: 'BIGINT', name };
}

function showBody(count: number, body: Written): string {
  return `lambdafunction(${[body.name, ...Array.from({ length: count }, () => 'namedlambdavariable()')].join(', ')})`;
}

function showLambda(
  call: Call,
  list: Written,
  bodies: readonly (readonly [number, Written])[],
): string | null {
  if (list.name === null || bodies.some(([, body]) => body.name === null)) return null;
  return `${call.name}(${[list.name, ...bodies.map(([count, body]) => showBody(count, body))].join(', ')})`;
}

/** DuckDB counts places from 1. */
function shiftIndex(sql: string, index: string): string {
  return replaceName(sql, index, 'CAST(blade_place - 1 AS INTEGER)');
}

function replaceName(sql: string, name: string, replacement: string): string {
  return sql
    .split(/('(?:[^']|'')*')/)
    .map((part) => (part.startsWith("'") ? part : part.replaceAll(quoteName(name), replacement)))
    .join('');
}

function writeQuantifier(call: Call, macro: string): Written {
  const list = call.writer.write(call.nodes[0]);
  const { parameters, body } = call.writer.lambda(call.nodes[1], [innerTypes(list.type)[0] ?? null]);
  const sql = `${macro}(list_transform(${toArgument(call, list, 'a')}, lambda ${quoteName(parameters[0] ?? '')}: ${body.sql}))`;
  return { sql, type: 'BOOLEAN', name: showLambda(call, list, [[1, body]]) };
}

function writeReduce(call: Call): Written {
  const [list, start] = [call.writer.write(call.nodes[0]), call.writer.write(call.nodes[1])];
  const item = innerTypes(list.type)[0] ?? null;
  const merge = call.writer.lambda(call.nodes[2], [start.type, item]);
  if (start.type === null || start.type !== merge.body.type)
    return refuseOnFolder(`${call.name}() whose state changes its type`, 'CAST its start');
  const type = start.type;
  if (item !== type) return refuseOnFolder(`${call.name}() over items of another type than its start`);
  const [state = 's', value = 'x'] = merge.parameters;
  const sql = `list_reduce(${list.sql}, lambda ${quoteName(state)}, ${quoteName(value)}: ${merge.body.sql}, ${start.sql})`;
  const names = (bodies: readonly (readonly [number, Written])[]) =>
    list.name === null || start.name === null || bodies.some(([, body]) => body.name === null)
      ? null
      : `${call.name}(${[list.name, start.name, ...bodies.map(([count, body]) => showBody(count, body))].join(', ')})`;
  if (call.nodes[3] === undefined) {
    const identity: Written = { sql: '', type, name: 'namedlambdavariable()' };
    return {
      sql,
      type,
      name: names([
        [2, merge.body],
        [1, identity],
      ]),
    };
  }
  const finish = call.writer.lambda(call.nodes[3], [type]);
  const finished = `list_transform([${sql}], lambda ${quoteName(finish.parameters[0] ?? '')}: ${finish.body.sql})[1]`;
  return {
    sql: finished,
    type: finish.body.type,
    name: names([
      [2, merge.body],
      [1, finish.body],
    ]),
  };
}

const ARRAY_SORT_NAME = (() => {
  const v = 'namedlambdavariable()';
  const compare = `(IF((${v} < ${v}), -1, (IF((${v} > ${v}), 1, 0))))`;
  const nulls = `(IF((${v} IS NULL), 1, (IF((${v} IS NULL), -1, ${compare}))))`;
  return `lambdafunction((IF(((${v} IS NULL) AND (${v} IS NULL)), 0, ${nulls})), ${v}, ${v})`;
})();

function writeMapLambda(
  call: Call,
  write: (
    entry: string,
    body: string,
    type: KnownType,
    result: KnownType,
  ) => { sql: string; type: KnownType },
): Written {
  const map = call.writer.write(call.nodes[0]);
  const [key = null, value = null] = innerTypes(map.type);
  const { parameters, body } = call.writer.lambda(call.nodes[1], [key, value]);
  const [k = 'k', v = 'v'] = parameters;
  const replaced = replaceName(replaceName(body.sql, k, 'blade_entry.key'), v, 'blade_entry.value');
  const isFilter = call.name === 'map_filter';
  const lambda = `lambda blade_entry: ${isFilter ? `coalesce(${replaced}, false)` : replaced}`;
  const { sql, type } = write(`map_entries(${toArgument(call, map, 'm')})`, lambda, map.type, body.type);
  return { sql, type, name: showLambda(call, map, [[2, body]]) };
}

function writeElement(call: Call, macro: string): Written {
  const [list, index] = call.args as [Written, Written];
  const [first = null, second = null] = innerTypes(list.type);
  const name = showCall(call);
  if (list.type?.startsWith('MAP') === true || (list.type === null && index.type === 'STRING'))
    return { sql: `map_extract_value(${list.sql}, ${index.sql})`, type: second, name };
  if (list.type?.startsWith('ARRAY') === true || (list.type === null && isInteger(index.type)))
    return { sql: `${macro}(${list.sql}, ${toArgument(call, index, 'i')})`, type: first, name };
  return refuseOnFolder(`${call.name}() of what only a column knows`);
}

function writeSize(call: Call): Written {
  const [list] = call.args;
  const sql =
    list?.type?.startsWith('MAP') === true
      ? `cardinality(${list.sql})`
      : list?.type === 'VOID'
        ? 'CAST(NULL AS INTEGER)'
        : `spark_size(${list?.sql})`;
  return { sql: `CAST(${sql} AS INTEGER)`, type: 'INT', name: showCall(call) };
}

/** Writes a value as the JSON of Databricks, which leaves out fields that are null. */
function writeJson(sql: string, type: KnownType, depth: number): string {
  const fields = structFields(type);
  if (fields !== null) {
    const parts = fields.map(([name, field]) => {
      const value = `(${sql}).${quoteName(name)}`;
      return `CASE WHEN ${value} IS NOT NULL THEN ${quoteText(`${JSON.stringify(name)}:`)} || ${writeJsonValue(value, field, depth)} END`;
    });
    return `CASE WHEN ${sql} IS NOT NULL THEN '{' || concat_ws(',', ${parts.join(', ')}) || '}' END`;
  }
  if (type?.startsWith('ARRAY') || type?.startsWith('MAP')) return writeJsonValue(sql, type, depth);
  return refuseOnFolder('to_json() of what only a column knows, or of no struct, array or map');
}

function writeJsonValue(sql: string, type: KnownType, depth: number): string {
  if (type === 'VOID') return 'CAST(NULL AS VARCHAR)';
  if (type === 'STRING') return `spark_json_text(${sql})`;
  if (isInteger(type) || type === 'BOOLEAN') return `CAST(${sql} AS VARCHAR)`;
  if (isDecimal(type)) return `spark_json_decimal(${sql})`;
  if (isFloating(type)) return `spark_json_double(CAST(${sql} AS DOUBLE))`;
  if (type === 'DATE') return `('"' || strftime(${sql}, '%Y-%m-%d') || '"')`;
  if (type === 'TIMESTAMP') return `spark_json_timestamp(${sql})`;
  const variable = `blade_item_${depth}`;
  if (type?.startsWith('ARRAY')) {
    const item = `coalesce(${writeJsonValue(variable, innerTypes(type)[0] ?? null, depth + 1)}, 'null')`;
    return `('[' || array_to_string(list_transform(${sql}, lambda ${variable}: ${item}), ',') || ']')`;
  }
  if (type?.startsWith('MAP')) {
    const [key, value] = innerTypes(type);
    const shown =
      key === 'STRING'
        ? `spark_json_text(${variable}.key)`
        : isInteger(key ?? null)
          ? `('"' || CAST(${variable}.key AS VARCHAR) || '"')`
          : refuseOnFolder('to_json() of a map with such keys');
    const item = `${shown} || ':' || coalesce(${writeJsonValue(`${variable}.value`, value ?? null, depth + 1)}, 'null')`;
    return `('{' || array_to_string(list_transform(map_entries(${sql}), lambda ${variable}: ${item}), ',') || '}')`;
  }
  if (structFields(type) !== null) return writeJson(sql, type, depth + 1);
  return refuseOnFolder('to_json() of what only a column knows');
}

function writeSum(call: Call): Written {
  const [value] = call.args;
  const type = value?.type ?? null;
  if (isTime(type) || type === 'BOOLEAN' || type === 'BINARY' || isNested(type))
    return refuseOnFolder(`sum() of ${type}`);
  if (isInteger(type)) return writeAggregate(call, 'CAST({sum($1)} AS BIGINT)', 'BIGINT');
  if (type === 'VOID') return writeAggregate(call, '{sum(CAST($1 AS DOUBLE))}', 'DOUBLE');
  if (isFloating(type) || type === 'STRING') return writeAggregate(call, '{sum($d1)}', 'DOUBLE');
  if (isDecimal(type)) {
    const [precision, scale] = readDecimal(type ?? '');
    const result = `DECIMAL(${Math.min(38, precision + 10)},${scale})`;
    return writeAggregate(call, `CAST({sum($1)} AS ${result})`, result);
  }
  return writeAggregate(call, '{sum($1)}', null);
}

function writeAverage(call: Call): Written {
  const [value] = call.args;
  const type = value?.type ?? null;
  if (isTime(type) || type === 'BOOLEAN' || type === 'BINARY' || isNested(type))
    return refuseOnFolder(`${call.name}() of ${type}`);
  if (isDecimal(type)) {
    const [precision, scale] = readDecimal(type ?? '');
    if (precision + 4 > 38 || precision > 28)
      return refuseOnFolder(`${call.name}() of so many digits`, 'CAST it to DOUBLE');
    const result = `DECIMAL(${precision + 4},${scale + 4})`;
    return writeAggregate(
      call,
      `CAST(spark_divide_decimal({sum($1)}, CAST({count($1)} AS DECIMAL(20,0)), 10000, ${scale + 4}) AS ${result})`,
      result,
    );
  }
  if (type === null) return writeAggregate(call, '{avg(spark_average_of($1))}', 'DOUBLE');
  return writeAggregate(call, '{avg($d1)}', 'DOUBLE');
}

function writeFirst(call: Call, word: 'first' | 'last'): Written {
  const [value, ignored] = call.args;
  const ignores = call.ignoresNulls || String(ignored?.name) === 'true';
  if (ignored !== undefined && !/^(true|false)$/.test(String(ignored.name)))
    return refuseOnFolder(`${call.name}() with such a second argument`);
  const shown =
    value?.name == null
      ? null
      : `${ignores && call.name.endsWith('_value') && call.name !== 'any_value' ? word : call.name}(${value.name})`;
  if (call.over !== null)
    return {
      sql: `${word}_value(${value?.sql}${ignores ? ' IGNORE NULLS' : ''}) OVER (${call.over})`,
      type: readFirstType(call),
      name: null,
    };
  const plain: Call = { ...call, ignoresNulls: false };
  const written = writeAggregate(plain, ignores ? `{${word}($1)|$1 IS NOT NULL}` : `{${word}($1)}`, FIRST);
  return { ...written, name: call.filter === null ? shown : null };
}

function writeListAggregate(call: Call): Written {
  const [value, separator] = call.args;
  const text = value === undefined ? refuseOnFolder(`${call.name}() without arguments`) : toText(value);
  const by = separator === undefined ? "''" : toText(separator);
  if (separator !== undefined && typeof separator.literal !== 'string')
    return refuseOnFolder(`${call.name}() with a separator that is not in the statement`);
  if (call.over !== null) return refuseOnFolder(`${call.name}() with OVER`);
  const order = call.within === null ? '' : ` ORDER BY ${call.writer.order(call.within)}`;
  if (call.isDistinct && order !== '') return refuseOnFolder(`${call.name}() with DISTINCT and an order`);
  const filter = call.filter === null ? '' : ` FILTER (WHERE ${call.filter})`;
  const sql = call.isDistinct
    ? `array_to_string(spark_distinct_in_order(list(${text})${filter}), ${by})`
    : `string_agg(${text}, ${by}${order})${filter}`;
  const shown = separator === undefined ? appendName(call, 'NULL') : showCall(call);
  return { sql, type: 'STRING', name: filter === '' ? showListAggregate(call, shown) : null };
}

function showListAggregate(call: Call, shown: string | null): string | null {
  const [order, ...others] = call.within ?? [];
  if (order === undefined || shown === null) return shown;
  const { name } = call.writer.write(order.this);
  if (others.length > 0 || name === null) return null;
  const isDescending = order.desc === true;
  const nullsFirst = typeof order.nulls_first === 'boolean' ? order.nulls_first : !isDescending;
  const plain = shown.replace(/^string_agg/, 'listagg');
  return `${plain} WITHIN GROUP (ORDER BY ${name} ${isDescending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'})`;
}

function writeApproximate(call: Call): Written {
  const [value, share] = call.args;
  const type = value?.type ?? null;
  if (share === undefined) return refuseOnFolder(`${call.name}() with so few arguments`);
  const accuracy = call.args[2];
  if (accuracy !== undefined && !(accuracy.type === 'INT' && Number(accuracy.literal) >= 100))
    return refuseOnFolder(`${call.name}() with an accuracy below 100`);
  const isList = share.type?.startsWith('ARRAY') === true;
  if (type !== null && !isNumeric(type)) return refuseOnFolder(`${call.name}() of ${type}`);
  return writeAggregate(call, `{quantile_disc($1, ${share.sql})}`, isList ? arrayOf(type) : type);
}

function writeWithin(call: Call, write: (share: string, value: string) => string, type: KnownType): Written {
  const [order] = call.within ?? [];
  const [share] = call.args;
  if (order === undefined || call.within?.length !== 1 || share === undefined)
    return refuseOnFolder(`${call.name}() without WITHIN GROUP`);
  const value = call.writer.write(order.this);
  if (value.type !== null && !isNumeric(value.type)) return refuseOnFolder(`${call.name}() of ${value.type}`);
  if (order.desc === true) return refuseOnFolder(`${call.name}() in descending order`);
  const shown = named`${call.name}(${share}) WITHIN GROUP (ORDER BY ${value})`;
  const written = writeAggregate(
    { ...call, within: null },
    `{${write(share.sql, value.sql)}}`,
    share.type?.startsWith('ARRAY') === true ? arrayOf(type) : type,
  );
  return { ...written, name: call.over === null && call.filter === null ? shown : null };
}

function writeShift(call: Call, word: 'lag' | 'lead'): Written {
  if (call.over === null) return refuseOnFolder(`${word}() without OVER`);
  const [value, offset, otherwise] = call.args;
  const parts = [
    value?.sql,
    ...(offset === undefined ? [] : [toArgument(call, offset, 'i')]),
    ...(otherwise === undefined ? [] : [otherwise.sql]),
  ];
  const nulls = call.ignoresNulls ? ' IGNORE NULLS' : '';
  if (otherwise !== undefined && value !== undefined) unify([value, otherwise], `${word}()`);
  return {
    sql: `${word}(${parts.join(', ')}${nulls}) OVER (${call.over})`,
    type: readFirstType(call),
    name: showShift(call, word),
  };
}

function showShift(call: Call, word: 'lag' | 'lead'): string | null {
  const [value, offset, otherwise] = call.args;
  const count = offset === undefined ? 1 : offset.literal;
  if (typeof count !== 'number' || call.ignoresNulls || value?.name == null) return null;
  const place = word === 'lag' ? -count : count;
  const name = `${word}(${value.name}, ${count}, ${otherwise === undefined ? 'NULL' : otherwise.name})`;
  return showWindow(call, name, `ROWS BETWEEN ${place} FOLLOWING AND ${place} FOLLOWING`);
}

function rows(kind: 'scalar' | 'aggregate' | 'window', table: readonly Row[]): [string, Provision][] {
  return table.flatMap(([names, templates, type, shown]) =>
    names.split(' ').map((name): [string, Provision] => [
      name,
      {
        kind,
        templates: typeof templates === 'string' ? [templates] : templates,
        type,
        ...(shown === undefined ? {} : { shown }),
        ...(name === 'cume_dist' ? { range: true } : {}),
      },
    ]),
  );
}

/** Every function that the folder provides, and how. All others are refused there by name. */
export const FUNCTIONS: ReadonlyMap<string, Provision> = new Map<string, Provision>([
  ...rows('scalar', SCALARS),
  ...rows('aggregate', AGGREGATES),
  ...rows('window', WINDOWS),
  ...Object.entries(REWRITES).map(([name, write]): [string, Provision] => [name, { kind: 'rewrite', write }]),
]);

void COMMON;
