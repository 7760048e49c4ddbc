/** Macros for DuckDB that give the values of Databricks: numbers. */
export const numbers = String.raw`
CREATE MACRO spark_divisor(a, b) AS CASE WHEN b = 0 THEN CAST(CASE WHEN a IS NOT NULL THEN 'DIVIDE_BY_ZERO' END AS INTEGER) ELSE b END;
CREATE MACRO spark_divide
  (a DECIMAL, b DECIMAL) AS error('Division of DECIMAL columns is not available on the folder warehouse: cast them to DOUBLE.'),
  (a DOUBLE, b DOUBLE) AS a / CASE WHEN b = 0 THEN CAST(CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN 'DIVIDE_BY_ZERO' END AS DOUBLE) ELSE b END,
  (a DECIMAL, b DOUBLE) AS error('Division of DECIMAL columns is not available on the folder warehouse: cast them to DOUBLE.'),
  (a DOUBLE, b DECIMAL) AS error('Division of DECIMAL columns is not available on the folder warehouse: cast them to DOUBLE.'),
  (a BIGINT, b BIGINT) AS CAST(a AS DOUBLE) / CASE WHEN b = 0 THEN CAST(CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN 'DIVIDE_BY_ZERO' END AS DOUBLE) ELSE CAST(b AS DOUBLE) END,
  (a DECIMAL, b BIGINT) AS error('Division of DECIMAL columns is not available on the folder warehouse: cast them to DOUBLE.'),
  (a BIGINT, b DECIMAL) AS error('Division of DECIMAL columns is not available on the folder warehouse: cast them to DOUBLE.'),
  (a BIGINT, b DOUBLE) AS CAST(a AS DOUBLE) / CASE WHEN b = 0 THEN CAST(CASE WHEN a IS NOT NULL THEN 'DIVIDE_BY_ZERO' END AS DOUBLE) ELSE b END,
  (a DOUBLE, b BIGINT) AS a / CASE WHEN b = 0 THEN CAST(CASE WHEN a IS NOT NULL THEN 'DIVIDE_BY_ZERO' END AS DOUBLE) ELSE CAST(b AS DOUBLE) END;

CREATE MACRO spark_modulo(a, b) AS a % CASE WHEN b = 0 THEN CAST(CASE WHEN a IS NOT NULL THEN 'REMAINDER_BY_ZERO' END AS INTEGER) WHEN b = -1 THEN 1 ELSE b END;
CREATE MACRO spark_pmod(a, b) AS CASE WHEN spark_modulo(a, b) < 0 THEN (spark_modulo(a, b) + b) % b ELSE spark_modulo(a, b) END;
CREATE MACRO spark_int_divide
  (a BIGINT, b BIGINT) AS a // CASE WHEN b = 0 THEN CAST(CASE WHEN a IS NOT NULL THEN 'DIVIDE_BY_ZERO' END AS BIGINT) ELSE b END,
  (a DECIMAL, b DECIMAL) AS error('div of DECIMAL columns is not available on the folder warehouse.'),
  (a DOUBLE, b DOUBLE) AS error('div of DOUBLE is not available on the folder warehouse.');
CREATE MACRO spark_subtract
  (a DATE, b DATE) AS error('The difference of two times is not available on the folder warehouse: write datediff().'),
  (a TIMESTAMP, b TIMESTAMP) AS error('The difference of two times is not available on the folder warehouse: write timestampdiff().'),
  (a TIMESTAMPTZ, b TIMESTAMPTZ) AS error('The difference of two times is not available on the folder warehouse: write timestampdiff().'),
  (a, b) AS a - b;
CREATE MACRO spark_floor_divide(a, b) AS CAST((a - ((a % b) + b) % b) // b AS BIGINT);
CREATE MACRO spark_unscaled(x) AS CAST(replace(CAST(x AS VARCHAR), '.', '') AS HUGEINT);
CREATE MACRO spark_place_point(x, s) AS CASE WHEN x < 0 THEN '-' ELSE '' END || CASE WHEN s = 0 THEN CAST(abs(x) AS VARCHAR) ELSE
  left(lpad(CAST(abs(x) AS VARCHAR), CAST(greatest(s + 1, length(CAST(abs(x) AS VARCHAR))) AS INTEGER), '0'), greatest(length(CAST(abs(x) AS VARCHAR)) - s, 1)) || '.' || right(lpad(CAST(abs(x) AS VARCHAR), CAST(greatest(s + 1, length(CAST(abs(x) AS VARCHAR))) AS INTEGER), '0'), s) END;
CREATE MACRO spark_divide_unscaled(a, b) AS CASE WHEN b = 0 THEN CAST(CASE WHEN a IS NOT NULL THEN 'DIVIDE_BY_ZERO' END AS HUGEINT)
  ELSE (CASE WHEN (a < 0) <> (b < 0) THEN -1 ELSE 1 END) * ((abs(a) // abs(b)) + CASE WHEN 2 * (abs(a) % abs(b)) >= abs(b) THEN 1 ELSE 0 END) END;
CREATE MACRO spark_divide_decimal(a, b, f, s) AS spark_place_point(spark_divide_unscaled(spark_unscaled(a) * f, spark_unscaled(b)), s);

CREATE MACRO spark_power(x, y) AS CASE WHEN isnan(y) OR (abs(x) = 1 AND isinf(y)) THEN CASE WHEN x IS NOT NULL THEN CAST('NaN' AS DOUBLE) END ELSE power(x, y) END;
CREATE MACRO spark_acos(x) AS CASE WHEN abs(x) > 1 THEN CAST('NaN' AS DOUBLE) ELSE acos(x) END;
CREATE MACRO spark_asin(x) AS CASE WHEN abs(x) > 1 THEN CAST('NaN' AS DOUBLE) ELSE asin(x) END;
CREATE MACRO spark_acosh(x) AS CASE WHEN x < 1 THEN CAST('NaN' AS DOUBLE) ELSE acosh(x) END;
CREATE MACRO spark_atanh(x) AS CASE WHEN abs(x) > 1 THEN CAST('NaN' AS DOUBLE) WHEN x = 1 THEN CAST('Infinity' AS DOUBLE) WHEN x = -1 THEN CAST('-Infinity' AS DOUBLE) ELSE atanh(x) END;
CREATE MACRO spark_sin(x) AS CASE WHEN isinf(x) THEN CAST('NaN' AS DOUBLE) ELSE sin(x) END;
CREATE MACRO spark_cos(x) AS CASE WHEN isinf(x) THEN CAST('NaN' AS DOUBLE) ELSE cos(x) END;
CREATE MACRO spark_tan(x) AS CASE WHEN isinf(x) THEN CAST('NaN' AS DOUBLE) ELSE tan(x) END;
CREATE MACRO spark_cot(x) AS 1 / tan(x);
CREATE MACRO spark_e() AS CAST(2.718281828459045 AS DOUBLE);
CREATE MACRO spark_expm1(x) AS spark_js_expm1(x);
CREATE MACRO spark_log1p(x) AS CASE WHEN x > -1 THEN spark_js_log1p(x) END;
CREATE MACRO spark_ln(x) AS CASE WHEN x > 0 THEN ln(x) END;
CREATE MACRO spark_log10(x) AS CASE WHEN x > 0 THEN log10(x) END;
CREATE MACRO spark_log2(x) AS CASE WHEN x > 0 THEN spark_js_log2(x) END;
CREATE MACRO spark_log(b, x) AS CASE WHEN b > 0 AND x > 0 THEN ln(x) / ln(b) END;
CREATE MACRO spark_sqrt(x) AS CASE WHEN x < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt(x) END;
CREATE MACRO spark_hypot(a, b) AS spark_js_hypot(a, b);
CREATE MACRO spark_factorial(x) AS CASE WHEN x BETWEEN 0 AND 20 THEN CAST(factorial(CASE WHEN x BETWEEN 0 AND 20 THEN x END) AS BIGINT) END;
CREATE MACRO spark_nanvl(a, b) AS CASE WHEN isnan(a) THEN b ELSE a END;
CREATE MACRO spark_whole(x) AS CASE WHEN isnan(x) THEN 0 WHEN x >= 9223372036854775807 THEN 9223372036854775807 WHEN x <= -9223372036854775808 THEN -9223372036854775808 ELSE CAST(x AS BIGINT) END;
CREATE MACRO spark_ceil(x TINYINT) AS CAST(x AS BIGINT), (x SMALLINT) AS CAST(x AS BIGINT), (x INTEGER) AS CAST(x AS BIGINT), (x BIGINT) AS x, (x HUGEINT) AS x, (x FLOAT) AS spark_whole(ceil(x)), (x DOUBLE) AS spark_whole(ceil(x)), (x DECIMAL) AS error('ceil() of DECIMAL columns is not available on the folder warehouse.');
CREATE MACRO spark_floor(x TINYINT) AS CAST(x AS BIGINT), (x SMALLINT) AS CAST(x AS BIGINT), (x INTEGER) AS CAST(x AS BIGINT), (x BIGINT) AS x, (x HUGEINT) AS x, (x FLOAT) AS spark_whole(floor(x)), (x DOUBLE) AS spark_whole(floor(x)), (x DECIMAL) AS error('floor() of DECIMAL columns is not available on the folder warehouse.');
-- DuckDB rounds past the greatest number to the least.
CREATE MACRO spark_round_whole(x, d) AS CAST(round(CAST(x AS DECIMAL(20, 0)), d) AS HUGEINT);
CREATE MACRO spark_round_even_whole(x, d) AS CAST(spark_js_round_even(CAST(x AS VARCHAR), CAST(d AS INTEGER)) AS HUGEINT);
CREATE MACRO spark_round_any(x TINYINT, d) AS CAST(spark_round_whole(x, d) AS TINYINT), (x SMALLINT, d) AS CAST(spark_round_whole(x, d) AS SMALLINT), (x INTEGER, d) AS CAST(spark_round_whole(x, d) AS INTEGER), (x BIGINT, d) AS CAST(spark_round_whole(x, d) AS BIGINT), (x HUGEINT, d) AS round(x, d), (x FLOAT, d) AS CAST(spark_js_round(CAST(x AS DOUBLE), d) AS FLOAT), (x DOUBLE, d) AS spark_js_round(x, d), (x DECIMAL, d) AS error('round() of DECIMAL columns is not available on the folder warehouse.');
CREATE MACRO spark_shift_left(x INTEGER, n) AS spark_js_shift_left(x, n), (x BIGINT, n) AS spark_js_shift_left_long(x, n);
CREATE MACRO spark_shift_right(x INTEGER, n) AS spark_js_shift_right(x, n), (x BIGINT, n) AS spark_js_shift_right_long(x, n);
CREATE MACRO spark_shift_right_unsigned(x INTEGER, n) AS spark_js_shift_right_unsigned(x, n), (x BIGINT, n) AS spark_js_shift_right_unsigned_long(x, n);
CREATE MACRO spark_bit_count(x BOOLEAN) AS CAST(x AS INTEGER), (x TINYINT) AS CAST(bit_count(CAST(x AS BIGINT)) AS INTEGER), (x SMALLINT) AS CAST(bit_count(CAST(x AS BIGINT)) AS INTEGER), (x INTEGER) AS CAST(bit_count(CAST(x AS BIGINT)) AS INTEGER), (x BIGINT) AS CAST(bit_count(x) AS INTEGER);
CREATE MACRO spark_bit_get(x, n) AS CASE WHEN n BETWEEN 0 AND 63 THEN CAST((CAST(x AS BIGINT) >> n) & 1 AS TINYINT) ELSE CAST(CASE WHEN x IS NOT NULL AND n IS NOT NULL THEN 'INVALID_PARAMETER_VALUE' END AS TINYINT) END;
CREATE MACRO spark_width_bucket(x, lo, hi, n) AS CASE WHEN x IS NULL OR lo IS NULL OR hi IS NULL OR n IS NULL OR n <= 0 OR n = 9223372036854775807 OR lo = hi OR isnan(x) OR isinf(lo) OR isinf(hi) OR isnan(lo) OR isnan(hi) THEN NULL
  WHEN lo < hi THEN CASE WHEN x < lo THEN 0 WHEN x >= hi THEN n + 1 ELSE CAST(floor(n * (x - lo) / (hi - lo)) AS BIGINT) + 1 END
  ELSE CASE WHEN x > lo THEN 0 WHEN x <= hi THEN n + 1 ELSE CAST(floor(n * (lo - x) / (lo - hi)) AS BIGINT) + 1 END END;
CREATE MACRO spark_hex(x VARCHAR) AS hex(x), (x BLOB) AS hex(x), (x TINYINT) AS spark_js_hex(CAST(x AS BIGINT)), (x SMALLINT) AS spark_js_hex(CAST(x AS BIGINT)), (x INTEGER) AS spark_js_hex(CAST(x AS BIGINT)), (x BIGINT) AS spark_js_hex(x);
CREATE MACRO spark_unhex(x) AS CASE WHEN regexp_full_match(x, '[0-9A-Fa-f]*') THEN unhex(CASE WHEN length(x) % 2 = 1 THEN '0' || x ELSE x END) END;
CREATE MACRO spark_to_binary_hex(x) AS CASE WHEN regexp_full_match(x, '[0-9A-Fa-f]*') THEN unhex(CASE WHEN length(x) % 2 = 1 THEN '0' || x ELSE x END) ELSE CAST(CASE WHEN x IS NOT NULL THEN '\xZZ' END AS BLOB) END;
CREATE MACRO spark_bitmap_bit_position(x) AS CASE WHEN x > 0 THEN (x - 1) % 32768 ELSE (-x) % 32768 END;
CREATE MACRO spark_bitmap_bucket_number(x) AS CASE WHEN x > 0 THEN 1 + (x - 1) // 32768 ELSE x // 32768 END;
CREATE MACRO spark_murmur
  (x VARCHAR, s) AS spark_js_murmur_text(x, s), (x BLOB, s) AS spark_js_murmur_bytes(x, s), (x BOOLEAN, s) AS spark_murmur_int(CAST(x AS INTEGER), s),
  (x TINYINT, s) AS spark_murmur_int(CAST(x AS INTEGER), s), (x SMALLINT, s) AS spark_murmur_int(CAST(x AS INTEGER), s), (x INTEGER, s) AS spark_murmur_int(x, s),
  (x BIGINT, s) AS coalesce(spark_js_murmur_long(x, s), s), (x DOUBLE, s) AS coalesce(spark_js_murmur_double(x, s), s),
  (x DATE, s) AS spark_murmur_int(CAST(datediff('day', DATE '1970-01-01', x) AS INTEGER), s), (x TIMESTAMPTZ, s) AS coalesce(spark_js_murmur_long(epoch_us(x), s), s);
CREATE MACRO spark_murmur_int(x, s) AS coalesce(spark_js_murmur_int(x, s), s);
CREATE MACRO spark_xxhash
  (x VARCHAR, s) AS coalesce(spark_js_xxhash_text(x, s), s), (x BLOB, s) AS coalesce(spark_js_xxhash_bytes(x, s), s), (x BOOLEAN, s) AS coalesce(spark_js_xxhash_int(CAST(x AS INTEGER), s), s),
  (x TINYINT, s) AS coalesce(spark_js_xxhash_int(CAST(x AS INTEGER), s), s), (x SMALLINT, s) AS coalesce(spark_js_xxhash_int(CAST(x AS INTEGER), s), s), (x INTEGER, s) AS coalesce(spark_js_xxhash_int(x, s), s),
  (x BIGINT, s) AS coalesce(spark_js_xxhash_long(x, s), s), (x DOUBLE, s) AS coalesce(spark_js_xxhash_double(x, s), s),
  (x DATE, s) AS coalesce(spark_js_xxhash_int(CAST(datediff('day', DATE '1970-01-01', x) AS INTEGER), s), s), (x TIMESTAMPTZ, s) AS coalesce(spark_js_xxhash_long(epoch_us(x), s), s);
`;
