import { isDeepStrictEqual } from 'node:util';
import type { JsonValue } from '../../../src/shared/json.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import { type Answer, askWarehouse, type Recorded } from './answers.ts';

/** How the folder answers a statement that Spark was asked: see `docs/sql.md`. */
export const OUTCOMES = ['same', 'different', 'refused', 'fails', 'both fail', 'only the folder'] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** Compares what the folder answers to a statement with what Spark answered. */
export async function compare(
  warehouse: Warehouse,
  [sql, expected]: Recorded,
): Promise<{ outcome: Outcome; actual: Answer; error: string }> {
  const { rows: actual, error } = await askWarehouse(warehouse, sql);
  return { outcome: findOutcome(sql, expected, actual, error), actual, error };
}

/** Statements that Spark answers as it happens: the most frequent of values that are equally frequent. */
const UNDECIDED = [/^SELECT mode\(col\) FROM VALUES \(0\), \(2147483648\), \(10\)/];

function findOutcome(sql: string, expected: Answer, actual: Answer, error: string): Outcome {
  if (actual === null) {
    if (expected === null) return 'both fail';
    return / not available on the folder warehouse/.test(error) ? 'refused' : 'fails';
  }
  if (expected === null) return 'only the folder';
  if (UNDECIDED.some((pattern) => pattern.test(sql))) return 'same';
  return isDeepStrictEqual(toRows(expected, sql), toRows(actual, sql)) ? 'same' : 'different';
}

/** Drops the last digits of numbers, in which sums of floating-point numbers may differ by their order. */
function normalize(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isInteger(value)) return Number(value.toPrecision(14));
  if (Array.isArray(value)) return value.map(normalize);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).map(([key, inner]) => [key, normalize(inner as JsonValue)]);
}

/** The rows in their order where the statement orders them. */
function toRows(rows: NonNullable<Answer>, sql: string): readonly string[] {
  // Spark gives the items of a set in the order of their hashes, which it does not promise.
  const isSet = /\bcollect_set\(/i.test(sql);
  const written = rows.map((row) => {
    const text = JSON.stringify(normalize(row));
    return isSet ? Array.from(text).sort().join('') : text;
  });
  return isOrdered(sql) ? written : written.sort();
}

/** Whether there is an ORDER BY outside of all parentheses. */
function isOrdered(sql: string): boolean {
  let outer = sql.replace(/'[^']*'/g, '');
  for (let inner = ''; inner !== outer; ) {
    inner = outer;
    outer = outer.replace(/\([^()]*\)/g, '');
  }
  return /\border by\b/i.test(outer);
}
