interface DatabaseError extends Error {
  /** SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly code: string;
}

/** Whether an error has a code of the database. */
export function hasCode(error: unknown): error is DatabaseError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

export function isDeadlock(error: unknown): boolean {
  return hasCode(error) && error.code === '40P01';
}

/** Whether the data of a row may have caused the error: data exceptions, constraints, program limits. */
export function isDataError(error: unknown): error is DatabaseError {
  return hasCode(error) && /^(22|23|54)/.test(error.code);
}
