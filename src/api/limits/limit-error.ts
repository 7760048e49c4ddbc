import { GraphQLError } from 'graphql';

/** Too much was asked for at once: asked again in the same way, it is refused again. */
export function tooLarge(code: string, message: string, details: object = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { code, ...details, http: { status: 400 } } });
}

/** @param retryAfterSeconds after how long it can be asked again. */
export function rateLimited(message: string, retryAfterSeconds: number): GraphQLError {
  return new GraphQLError(message, {
    extensions: {
      code: 'RATE_LIMITED',
      retryAfterSeconds,
      http: { status: 429, headers: { 'Retry-After': String(retryAfterSeconds) } },
    },
  });
}

/** @param most operations that one WebSocket may have under way. */
export function tooManyOperations(most: number): GraphQLError {
  return new GraphQLError(
    `There are ${most} operations under way on this connection, which is the most: end one.`,
    {
      extensions: { code: 'TOO_MANY_OPERATIONS' },
    },
  );
}
