import type { DuckDBConnection } from '@duckdb/node-api';

/** Writes the rows of a query to a file, in the format of its extension. */
export async function copyRows(connection: DuckDBConnection, query: string, path: string): Promise<void> {
  await connection.run(`COPY (${query}) TO ${quoteText(path)} (${findFormat(path)})`);
}

/** Quotes a text as a SQL literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function findFormat(path: string): string {
  if (path.endsWith('.csv')) return 'FORMAT csv, HEADER';
  if (path.endsWith('.ndjson')) return 'FORMAT json';
  return 'FORMAT parquet, COMPRESSION zstd';
}
