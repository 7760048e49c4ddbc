/** Macros for DuckDB that give the values of Databricks: arrays. */
export const arrays = `
CREATE MACRO spark_list(x) AS list_filter(x, lambda y: true);
CREATE MACRO spark_list_or_null(x) AS CASE WHEN coalesce(len(x), 0) = 0 THEN [NULL] ELSE x END;
CREATE MACRO spark_item(l, i) AS CASE WHEN i >= 0 AND i < len(l) THEN list_extract(l, i + 1) WHEN CAST(CASE WHEN l IS NOT NULL AND i IS NOT NULL THEN 'INVALID_ARRAY_INDEX' END AS INTEGER) IS NULL THEN NULL END;
CREATE MACRO spark_get(l, i) AS CASE WHEN i >= 0 THEN list_extract(l, i + 1) END;
CREATE MACRO spark_element_at(l, i) AS CASE WHEN i <> 0 AND abs(i) <= len(l) THEN list_extract(l, i) WHEN CAST(CASE WHEN l IS NOT NULL AND i IS NOT NULL THEN 'INVALID_ARRAY_INDEX_IN_ELEMENT_AT' END AS INTEGER) IS NULL THEN NULL END;
CREATE MACRO spark_try_element_at(l, i) AS CASE WHEN i <> 0 THEN list_extract(l, i) WHEN CAST(CASE WHEN l IS NOT NULL AND i IS NOT NULL THEN 'INVALID_INDEX_OF_ZERO' END AS INTEGER) IS NULL THEN NULL END;
CREATE MACRO spark_size(x) AS len(x);
CREATE MACRO spark_array_append(l, x) AS CASE WHEN l IS NOT NULL THEN list_append(l, x) END;
CREATE MACRO spark_array_prepend(l, x) AS CASE WHEN l IS NOT NULL THEN list_prepend(x, l) END;
CREATE MACRO spark_array_compact(l) AS list_filter(l, lambda x: x IS NOT NULL);
CREATE MACRO spark_array_contains(l, x) AS CASE WHEN l IS NULL OR x IS NULL THEN NULL WHEN list_contains(l, x) THEN true WHEN len(list_filter(l, lambda y: y IS NULL)) > 0 THEN NULL ELSE false END;
CREATE MACRO spark_distinct_in_order(l) AS list_filter(l, lambda x, i: list_position(l, x) = i);
CREATE MACRO spark_array_distinct(l) AS list_filter(l, lambda x, i: list_position(l, x) = i);
CREATE MACRO spark_array_except(a, b) AS CASE WHEN b IS NOT NULL THEN list_filter(a, lambda x, i: list_position(a, x) = i AND list_position(b, x) IS NULL) END;
CREATE MACRO spark_array_intersect(a, b) AS CASE WHEN b IS NOT NULL THEN list_filter(a, lambda x, i: list_position(a, x) = i AND list_position(b, x) IS NOT NULL) END;
CREATE MACRO spark_array_union(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN spark_array_distinct(list_concat(a, b)) END;
CREATE MACRO spark_array_max(l) AS list_max(l);
CREATE MACRO spark_array_min(l) AS list_min(l);
CREATE MACRO spark_array_position(l, x) AS CASE WHEN l IS NOT NULL AND x IS NOT NULL THEN coalesce(CAST(list_position(l, x) AS BIGINT), 0) END;
CREATE MACRO spark_array_remove(l, x) AS CASE WHEN x IS NOT NULL THEN list_filter(l, lambda y: y IS NULL OR y <> x) END;
CREATE MACRO spark_array_repeat(x, n) AS CASE WHEN n IS NOT NULL THEN list_transform(range(0, CAST(greatest(n, 0) AS BIGINT)), lambda i: x) END;
CREATE MACRO spark_array_insert(l, p, x) AS CASE WHEN l IS NULL OR p IS NULL THEN NULL
  WHEN p = 0 THEN list_append(l, CASE WHEN CAST('INVALID_INDEX_OF_ZERO' AS INTEGER) IS NULL THEN x END)
  WHEN p > 0 THEN list_concat(list_concat(list_append(l[1:p-1], NULL)[1:least(p - 1, len(l))], list_transform(range(0, greatest(CAST(p - 1 - len(l) AS BIGINT), 0)), lambda i: CASE WHEN false THEN x END)), list_prepend(x, l[p:]))
  WHEN -p <= len(l) + 1 THEN list_concat(list_append(l[1:len(l) + p + 1], x), l[len(l) + p + 2:])
  ELSE list_concat(list_prepend(x, list_transform(range(0, CAST(-p - len(l) - 1 AS BIGINT)), lambda i: CASE WHEN false THEN x END)), l) END;
CREATE MACRO spark_arrays_overlap(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(list_filter(a, lambda x: x IS NOT NULL), list_filter(b, lambda x: x IS NOT NULL)) THEN true
  WHEN len(a) > 0 AND len(b) > 0 AND (len(list_filter(a, lambda x: x IS NULL)) > 0 OR len(list_filter(b, lambda x: x IS NULL)) > 0) THEN NULL ELSE false END;
CREATE MACRO spark_flatten(l) AS CASE WHEN len(list_filter(l, lambda x: x IS NULL)) > 0 THEN NULL ELSE flatten(l) END;
CREATE MACRO spark_slice(l, p, n) AS CASE
  WHEN p = 0 OR n < 0 THEN list_filter(l, lambda x: CAST('UNEXPECTED_VALUE' AS INTEGER) IS NULL)
  WHEN l IS NULL OR p IS NULL OR n IS NULL THEN NULL
  WHEN n = 0 OR p > len(l) OR -p > len(l) THEN l[2:1]
  WHEN p > 0 THEN l[p:p + n - 1] ELSE l[len(l) + p + 1:len(l) + p + n] END;
CREATE MACRO spark_sort_array(l, a) AS CASE WHEN a IS NULL THEN NULL WHEN a THEN list_sort(l, 'ASC', 'NULLS FIRST') ELSE list_sort(l, 'DESC', 'NULLS LAST') END;
CREATE MACRO spark_reverse(x VARCHAR) AS spark_js_reverse(x), (x) AS list_reverse(x);
CREATE MACRO spark_sequence_step(a, b) AS CASE WHEN a <= b THEN 1 ELSE -1 END;
CREATE MACRO spark_sequence(a, b, s) AS CASE WHEN a IS NULL OR b IS NULL OR s IS NULL THEN NULL
  WHEN (s = 0 AND a <> b) OR (s > 0 AND a > b) OR (s < 0 AND a < b) THEN list_filter([a], lambda x: CAST('BOUNDARY' AS INTEGER) IS NULL)
  WHEN a = b THEN [a] ELSE generate_series(CAST(a AS BIGINT), CAST(b AS BIGINT), CAST(s AS BIGINT)) END;
CREATE MACRO spark_any_true(l) AS CASE WHEN list_contains(l, true) THEN true WHEN len(list_filter(l, lambda x: x IS NULL)) > 0 THEN NULL WHEN l IS NOT NULL THEN false END;
CREATE MACRO spark_all_true(l) AS CASE WHEN list_contains(l, false) THEN false WHEN len(list_filter(l, lambda x: x IS NULL)) > 0 THEN NULL WHEN l IS NOT NULL THEN true END;
`;
