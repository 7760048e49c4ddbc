import { asciiLowerCase } from '../shared/ascii-case.ts';
import type { TableName } from '../warehouse/warehouse.ts';

/** A schema whose tables may be read; `*` matches any name. */
export interface SchemaPattern {
  readonly catalog: string;
  readonly schema: string;
}

/** Every schema of every catalog, within the grants of the warehouse. */
export const ANY_SCHEMA: readonly SchemaPattern[] = [{ catalog: '*', schema: '*' }];

/**
 * Parses a list such as `blade.field,archive.*`.
 * @returns null if a part is not of the form `catalog.schema`.
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

/** What describes the warehouse, its users and its other tables; no pattern allows it. */
const RESERVED_CATALOGS: ReadonlySet<string> = new Set(['system', '__databricks_internal', 'temp']);
const RESERVED_SCHEMAS: ReadonlySet<string> = new Set(['information_schema', 'pg_catalog']);

/**
 * Explains why a table may not be read. Both warehouses ignore case.
 * @returns null if it may be read.
 */
export function findSchemaProblem(table: TableName, allowed: readonly SchemaPattern[]): string | null {
  const [catalog, schema] = [asciiLowerCase(table.catalog), asciiLowerCase(table.schema)];
  const name = `${table.catalog}.${table.schema}.${table.table}`;
  if (RESERVED_CATALOGS.has(catalog) || RESERVED_SCHEMAS.has(schema))
    return `${name} cannot be read: it describes the warehouse itself. Name a table with data.`;
  const fits = (pattern: string, part: string) => pattern === '*' || asciiLowerCase(pattern) === part;
  if (allowed.some((pattern) => fits(pattern.catalog, catalog) && fits(pattern.schema, schema))) return null;
  const schemas = allowed.map((pattern) => `${pattern.catalog}.${pattern.schema}`).join(', ');
  return `${name} cannot be read here: use a table of ${schemas}.`;
}
