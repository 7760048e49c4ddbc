import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestTable } from '../../../src/testing/warehouse-tests.ts';
import type { SparkEngine } from './connect.ts';

/** Creates the Delta table `blade.field.<name>`, or replaces it. @param folder for the file that Spark reads. */
export async function writeSparkTable(
  engine: SparkEngine,
  folder: string,
  { name, columns, rows }: TestTable,
): Promise<void> {
  const path = join(folder, `${name}.rows.ndjson`);
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const fields = columns.map((column) => `${quote(column.name)} STRING`).join(', ');
  const values = columns.map(
    (column) => `${toExpression(`j.${quote(column.name)}`, column.type)} AS ${quote(column.name)}`,
  );
  await engine.run(
    `CREATE OR REPLACE TABLE blade.field.${name} USING DELTA TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.feature.timestampNtz' = 'supported') AS
    SELECT ${values.join(', ')} FROM (SELECT from_json(value, '${fields}') AS j FROM text.\`${path}\`)`,
  );
}

/** The value of a column, which is its JSON as text, or the text itself. */
function toExpression(text: string, type: string): string {
  if (type === 'BINARY') return `unbase64(${text})`;
  const [, key, value] = /^MAP<(?!STRING)(\w+), (.*)>$/.exec(type) ?? [];
  if (key !== undefined && value !== undefined)
    return `map_from_entries(from_json(${text}, 'ARRAY<STRUCT<key: ${key}, value: ${value}>>'))`;
  return /[<]/.test(type) ? `from_json(${text}, '${type}')` : `CAST(${text} AS ${type})`;
}

function quote(name: string): string {
  return `\`${name}\``;
}
