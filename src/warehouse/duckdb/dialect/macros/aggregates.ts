/** Macros for DuckDB that give the values of Databricks: aggregates. */
export const aggregates = `
CREATE MACRO spark_average_of
  (x DECIMAL) AS error('avg() of DECIMAL columns is not available on the folder warehouse: cast them to DOUBLE.'),
  (x TINYINT) AS x, (x SMALLINT) AS x, (x INTEGER) AS x, (x BIGINT) AS x, (x FLOAT) AS CAST(x AS DOUBLE), (x DOUBLE) AS x;
CREATE MACRO spark_corr(c, n) AS CASE WHEN n = 1 THEN NULL WHEN isnan(c) THEN CAST(CASE WHEN n > 1 THEN 'DIVIDE_BY_ZERO' END AS DOUBLE) ELSE c END;
CREATE MACRO spark_with_nan(s, x) AS CASE WHEN isnan(s) THEN s ELSE x END;
CREATE MACRO spark_kurtosis(k, v) AS CASE WHEN v = 0 THEN NULL ELSE k END;
CREATE MACRO spark_skewness(s, n, v) AS CASE WHEN v = 0 THEN NULL WHEN n = 2 THEN CAST(0 AS DOUBLE) ELSE s * (n - 2) / sqrt(CAST(n AS DOUBLE) * (n - 1)) END;
CREATE MACRO spark_assert(c, m) AS CASE WHEN c THEN NULL ELSE error(m) END;
`;
