/**
 * The functions and operators of DuckDB that a statement may call, with how large their results get. They are those that
 * the functions in `known-functions.ts` and the rest of the dialect become; all others are refused, whatever a function
 * of that name may do.
 */
export type FunctionSize =
  /** A number, a time, a truth value or a short text, whatever the arguments are. */
  | { readonly kind: 'FIXED' }
  /** One of its arguments or a part of it, which is not copied. */
  | { readonly kind: 'PART' }
  /** So many times the largest of its arguments. */
  | { readonly kind: 'LARGEST'; readonly times: number }
  /** So many times all of its arguments together. */
  | { readonly kind: 'SUM'; readonly times: number }
  /** What its arguments say: each of these kinds is looked at on its own. */
  | { readonly kind: SpecialSize };

export type SpecialSize =
  | 'REPEAT'
  | 'PAD'
  | 'FORMAT'
  | 'REPLACE'
  | 'REGEXP_REPLACE'
  | 'SERIES'
  | 'COLLECT'
  | 'TOP'
  | 'FROM_JSON'
  | 'FILTER'
  | 'TRANSFORM';

/** Functions that put their arguments, or what they make of them, into a list or an object. */
export const nestingFunctions: ReadonlySet<string> = new Set([
  ...[
    'list_value',
    'struct_pack',
    'row',
    'map',
    'map_entries',
    'map_from_entries',
    'list_append',
    'list_prepend',
  ],
  ...[
    'list_concat',
    'list',
    'array_agg',
    'approx_top_k',
    'str_split',
    'str_split_regex',
    'regexp_extract_all',
  ],
  ...['range', 'generate_series', 'generate_subscripts', 'quantile', 'quantile_cont', 'quantile_disc'],
]);

const fixed: FunctionSize = { kind: 'FIXED' };
const largest: FunctionSize = { kind: 'LARGEST', times: 1 };
const sum = (times: number): FunctionSize => ({ kind: 'SUM', times });
const each = (size: FunctionSize, names: string): (readonly [string, FunctionSize])[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => [name, size]);

export const duckDbFunctions: ReadonlyMap<string, FunctionSize> = new Map([
  ...each(
    fixed,
    `% * + - / // << >> !__postfix ~~ ~~* !~~ !~~* like_escape ilike_escape not_like_escape not_ilike_escape ^@ xor
    abs acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh cot degrees exp factorial floor isinf isnan ln log log10
    log2 pi power radians random round sign sin sinh sqrt tan tanh trunc
    array_contains array_length array_position ascii bit_count bit_length char_length character_length chr contains
    ends_with hash json_array_length json_valid len length levenshtein md5 octet_length regexp_matches sha1 starts_with
    strlen strpos typeof uuid
    date_diff date_part date_sub date_trunc datediff day dayname dayofmonth dayofyear epoch hour isodow last_day make_date
    make_timestamp minute month monthname quarter second strptime timezone to_days to_hours to_microseconds
    to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years try_strptime week weekday
    weekofyear year
    approx_count_distinct avg bool_and bool_or corr count count_if count_star covar_pop covar_samp kurtosis mean
    regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy skewness stddev stddev_pop
    stddev_samp sum var_pop variance
    cume_dist dense_rank ntile percent_rank rank row_number blade_room blade_time error`,
  ),
  ...each(
    { kind: 'PART' },
    `bit_and bit_or bit_xor any_value first last first_value last_value nth_value lag lead median mode nullif greatest
    least list_max list_min element_at array_extract struct_extract approx_quantile quantile quantile_cont quantile_disc
    unnest`,
  ),
  ...each(
    largest,
    `& | ~ array_sort array_distinct array_intersect list_sort list_distinct map_keys map_values decode encode left lower
    ltrim regexp_extract reverse right rtrim substring trim unhex upper url_decode`,
  ),
  ...each(
    sum(1),
    'concat || concat_ws json struct_pack row list_append list_prepend list_concat map map_concat',
  ),
  ...each(sum(2), 'list_value map_entries map_from_entries base64 hex'),
  ...each(sum(4), 'url_encode translate'),
  ...each(sum(8), 'bin to_binary to_json generate_subscripts'),
  ...each(sum(20), 'split_part str_split str_split_regex regexp_extract_all strftime'),
  ...each({ kind: 'REPEAT' }, 'repeat'),
  ...each({ kind: 'PAD' }, 'lpad rpad'),
  ...each({ kind: 'FORMAT' }, 'printf'),
  ...each({ kind: 'REPLACE' }, 'replace'),
  ...each({ kind: 'REGEXP_REPLACE' }, 'regexp_replace'),
  ...each({ kind: 'SERIES' }, 'range generate_series'),
  ...each({ kind: 'COLLECT' }, 'list array_agg listagg string_agg'),
  ...each({ kind: 'TOP' }, 'approx_top_k arg_max arg_min max min'),
  ...each({ kind: 'FROM_JSON' }, 'from_json'),
  ...each({ kind: 'FILTER' }, 'filter list_filter'),
  ...each({ kind: 'TRANSFORM' }, 'list_transform'),
]);

/** The functions that may stand where a table stands. */
export const duckDbTableFunctions: ReadonlySet<string> = new Set(['range', 'generate_series', 'unnest']);
