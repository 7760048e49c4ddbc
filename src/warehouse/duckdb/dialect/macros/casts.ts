/** Macros for DuckDB that give the values of Databricks: casts. */
export const casts = String.raw`
CREATE MACRO spark_text_boolean(x) AS CASE lower(spark_strip(x))
    WHEN 't' THEN true WHEN 'true' THEN true WHEN 'y' THEN true WHEN 'yes' THEN true WHEN '1' THEN true
    WHEN 'f' THEN false WHEN 'false' THEN false WHEN 'n' THEN false WHEN 'no' THEN false WHEN '0' THEN false
    ELSE CAST(CASE WHEN x IS NOT NULL THEN 'CAST_INVALID_INPUT' END AS BOOLEAN) END;
-- Conversions as Databricks makes them: what cannot be converted is an error, and a fraction is cut off.
CREATE MACRO spark_cast_boolean
  (x BOOLEAN) AS x,
  (x VARCHAR) AS spark_text_boolean(x),
  (x TINYINT) AS x <> 0, (x SMALLINT) AS x <> 0, (x INTEGER) AS x <> 0, (x BIGINT) AS x <> 0, (x HUGEINT) AS x <> 0,
  (x FLOAT) AS x <> 0, (x DOUBLE) AS x <> 0, (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.');

CREATE MACRO spark_int_text(x) AS CASE WHEN regexp_full_match(spark_strip(x), '[+-]?\d+') THEN spark_strip(x) ELSE CASE WHEN x IS NOT NULL THEN 'CAST_INVALID_INPUT' END END;

CREATE MACRO spark_whole_double(x) AS CASE WHEN isnan(x) OR isinf(x) THEN CAST(CASE WHEN x IS NOT NULL THEN 'CAST_OVERFLOW' END AS DOUBLE) ELSE trunc(x) END;

-- The greatest number of a type is not one of floating point: what it is rounded to becomes it again.
CREATE MACRO spark_nearest_bigint(x) AS CASE WHEN x = 9223372036854775808 THEN 9223372036854775807 ELSE CAST(x AS BIGINT) END;
CREATE MACRO spark_nearest_int(x) AS CASE WHEN x = 2147483648 THEN CAST(2147483647 AS INTEGER) ELSE CAST(x AS INTEGER) END;
CREATE MACRO spark_finite(x) AS CASE WHEN NOT (isnan(x) OR isinf(x)) THEN x END;
CREATE MACRO spark_single(x) AS CASE WHEN NOT isnan(x) AND abs(x) > 3.4028235677973366e38 THEN CAST(CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END AS FLOAT) ELSE CAST(x AS FLOAT) END;

CREATE MACRO spark_cast_tinyint
  (x VARCHAR) AS CAST(spark_int_text(x) AS TINYINT), (x BOOLEAN) AS CAST(x AS TINYINT),
  (x TINYINT) AS x, (x SMALLINT) AS CAST(x AS TINYINT), (x INTEGER) AS CAST(x AS TINYINT), (x BIGINT) AS CAST(x AS TINYINT), (x HUGEINT) AS CAST(x AS TINYINT),
  (x FLOAT) AS CAST(spark_whole_double(x) AS TINYINT), (x DOUBLE) AS CAST(spark_whole_double(x) AS TINYINT), (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.');

CREATE MACRO spark_cast_smallint
  (x VARCHAR) AS CAST(spark_int_text(x) AS SMALLINT), (x BOOLEAN) AS CAST(x AS SMALLINT),
  (x TINYINT) AS CAST(x AS SMALLINT), (x SMALLINT) AS x, (x INTEGER) AS CAST(x AS SMALLINT), (x BIGINT) AS CAST(x AS SMALLINT), (x HUGEINT) AS CAST(x AS SMALLINT),
  (x FLOAT) AS CAST(spark_whole_double(x) AS SMALLINT), (x DOUBLE) AS CAST(spark_whole_double(x) AS SMALLINT), (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.');

CREATE MACRO spark_cast_int
  (x VARCHAR) AS CAST(spark_int_text(x) AS INTEGER), (x BOOLEAN) AS CAST(x AS INTEGER),
  (x TINYINT) AS CAST(x AS INTEGER), (x SMALLINT) AS CAST(x AS INTEGER), (x INTEGER) AS x, (x BIGINT) AS CAST(x AS INTEGER), (x HUGEINT) AS CAST(x AS INTEGER),
  (x FLOAT) AS spark_nearest_int(CAST(spark_whole_double(x) AS DOUBLE)), (x DOUBLE) AS CAST(spark_whole_double(x) AS INTEGER), (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.'),
  (x TIMESTAMPTZ) AS CAST(spark_floor_divide(epoch_us(x), 1000000) AS INTEGER);

CREATE MACRO spark_cast_bigint
  (x VARCHAR) AS CAST(spark_int_text(x) AS BIGINT), (x BOOLEAN) AS CAST(x AS BIGINT),
  (x TINYINT) AS CAST(x AS BIGINT), (x SMALLINT) AS CAST(x AS BIGINT), (x INTEGER) AS CAST(x AS BIGINT), (x BIGINT) AS x, (x HUGEINT) AS CAST(x AS BIGINT),
  (x FLOAT) AS spark_nearest_bigint(CAST(spark_whole_double(x) AS DOUBLE)), (x DOUBLE) AS spark_nearest_bigint(spark_whole_double(x)), (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.'),
  (x TIMESTAMPTZ) AS spark_floor_divide(epoch_us(x), 1000000);

CREATE MACRO spark_double_source(x) AS CASE
  WHEN regexp_full_match(spark_strip(x), '[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?') THEN regexp_replace(spark_strip(x), '[dDfF]$', '')
  WHEN regexp_full_match(lower(spark_strip(x)), '[+-]?(?:nan|inf|infinity)') THEN replace(lower(spark_strip(x)), '+', '')
  WHEN x IS NOT NULL THEN 'CAST_INVALID_INPUT' END;

CREATE MACRO spark_cast_double
  (x VARCHAR) AS CAST(spark_double_source(x) AS DOUBLE), (x BOOLEAN) AS CAST(CAST(x AS INTEGER) AS DOUBLE),
  (x TINYINT) AS CAST(x AS DOUBLE), (x SMALLINT) AS CAST(x AS DOUBLE), (x INTEGER) AS CAST(x AS DOUBLE), (x BIGINT) AS CAST(x AS DOUBLE), (x HUGEINT) AS CAST(x AS DOUBLE),
  (x FLOAT) AS CAST(x AS DOUBLE), (x DOUBLE) AS x, (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.'),
  (x TIMESTAMPTZ) AS epoch_us(x) / 1000000;

CREATE MACRO spark_cast_float
  (x VARCHAR) AS spark_single(CAST(spark_double_source(x) AS DOUBLE)), (x BOOLEAN) AS CAST(CAST(x AS INTEGER) AS FLOAT),
  (x TINYINT) AS CAST(x AS FLOAT), (x SMALLINT) AS CAST(x AS FLOAT), (x INTEGER) AS CAST(x AS FLOAT), (x BIGINT) AS CAST(x AS FLOAT), (x HUGEINT) AS CAST(x AS FLOAT),
  (x FLOAT) AS x, (x DOUBLE) AS spark_single(x), (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.');

CREATE MACRO spark_decimal_text(x) AS CASE WHEN regexp_full_match(spark_strip(x), '[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?') THEN spark_strip(x) WHEN x IS NOT NULL THEN 'CAST_INVALID_INPUT' END;
CREATE MACRO spark_decimal_source
  (x VARCHAR) AS spark_decimal_text(x),
  (x BOOLEAN) AS CAST(x AS INTEGER), (x TINYINT) AS x, (x SMALLINT) AS x, (x INTEGER) AS x, (x BIGINT) AS x, (x HUGEINT) AS x,
  (x FLOAT) AS CASE WHEN NOT (isnan(x) OR isinf(x)) THEN CAST(CAST(x AS DOUBLE) AS VARCHAR) END, (x DOUBLE) AS CASE WHEN NOT (isnan(x) OR isinf(x)) THEN CAST(x AS VARCHAR) END, (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.');

-- A value as text, where Databricks would make one of it by itself.
CREATE MACRO spark_text
  (x VARCHAR) AS x, (x BOOLEAN) AS CAST(x AS VARCHAR),
  (x TINYINT) AS CAST(x AS VARCHAR), (x SMALLINT) AS CAST(x AS VARCHAR), (x INTEGER) AS CAST(x AS VARCHAR), (x BIGINT) AS CAST(x AS VARCHAR), (x HUGEINT) AS CAST(x AS VARCHAR),
  (x FLOAT) AS spark_js_float_text(x), (x DOUBLE) AS spark_js_double_text(x), (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.'),
  (x DATE) AS strftime(x, '%Y-%m-%d'), (x TIMESTAMP) AS spark_time_text(x), (x TIMESTAMPTZ) AS spark_time_text(CAST(x AS TIMESTAMP)),
  (x BLOB) AS spark_decode(x), (x) AS x;

CREATE MACRO spark_cast_string
  (x VARCHAR) AS x, (x BOOLEAN) AS CAST(x AS VARCHAR),
  (x TINYINT) AS CAST(x AS VARCHAR), (x SMALLINT) AS CAST(x AS VARCHAR), (x INTEGER) AS CAST(x AS VARCHAR), (x BIGINT) AS CAST(x AS VARCHAR), (x HUGEINT) AS CAST(x AS VARCHAR),
  (x FLOAT) AS spark_js_float_text(x), (x DOUBLE) AS spark_js_double_text(x), (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.'),
  (x DATE) AS strftime(x, '%Y-%m-%d'), (x TIMESTAMP) AS spark_time_text(x), (x TIMESTAMPTZ) AS spark_time_text(CAST(x AS TIMESTAMP)),
  (x BLOB) AS spark_decode(x), (x UUID) AS CAST(x AS VARCHAR), (x TIME) AS CAST(x AS VARCHAR), (x TIMESTAMP_NS) AS spark_time_text(CAST(x AS TIMESTAMP)),
  (x) AS error('CAST of an array, a map or a struct to STRING is not available on the folder warehouse: write to_json().');

CREATE MACRO spark_time_text(x) AS strftime(x, '%Y-%m-%d %H:%M:%S') || CASE WHEN microsecond(x) % 1000000 = 0 THEN '' ELSE '.' || rtrim(strftime(x, '%f'), '0') END;

CREATE MACRO spark_number_text
  (x TINYINT) AS CAST(x AS VARCHAR), (x SMALLINT) AS CAST(x AS VARCHAR), (x INTEGER) AS CAST(x AS VARCHAR), (x BIGINT) AS CAST(x AS VARCHAR), (x HUGEINT) AS CAST(x AS VARCHAR),
  (x FLOAT) AS spark_js_double_text(CAST(x AS DOUBLE)), (x DOUBLE) AS spark_js_double_text(x), (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.');

CREATE MACRO spark_text_date(x) AS CASE WHEN regexp_full_match(spark_strip(x), '[+-]?\d{4,7}(?:-\d{1,2}(?:-\d{1,2}(?:[ T].*)?)?)?')
    THEN make_date(CAST(regexp_extract(spark_strip(x), '^[+-]?\d+') AS INTEGER), coalesce(TRY_CAST(regexp_extract(spark_strip(x), '^[+-]?\d+-(\d{1,2})', 1) AS INTEGER), 1), coalesce(TRY_CAST(regexp_extract(spark_strip(x), '^[+-]?\d+-\d{1,2}-(\d{1,2})', 1) AS INTEGER), 1))
    ELSE CAST(CASE WHEN x IS NOT NULL THEN 'CAST_INVALID_INPUT' END AS DATE) END;
CREATE MACRO spark_cast_date
  (x VARCHAR) AS spark_text_date(x),
  (x DATE) AS x, (x TIMESTAMP) AS CAST(x AS DATE), (x TIMESTAMPTZ) AS CAST(CAST(x AS TIMESTAMP) AS DATE);

CREATE MACRO spark_time_source(x) AS CASE
  WHEN regexp_full_match(spark_strip(x), '\d{4}') THEN spark_strip(x) || '-01-01'
  WHEN regexp_full_match(spark_strip(x), '\d{4}-\d{1,2}') THEN spark_strip(x) || '-01'
  WHEN regexp_full_match(spark_strip(x), '\d{4}-\d{1,2}-\d{1,2}(?:[ T]?)?') THEN rtrim(spark_strip(x), 'T ')
  WHEN regexp_full_match(spark_strip(x), '\d{4}-\d{1,2}-\d{1,2}[ T]\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d*)?)? ?(?:Z|UTC|GMT|[+-]\d{1,2}(?::\d{2})?|[A-Z][A-Za-z]+/[A-Za-z_]+(?:/[A-Za-z_]+)?)?')
    THEN regexp_replace(regexp_replace(regexp_replace(regexp_replace(spark_strip(x), '^([0-9-]+)T', '\1 '), '(\.\d{6})\d+', '\1'), '^([^ ]+ \d{1,2}:\d{1,2})( ?(?:[A-Z+-]|$))', '\1:00\2'), '([0-9.]) ?([A-Z][A-Za-z])', '\1 \2')
  WHEN x IS NOT NULL THEN 'CAST_INVALID_INPUT' END;

CREATE MACRO spark_cast_timestamp
  (x VARCHAR) AS CAST(spark_time_source(x) AS TIMESTAMPTZ),
  (x DATE) AS CAST(CAST(x AS TIMESTAMP) AS TIMESTAMPTZ), (x TIMESTAMP) AS CAST(x AS TIMESTAMPTZ), (x TIMESTAMPTZ) AS x,
  (x TINYINT) AS spark_timestamp_seconds(x), (x SMALLINT) AS spark_timestamp_seconds(x), (x INTEGER) AS spark_timestamp_seconds(x), (x BIGINT) AS spark_timestamp_seconds(x),
  (x DECIMAL) AS error('A conversion of a DECIMAL column is not available on the folder warehouse here.'), (x DOUBLE) AS spark_timestamp_seconds(x);

CREATE MACRO spark_text_timestamp_ntz(x) AS CAST(regexp_replace(spark_time_source(x), '(:[0-9.]+) ?(?:Z|UTC|GMT|[+-]\d{1,2}(?::\d{2})?|[A-Z][A-Za-z]+/[A-Za-z_/]+)$', '\1') AS TIMESTAMP);
CREATE MACRO spark_cast_timestamp_ntz
  (x VARCHAR) AS spark_text_timestamp_ntz(x),
  (x DATE) AS CAST(x AS TIMESTAMP), (x TIMESTAMP) AS x, (x TIMESTAMPTZ) AS CAST(x AS TIMESTAMP), (x TIMESTAMP_NS) AS CAST(x AS TIMESTAMP);

CREATE MACRO spark_any_timestamp
  (x DATE) AS CAST(CAST(x AS TIMESTAMP) AS TIMESTAMPTZ), (x TIMESTAMP) AS x, (x TIMESTAMPTZ) AS x, (x VARCHAR) AS spark_cast_timestamp(x);

CREATE MACRO spark_cast_binary(x BLOB) AS x, (x VARCHAR) AS encode(x);
CREATE MACRO spark_bytes(x BLOB) AS x, (x VARCHAR) AS encode(x);
CREATE MACRO spark_decode(x) AS decode(x);
CREATE MACRO spark_strip(x) AS trim(x, ' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13));
CREATE MACRO spark_add_days(x DATE, i) AS CAST(x + i AS DATE), (x TIMESTAMP, i) AS x + i, (x TIMESTAMPTZ, i) AS x + i;
`;
