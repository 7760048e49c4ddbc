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

/** Lists the columns that a reader gives. @param reader the SQL after FROM. */
export async function listColumns(run: RunStatement, reader: string): Promise<readonly FileColumn[]> {
  const described = await run(
    `SELECT column_name AS name, column_type AS type FROM (DESCRIBE SELECT * FROM ${reader})`,
  );
  return described.map(({ name, type }) => ({ name: String(name), type: String(type) }));
}

/** A line of a text file that is not a row. */
export interface UnreadableLine {
  /** Counted from 1, as in an editor. */
  readonly line: number;
  /** Continues the sentence "Line 3 …". */
  readonly problem: string;
}
