import { textLiteral } from './copy-table.ts';

/**
 * Chance that falls the same way each time, in the SQL of DuckDB: `row` is the number of a row, `about` names what is
 * decided, so that two decisions on one row do not go together.
 */

/** A whole number from 0 up to but without `end`. */
export function numberBelow(end: number, row: string, about: string): string {
  return `(hash(${row}, ${textLiteral(about)}) % ${end})::INTEGER`;
}

/** One of the texts. */
export function oneOf(texts: readonly string[], row: string, about: string): string {
  return `[${texts.map(textLiteral).join(', ')}][1 + ${numberBelow(texts.length, row, about)}]`;
}

/** True for the row in every so many. */
export function onceIn(every: number, row: string, about: string): string {
  return `${numberBelow(every, row, about)} = 0`;
}
