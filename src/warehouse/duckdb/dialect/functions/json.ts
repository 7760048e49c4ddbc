import { quoteName, quoteText } from '../../text.ts';
import { toArgument } from '../arguments.ts';
import { writeResult } from '../call.ts';
import { innerTypes, structFields } from '../nested-types.ts';
import { refuseOnFolder } from '../refused.ts';
import { isDecimal, isFloating, isInteger, type KnownType } from '../types.ts';
import { named } from '../written.ts';
import { type Family, scalars } from './family.ts';
import { readSchema } from './json-schema.ts';

/** Functions of JSON. */
export const json: Family = {
  ...scalars([
    ['json_array_length', 'spark_json_array_length($s1)', 'INT'],
    ['json_object_keys', 'spark_json_object_keys($s1)', 'ARRAY<STRING>'],
    ['get_json_object', 'spark_js_get_json_object($s1, $s2)', 'STRING'],
  ]),
  to_json: (call) => {
    const [value] = call.args;
    if (value === undefined || call.args.length > 1) return refuseOnFolder('to_json() with options');
    return writeResult(call, 'STRING', writeJson(value.sql, value.type, 0));
  },
  from_json: (call) => {
    const [json, schema] = call.args;
    if (json === undefined || typeof schema?.literal !== 'string' || call.args.length > 2)
      return refuseOnFolder('from_json() with options, or a schema that is not in the statement');
    const { duckDb, databricks } = readSchema(schema.literal);
    if (databricks.startsWith('ARRAY'))
      return refuseOnFolder('from_json() of an array', 'write a STRUCT with it');
    const shown = databricks.startsWith('MAP') ? 'entries' : named`from_json(${json})`;
    const read = `from_json(spark_js_read_json(${toArgument(call, json, 's')}, ${quoteText(databricks)}), ${quoteText(duckDb)})`;
    return { sql: read, type: databricks, name: shown };
  },
};

/** Writes a value as the JSON of Databricks, which leaves out fields that are null. */
function writeJson(sql: string, type: KnownType, depth: number): string {
  const fields = structFields(type);
  if (fields !== null) {
    const parts = fields.map(([name, field]) => {
      const value = `(${sql}).${quoteName(name)}`;
      return `CASE WHEN ${value} IS NOT NULL THEN ${quoteText(`${JSON.stringify(name)}:`)} || ${writeJsonValue(value, field, depth)} END`;
    });
    return `CASE WHEN ${sql} IS NOT NULL THEN '{' || concat_ws(',', ${parts.join(', ')}) || '}' END`;
  }
  if (type?.startsWith('ARRAY') || type?.startsWith('MAP')) return writeJsonValue(sql, type, depth);
  return refuseOnFolder('to_json() of what only a column knows, or of no struct, array or map');
}

function writeJsonValue(sql: string, type: KnownType, depth: number): string {
  if (type === 'VOID') return 'CAST(NULL AS VARCHAR)';
  if (type === 'STRING') return `spark_json_text(${sql})`;
  if (isInteger(type) || type === 'BOOLEAN') return `CAST(${sql} AS VARCHAR)`;
  if (isDecimal(type)) return `spark_json_decimal(${sql})`;
  if (isFloating(type)) return `spark_json_double(CAST(${sql} AS DOUBLE))`;
  if (type === 'DATE') return `('"' || strftime(${sql}, '%Y-%m-%d') || '"')`;
  if (type === 'TIMESTAMP') return `spark_json_timestamp(${sql})`;
  const variable = `blade_item_${depth}`;
  if (type?.startsWith('ARRAY')) {
    const item = `coalesce(${writeJsonValue(variable, innerTypes(type)[0] ?? null, depth + 1)}, 'null')`;
    return `('[' || array_to_string(list_transform(${sql}, lambda ${variable}: ${item}), ',') || ']')`;
  }
  if (type?.startsWith('MAP')) {
    const [key, value] = innerTypes(type);
    const shown =
      key === 'STRING'
        ? `spark_json_text(${variable}.key)`
        : isInteger(key ?? null)
          ? `('"' || CAST(${variable}.key AS VARCHAR) || '"')`
          : refuseOnFolder('to_json() of a map with such keys');
    const item = `${shown} || ':' || coalesce(${writeJsonValue(`${variable}.value`, value ?? null, depth + 1)}, 'null')`;
    return `('{' || array_to_string(list_transform(map_entries(${sql}), lambda ${variable}: ${item}), ',') || '}')`;
  }
  if (structFields(type) !== null) return writeJson(sql, type, depth + 1);
  return refuseOnFolder('to_json() of what only a column knows');
}
