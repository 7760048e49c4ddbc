import { isObject } from '../shared/json.ts';

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

/** Whether a statement of Prisma failed because a row that it refers to is gone. */
export function refersToMissingRow(error: unknown): boolean {
  if (!(error instanceof Error && 'meta' in error && isObject(error.meta))) return false;
  // Prisma keeps the error of the driver there.
  const driverError = error.meta.driverAdapterError;
  const cause = driverError instanceof Error ? driverError.cause : undefined;
  return isObject(cause) && cause.originalCode === '23503';
}

/** Whether the data of a row may have caused the error: data exceptions, constraints, program limits. */
export function isDataError(error: unknown): error is DatabaseError {
  return hasCode(error) && /^(22|23|54)/.test(error.code);
}
