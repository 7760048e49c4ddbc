import { asciiLowerCase } from '../shared/ascii-case.ts';
import type { TableName } from '../warehouse/warehouse.ts';

/** A schema whose tables may be read; `*` stands for any. */
export interface SchemaPattern {
  readonly catalog: string;
  readonly schema: string;
}

/** Every schema of every catalog, within what the warehouse itself grants. */
export const anySchema: readonly SchemaPattern[] = [{ catalog: '*', schema: '*' }];

/**
 * Reads a list such as `blade.field,archive.*`.
 * @returns null where a part is not of the form `catalog.schema`.
 */
export function parseSchemaPatterns(text: string): readonly SchemaPattern[] | null {
  const patterns: SchemaPattern[] = [];
  for (const part of text.split(',')) {
    const [catalog, schema, ...others] = part.trim().split('.');
    if (!catalog || !schema || others.length > 0) return null;
    patterns.push({ catalog, schema });
  }
  return patterns;
}

/** What tells of the warehouse itself, its users and its other tables: no pattern allows it. */
const RESERVED_CATALOGS: ReadonlySet<string> = new Set(['system', '__databricks_internal', 'temp']);
const RESERVED_SCHEMAS: ReadonlySet<string> = new Set(['information_schema', 'pg_catalog']);

/**
 * Whether a table may be read; names are compared whatever their case, as both warehouses do.
 * @returns null where it may, or else why not, for the person who named it.
 */
export function schemaProblem(table: TableName, allowed: readonly SchemaPattern[]): string | null {
  const [catalog, schema] = [asciiLowerCase(table.catalog), asciiLowerCase(table.schema)];
  const name = `${table.catalog}.${table.schema}.${table.table}`;
  if (RESERVED_CATALOGS.has(catalog) || RESERVED_SCHEMAS.has(schema))
    return `${name} cannot be read: it tells of the warehouse itself.`;
  const fits = (pattern: string, part: string) => pattern === '*' || asciiLowerCase(pattern) === part;
  if (allowed.some((pattern) => fits(pattern.catalog, catalog) && fits(pattern.schema, schema))) return null;
  const schemas = allowed.map((pattern) => `${pattern.catalog}.${pattern.schema}`).join(', ');
  return `${name} cannot be read here: tables can be read of ${schemas}.`;
}
