/**
 * A statement with one more row, which comes last and only after every other row.
 *
 * The engine gives no further chunk both at the end of the rows and after an error, and its bindings hide the error. The row
 * proves the end, whatever the statement is.
 */
export interface EndRowStatement {
  readonly sql: string;
  /** Reads the same rows into one aggregate, so that an error among them is thrown. */
  readonly causeSql: string;
}

/** Expressions over the columns that become more columns of every row; null for none. */
export interface RowMeasures {
  /** How large the row is: the engine works it out first. */
  readonly bytes: string | null;
  readonly hash: string | null;
}

/**
 * Adds the row to a statement.
 * @param sql one SELECT in the dialect of DuckDB.
 * @param columns a name for each of its columns, as the measures have them.
 */
export function addEndRow(
  sql: string,
  columns: readonly string[],
  { bytes, hash }: RowMeasures,
): EndRowStatement {
  const values = [...columns, ...[bytes, hash].filter((measure) => measure !== null)];
  const nulls = values.map(() => 'NULL');
  const rows = `(${sql}\n) AS result(${columns.join(', ')})`;
  return {
    sql: `SELECT ${values.join(', ')}, NULL::BOOLEAN FROM ${rows} UNION ALL SELECT ${nulls.join(', ')}, TRUE`,
    causeSql: `SELECT max(hash(${columns.join(', ')})) FROM ${rows}`,
  };
}
