import type { DuckDBConnection } from '@duckdb/node-api';

/** Writes the rows of a query to a file, in the form that the ending of its name says. */
export async function copyTo(connection: DuckDBConnection, query: string, path: string): Promise<void> {
  await connection.run(`COPY (${query}) TO ${textLiteral(path)} (${formatOf(path)})`);
}

/** Text as a literal of SQL. */
export function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function formatOf(path: string): string {
  if (path.endsWith('.csv')) return 'FORMAT csv, HEADER';
  if (path.endsWith('.ndjson')) return 'FORMAT json';
  return 'FORMAT parquet, COMPRESSION zstd';
}
