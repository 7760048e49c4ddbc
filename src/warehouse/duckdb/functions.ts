/**
 * The functions and operators of DuckDB that a statement may call: those that the functions in `known-functions.ts` and the
 * rest of the dialect become. All others are refused, whatever a function of that name may do.
 */
export const duckDbFunctions: ReadonlySet<string> = new Set(
  `% * + - / // << >> !__postfix ~~ ~~* !~~ !~~* like_escape ilike_escape not_like_escape not_ilike_escape ^@ xor
    abs acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh cot degrees exp factorial floor isinf isnan ln
    log log10 log2 pi power radians random round sign sin sinh sqrt tan tanh trunc array_contains array_length
    array_position ascii bit_count bit_length char_length character_length chr contains ends_with hash
    json_array_length json_valid len length levenshtein md5 octet_length regexp_matches sha1 starts_with strlen
    strpos typeof uuid date_diff date_part date_sub date_trunc datediff day dayname dayofmonth dayofyear epoch
    hour isodow last_day make_date make_timestamp minute month monthname quarter second strptime timezone to_days
    to_hours to_microseconds to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks
    to_years try_strptime week weekday weekofyear year approx_count_distinct avg bool_and bool_or corr count
    count_if count_star covar_pop covar_samp kurtosis mean regr_avgx regr_avgy regr_count regr_intercept regr_r2
    regr_slope regr_sxx regr_sxy regr_syy skewness stddev stddev_pop stddev_samp sum var_pop variance cume_dist
    dense_rank ntile percent_rank rank row_number error bit_and bit_or bit_xor any_value first last first_value
    last_value nth_value lag lead median mode nullif greatest least list_max list_min element_at array_extract
    struct_extract approx_quantile quantile quantile_cont quantile_disc unnest & | ~ array_sort array_distinct
    array_intersect list_sort list_distinct map_keys map_values decode encode left lower ltrim regexp_extract
    reverse right rtrim substring trim unhex upper url_decode concat || concat_ws json struct_pack row list_append
    list_prepend list_concat map map_concat list_value map_entries map_from_entries base64 hex url_encode
    translate bin to_binary to_json generate_subscripts split_part str_split str_split_regex regexp_extract_all
    strftime repeat lpad rpad printf replace regexp_replace range generate_series list array_agg listagg
    string_agg round_even to_base64 list_reduce list_zip cardinality flatten epoch_us dayofweek map_extract_value
    make_timestamptz kurtosis_pop array_to_string arg_max_null arg_min_null string_split_regex var_samp isoyear
    instr json_extract_string current_date get_current_timestamp to_microseconds
    list_extract quantile_disc approx_top_k arg_max arg_min max min from_json filter list_filter list_transform`.split(
    /\s+/,
  ),
);

/** The functions that may stand where a table stands. */
export const duckDbTableFunctions: ReadonlySet<string> = new Set(['range', 'generate_series', 'unnest']);
