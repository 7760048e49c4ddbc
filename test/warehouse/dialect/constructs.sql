SELECT concat('a', NULL) AS v
SELECT 'a' || NULL AS v
SELECT 'a' || 1 || true AS v
SELECT array(1) || array(2, 3) AS v
SELECT concat(array(1), array(2)) AS v
SELECT concat('a', 1, 2.50, DATE'2020-01-02') AS v
SELECT cast(2.9 AS int) AS v, cast(-2.9 AS int) AS w, cast(2.5 AS bigint) AS x, cast(3.5D AS int) AS y
SELECT cast('2.9' AS int) AS v
SELECT cast(' 12 ' AS int) AS v
SELECT cast('12abc' AS int) AS v
SELECT cast('' AS int) AS v
SELECT cast('1e3' AS int) AS v
SELECT cast('1e3' AS double) AS v, cast('Infinity' AS double) AS w, cast('NaN' AS double) AS x, cast('1.5d' AS double) AS y
SELECT cast('abc' AS double) AS v
SELECT cast(1 AS string) AS v, cast(1.50 AS string) AS w, cast(1.5D AS string) AS x, cast(true AS string) AS y
SELECT cast(1e10 AS string) AS v, cast(1e-5 AS string) AS w, cast(123456789.0D AS string) AS x, cast(1e7 AS string) AS y, cast(0.001 AS string) AS z
SELECT cast(100D AS string) AS v, cast(cast(1.1 AS float) AS string) AS w, cast(-0.0D AS string) AS x
SELECT cast(DATE'2020-01-02' AS string) AS v, cast(TIMESTAMP'2020-01-02 03:04:05' AS string) AS w
SELECT cast(TIMESTAMP'2020-01-02 03:04:05.120' AS string) AS v
SELECT cast(TIMESTAMP_NTZ'2020-01-02 03:04:05.120' AS string) AS v
SELECT cast('2020-01-02' AS date) AS v, cast('2020-1-2' AS date) AS w, cast('2020' AS date) AS x, cast('2020-01' AS date) AS y
SELECT cast('2020-01-02 10:00:00' AS date) AS v, cast('2020-01-02T10:00' AS date) AS w
SELECT cast('2020-13-02' AS date) AS v
SELECT try_cast('2020-13-02' AS date) AS v, try_cast('abc' AS int) AS w, try_cast('300' AS tinyint) AS x
SELECT cast('2020-01-02' AS timestamp) AS v, cast('2020-01-02 03:04' AS timestamp) AS w, cast('2020-01-02T03:04:05Z' AS timestamp) AS x
SELECT cast('2020-01-02 03:04:05+02:00' AS timestamp) AS v, cast('2020-01-02 03:04:05.123456789' AS timestamp) AS w
SELECT cast('yes' AS boolean) AS v, cast('t' AS boolean) AS w, cast('0' AS boolean) AS x, cast('N' AS boolean) AS y
SELECT cast('maybe' AS boolean) AS v
SELECT cast(0 AS boolean) AS v, cast(2 AS boolean) AS w, cast(0.0 AS boolean) AS x
SELECT cast(true AS int) AS v, cast(false AS double) AS w, cast(true AS decimal(3, 1)) AS x
SELECT cast(300 AS tinyint) AS v
SELECT try_cast(300 AS tinyint) AS v
SELECT cast(1e20 AS bigint) AS v
SELECT cast(2147483648 AS int) AS v
SELECT cast(1.005 AS decimal(10, 2)) AS v, cast(1.015D AS decimal(10, 2)) AS w, cast('1.005' AS decimal(10, 2)) AS x, cast(-1.005 AS decimal(10, 2)) AS y
SELECT cast(12345 AS decimal(3, 1)) AS v
SELECT cast(1 AS decimal) AS v, cast(1.6 AS decimal) AS w
SELECT cast(TIMESTAMP'2020-01-02 03:04:05.9' AS bigint) AS v, cast(TIMESTAMP'1969-12-31 23:59:59.5' AS bigint) AS w
SELECT cast(TIMESTAMP'2020-01-02 03:04:05.9' AS double) AS v
SELECT cast(1577934245 AS timestamp) AS v, cast(1577934245.5 AS timestamp) AS w
SELECT cast(TIMESTAMP'2020-01-02 23:04:05' AS date) AS v, cast(DATE'2020-01-02' AS timestamp) AS w
SELECT cast(DATE'2020-01-02' AS timestamp_ntz) AS v, cast(TIMESTAMP'2020-01-02 03:04:05' AS timestamp_ntz) AS w
SELECT cast('abc' AS binary) AS v, cast(X'616263' AS string) AS w
SELECT cast(array(1, 2) AS array<string>) AS v, cast(array('1', '2') AS array<int>) AS w
SELECT cast(array(1, 2) AS string) AS v
SELECT cast(map('a', 1) AS string) AS v
SELECT cast(named_struct('a', 1, 'b', 'x') AS string) AS v
SELECT cast(named_struct('a', 1, 'b', '2') AS struct<x: string, y: int>) AS v
SELECT int('5') AS v, double('2.5') AS w, string(5) AS x, date('2020-01-02') AS y, boolean('true') AS z
SELECT bigint(2.9) AS v, float(1) AS w, decimal(2.5) AS x, tinyint('3') AS y, smallint(4.9) AS z
SELECT timestamp('2020-01-02 03:04:05') AS v, binary('a') AS w
SELECT '5'::int AS v, 5::string AS w
SELECT dayofweek(DATE'2024-01-07') AS v, weekday(DATE'2024-01-07') AS w, dayofyear(DATE'2024-12-31') AS x, weekofyear(DATE'2024-12-30') AS y
SELECT extract(DOW FROM DATE'2024-01-07') AS v, extract(DAYOFWEEK_ISO FROM DATE'2024-01-07') AS w, extract(WEEK FROM DATE'2024-12-30') AS x, extract(YEAROFWEEK FROM DATE'2024-12-30') AS y
SELECT extract(YEAR FROM DATE'2024-01-07') AS v, extract(QUARTER FROM DATE'2024-05-07') AS w, extract(DOY FROM DATE'2024-02-01') AS x
SELECT extract(HOUR FROM TIMESTAMP'2024-01-07 10:11:12.5') AS v, extract(MINUTE FROM TIMESTAMP'2024-01-07 10:11:12.5') AS w, extract(SECOND FROM TIMESTAMP'2024-01-07 10:11:12.5') AS x
SELECT substring('Spark SQL', 0, 3) AS v, substring('Spark SQL', 5) AS w, substring('Spark SQL', -3) AS x, substring('Spark SQL', -20, 15) AS y, substring('Spark', 2, -1) AS z
SELECT substr('héllo😀x', 5, 2) AS v, left('abc', -1) AS w, right('abc', 0) AS x, right('abc', 2) AS y, left('abc', 10) AS z
SELECT substring('abc' FROM 2 FOR 1) AS v, position('b' IN 'abc') AS w, position('b', 'abcb', 3) AS x, locate('', 'abc') AS y, instr('abc', '') AS z
SELECT collect_set(a) AS v FROM VALUES (1), (NULL), (1) t(a)
SELECT collect_list(a) AS v FROM VALUES (1), (NULL), (1) t(a)
SELECT sort_array(collect_set(a)) AS v FROM VALUES (3), (1), (NULL), (1) t(a)
SELECT array_agg(a) AS v FROM VALUES (1), (NULL), (2) t(a)
SELECT array(1, 2)[5] AS v
SELECT array(1, 2)[0] AS v, array(1, 2)[1] AS w
SELECT array(1, 2)[-1] AS v
SELECT get(array(1, 2), 5) AS v, get(array(1, 2), 0) AS w, get(array(1, 2), -1) AS x
SELECT element_at(array(1, 2), 3) AS v
SELECT element_at(array(1, 2), 2) AS v, element_at(array(1, 2), -1) AS w, try_element_at(array(1, 2), 5) AS x
SELECT element_at(array(1, 2), 0) AS v
SELECT element_at(map('a', 1), 'b') AS v, element_at(map('a', 1), 'a') AS w, map('a', 1)['b'] AS x, map(1, 'x')[1] AS y
SELECT count(*) FROM VALUES (1), (2) t(a)
SELECT count(a), sum(a), avg(a), min(a), max(a) FROM VALUES (1), (2) t(a)
SELECT a + 1, a * 2, -a, a / 2, a % 2, a FROM VALUES (1), (2) t(a)
SELECT upper(s), length(s), s || 'x', cast(s AS string), s IS NULL FROM VALUES ('a') t(s)
SELECT CASE WHEN a > 1 THEN 'x' ELSE 'y' END FROM VALUES (1), (2) t(a)
SELECT a = 1, a > 1, a <> 1, a <=> 1, NOT (a = 1), a IN (1, 2), a BETWEEN 1 AND 2 FROM VALUES (1) t(a)
SELECT 1, 'x', 1.5, true, NULL
SELECT t.a, t.b.c FROM (SELECT 1 AS a, named_struct('c', 2) AS b) t
SELECT count(DISTINCT a), sum(DISTINCT a) FROM VALUES (1), (1) t(a)
SELECT count(a, b) AS v, count(DISTINCT a, b) AS w FROM VALUES (1, 1), (1, NULL), (2, 2) t(a, b)
SELECT row_number() OVER (ORDER BY a) FROM VALUES (1) t(a)
SELECT coalesce(NULL, 1), nvl(NULL, 2), ifnull(NULL, 3), nullif(1, 1), if(true, 1, 2)
SELECT DATE'2020-01-01', TIMESTAMP'2020-01-01 00:00:00', current_date() > DATE'2020-01-01' AS v
SELECT 1 AS a, 2 AS a
SELECT 1 AS A, 2 AS a
SELECT * FROM (SELECT 1 AS a) x CROSS JOIN (SELECT 2 AS a) y
SELECT * FROM (SELECT 1 AS a) LATERAL VIEW explode(array(5, 6)) t AS b
SELECT a, b FROM (SELECT array(5, 6) AS a) LATERAL VIEW explode(a) t AS b
SELECT a, b FROM (SELECT array() AS a) LATERAL VIEW OUTER explode(a) t AS b
SELECT p, c FROM (SELECT array('x', 'y') AS a) LATERAL VIEW posexplode(a) t AS p, c
SELECT p, c FROM (SELECT array('x', 'y') AS a) LATERAL VIEW OUTER posexplode(a) t AS p, c
SELECT k, v FROM (SELECT map('x', 1, 'y', 2) AS m) LATERAL VIEW explode(m) t AS k, v
SELECT x, y FROM (SELECT array(named_struct('x', 1, 'y', 'a'), named_struct('x', 2, 'y', 'b')) AS s) LATERAL VIEW inline(s) t AS x, y
SELECT a, b, c FROM (SELECT array(1, 2) AS a) LATERAL VIEW explode(a) t AS b LATERAL VIEW explode(array(b, b * 10)) u AS c
SELECT explode(array(1, 2))
SELECT explode(array(1, 2)) AS x
SELECT explode(map('a', 1))
SELECT posexplode(array('a', 'b'))
SELECT a, explode(b) AS e FROM VALUES (1, array(1, 2)), (2, array()) t(a, b)
SELECT a, explode_outer(b) AS e FROM VALUES (1, array(1, 2)), (2, array()) t(a, b)
SELECT inline(array(named_struct('a', 1, 'b', 'x'), named_struct('a', 2, 'b', 'y')))
SELECT stack(2, 1, 2, 3)
SELECT * FROM explode(array(1, 2))
SELECT * FROM explode(array(1, 2)) AS t(x)
SELECT t.x FROM VALUES (array(1, 2)) v(a), LATERAL explode(v.a) AS t(x)
SELECT * FROM range(3)
SELECT * FROM range(1, 10, 3)
SELECT id + 1 AS v FROM range(2) t
SELECT * FROM VALUES (1, 'a'), (2, 'b')
SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t(x, y)
SELECT * FROM VALUES 1, 2, 3 AS t(x)
SELECT named_struct('a', a).a AS v FROM VALUES (named_struct('b', 1)) t(a)
SELECT a.b AS v FROM VALUES (named_struct('b', 1)) t(a)
SELECT sha2('abc', 256) AS v, sha2('abc', 0) AS w, sha2('abc', 512) AS x, sha1('abc') AS y, md5('abc') AS z
SELECT sequence(1, 5) AS v, sequence(5, 1) AS w, sequence(1, 10, 3) AS x
SELECT sequence(DATE'2020-01-01', DATE'2020-03-01', INTERVAL 1 MONTH) AS v
SELECT sequence(DATE'2020-01-01', DATE'2020-01-03') AS v
SELECT from_json('{"a":1, "b":"x"}', 'a INT, b STRING') AS v
SELECT from_json('{"a":1, "b":"x"}', 'STRUCT<a: INT, b: STRING>').a AS v
SELECT from_json('[1,2]', 'ARRAY<INT>') AS v, from_json('{"k":1}', 'MAP<STRING, INT>') AS w
SELECT from_json('bad', 'a INT') AS v
SELECT from_json('{"a":"x"}', 'a INT') AS v
SELECT get_json_object('{"a":{"b":[1,2]}}', '$.a.b[1]') AS v, get_json_object('{"a":"x"}', '$.a') AS w, get_json_object('{"a":null}', '$.a') AS x, get_json_object('{"a":{"b":1}}', '$.a') AS y
SELECT get_json_object('[{"a":1},{"a":2}]', '$[*].a') AS v
SELECT to_json(named_struct('a', 1, 'b', NULL, 'c', array(1, 2))) AS v, to_json(map('x', 1)) AS w, to_json(array(named_struct('a', 1))) AS x
SELECT to_json(named_struct('t', TIMESTAMP'2020-01-02 03:04:05', 'd', DATE'2020-01-02', 'x', 1.50, 'y', 1.5D)) AS v
SELECT json_tuple('{"a":1, "b":"x"}', 'a', 'b')
SELECT '{"a":{"b":1}}':a.b AS v
SELECT '{"a":[1,2]}':a[1] AS v
SELECT '{"a b":"x"}':['a b'] AS v
SELECT 'a_c' LIKE 'a\\_c' AS v, 'abc' LIKE 'a\\_c' AS w, 'a%c' LIKE 'a\\%c' AS x, 'abc' LIKE 'a_c' AS y
SELECT 'a\\b' LIKE 'a\\\\b' AS v, 'a\\b' LIKE '%\\\\%' AS w
SELECT 'a_c' LIKE 'a|_c' ESCAPE '|' AS v, 'abc' LIKE 'a|_c' ESCAPE '|' AS w
SELECT 'ABC' ILIKE 'a%' AS v, 'abc' ILIKE ANY ('x%', 'A%') AS w, 'abc' LIKE ALL ('a%', '%c') AS x, 'abc' NOT LIKE ANY ('a%', 'x%') AS y
SELECT 'abc' NOT ILIKE 'A%' AS v, 'abc' NOT LIKE ALL ('x%', 'y%') AS w, 'abc' LIKE ANY ('x', NULL) AS x
SELECT 'abc' LIKE NULL AS v, NULL LIKE 'a' AS w
SELECT r'a\nb' AS v, r"a\b" AS w, 'a\nb' AS x, 'a\\nb' AS y, "it's" AS z, 'it\'s' AS u
SELECT 'a\tb' AS v, '\u0041' AS w, '\101' AS x, 'a' 'b' AS y
SELECT X'1F' = X'1f' AS v, X'616263' = 'abc' AS w, X'1F' AS x
SELECT 'abc' RLIKE '^a.c$' AS v, 'abc' REGEXP 'b' AS w, regexp_like('ABC', '(?i)abc') AS x, 'a1' RLIKE '\\d' AS y, 'a1' RLIKE r'\d' AS z
SELECT regexp_replace('a1b2', '[0-9]', 'x') AS v, regexp_replace('a1b2', '([a-z])([0-9])', '$2$1') AS w, regexp_replace('abc', 'b', '\\$') AS x, regexp_replace('aaa', 'a', 'b', 2) AS y
SELECT regexp_extract('100-200', '(\\d+)-(\\d+)', 1) AS v, regexp_extract('100-200', '(\\d+)-(\\d+)') AS w, regexp_extract('abc', '(\\d+)', 1) AS x, regexp_extract('100-200', '(\\d+)-(\\d+)', 0) AS y
SELECT regexp_extract_all('a1b22', '([a-z])(\\d+)', 2) AS v, regexp_count('abab', 'ab') AS w, regexp_instr('abc', 'c') AS x, regexp_substr('abc', 'b.') AS y
SELECT split('a1b2c', '[0-9]') AS v, split('a,b,c', ',', 2) AS w, split('abc', '') AS x, split('a.b', '.') AS y, split('a.b', '\\.') AS z
SELECT split_part('a.b.c', '.', 2) AS v, split_part('a.b.c', '.', -1) AS w, split_part('a.b.c', '.', 5) AS x
SELECT 7 / 2 AS v, 6 / 3 AS w, 7.0 / 2 AS x, 7 / 2.5 AS y, 1D / 3 AS z
SELECT 7 div 2 AS v, -7 div 2 AS w, 7.5 div 2 AS x, 7 % 3 AS y, -7 % 3 AS z, mod(-7, 3) AS u, pmod(-7, 3) AS t
SELECT 7.5 % 2 AS v, 7.5D % 2 AS w, -7.5 % 2 AS x
SELECT 1 / 0 AS v
SELECT 1 % 0 AS v
SELECT 1 div 0 AS v
SELECT 1.0D / 0 AS v
SELECT try_divide(1, 0) AS v, try_divide(6, 3) AS w, try_add(2147483647, 1) AS x, try_multiply(2147483647, 2) AS y, try_subtract(-2147483648, 1) AS z
SELECT try_divide(7, 2) AS v, try_add(1, 2) AS w, try_multiply(3, 4) AS x, try_subtract(1, 3) AS y, try_mod(7, 0) AS z
SELECT 2147483647 + 1 AS v
SELECT 9223372036854775807 + 1 AS v
SELECT 2147483647 * 2 AS v
SELECT -(-2147483648) AS v
SELECT abs(-2147483648) AS v
SELECT 127Y + 1Y AS v
SELECT 1Y + 1 AS v, 1S * 2S AS w, 100L * 3 AS x
SELECT sum(a) AS v FROM VALUES (9223372036854775807), (1) t(a)
SELECT sum(a) AS v, avg(a) AS w FROM VALUES (1.10), (2.25) t(a)
SELECT sum(a) AS v, avg(a) AS w, stddev(a) AS x FROM VALUES (1.5D), (2.25D) t(a)
SELECT avg(a) AS v FROM VALUES (1), (2) t(a)
SELECT sum(a) AS v, avg(a) AS w, count(a) AS x, max(a) AS y FROM VALUES (CAST(NULL AS INT)) t(a)
SELECT cast(10 AS decimal(10, 2)) * cast(3 AS decimal(10, 2)) AS v, cast(10 AS decimal(10, 2)) + cast(3.125 AS decimal(10, 3)) AS w, cast(10 AS decimal(10, 2)) - 1 AS x
SELECT cast(10 AS decimal(10, 2)) / cast(3 AS decimal(10, 2)) AS v
SELECT 1.5 * 2 AS v, 1.5 + 1 AS w, 2 * 1.50 AS x, 1.1 * 1.1 AS y, 1.5 * 2.0D AS z
SELECT cast(1.23 AS decimal(38, 10)) * cast(2 AS decimal(38, 10)) AS v
SELECT a * 1.5 AS v, a * b AS w FROM VALUES (2, CAST(1.25 AS DECIMAL(10, 2))) t(a, b)
SELECT round(2.5) AS v, round(3.5) AS w, round(-2.5) AS x, round(2.345, 2) AS y, round(2.5D) AS z, round(1234, -2) AS u
SELECT round(2.675D, 2) AS v, round(1.005D, 2) AS w, bround(2.5) AS x, bround(3.5) AS y, bround(2.345, 2) AS z
SELECT ceil(2.1) AS v, floor(-2.1) AS w, ceil(2.1D) AS x, floor(5) AS y, ceil(2.345, 2) AS z
SELECT '1' = 1 AS v, '1.0' = 1 AS w, '01' = 1 AS x, 1 = '1' AS y
SELECT 'abc' = 1 AS v
SELECT '2' > 10 AS v, '2' > '10' AS w, '1.5' > 1 AS x
SELECT DATE'2020-01-01' = '2020-01-01' AS v, DATE'2020-01-02' > '2020-01-01' AS w, '2020-01-01' < TIMESTAMP'2020-01-01 10:00:00' AS x
SELECT DATE'2020-01-01' = TIMESTAMP'2020-01-01 00:00:00' AS v
SELECT '5' + 3 AS v, '5' * '2' AS w, '7' / 2 AS x, '1.5' + 1 AS y
SELECT '5' - 3 AS v
SELECT true = 1 AS v
SELECT true AND NULL AS v, false AND NULL AS w, true OR NULL AS x, NOT NULL AS y, NULL = NULL AS z
SELECT 1 IN (1, NULL) AS v, 2 IN (1, NULL) AS w, NULL IN (1) AS x, 1 NOT IN (2, NULL) AS y
SELECT DATE'2020-01-01' + 1 AS v, DATE'2020-01-01' - 1 AS w, DATE'2020-03-01' - DATE'2020-01-01' AS x
SELECT date_add(DATE'2020-01-01', 1) AS v, date_sub('2020-01-01', 1) AS w, date_add('2020-01-01', 10) AS x, datediff(DATE'2020-03-01', DATE'2020-01-01') AS y, datediff('2020-03-01', '2020-01-01') AS z
SELECT DATE'2020-01-31' + INTERVAL 1 MONTH AS v, DATE'2020-01-01' + INTERVAL 2 DAYS AS w, DATE'2020-01-01' + INTERVAL '1' YEAR AS x
SELECT DATE'2020-01-01' + INTERVAL 2 HOURS AS v
SELECT TIMESTAMP'2020-01-01 00:00:00' + INTERVAL 2 HOURS AS v, TIMESTAMP'2020-01-31 00:00:00' - INTERVAL 1 MONTH AS w, TIMESTAMP'2020-01-01 00:00:00' + INTERVAL '1 02:03:04' DAY TO SECOND AS x
SELECT TIMESTAMP'2020-01-02 00:00:00' - TIMESTAMP'2020-01-01 00:00:00' > INTERVAL 12 HOURS AS v
SELECT INTERVAL 1 DAY AS v, INTERVAL '1-2' YEAR TO MONTH AS w
SELECT dateadd(DAY, 3, DATE'2020-01-01') AS v, dateadd(MONTH, 1, DATE'2020-01-31') AS w, dateadd(HOUR, 5, TIMESTAMP'2020-01-01 00:00:00') AS x, datediff(MONTH, DATE'2020-01-31', DATE'2020-03-01') AS y, datediff(HOUR, TIMESTAMP'2020-01-01 00:00:00', TIMESTAMP'2020-01-01 05:59:00') AS z
SELECT timestampdiff(DAY, TIMESTAMP'2020-01-01 23:00:00', TIMESTAMP'2020-01-02 22:00:00') AS v, timestampadd(WEEK, 1, TIMESTAMP'2020-01-01 00:00:00') AS w
SELECT add_months(DATE'2020-01-31', 1) AS v, add_months('2020-02-29', 12) AS w, months_between(DATE'2020-03-31', DATE'2020-02-29') AS x, months_between('1997-02-28 10:30:00', '1996-10-30') AS y
SELECT date_trunc('MONTH', TIMESTAMP'2020-05-17 10:00:00') AS v, date_trunc('week', DATE'2020-05-17') AS w, trunc(DATE'2020-05-17', 'MM') AS x, trunc('2020-05-17', 'year') AS y, date_trunc('HOUR', '2020-05-17 10:31:00') AS z
SELECT date_format(DATE'2020-05-07', 'yyyy-MM-dd') AS v, date_format(TIMESTAMP'2020-05-07 15:04:05.123', 'yyyy/M/d h:mm:ss a') AS w, date_format(DATE'2020-05-07', 'EEE MMM') AS x, date_format(DATE'2020-05-07', 'EEEE MMMM') AS y, date_format(TIMESTAMP'2020-05-07 15:04:05.123', 'HH:mm:ss.SSS') AS z
SELECT date_format(DATE'2020-05-07', 'y') AS v, date_format(DATE'2020-05-07', 'D') AS w, date_format(DATE'2020-05-07', "yyyy'T'MM") AS x, date_format(DATE'2020-05-07', 'yy') AS y, date_format(DATE'2020-05-07', 'Q') AS z
SELECT to_date('2020-05-07') AS v, to_date('07/05/2020', 'dd/MM/yyyy') AS w, to_date('20200507', 'yyyyMMdd') AS x, to_timestamp('2020-05-07 10:11:12') AS y, to_timestamp('07.05.2020 10:11', 'dd.MM.yyyy HH:mm') AS z
SELECT to_date('x', 'yyyy') AS v
SELECT try_to_date('x', 'yyyy') AS v, try_to_timestamp('x') AS w, try_to_timestamp('2020-01-01') AS x
SELECT from_unixtime(0) AS v, from_unixtime(1577934245, 'yyyy-MM-dd') AS w, unix_timestamp('2020-01-02 03:04:05') AS x, unix_timestamp(TIMESTAMP'2020-01-02 03:04:05') AS y, to_unix_timestamp('2020-01-02', 'yyyy-MM-dd') AS z
SELECT from_utc_timestamp('2020-01-01 00:00:00', 'Asia/Seoul') AS v, to_utc_timestamp('2020-01-01 00:00:00', 'Asia/Seoul') AS w, convert_timezone('UTC', 'America/New_York', TIMESTAMP_NTZ'2020-07-01 00:00:00') AS x
SELECT make_date(2020, 2, 29) AS v, make_timestamp(2020, 1, 2, 3, 4, 5.678) AS w, last_day(DATE'2020-02-01') AS x, next_day(DATE'2020-01-01', 'MON') AS y
SELECT make_date(2019, 2, 29) AS v
SELECT year('2020-05-07') AS v, month(DATE'2020-05-07') AS w, day(TIMESTAMP'2020-05-07 01:02:03') AS x, quarter('2020-05-07') AS y, hour('2020-05-07 10:11:12') AS z, second(TIMESTAMP'2020-05-07 10:11:12.9') AS u
SELECT dayname(DATE'2020-05-07') AS v, monthname(DATE'2020-05-07') AS w
SELECT timestamp_seconds(1577934245) AS v, timestamp_millis(1577934245123) AS w, timestamp_micros(1577934245123456) AS x, unix_seconds(TIMESTAMP'2020-01-02 03:04:05Z') AS y, unix_millis(TIMESTAMP'2020-01-02 03:04:05.123Z') AS z, unix_date(DATE'1970-01-02') AS u
SELECT TIMESTAMP'1850-01-01 00:00:00' AS v, DATE'0001-01-01' AS w, TIMESTAMP'9999-12-31 23:59:59.999999' AS x, DATE'1582-10-10' AS y
SELECT TIMESTAMP_NTZ'2020-01-01 00:00:00' AS v, TIMESTAMP'2020-01-01 00:00:00+05:30' AS w, TIMESTAMP'2020-01-01 00:00:00 America/New_York' AS x
SELECT a FROM VALUES (2), (NULL), (1) t(a) ORDER BY a
SELECT a FROM VALUES (2), (NULL), (1) t(a) ORDER BY a DESC
SELECT a FROM VALUES (2), (NULL), (1) t(a) ORDER BY a NULLS LAST
SELECT a FROM VALUES (2), (NULL), (1) t(a) ORDER BY a DESC NULLS FIRST
SELECT a, row_number() OVER (ORDER BY a) AS r, row_number() OVER (ORDER BY a DESC) AS q FROM VALUES (2), (NULL), (1) t(a) ORDER BY r
SELECT a FROM VALUES (DOUBLE('NaN')), (1D), (DOUBLE('Infinity')), (NULL) t(a) ORDER BY a
SELECT DOUBLE('NaN') = DOUBLE('NaN') AS v, DOUBLE('NaN') > 1 AS w, -0.0D = 0.0D AS x, isnan(DOUBLE('NaN')) AS y, nanvl(DOUBLE('NaN'), 5) AS z
SELECT max(a) AS v, min(a) AS w FROM VALUES (DOUBLE('NaN')), (1D) t(a)
SELECT a, count(*) AS c FROM VALUES (0.0D), (-0.0D) t(a) GROUP BY a
SELECT greatest(1, NULL, 3) AS v, least(1, NULL, 3) AS w, greatest(1, 2.5) AS x, greatest('a', 'b') AS y
SELECT a, b, sum(c) AS s FROM VALUES (1, 1, 10), (1, 2, 20), (2, 1, 30) t(a, b, c) GROUP BY GROUPING SETS ((a), (a, b), ()) ORDER BY a NULLS LAST, b NULLS LAST
SELECT a, b, sum(c) AS s, grouping(a) AS ga, grouping_id(a, b) AS g FROM VALUES (1, 1, 10), (1, 2, 20) t(a, b, c) GROUP BY ROLLUP (a, b) ORDER BY g, b
SELECT a, b, sum(c) AS s, grouping_id() AS g FROM VALUES (1, 1, 10), (1, 2, 20) t(a, b, c) GROUP BY CUBE (a, b) ORDER BY g, a, b
SELECT a, count(*) AS c FROM VALUES (1), (1), (2) t(a) GROUP BY ALL ORDER BY a
SELECT a, count(*) AS c FROM VALUES (1), (1), (2) t(a) GROUP BY 1 ORDER BY 2 DESC
SELECT a AS b, count(*) AS c FROM VALUES (1), (1), (2) t(a) GROUP BY b HAVING c > 1
SELECT a FROM VALUES (1), (2), (3) t(a) QUALIFY row_number() OVER (ORDER BY a DESC) = 1
SELECT * FROM VALUES (1, 'x', 10), (1, 'y', 20) t(a, k, v) PIVOT (sum(v) FOR k IN ('x', 'y'))
SELECT * FROM VALUES (1, 'x', 10), (1, 'y', 20) t(a, k, v) PIVOT (sum(v) AS s, max(v) AS m FOR k IN ('x' AS ex, 'y' AS ey))
SELECT * FROM VALUES (1, 10, 20) t(a, x, y) UNPIVOT (v FOR k IN (x, y))
SELECT sum(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS v, lag(a) OVER (ORDER BY a) AS w, lead(a, 1, 0) OVER (ORDER BY a) AS x, first_value(a) OVER (ORDER BY a) AS y, ntile(2) OVER (ORDER BY a) AS z FROM VALUES (1), (2), (3) t(a) ORDER BY 1
SELECT rank() OVER w AS v, dense_rank() OVER w AS w1, percent_rank() OVER w AS x, cume_dist() OVER w AS y FROM VALUES (1), (1), (3) t(a) WINDOW w AS (ORDER BY a)
SELECT last_value(a) OVER (ORDER BY a) AS v, last_value(a) IGNORE NULLS OVER (ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS w, nth_value(a, 2) OVER (ORDER BY a) AS x FROM VALUES (1), (2), (NULL) t(a) ORDER BY a
SELECT sum(a) OVER (PARTITION BY b ORDER BY a RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS v FROM VALUES (1, 'x'), (2, 'x'), (4, 'x') t(a, b) ORDER BY a
SELECT first(a) AS v, last(a) AS w, first(a, true) AS x, any_value(a) AS y, last(a, true) AS z FROM VALUES (NULL), (5), (NULL) t(a)
SELECT sum(a) FILTER (WHERE a > 1) AS v, count(*) FILTER (WHERE a > 1) AS w, count_if(a > 1) AS x FROM VALUES (1), (2), (3) t(a)
SELECT percentile(a, 0.3) AS v, percentile(a, array(0.25, 0.5)) AS w, median(a) AS x, percentile_approx(a, 0.5) AS y, mode(a) AS z FROM VALUES (0), (10), (20), (20) t(a)
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) AS v, percentile_disc(0.5) WITHIN GROUP (ORDER BY a) AS w FROM VALUES (1), (2), (3), (4) t(a)
SELECT stddev(a) AS v, stddev_pop(a) AS w, variance(a) AS x, var_pop(a) AS y, skewness(a) AS z, kurtosis(a) AS u FROM VALUES (1), (2), (4), (9) t(a)
SELECT stddev(a) AS v, variance(a) AS w, stddev_pop(a) AS x, skewness(a) AS y, kurtosis(a) AS z, corr(a, a) AS u FROM VALUES (1) t(a)
SELECT corr(a, b) AS v, covar_pop(a, b) AS w, covar_samp(a, b) AS x, regr_slope(b, a) AS y, regr_r2(b, a) AS z FROM VALUES (1, 2), (2, 4), (3, 7) t(a, b)
SELECT max_by(a, b) AS v, min_by(a, b) AS w, bool_and(b > 1) AS x, bool_or(b > 1) AS y, every(b > 0) AS z, some(b > 2) AS u FROM VALUES ('x', 1), ('y', 3) t(a, b)
SELECT bit_and(a) AS v, bit_or(a) AS w, bit_xor(a) AS x, approx_count_distinct(a) AS y FROM VALUES (3), (5) t(a)
SELECT listagg(a, ', ') WITHIN GROUP (ORDER BY a) AS v, string_agg(a) AS w FROM VALUES ('x'), ('y') t(a)
SELECT array_join(collect_list(a), ',') AS v, concat_ws('-', collect_list(a)) AS w FROM VALUES ('x'), ('y') t(a)
SELECT concat_ws(',', 'a', NULL, 'b', array('c', NULL, 'd')) AS v, concat_ws(NULL, 'a') AS w, concat_ws(',') AS x
SELECT array_contains(array(1, NULL), 2) AS v, array_contains(array(1, 2), 2) AS w, array_position(array(3, 2, 1), 1) AS x, array_position(array(1), 5) AS y, array_distinct(array(1, 2, 1, NULL, NULL)) AS z
SELECT array_sort(array(3, NULL, 1)) AS v, sort_array(array(3, NULL, 1)) AS w, sort_array(array(3, NULL, 1), false) AS x, array_max(array(1, NULL, 3)) AS y, array_min(array()) AS z
SELECT array_remove(array(1, 2, NULL, 2), 2) AS v, array_union(array(1, 2), array(2, 3)) AS w, array_intersect(array(1, 2, 2), array(2)) AS x, array_except(array(1, 2, 2, NULL), array(1)) AS y, arrays_overlap(array(1, 2), array(2)) AS z
SELECT flatten(array(array(1), array(2, 3))) AS v, slice(array(1, 2, 3), 2, 2) AS w, slice(array(1, 2, 3), -2, 2) AS x, array_repeat('a', 3) AS y, reverse(array(1, 2)) AS z
SELECT array_append(array(1), 2) AS v, array_prepend(array(1), 0) AS w, array_insert(array(1, 3), 2, 2) AS x, array_compact(array(1, NULL)) AS y, arrays_zip(array(1, 2), array('a', 'b')) AS z
SELECT size(array(1, 2)) AS v, size(map('a', 1)) AS w, size(NULL) AS x, cardinality(array()) AS y, array_size(array(1)) AS z
SELECT transform(array(1, 2), x -> x + 1) AS v, transform(array(1, 2), (x, i) -> x * i) AS w, filter(array(1, 2, 3), x -> x > 1) AS x, filter(array(5, 6), (x, i) -> i > 0) AS y, exists(array(1, 2), x -> x > 1) AS z, forall(array(1, 2), x -> x > 1) AS u
SELECT aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x) AS v, aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x, acc -> acc * 10) AS w, reduce(array(1, 2), 10, (a, b) -> a - b) AS x
SELECT zip_with(array(1, 2), array(10, 20), (x, y) -> x + y) AS v, array_sort(array(3, 1, 2), (l, r) -> CASE WHEN l < r THEN 1 WHEN l > r THEN -1 ELSE 0 END) AS w
SELECT map('a', 1, 'b', 2) AS v, map_keys(map('a', 1)) AS w, map_values(map('a', 1)) AS x, map_entries(map('a', 1)) AS y, map_from_arrays(array('a'), array(1)) AS z, map_contains_key(map('a', 1), 'a') AS u
SELECT map_concat(map('a', 1), map('b', 2)) AS v, map_filter(map('a', 1, 'b', 2), (k, v) -> v > 1) AS w, transform_values(map('a', 1), (k, v) -> v + 1) AS x, transform_keys(map('a', 1), (k, v) -> upper(k)) AS y, map_from_entries(array(struct('a', 1))) AS z, str_to_map('a:1,b:2') AS u
SELECT map('a', 1, 'a', 2) AS v
SELECT struct(1, 'a') AS v, struct(1 AS x, 'a' AS y) AS w, named_struct('p', 1) AS x, struct(a, b) AS y FROM VALUES (1, 2) t(a, b)
SELECT map(1, 'a') AS v, map(DATE'2020-01-01', 1) AS w
SELECT hash('a') AS v, xxhash64('a') AS w, crc32('a') AS x, hash(1, 2) AS y, xxhash64(1) AS z
SELECT hex('abc') AS v, hex(255) AS w, unhex('616263') AS x, bin(13) AS y, conv('ff', 16, 10) AS z, base64('abc') AS u, unbase64('YWJj') AS t
SELECT bit_count(7) AS v, shiftleft(1, 3) AS w, shiftright(-8, 1) AS x, shiftrightunsigned(-8, 1) AS y, 5 & 3 AS z, 5 | 3 AS u, 5 ^ 3 AS t, ~5 AS s, 1 << 3 AS r
SELECT 2 ^ 3 AS v, power(2, 3) AS w, 2 << 1 AS x
SELECT trim('  a ') AS v, ltrim('  a ') AS w, rtrim('  a ') AS x, trim(BOTH 'x' FROM 'xax') AS y, trim(LEADING 'x' FROM 'xax') AS z, btrim('xax', 'x') AS u, trim('\ta\n') AS t
SELECT lpad('a', 3, 'x') AS v, rpad('abc', 2, 'x') AS w, lpad('a', 3) AS x, lpad('a', 5, '') AS y, repeat('ab', 2) AS z, repeat('a', -1) AS u, space(2) AS t
SELECT initcap('hELLO wORLD-x') AS v, reverse('abc') AS w, translate('abc', 'ab', 'x') AS x, replace('abc', 'b') AS y, replace('aaa', '', 'x') AS z, ascii('a') AS u, ascii('') AS t, chr(97) AS s, char(353) AS r
SELECT length('héllo😀') AS v, char_length('a ') AS w, octet_length('é') AS x, bit_length('é') AS y, upper('straße') AS z, lower('ÀÉ') AS u
SELECT format_string('%d %s %.2f', 1, 'a', 2.5D) AS v, format_number(12345.678, 2) AS w, printf('%5d|%-5s|', 3, 'a') AS x, format_number(12332.123456, 4) AS y
SELECT levenshtein('kitten', 'sitting') AS v, soundex('Miller') AS w, find_in_set('b', 'a,b') AS x, overlay('Spark SQL' PLACING '_' FROM 6) AS y, substring_index('a.b.c', '.', 2) AS z, substring_index('a.b.c', '.', -2) AS u
SELECT startswith('abc', 'a') AS v, endswith('abc', 'c') AS w, contains('abc', 'b') AS x, startswith('a', NULL) AS y, elt(2, 'a', 'b') AS z
SELECT url_encode('a b&c') AS v, url_decode('a+b%26c') AS w, parse_url('http://h.com/p?q=1', 'HOST') AS x, parse_url('http://h.com/p?q=1', 'QUERY', 'q') AS y
SELECT typeof(1) AS v, typeof('a') AS w, typeof(1.5) AS x, typeof(array(1)) AS y, typeof(TIMESTAMP'2020-01-01 00:00:00') AS z, typeof(map('a', 1)) AS u, typeof(1 / 2) AS t
SELECT typeof(sum(a)) AS v, typeof(avg(a)) AS w, typeof(count(*)) AS x FROM VALUES (1) t(a)
SELECT nvl2(NULL, 1, 2) AS v, nullifzero(0) AS w, zeroifnull(NULL) AS x, equal_null(NULL, NULL) AS y, isnull(NULL) AS z, isnotnull(1) AS u
SELECT CASE 1 WHEN 1 THEN 'a' ELSE 2 END AS v, coalesce(NULL, 1, 2.5) AS w, if(true, 1, 2.5) AS x
SELECT CASE WHEN false THEN 1 END AS v, CASE WHEN NULL THEN 1 ELSE 2 END AS w
SELECT a FROM VALUES (1) t(a) UNION ALL SELECT 2.5
SELECT a FROM VALUES (1) t(a) UNION ALL SELECT 'x'
SELECT 1 AS a UNION SELECT 1 UNION ALL SELECT 2
SELECT 1 AS a INTERSECT SELECT 1
SELECT 1 AS a EXCEPT SELECT 2
SELECT a FROM VALUES (1), (1), (2) t(a) EXCEPT ALL SELECT 1 ORDER BY a
SELECT a FROM VALUES (1), (2) t(a) WHERE a IN (SELECT 1)
SELECT a, (SELECT max(b) FROM VALUES (1, 5) u(x, b) WHERE x = a) AS m FROM VALUES (1), (2) t(a) ORDER BY a
SELECT a FROM VALUES (1), (2) t(a) WHERE EXISTS (SELECT 1 FROM VALUES (1) u(x) WHERE x = a)
SELECT * FROM VALUES (1), (2) t(a) LEFT SEMI JOIN VALUES (1) u(a) ON t.a = u.a
SELECT * FROM VALUES (1), (2) t(a) LEFT ANTI JOIN VALUES (1) u(a) ON t.a = u.a
SELECT * FROM VALUES (1), (2) t(a) FULL OUTER JOIN VALUES (2), (3) u(b) ON t.a = u.b ORDER BY a, b
SELECT * FROM VALUES (1, 2) t(a, b) JOIN VALUES (1, 3) u(a, c) USING (a)
SELECT * FROM VALUES (1, 2) t(a, b) NATURAL JOIN VALUES (1, 3) u(a, c)
SELECT t.* EXCEPT (b) FROM VALUES (1, 2) t(a, b)
SELECT * EXCEPT (b) FROM VALUES (1, 2) t(a, b)
SELECT DISTINCT a FROM VALUES (1), (1) t(a)
SELECT A, T.a FROM VALUES (1) t(a)
SELECT `a b`, `select` FROM VALUES (1, 2) t(`a b`, `select`)
SELECT a AS x, x + 1 AS y FROM VALUES (1) t(a)
WITH c AS (SELECT 1 AS a) SELECT a + 1 AS b FROM c
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT * FROM n
SELECT a FROM VALUES (1), (2), (3) t(a) ORDER BY a LIMIT 1 OFFSET 1
SELECT sum(a) AS s FROM VALUES (1) t(a) HAVING s > 5
SELECT try_sum(a) AS v, try_avg(a) AS w FROM VALUES (1), (2) t(a)
SELECT 0.1 + 0.2 AS v, 0.1D + 0.2D AS w, 1e0 AS x, 1.0 AS y, 100 AS z
SELECT 1.0D AS v, 1e15D AS w, 1e16D AS x, cast(1.1 AS float) AS y, 3.0D * 2 AS z
SELECT ln(0) AS v, log(2, 8) AS w, log10(-1) AS x, sqrt(-1) AS y, exp(1) AS z, log(10) AS u
SELECT sign(-5) AS v, signum(2.5) AS w, factorial(5) AS x, cbrt(27) AS y, hypot(3, 4) AS z, e() AS u, pi() AS t
SELECT width_bucket(5.3, 0.2, 10.6, 5) AS v, rint(2.5) AS w, degrees(pi()) AS x, positive(5) AS y, negative(5) AS z
SELECT sum(a) / count(*) AS v FROM VALUES (1), (2) t(a)
SELECT a / b AS v FROM VALUES (1.50, 3.00) t(a, b)
SELECT a / 3 AS v FROM VALUES (CAST(10 AS DECIMAL(10, 2))) t(a)
SELECT avg(a) AS v FROM VALUES (CAST(1 AS DECIMAL(10, 2))), (CAST(2 AS DECIMAL(10, 2))) t(a)
SELECT round(a, 1) AS v, ceil(a) AS w, floor(a) AS x, abs(a) AS y FROM VALUES (CAST(1.25 AS DECIMAL(10, 2))) t(a)
SELECT mask('AbCD123-@$#') AS v, mask('AbCD123', 'Q', 'q', 'd') AS w, luhn_check('79927398713') AS x
SELECT schema_of_json('{"a":1}') AS v
SELECT json_array_length('[1,2]') AS v, json_object_keys('{"a":1}') AS w, json_array_length('x') AS x
SELECT to_char(454, '999') AS v, to_number('454', '999') AS w, to_char(DATE'2020-01-02', 'yyyy') AS x
SELECT encode('abc', 'utf-8') AS v, decode(X'616263', 'utf-8') AS w, decode(2, 1, 'a', 2, 'b', 'c') AS x
SELECT assert_true(true) AS v
SELECT raise_error('x') AS v
SELECT bool_and(a) AS v FROM VALUES (true), (NULL) t(a)
SELECT * FROM (SELECT 1 AS a, 2 AS b) WHERE (a, b) = (1, 2)
SELECT * FROM (SELECT 1 AS a, 2 AS b) WHERE (a, b) IN ((1, 2), (3, 4))
SELECT struct(1, 2) = struct(1, 2) AS v, array(1, 2) = array(1, 2) AS w, array(1) < array(2) AS x
SELECT NULL AS v, CAST(NULL AS DATE) AS w, array(NULL) AS x, array() AS y
SELECT array(1, 2.5) AS v, array('a', 1) AS w, array(1, NULL) AS x, array(DATE'2020-01-01') AS y
SELECT a IS TRUE AS v, a IS NOT FALSE AS w, a IS DISTINCT FROM NULL AS x, a IS UNKNOWN AS y FROM VALUES (CAST(NULL AS BOOLEAN)) t(a)
SELECT 5 BETWEEN '1' AND '10' AS v, 'b' BETWEEN 'a' AND 'c' AS w, DATE'2020-01-15' BETWEEN '2020-01-01' AND '2020-01-31' AS x
SELECT 'a' < 'B' AS v, 'é' > 'z' AS w, 'a ' = 'a' AS x
SELECT date_part('month', DATE'2020-05-07') AS v, datepart('YEAR', TIMESTAMP'2020-05-07 00:00:00') AS w, date_part('SECONDS', TIMESTAMP'2020-05-07 01:02:03.456') AS x
SELECT window.start AS v, sum(a) AS w FROM VALUES (TIMESTAMP'2020-01-01 00:01:00', 1), (TIMESTAMP'2020-01-01 00:04:00', 2) t(ts, a) GROUP BY window(ts, '5 minutes')
SELECT a[0] AS v, m['x'] AS w, s.f AS x FROM VALUES (array(1), map('x', 2), named_struct('f', 3)) t(a, m, s)
SELECT named_struct('a', named_struct('b', 1)).a.b AS v, array(named_struct('x', 1), named_struct('x', 2)).x AS w
SELECT 'x' AS v WHERE 1 = 1
SELECT count(*) AS v FROM VALUES (1) t(a) WHERE a = '1'
SELECT a FROM VALUES ('1'), ('02'), ('x') t(a) WHERE try_cast(a AS int) > 0 ORDER BY a
SELECT to_json(struct(a, b)) AS v FROM VALUES (1, 'x') t(a, b)
SELECT substring(a, 1, 2) AS p, count(*) AS c FROM VALUES ('abc'), ('abd') t(a) GROUP BY substring(a, 1, 2)
SELECT date_trunc('DAY', ts) AS d, count(*) AS c FROM VALUES (TIMESTAMP'2020-01-01 10:00:00'), (TIMESTAMP'2020-01-01 11:00:00') t(ts) GROUP BY 1
SELECT upper(a) AS u FROM VALUES ('b'), ('a') t(a) ORDER BY upper(a)
SELECT a, max(a) OVER () AS m, sum(a) OVER (PARTITION BY a % 2) AS s, avg(a) OVER () AS v, count(*) OVER () AS c FROM VALUES (1), (2), (3) t(a) ORDER BY a
SELECT collect_list(a) FILTER (WHERE a > 1) AS v, sort_array(collect_set(a % 2)) AS w FROM VALUES (1), (2), (3) t(a)
SELECT sum(CASE WHEN a > 1 THEN 1 ELSE 0 END) AS v, sum(a * 1.5) AS w, avg(a * 1.5D) AS x FROM VALUES (1), (2) t(a)
SELECT min(s) AS v, max(s) AS w, min(d) AS x, max(t) AS y FROM VALUES ('a', DATE'2020-01-01', TIMESTAMP'2020-01-01 00:00:00'), ('b', DATE'2020-02-01', TIMESTAMP'2020-02-01 00:00:00') q(s, d, t)
SELECT min(array(1, 2)) AS v, max(struct(a, 'x')) AS w FROM VALUES (1), (2) t(a)
SELECT try_cast('x' AS double) AS v, try_cast('1.5' AS int) AS w, try_cast('2020-02-30' AS date) AS x, try_cast('10' AS decimal(3, 1)) AS y, try_cast(1e10 AS int) AS z
SELECT timestampadd(MONTH, -1, TIMESTAMP'2020-03-31 00:00:00') AS v, date_diff(DAY, DATE'2020-01-01', DATE'2020-01-03') AS w
SELECT DATE'2020-01-01' - INTERVAL '1' MONTH AS v, TIMESTAMP'2020-01-01 00:00:00' - INTERVAL '30' MINUTE AS w, INTERVAL 1 DAY + DATE'2020-01-01' AS x
SELECT current_timestamp() IS NOT NULL AS v, now() > TIMESTAMP'2020-01-01 00:00:00' AS w
SELECT regexp_replace(a, '\\s+', ' ') AS v FROM VALUES ('a  b   c') t(a)
SELECT cast(a AS int) AS v FROM VALUES (2.9D), (-2.9D) t(a)
SELECT cast(a AS int) AS v FROM VALUES ('7'), (' 8') t(a)
SELECT length(X'001F') AS v, concat(X'1F', X'2F') AS w, substring(X'001F2F', 2, 1) AS x
SELECT sort_array(array('b', 'a', 'C')) AS v, array_join(array('a', NULL, 'b'), ',', '-') AS w, array_join(array(1, 2), '/') AS x
SELECT corr(DISTINCT a, b) AS v, covar_pop(DISTINCT a, b) AS w, covar_samp(DISTINCT a, b) AS x FROM VALUES (1, 2), (2, 3), (2, 3), (4, 1) AS t(a, b)
SELECT regr_count(DISTINCT a, b) AS v, regr_slope(DISTINCT a, b) AS w, regr_avgx(DISTINCT a, b) AS x FROM VALUES (1, 2), (2, 3), (2, 3), (4, 1) AS t(a, b)
SELECT kurtosis(DISTINCT a) AS v, skewness(DISTINCT a) AS w FROM VALUES (1), (2), (2), (9) AS t(a)
SELECT corr(ALL a, b) AS v, mean(ALL a) AS w, count_if(ALL a > 1) AS x, listagg(ALL b, ',') AS y FROM VALUES (1, 2), (2, 3) AS t(a, b)
SELECT !true AS v, !true = false AS w, !(1 > 2) AS x, !isnull(1) AS y
SELECT 1 !> 2 AS v, 1 !< 2 AS w
SELECT -8 >>> 1 AS v, 1 + 2 >>> 1 & 3 AS w, -8 >>> 1 >> 1 AS x, 64 >> 2 >>> 1 AS y
SELECT 'ab' ILIKE ALL ('A%', '%B')
SELECT a FROM VALUES ('ab'), ('cd') AS t(a) WHERE NOT a LIKE ALL ('a%', '%b')
SELECT a FROM VALUES ('ab'), ('cd') AS t(a) WHERE NOT a ILIKE ANY ('A%', '%x') AND a <> 'z'
SELECT '?' AS v, "a?b" AS w, 1 AS `?`
SELECT both, t.leading, trailing AS both FROM VALUES (1, 2, 3) AS t(both, leading, trailing)
SELECT trim(BOTH 'x' FROM 'xax') AS v, trim(LEADING FROM ' a ') AS w, trim(TRAILING FROM ' a ') AS x, trim(BOTH FROM ' a ') AS y
SELECT /* a /* b */ 'c' */ 1 AS v
SELECT '/* a' AS v, "-- b" AS w, `*/` FROM VALUES (1) AS t(`*/`) -- '
SELECT timestamp_ntz'2020-01-02 03:04:05' AS v, TIMESTAMP_LTZ '2020-01-02 03:04:05' AS w
SELECT hour(TIMESTAMP_NTZ'2020-01-02 03:04:05') AS v, date_add(timestamp_ltz'2020-01-02 03:04:05', 1) AS w
SELECT .5D AS v, -.25f AS w, .5BD AS x, 1e2BD AS y, 12.5e-3BD AS z, 1.5E1BD AS q
SELECT CAST(named_struct('a', 1) AS STRUCT<a BIGINT COMMENT 'x'>) AS v
SELECT * FROM VALUES 1, -2, NULL AS t(a)
SELECT count(*) AS v FROM VALUES 'a', 'b', upper('c')
WITH t AS (VALUES (1, 'a')) SELECT col1, col2 FROM t
WITH t(a, b) AS (VALUES (1, 'a') UNION ALL SELECT 2, 'b') SELECT a, b FROM t
SELECT * FROM VALUES (1), (2) AS t(a) LIMIT ALL
SELECT * FROM VALUES (1), (1) AS t(a) LIMIT CAST(1 AS INT)
SELECT * FROM VALUES (1, 'a', 2), (2, 'b', 3) AS t(y, c, e) PIVOT (sum(e) s FOR c IN ('a' x, 'b' AS z))
SELECT * FROM VALUES (1, 'a', 2), (2, 'b', 3) AS t(y, c, e) PIVOT (sum(e) + 1 AS s, max(e) FOR c IN ('a', 'b' z))
SELECT * FROM VALUES (1, DATE'2020-01-02', 2) AS t(y, c, e) PIVOT (sum(e) FOR c IN (DATE'2020-01-02'))
SELECT * FROM VALUES (1, DATE'2020-01-02', 2) AS t(y, c, e) PIVOT (sum(e) FOR c IN (DATE'2020-01-02' d))
SELECT * FROM VALUES (1, 2, NULL) AS t(id, q1, q2) UNPIVOT INCLUDE NULLS (v FOR q IN (q1, q2 second))
SELECT div(7, 2) AS v, div (-7, 2) * 2 AS w, 7 DIV (2) AS x
SELECT - - 1 AS v, -(-1) AS w, - -a AS x FROM VALUES (2) AS t(a)
SELECT a, b FROM VALUES (2, 1), (1, 2) AS t(a, b) ORDER BY ALL
SELECT (1, 'x') AS v
SELECT struct(*) AS v FROM VALUES (1, 2) AS t(a, b)
SELECT a FROM VALUES (1), (3) AS t(a) WHERE (a, 1) IN ((1, 1), (2, 2)) AND (a, 1) = (1, 1)
