import { bindParameter, compose, composeName, composeText } from '../sql-check/checked-statement.ts';
import type { CheckedSql } from '../warehouse/warehouse.ts';

/** Composes the id of the item of a row, from the column with the id; empty or NULL for a row without one. */
export function composeItemId(column: string): CheckedSql {
  const text = compose`CAST(${composeName(column)} AS STRING)`;
  const trimmed = compose`TRIM(BOTH ${bindParameter('white_space', WHITE_SPACE)} FROM ${text})`;
  // To trim so many characters takes ten times as long as to see that there are none.
  return compose`CASE WHEN ${text} RLIKE ${composeText('[^!-~]')} THEN ${trimmed} ELSE ${text} END`;
}

/** What is no part of an id at its ends, as in `transform.ts`: rows with one id must be in one partition. */
const WHITE_SPACE =
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff';
