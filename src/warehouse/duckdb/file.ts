import type { Json } from '@duckdb/node-api';
import { quoteText } from './text.ts';

/** Runs one of our own statements over a file, and returns its rows. */
export type RunStatement = (sql: string) => Promise<Record<string, Json>[]>;

/** A column of a file, with the engine's name of its type. */
export interface FileColumn {
  readonly name: string;
  readonly type: string;
}

/** Formats columns for the file functions of the engine. */
export function formatColumnTypes(columns: readonly FileColumn[]): string {
  return `{${columns.map(({ name, type }) => `${quoteText(name)}: ${quoteText(type)}`).join(', ')}}`;
}
