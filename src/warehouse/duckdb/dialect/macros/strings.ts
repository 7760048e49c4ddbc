/** Macros for DuckDB that give the values of Databricks: strings. */
export const strings = `
CREATE MACRO spark_ascii(x) AS CASE WHEN x = '' THEN 0 ELSE CAST(ascii(x) AS INTEGER) END;
CREATE MACRO spark_length(x BLOB) AS CAST(octet_length(x) AS INTEGER), (x VARCHAR) AS CAST(length(x) AS INTEGER);
CREATE MACRO spark_octet_length(x BLOB) AS CAST(octet_length(x) AS INTEGER), (x VARCHAR) AS CAST(strlen(x) AS INTEGER);
CREATE MACRO spark_bit_length(x BLOB) AS CAST(octet_length(x) * 8 AS INTEGER), (x VARCHAR) AS CAST(strlen(x) * 8 AS INTEGER);
CREATE MACRO spark_chr(x) AS CASE WHEN x < 0 THEN '' ELSE chr(CAST(((x % 256) + 256) % 256 AS INTEGER)) END;
CREATE MACRO spark_collation(x) AS 'SYSTEM.BUILTIN.UTF8_BINARY';
CREATE MACRO spark_find_in_set(a, b) AS CASE WHEN contains(a, ',') THEN 0 ELSE coalesce(CAST(list_position(string_split(b, ','), a) AS INTEGER), CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN 0 END) END;
CREATE MACRO spark_locate(a, b, p) AS CASE WHEN p IS NULL THEN 0 WHEN a IS NULL OR b IS NULL THEN NULL WHEN p < 1 THEN 0 WHEN a = '' THEN 1
  WHEN instr(substring(b, p), a) = 0 THEN 0 ELSE CAST(instr(substring(b, p), a) + p - 1 AS INTEGER) END;
CREATE MACRO spark_upper(x) AS CASE WHEN contains(x, 'ß') THEN upper(replace(x, 'ß', 'SS')) ELSE upper(x) END;
CREATE MACRO spark_left(x, n) AS CASE WHEN n <= 0 THEN CASE WHEN x IS NOT NULL THEN '' END ELSE left(x, n) END;
CREATE MACRO spark_right(x, n) AS CASE WHEN n <= 0 THEN CASE WHEN x IS NOT NULL THEN '' END ELSE right(x, n) END;
CREATE MACRO spark_levenshtein(a, b, n) AS CASE WHEN n IS NULL OR a IS NULL OR b IS NULL THEN NULL WHEN levenshtein(a, b) > n THEN -1 ELSE CAST(levenshtein(a, b) AS INTEGER) END;
CREATE MACRO spark_md5(x) AS md5(x);
CREATE MACRO spark_is_valid_utf8(x BLOB) AS spark_js_is_valid_utf8(x), (x VARCHAR) AS CASE WHEN x IS NOT NULL THEN true END;
CREATE MACRO spark_make_valid_utf8(x BLOB) AS spark_js_make_valid_utf8(x), (x VARCHAR) AS x;
CREATE MACRO spark_split_part(x, d, n) AS CASE WHEN n = 0 THEN CAST(CASE WHEN x IS NOT NULL AND d IS NOT NULL THEN CAST('INVALID_INDEX_OF_ZERO' AS INTEGER) END AS VARCHAR)
  WHEN x IS NULL OR d IS NULL OR n IS NULL THEN NULL WHEN d = '' THEN CASE WHEN abs(n) = 1 THEN x ELSE '' END ELSE coalesce(string_split(x, d)[n], '') END;
CREATE MACRO spark_unbase64(x) AS from_base64(x);
CREATE MACRO spark_contains(a VARCHAR, b VARCHAR) AS contains(a, b), (a BLOB, b BLOB) AS contains(hex(a), hex(b)), (a BLOB, b VARCHAR) AS CASE WHEN b IS NOT NULL THEN error('contains() of bytes and a text is not available on the folder warehouse.') END;
CREATE MACRO spark_starts_with(a VARCHAR, b VARCHAR) AS starts_with(a, b), (a BLOB, b BLOB) AS starts_with(hex(a), hex(b)), (a BLOB, b VARCHAR) AS CASE WHEN b IS NOT NULL THEN error('startswith() of bytes and a text is not available on the folder warehouse.') END;
CREATE MACRO spark_ends_with(a VARCHAR, b VARCHAR) AS ends_with(a, b), (a BLOB, b BLOB) AS ends_with(hex(a), hex(b)), (a BLOB, b VARCHAR) AS CASE WHEN b IS NOT NULL THEN error('endswith() of bytes and a text is not available on the folder warehouse.') END;
CREATE MACRO spark_mask(x, u, l, d, o) AS CASE WHEN x IS NOT NULL THEN spark_js_mask(x, coalesce(u, ''), coalesce(l, ''), coalesce(d, ''), coalesce(o, '')) END;
CREATE MACRO spark_substring(x, p, n) AS CASE WHEN x IS NULL OR p IS NULL OR n IS NULL THEN NULL WHEN n <= 0 THEN ''
  WHEN p > 0 THEN substring(x, p, n)
  WHEN p = 0 THEN substring(x, 1, n)
  WHEN length(x) + p >= 0 THEN substring(x, length(x) + p + 1, n)
  WHEN length(x) + p + n <= 0 THEN '' ELSE substring(x, 1, CAST(length(x) + p + CAST(n AS BIGINT) AS BIGINT)) END;
CREATE MACRO spark_substring_bytes(x, p, n) AS unhex(spark_substring(hex(x), CASE WHEN p > 0 THEN p * 2 - 1 ELSE p * 2 END, least(CAST(n AS BIGINT), 1000000000) * 2));
CREATE MACRO spark_lpad(x, n, f) AS CASE WHEN n <= 0 THEN CASE WHEN x IS NOT NULL AND f IS NOT NULL THEN '' END WHEN f = '' THEN left(x, n) ELSE lpad(x, n, f) END;
CREATE MACRO spark_rpad(x, n, f) AS CASE WHEN n <= 0 THEN CASE WHEN x IS NOT NULL AND f IS NOT NULL THEN '' END WHEN f = '' THEN left(x, n) ELSE rpad(x, n, f) END;
CREATE MACRO spark_pad_left(x, n) AS CASE WHEN length(x) >= n THEN x ELSE lpad(x, n, ' ') END;
CREATE MACRO spark_pad_right(x, n) AS CASE WHEN length(x) >= n THEN x ELSE rpad(x, n, ' ') END;
CREATE MACRO spark_replace(x, a, b) AS CASE WHEN a = '' THEN CASE WHEN b IS NOT NULL THEN x END ELSE replace(x, a, b) END;
CREATE MACRO spark_overlay(x, r, p, n) AS left(x, greatest(p - 1, 0)) || r || substring(x, p + CASE WHEN n >= 0 THEN n ELSE length(r) END);
CREATE MACRO spark_elt(i, l) AS CASE WHEN i BETWEEN 1 AND len(l) THEN l[i] ELSE CASE WHEN i IS NOT NULL THEN CAST(CAST('INVALID_ARRAY_INDEX' AS INTEGER) AS VARCHAR) END END;
CREATE MACRO spark_concat_ws(s, l) AS CASE WHEN s IS NOT NULL THEN coalesce(array_to_string(list_filter(l, lambda x: x IS NOT NULL), s), '') END;
CREATE MACRO spark_text_list(x VARCHAR[]) AS x, (x TINYINT[]) AS list_transform(x, lambda y: spark_text(CAST(y AS TINYINT))), (x SMALLINT[]) AS list_transform(x, lambda y: spark_text(CAST(y AS SMALLINT))), (x INTEGER[]) AS list_transform(x, lambda y: spark_text(CAST(y AS INTEGER))), (x BIGINT[]) AS list_transform(x, lambda y: spark_text(CAST(y AS BIGINT))), (x BOOLEAN[]) AS list_transform(x, lambda y: spark_text(CAST(y AS BOOLEAN))), (x FLOAT[]) AS list_transform(x, lambda y: spark_text(CAST(y AS FLOAT))), (x DOUBLE[]) AS list_transform(x, lambda y: spark_text(CAST(y AS DOUBLE))), (x DATE[]) AS list_transform(x, lambda y: spark_text(CAST(y AS DATE))), (x TIMESTAMP[]) AS list_transform(x, lambda y: spark_text(CAST(y AS TIMESTAMP))), (x TIMESTAMPTZ[]) AS list_transform(x, lambda y: spark_text(CAST(y AS TIMESTAMPTZ)));
CREATE MACRO spark_text_parts(x VARCHAR) AS [x], (x VARCHAR[]) AS x;
CREATE MACRO spark_array_join(l, s) AS CASE WHEN l IS NOT NULL AND s IS NOT NULL THEN coalesce(array_to_string(list_filter(l, lambda x: x IS NOT NULL), s), '') END;
CREATE MACRO spark_array_join_nulls(l, s, r) AS CASE WHEN l IS NOT NULL AND s IS NOT NULL AND r IS NOT NULL THEN coalesce(array_to_string(list_transform(l, lambda x: coalesce(x, r)), s), '') END;
CREATE MACRO spark_regexp_extract(x, p, g) AS coalesce(regexp_extract(x, p, g), CASE WHEN x IS NOT NULL THEN '' END);
CREATE MACRO spark_regexp_extract_all(x, p, g) AS list_transform(regexp_extract_all(x, p, g), lambda y: coalesce(y, ''));
CREATE MACRO spark_regexp_count(x, p) AS CAST(len(regexp_extract_all(x, p)) AS INTEGER);
CREATE MACRO spark_regexp_substr(x, p) AS nullif(regexp_extract(x, p), '');
CREATE MACRO spark_regexp_instr(x, p) AS CASE WHEN x IS NULL OR p IS NULL THEN NULL WHEN NOT regexp_matches(x, p) THEN 0 ELSE CAST(length(string_split_regex(x, p)[1]) + 1 AS INTEGER) END;
CREATE MACRO spark_split_limit(x, p, n) AS CASE WHEN n <= 0 OR len(string_split_regex(x, p)) <= n THEN string_split_regex(x, p)
  ELSE list_append(string_split_regex(x, p)[1:n-1], substring(x, CAST(length(array_to_string(string_split_regex(x, p)[1:n-1], '')) + length(array_to_string(regexp_extract_all(x, p)[1:n-1], '')) + 1 AS BIGINT))) END;
CREATE MACRO spark_validate_utf8(x BLOB) AS decode(x), (x VARCHAR) AS x;
CREATE MACRO spark_try_validate_utf8(x BLOB) AS TRY(decode(x)), (x VARCHAR) AS x;
`;
