import { GraphQLError } from 'graphql';

/** The error for an operation that is too large; sending it again does not help. */
export function tooLarge(code: string, message: string, details: object = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...details, http: { status: 400 } } });
}

/** @param retryAfterSeconds how long to wait before trying again. */
export function rateLimited(message: string, retryAfterSeconds: number): GraphQLError {
  return new GraphQLError(message, {
    extensions: {
      code: 'RATE_LIMITED',
      retryAfterSeconds,
      http: { status: 429, headers: { 'Retry-After': String(retryAfterSeconds) } },
    },
  });
}

/** @param most how many operations may run on one WebSocket. */
export function tooManyOperations(most: number): GraphQLError {
  return new GraphQLError(
    `This connection already runs ${most} operations, the most allowed: end one first.`,
    {
      extensions: { code: 'TOO_MANY_OPERATIONS' },
    },
  );
}
