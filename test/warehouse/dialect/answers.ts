import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonValue } from '../../../src/shared/json.ts';
import { ANY_SCHEMA } from '../../../src/sql-check/allowed-schemas.ts';
import { parseStatement } from '../../../src/sql-check/parse-statement.ts';
import type { CheckedStatement, Warehouse } from '../../../src/warehouse/warehouse.ts';

/** The rows of a statement, or null where it is refused or fails. */
export type Answer = readonly Readonly<Record<string, JsonValue>>[] | null;

/** A statement with the answer of Spark. */
export type Recorded = readonly [sql: string, answer: Answer];

/** What statements are compared: the examples of Spark's documentation, the same with other arguments, and constructs. */
export const CORPORA = ['documented', 'generated', 'constructs'] as const;

export type Corpus = (typeof CORPORA)[number];

const toPath = (corpus: Corpus) => join(import.meta.dirname, 'answers', `${corpus}.json`);

/** Reads what Spark answered when `record.ts` was last run. */
export function readAnswers(corpus: Corpus): readonly Recorded[] {
  return JSON.parse(readFileSync(toPath(corpus), 'utf8'));
}

/** Writes one statement a line, so that a change of one is one line. */
export function writeAnswers(corpus: Corpus, answers: readonly Recorded[]): void {
  writeFileSync(toPath(corpus), `[\n${answers.map((answer) => JSON.stringify(answer)).join(',\n')}\n]\n`);
}

/** What a warehouse answers to a statement, through the whole product. */
export async function askWarehouse(
  warehouse: Warehouse,
  sql: string | CheckedStatement,
): Promise<{ rows: Answer; error: string }> {
  const { signal } = new AbortController();
  try {
    const statement = typeof sql === 'string' ? parseStatement({ sql, parameters: {} }, ANY_SCHEMA) : sql;
    const { batches } = await warehouse.readRows(statement, { batchSize: 1000, resumeAfter: null, signal });
    const rows = (await Array.fromAsync(batches)).flatMap((batch) => [...batch.rows]);
    return { rows: rows as Answer, error: '' };
  } catch (error) {
    return { rows: null, error: error instanceof Error ? error.message : String(error) };
  }
}

/** Whether a statement answers the same each time. */
export function isRepeatable(sql: string): boolean {
  try {
    return parseStatement({ sql, parameters: {} }, ANY_SCHEMA).isRepeatable;
  } catch {
    return true;
  }
}
