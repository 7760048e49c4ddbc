/**
 * The functions that a query or a filter may call: those of Databricks SQL that compute only from their arguments.
 *
 * This lists what is allowed rather than what is forbidden, because both engines gain functions with every release, and a
 * function that nobody has reviewed may read a file, call a service or reveal settings. User-defined functions
 * (`catalog.schema.name(…)`) are not included, because they run code; a view in the warehouse can call one if needed. Left
 * out on purpose: who is signed in and where (`current_user`, `current_catalog`, `version`, `is_member` …),
 * `secret`, `read_files`, `http_request`, `ai_*`, `java_method`, `reflect`, `input_file_*`.
 * Source: "Alphabetical list of built-in functions" of the Databricks SQL language manual.
 */
// biome-ignore format: a list is easier to read in lines
export const KNOWN_FUNCTIONS: ReadonlySet<string> = new Set([
  // Numbers
  'abs', 'acos', 'acosh', 'asin', 'asinh', 'atan', 'atan2', 'atanh', 'bin', 'bround', 'cbrt', 'ceil', 'ceiling', 'conv',
  'cos', 'cosh', 'cot', 'csc', 'degrees', 'div', 'e', 'exp', 'expm1', 'factorial', 'floor', 'greatest', 'hex', 'hypot',
  'isnan', 'is_nan', 'isinf', 'is_inf', 'least', 'ln', 'log', 'log10', 'log1p', 'log2', 'mod', 'nanvl', 'negative', 'pi', 'pmod',
  'positive', 'pow', 'power', 'radians', 'rint', 'round', 'sec', 'shiftleft', 'shiftright', 'shiftrightunsigned', 'sign',
  'signum', 'sin', 'sinh', 'sqrt', 'tan', 'tanh', 'trunc', 'try_add', 'try_divide', 'try_mod', 'try_multiply', 'try_subtract',
  'unhex', 'width_bucket', 'bit_count', 'bit_get', 'getbit', 'bit_reverse', 'rand', 'random', 'randn', 'randstr', 'uniform',
  // Texts and bytes
  'aes_decrypt', 'aes_encrypt', 'try_aes_decrypt', 'ascii', 'base64', 'bit_length', 'btrim', 'char', 'char_length', 'character_length', 'charindex', 'chr', 'collate',
  'collation', 'concat', 'concat_ws', 'contains', 'crc32', 'decode', 'elt', 'encode', 'endswith', 'ends_with', 'field',
  'find_in_set', 'format_number', 'format_string', 'hash', 'ilike', 'initcap', 'instr', 'is_valid_utf8', 'lcase', 'left', 'len',
  'length', 'levenshtein', 'like', 'locate', 'lower', 'lpad', 'ltrim', 'luhn_check', 'make_valid_utf8', 'mask', 'md5',
  'octet_length', 'overlay', 'position', 'printf', 'quote', 'regexp', 'regexp_count', 'regexp_extract', 'regexp_extract_all',
  'regexp_instr', 'regexp_like', 'regexp_replace', 'regexp_substr', 'repeat', 'replace', 'reverse', 'right', 'rlike', 'rpad',
  'rtrim', 'sentences', 'sha', 'sha1', 'sha2', 'soundex', 'space', 'split', 'split_part', 'startswith', 'starts_with',
  'string', 'substr', 'substring', 'substring_index', 'to_binary', 'to_char', 'to_number', 'to_varchar', 'translate', 'trim',
  'try_to_binary', 'try_to_number', 'try_validate_utf8', 'ucase', 'unbase64', 'upper', 'url_decode', 'url_encode', 'parse_url',
  'try_parse_url', 'try_url_decode', 'validate_utf8', 'xxhash64', 'uuid', 'zeroifnull',
  // Times
  'add_months', 'convert_timezone', 'curdate', 'current_date', 'current_time', 'current_timestamp', 'date', 'date_add', 'date_diff',
  'date_format', 'date_from_unix_date', 'date_part', 'date_sub', 'date_trunc', 'dateadd', 'datediff', 'datepart', 'day',
  'dayname', 'dayofmonth', 'dayofweek', 'dayofyear', 'extract', 'from_unixtime', 'from_utc_timestamp', 'getdate', 'hour',
  'last_day', 'localtimestamp', 'make_date', 'make_dt_interval', 'make_interval', 'make_timestamp', 'make_ym_interval', 'minute',
  'month', 'monthname', 'months_between', 'next_day', 'now', 'quarter', 'second', 'timediff', 'timestamp', 'timestamp_micros',
  'timestamp_millis', 'timestamp_seconds', 'timestampadd', 'timestampdiff', 'to_date', 'to_time', 'to_timestamp',
  'to_timestamp_ltz', 'to_timestamp_ntz', 'make_timestamp_ltz', 'make_timestamp_ntz', 'make_time', 'try_make_interval', 'try_make_timestamp',
  'try_make_timestamp_ltz', 'try_make_timestamp_ntz',
  'to_unix_timestamp', 'to_utc_timestamp', 'try_to_date', 'try_to_timestamp', 'unix_date', 'unix_micros', 'unix_millis',
  'unix_seconds', 'unix_timestamp', 'weekday', 'weekofyear', 'week', 'window', 'window_time', 'session_window', 'year',
  // Arrays, maps and structs
  'aggregate', 'array', 'array_append', 'array_compact', 'array_contains', 'array_distinct', 'array_except', 'array_insert',
  'array_intersect', 'array_join', 'array_max', 'array_min', 'array_position', 'array_prepend', 'array_remove', 'array_repeat',
  'array_size', 'array_sort', 'array_union', 'arrays_overlap', 'arrays_zip', 'cardinality', 'element_at', 'explode',
  'explode_outer', 'filter', 'flatten', 'forall', 'exists', 'get', 'inline', 'inline_outer', 'map', 'map_concat',
  'map_contains_key', 'map_entries', 'map_filter', 'map_from_arrays', 'map_from_entries', 'map_keys', 'map_values',
  'map_zip_with', 'named_struct', 'posexplode', 'posexplode_outer', 'reduce', 'sequence', 'shuffle', 'size', 'slice',
  'sort_array', 'stack', 'str_to_map', 'struct', 'transform', 'transform_keys', 'transform_values', 'try_element_at',
  'zip_with', 'range', 'generate_series', 'unnest',
  // JSON, CSV, XML, variant
  'from_csv', 'from_json', 'from_xml', 'get_json_object', 'is_variant_null', 'json_array_length', 'json_object_keys',
  'json_tuple', 'parse_json', 'schema_of_csv', 'schema_of_json', 'schema_of_json_agg', 'schema_of_variant',
  'schema_of_variant_agg', 'schema_of_xml', 'to_csv', 'to_json', 'to_variant_object', 'to_xml', 'try_parse_json',
  'try_variant_get', 'variant_explode', 'variant_explode_outer', 'variant_get', 'xpath', 'xpath_boolean', 'xpath_double',
  'xpath_float', 'xpath_int', 'xpath_long', 'xpath_number', 'xpath_short', 'xpath_string',
  // Conditions and types
  'assert_true', 'bigint', 'binary', 'boolean', 'cast', 'coalesce', 'convert', 'decimal', 'dec', 'numeric', 'double', 'equal_null',
  'float', 'if', 'iff', 'ifnull', 'int', 'isnotnull', 'isnull', 'nullif', 'nullifzero', 'nvl', 'nvl2', 'raise_error', 'smallint',
  'tinyint', 'try_cast', 'typeof', 'varchar', 'character', 'interval', 'xor',
  // Over groups of rows and over windows
  'any', 'any_value', 'approx_count_distinct', 'approx_percentile', 'approx_top_k', 'array_agg', 'avg', 'bit_and', 'bit_or',
  'bit_xor', 'bitmap_bit_position', 'bitmap_bucket_number', 'bitmap_construct_agg', 'bitmap_count', 'bitmap_or_agg', 'bool_and',
  'bool_or', 'collect_list', 'collect_set', 'corr', 'count', 'count_if', 'count_min_sketch', 'covar_pop', 'covar_samp',
  'cume_dist', 'dense_rank', 'every', 'first', 'first_value', 'grouping', 'grouping_id', 'histogram_numeric', 'hll_sketch_agg',
  'hll_sketch_estimate', 'hll_union', 'hll_union_agg', 'kurtosis', 'lag', 'last', 'last_value', 'lead', 'listagg', 'max', 'max_by',
  'mean', 'median', 'min', 'min_by', 'mode', 'nth_value', 'ntile', 'percent_rank', 'percentile', 'percentile_approx',
  'percentile_cont', 'percentile_disc', 'rank', 'regr_avgx', 'regr_avgy', 'regr_count', 'regr_intercept', 'regr_r2',
  'regr_slope', 'regr_sxx', 'regr_sxy', 'regr_syy', 'row_number', 'skewness', 'some', 'std', 'stddev', 'stddev_pop', 'stddev_samp',
  'string_agg', 'sum', 'try_avg', 'try_sum', 'var_pop', 'var_samp', 'variance', 'monotonically_increasing_id',
  // Cells of a map
  'h3_boundaryasgeojson', 'h3_boundaryaswkt', 'h3_centeraswkt', 'h3_coverash3', 'h3_distance', 'h3_ischildof', 'h3_kring',
  'h3_latlongash3', 'h3_longlatash3', 'h3_longlatash3string', 'h3_resolution', 'h3_tochildren', 'h3_toparent', 'st_area',
  'st_asgeojson', 'st_astext', 'st_centroid', 'st_contains', 'st_distance', 'st_distancesphere', 'st_geogfromtext',
  'st_geomfromtext', 'st_intersects', 'st_point', 'st_within', 'st_x', 'st_y',
]);

/** Keywords that may precede a parenthesis. */
// biome-ignore format: a list is easier to read in lines
export const WORDS_BEFORE_PARENTHESES: ReadonlySet<string> = new Set([
  'all', 'and', 'anti', 'any', 'as', 'between', 'by', 'case', 'cross', 'cube', 'distinct', 'else', 'escape', 'except', 'exists',
  'filter', 'for', 'from', 'group', 'having', 'ilike', 'in', 'intersect', 'is', 'join', 'lateral', 'like', 'limit', 'minus', 'not',
  'of', 'offset', 'on', 'or', 'over', 'pivot', 'qualify', 'recursive', 'regexp', 'rlike', 'rollup', 'select', 'semi', 'sets', 'some',
  'tablesample', 'then', 'union', 'unpivot', 'using', 'values', 'when', 'where', 'with', 'div', 'array', 'map', 'struct',
]);

/** Words that reveal the session even without a parenthesis. */
export const SESSION_WORDS: ReadonlySet<string> = new Set([
  'user',
  'current_user',
  'session_user',
  'system_user',
  'current_role',
  'current_catalog',
  'current_database',
  'current_schema',
  'current_metastore',
]);
