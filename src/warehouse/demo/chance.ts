import { quoteText } from './copy-table.ts';

/**
 * Reproducible random choices, as DuckDB SQL. `row` is the number of a row; `about` names the choice, so that two choices for
 * one row are independent.
 */

/** Picks a whole number from 0 to `end` - 1. */
export function pickNumber(end: number, row: string, about: string): string {
  return `(hash(${row}, ${quoteText(about)}) % ${end})::INTEGER`;
}

/** Picks one of the texts. */
export function pickText(texts: readonly string[], row: string, about: string): string {
  return `[${texts.map(quoteText).join(', ')}][1 + ${pickNumber(texts.length, row, about)}]`;
}

/** True for about one row in `every`. */
export function happensOnceIn(every: number, row: string, about: string): string {
  return `${pickNumber(every, row, about)} = 0`;
}
