import type { TableName } from '../warehouse/warehouse.ts';

/** Quotes any text as a name in the Databricks dialect. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** Quotes the three-part name of a table in the Databricks dialect. */
export function quoteTable(table: TableName): string {
  return [table.catalog, table.schema, table.table].map(quoteIdentifier).join('.');
}
