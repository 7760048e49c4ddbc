/** Macros for DuckDB that give the values of Databricks: json. */
export const json = `
CREATE MACRO spark_json_field(j, k) AS spark_js_json_field(j, k);
CREATE MACRO spark_json_array_length(j) AS CASE WHEN json_valid(j) AND json_type(CASE WHEN json_valid(j) THEN j END) = 'ARRAY' THEN CAST(json_array_length(CASE WHEN json_valid(j) THEN j END) AS INTEGER) END;
CREATE MACRO spark_json_object_keys(j) AS CASE WHEN json_valid(j) AND json_type(CASE WHEN json_valid(j) THEN j END) = 'OBJECT' THEN json_keys(CASE WHEN json_valid(j) THEN j END) END;
CREATE MACRO spark_json_text(x) AS CAST(to_json(x) AS VARCHAR);
CREATE MACRO spark_json_decimal(x) AS CAST(x AS VARCHAR);
CREATE MACRO spark_json_double(x) AS CASE WHEN isnan(x) OR isinf(x) THEN '"' || spark_js_double_text(x) || '"' ELSE spark_js_double_text(x) END;
CREATE MACRO spark_json_timestamp(x) AS '"' || strftime(CAST(x AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%gZ') || '"';
`;
