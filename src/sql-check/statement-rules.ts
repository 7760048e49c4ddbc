/**
 * What a statement that only reads tables may not contain. Kinds are the parser's names of syntax nodes; functions are those
 * of Databricks and DuckDB that reach files, the network, settings, code or other sessions.
 */

/** Statements and clauses that write, lock, change settings or run code. */
// biome-ignore format: a list is easier to read in lines
export const FORBIDDEN_KINDS: ReadonlySet<string> = new Set([
  'insert', 'update', 'delete', 'merge', 'copy', 'put', 'stage_reference', 'truncate', 'truncate_table',
  'load_data', 'export', 'conditional_insert', 'multitable_inserts', 'into', 'into_clause',
  'undrop', 'split_table', 'flashback_table', 'user_defined_function',
  'use', 'cache', 'uncache', 'refresh', 'pragma', 'set_statement', 'set_item', 'query_band', 'alter_session',
  'grant', 'revoke', 'describe', 'show', 'command', 'kill', 'prepare', 'execute', 'raw', 'try_catch',
  'locking_statement', 'lock', 'attach', 'detach', 'install', 'summarize', 'declare', 'declare_item',
  'transaction', 'commit', 'rollback', 'analyze', 'return_stmt', 'next_value_for', 'query_transform',
  'pipe_operator', 'stream', 'directory', 'credentials', 'read_c_s_v', 'read_parquet', 'to_file', 'predict',
  'vector_search', 'semantic_view', 'open_j_s_o_n', 'x_m_l_table', 'heredoc', 'braced_wildcard',
]);

/** Prefixes of forbidden kinds, such as `create_table`. */
export const FORBIDDEN_KIND_PREFIX = /^(create|drop|alter|analyze|m_l|a_i)_/;

/** Function names that nothing may have, not even an alias: the second line of defence after `KNOWN_FUNCTIONS`. */
// biome-ignore format: a list is easier to read in lines
export const FORBIDDEN_FUNCTION = new RegExp(
  `^(?:${[
    'read_.*', 'write_.*', 'copy_.*', 'parquet_.*', '.*_scan', 'glob', 'sniff_csv', 'cloud_files',
    'http_.*', 'url_.*get', 'getenv', 'current_setting', 'set_config', 'getvariable', 'nextval', 'currval',
    'duckdb_.*', 'pragma_.*', 'pg_.*', 'system_.*', 'checkpoint', 'force_checkpoint', 'query', 'query_table',
    'remote_query', 'json_execute_serialized_sql', 'from_substrait.*', 'get_substrait.*', 'sql_auto_complete',
    'dbgen', 'dsdgen', 'which_secret', 'list_secrets?', 'secret', 'try_secret', 'input_file_.*',
    'java_method', 'reflect', 'try_reflect', 'ai_.*', 'vector_search', 'event_log', 'identifier',
    'load_.*', 'install_.*', 'attach_.*', 'sleep.*', 'write_log', 'parse_duckdb_log_message',
  ].join('|')})$`,
  'i',
);

/** The only functions allowed where a table is expected. */
// biome-ignore format: a list is easier to read in lines
export const TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  'range', 'generate_series', 'sequence', 'explode', 'explode_outer', 'posexplode', 'posexplode_outer',
  'inline', 'inline_outer', 'stack', 'unnest', 'json_tuple', 'variant_explode', 'variant_explode_outer',
]);

/** Functions whose result changes each time the same statement runs. */
export const CHANGING_FUNCTION =
  /^(aes_encrypt|rand|random|randn|randstr|uniform|uuid.*|gen_random_uuid|shuffle|now|today|getdate|curdate|current_.*|localtime|localtimestamp|unix_timestamp|monotonically_increasing_id|spark_partition_id|setseed)$/i;

/** Functions that return true or false, so a filter may consist of one call. */
export const BOOLEAN_FUNCTION =
  /^(isnull|isnotnull|isnan|is_nan|is_inf|isinf|is_variant_null|like|ilike|rlike|regexp|regexp_like|startswith|starts_with|endswith|ends_with|contains|array_contains|arrays_overlap|map_contains_key|exists|forall|boolean|equal_null|is_valid_utf8|luhn_check|xor)$/i;

/** Table names that look like a file or an address, which are refused. */
export const fileLikeName =
  /[/\\:*?]|\.(csv|tsv|txt|json|jsonl|ndjson|parquet|avro|orc|db|duckdb|arrow|gz|zst|xlsx)$/i;

/** Words that, without quotes, read a table, a name in a string, a stream or a script, or write. */
export const FORBIDDEN_WORDS: ReadonlySet<string> = new Set([
  ...['table', 'identifier', 'stream', 'insert', 'into', 'update', 'delete', 'merge'],
]);
