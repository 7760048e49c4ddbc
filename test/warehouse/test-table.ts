import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestTable } from '../../src/testing/warehouse-tests.ts';

/**
 * Writes the rows of a table to a file.
 * @returns the query of DuckDB that reads them with their types.
 */
export async function toDuckDbQuery(folder: string, { name, columns, rows }: TestTable): Promise<string> {
  const path = join(folder, `${name}.rows.ndjson`);
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const types = columns.map((column) => `'${column.name}': 'JSON'`).join(', ');
  const values = columns.map(
    (column) => `${toExpression(`"${column.name}"`, column.type)} AS "${column.name}"`,
  );
  return `SELECT ${values.join(', ')} FROM read_json('${path}', format = 'newline_delimited', columns = {${types}})`;
}

function toExpression(json: string, type: string): string {
  const { name, parts } = parseType(type);
  if (name === 'BINARY') return `from_base64(${json}->>'$')`;
  const [key = '', value = ''] = parts;
  if (name === 'MAP' && key !== 'STRING')
    return `map_from_entries(CAST(${json} AS STRUCT("key" ${toDuckDbType(key)}, "value" ${toDuckDbType(value)})[]))`;
  return `CAST(${parts.length === 0 ? `${json}->>'$'` : json} AS ${toDuckDbType(type)})`;
}

function toDuckDbType(type: string): string {
  const { name, parts } = parseType(type);
  switch (name) {
    case 'ARRAY':
      return `${toDuckDbType(parts[0] ?? '')}[]`;
    case 'MAP':
      return `MAP(${parts.map(toDuckDbType).join(', ')})`;
    case 'STRUCT': {
      const fields = parts.map((field) => /^`?(.*?)`?: (.*)$/.exec(field) ?? []);
      return `STRUCT(${fields.map(([, field, fieldType = '']) => `"${field}" ${toDuckDbType(fieldType)}`).join(', ')})`;
    }
    default:
      return DUCKDB_TYPES[type] ?? type;
  }
}

const DUCKDB_TYPES: Readonly<Record<string, string>> = {
  BINARY: 'BLOB',
  INT: 'INTEGER',
  STRING: 'VARCHAR',
  TIMESTAMP: 'TIMESTAMPTZ',
  TIMESTAMP_NTZ: 'TIMESTAMP',
};

/** Splits `MAP<STRING, ARRAY<INT>>` into its name and its parts; a simple type has none. */
function parseType(type: string): { name: string; parts: string[] } {
  const [, name = type, inner] = /^(\w+)<(.*)>$/.exec(type) ?? [];
  const parts: string[] = [];
  let depth = 0;
  for (const piece of inner?.split(', ') ?? []) {
    if (depth === 0) parts.push(piece);
    else parts[parts.length - 1] += `, ${piece}`;
    depth += piece.split('<').length - piece.split('>').length;
  }
  return { name, parts };
}
