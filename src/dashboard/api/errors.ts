import { CombinedGraphQLErrors, ServerError } from '@apollo/client';

/** Says what failed, in the server's own words where there are any. */
export function describeError(error: unknown): string {
  if (CombinedGraphQLErrors.is(error)) return error.errors.map(({ message }) => message).join(' ');
  if (ServerError.is(error)) return `The server answered with status ${error.statusCode}.`;
  return 'The server cannot be reached. Try again when it is back.';
}

/** Whether the server does not know the credential. */
export function isUnauthenticated(error: unknown): boolean {
  if (ServerError.is(error)) return error.statusCode === 401;
  return (
    CombinedGraphQLErrors.is(error) &&
    error.errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED')
  );
}

/** Whether there was no answer at all. */
export function isUnreachable(error: unknown): boolean {
  return !CombinedGraphQLErrors.is(error) && !ServerError.is(error);
}
