/** Macros for DuckDB that give the values of Databricks: times. */
export const times = `
CREATE MACRO spark_add_months(d, n) AS CAST(d + to_months(n) AS DATE);
CREATE MACRO spark_next_day(d, w) AS CASE upper(w)
  WHEN 'SU' THEN spark_day_after(d, 7) WHEN 'SUN' THEN spark_day_after(d, 7) WHEN 'SUNDAY' THEN spark_day_after(d, 7)
  WHEN 'MO' THEN spark_day_after(d, 1) WHEN 'MON' THEN spark_day_after(d, 1) WHEN 'MONDAY' THEN spark_day_after(d, 1)
  WHEN 'TU' THEN spark_day_after(d, 2) WHEN 'TUE' THEN spark_day_after(d, 2) WHEN 'TUESDAY' THEN spark_day_after(d, 2)
  WHEN 'WE' THEN spark_day_after(d, 3) WHEN 'WED' THEN spark_day_after(d, 3) WHEN 'WEDNESDAY' THEN spark_day_after(d, 3)
  WHEN 'TH' THEN spark_day_after(d, 4) WHEN 'THU' THEN spark_day_after(d, 4) WHEN 'THURSDAY' THEN spark_day_after(d, 4)
  WHEN 'FR' THEN spark_day_after(d, 5) WHEN 'FRI' THEN spark_day_after(d, 5) WHEN 'FRIDAY' THEN spark_day_after(d, 5)
  WHEN 'SA' THEN spark_day_after(d, 6) WHEN 'SAT' THEN spark_day_after(d, 6) WHEN 'SATURDAY' THEN spark_day_after(d, 6)
  ELSE CAST(CASE WHEN w IS NOT NULL AND d IS NOT NULL THEN 'ILLEGAL_DAY_OF_WEEK' END AS DATE) END;
CREATE MACRO spark_day_after(d, n) AS d + CAST((n - isodow(d) + 6) % 7 + 1 AS INTEGER);
CREATE MACRO spark_make_date(y, m, d) AS make_date(CAST(y AS BIGINT), CAST(m AS BIGINT), CAST(d AS BIGINT));
CREATE MACRO spark_make_timestamp(y, m, d, h, i, s) AS CASE WHEN y IS NOT NULL AND m IS NOT NULL AND d IS NOT NULL AND h IS NOT NULL AND i IS NOT NULL AND s IS NOT NULL THEN
  CAST(make_timestamp(CAST(y AS BIGINT), CAST(m AS BIGINT), CAST(d AS BIGINT), CAST(h AS BIGINT), CAST(i AS BIGINT), CAST(CASE WHEN s < 0 OR s > 60 THEN CAST('INVALID_SECOND' AS DOUBLE) ELSE 0 END AS DOUBLE)) + to_microseconds(CAST(s * 1000000 AS BIGINT)) AS TIMESTAMPTZ) END;
CREATE MACRO spark_months_between(a, b, r) AS spark_months_of(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), r);
CREATE MACRO spark_months_of(a, b, r) AS CASE
  WHEN a IS NULL OR b IS NULL OR r IS NULL THEN NULL
  WHEN day(a) = day(b) OR (day(a) = day(last_day(a)) AND day(b) = day(last_day(b))) THEN CAST((year(a) - year(b)) * 12 + month(a) - month(b) AS DOUBLE)
  WHEN r THEN spark_js_round(spark_month_part(a, b), 8) ELSE spark_month_part(a, b) END;
CREATE MACRO spark_month_part(a, b) AS (year(a) - year(b)) * 12 + month(a) - month(b) +
  ((day(a) - day(b)) * 86400 + (hour(a) - hour(b)) * 3600 + (minute(a) - minute(b)) * 60 + (second(a) - second(b))) / CAST(2678400 AS DOUBLE);
CREATE MACRO spark_from_utc(t, z) AS CAST(timezone(z, t) AS TIMESTAMPTZ);
CREATE MACRO spark_to_utc(t, z) AS timezone(z, CAST(t AS TIMESTAMP));
CREATE MACRO spark_timestamp_seconds
  (x TINYINT) AS make_timestamptz(CAST(x AS BIGINT) * 1000000), (x SMALLINT) AS make_timestamptz(CAST(x AS BIGINT) * 1000000),
  (x INTEGER) AS make_timestamptz(CAST(x AS BIGINT) * 1000000), (x BIGINT) AS make_timestamptz(x * 1000000),
  (x DECIMAL) AS error('A time of a DECIMAL column is not available on the folder warehouse.'), (x DOUBLE) AS make_timestamptz(CAST(trunc(x * 1000000) AS BIGINT)), (x FLOAT) AS make_timestamptz(CAST(trunc(CAST(x AS DOUBLE) * 1000000) AS BIGINT));
CREATE MACRO spark_time_difference(u, a, b) AS CASE
  WHEN u = 'microsecond' THEN epoch_us(b) - epoch_us(a)
  WHEN u = 'millisecond' THEN (epoch_us(b) - epoch_us(a)) // 1000
  WHEN u = 'second' THEN (epoch_us(b) - epoch_us(a)) // 1000000
  WHEN u = 'minute' THEN (epoch_us(b) - epoch_us(a)) // 60000000
  WHEN u = 'hour' THEN (epoch_us(b) - epoch_us(a)) // 3600000000
  WHEN u = 'day' THEN (epoch_us(b) - epoch_us(a)) // 86400000000
  WHEN u = 'week' THEN (epoch_us(b) - epoch_us(a)) // 604800000000
  WHEN u = 'month' THEN spark_whole_months(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP))
  WHEN u = 'quarter' THEN spark_whole_months(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP)) // 3
  ELSE spark_whole_months(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP)) // 12 END;
CREATE MACRO spark_whole_months(a, b) AS (year(b) - year(a)) * 12 + month(b) - month(a)
  - CASE WHEN b >= a AND spark_in_month(b) < spark_in_month(a) THEN 1 WHEN b < a AND spark_in_month(b) > spark_in_month(a) THEN -1 ELSE 0 END;
CREATE MACRO spark_in_month(t) AS epoch_us(t) - epoch_us(date_trunc('month', t));
CREATE MACRO spark_parse_time(x, f, e) AS CASE WHEN regexp_full_match(x, e) THEN strptime(x, f) ELSE CAST(CASE WHEN x IS NOT NULL THEN 'CANNOT_PARSE_TIMESTAMP' END AS TIMESTAMP) END;
`;
