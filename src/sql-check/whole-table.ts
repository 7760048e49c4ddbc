import type { TableName } from '../warehouse/warehouse.ts';

/** SELECT * FROM a table, with its full name as `quoteTable` writes it. */
const WHOLE_TABLE = /^SELECT \* FROM (`(?:[^`]|``)+`)\.(`(?:[^`]|``)+`)\.(`(?:[^`]|``)+`)$/;

/**
 * Finds the table that a statement selects everything from. Most syncs do, and so need no parser.
 * @returns null for any other statement, and for any that the program has not composed like this.
 */
export function findWholeTable(sql: string): TableName | null {
  const [, catalog, schema, table] = WHOLE_TABLE.exec(sql) ?? [];
  if (catalog === undefined || schema === undefined || table === undefined) return null;
  return { catalog: unquote(catalog), schema: unquote(schema), table: unquote(table) };
}

function unquote(name: string): string {
  return name.slice(1, -1).replaceAll('``', '`');
}
