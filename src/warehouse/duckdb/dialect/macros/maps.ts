/** Macros for DuckDB that give the values of Databricks: maps. */
export const maps = `
CREATE MACRO spark_map_from_arrays(k, v) AS CASE WHEN k IS NOT NULL AND v IS NOT NULL THEN map(k, v) END;
CREATE MACRO spark_map_contains_key(m, k) AS CASE WHEN m IS NOT NULL AND k IS NOT NULL THEN list_contains(map_keys(m), k) END;
CREATE MACRO spark_map_concat(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL ELSE map(list_concat(map_keys(a), map_keys(b)), list_concat(map_values(a), map_values(b))) END;
`;
