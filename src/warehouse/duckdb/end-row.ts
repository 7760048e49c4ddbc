/**
 * A statement with one more row, which comes last and only when every row before it came.
 *
 * A stream of the engine that breaks off looks like one that has ended: both give no further chunk, and the bindings do not
 * expose the error. The row proves the end instead of the absence of an error, so it holds for whatever the statement is.
 */
export interface EndRowStatement {
  readonly sql: string;
  /** Fails as the statement does, but with its error, and without keeping its rows. */
  readonly causeSql: string;
}

/**
 * @param sql one SELECT in the dialect of DuckDB.
 * @param columns the names that `hash` has for the columns of the SELECT.
 * @param hash an expression of each row, which becomes a column behind them; null for none.
 */
export function withEndRow(sql: string, columns: readonly string[], hash: string | null): EndRowStatement {
  const values = hash === null ? columns : [...columns, hash];
  const nulls = values.map(() => 'NULL');
  const rows = `(${sql}\n) AS result(${columns.join(', ')})`;
  return {
    sql: `SELECT ${values.join(', ')}, NULL::BOOLEAN FROM ${rows} UNION ALL SELECT ${nulls.join(', ')}, TRUE`,
    causeSql: `SELECT max(hash(${columns.join(', ')})) FROM ${rows}`,
  };
}
