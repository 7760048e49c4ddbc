import type { Json } from '@duckdb/node-api';
import { quoteText } from './text.ts';

/** Runs a statement of our own over a file, and gives its rows. */
export type RunStatement = (sql: string) => Promise<Record<string, Json>[]>;

/** A column of a file, with its type in the engine's words. */
export interface FileColumn {
  readonly name: string;
  readonly type: string;
}

/** The columns as the engine's functions that read files take them. */
export function columnTypes(columns: readonly FileColumn[]): string {
  return `{${columns.map(({ name, type }) => `${quoteText(name)}: ${quoteText(type)}`).join(', ')}}`;
}
