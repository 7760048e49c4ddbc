import { PothosValidationError } from '@pothos/core';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { v7 as newUuid } from 'uuid';
import { ExpectedError } from '../../shared/expected-error.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { currentRequest } from '../../shared/request-scope.ts';
import type { Redact } from '../../shared/secrets.ts';

/**
 * What a client is told of an error that is not part of a mutation's union. Errors that can be expected keep their
 * message and get a code; any other is logged under an id, and the id is all that the client learns.
 * @param redact takes secrets out of what is told.
 */
export function createErrorMask(log: Logger, redact: Redact): (error: unknown) => Error {
  return (error) => {
    if (isBrokenOff(error)) return new GraphQLError('The request was broken off.');
    if (!(error instanceof GraphQLError)) return mask(log, error, {});
    const original = originalOf(error);
    if (original === undefined) return error;
    const { nodes, positions, path } = error;
    const place = { nodes: nodes ?? null, positions: positions ?? null, path: path ?? null };
    if (original instanceof InvalidInputError) {
      return new GraphQLError(redact(original.message), {
        ...place,
        extensions: { code: BAD_INPUT, issues: original.issues },
      });
    }
    if (original instanceof ExpectedError) {
      return new GraphQLError(redact(original.message), { ...place, extensions: { code: codeOf(original) } });
    }
    if (original instanceof PothosValidationError) {
      return new GraphQLError(redact(original.message), { ...place, extensions: { code: BAD_INPUT } });
    }
    return mask(log, original, place);
  };
}

/** The error that a resolver threw; undefined where GraphQL itself made the error, which is for the client. */
function originalOf(error: GraphQLError): Error | undefined {
  let original = error.originalError;
  while (original instanceof GraphQLError) original = original.originalError;
  return original ?? undefined;
}

/** Whether a client went away before it had sent all of its request: nobody reads the answer. */
function isBrokenOff(error: unknown): boolean {
  return (
    error instanceof Error && error.message === 'aborted' && 'code' in error && error.code === 'ECONNRESET'
  );
}

function mask(log: Logger, error: unknown, place: object): GraphQLError {
  const errorId = newUuid();
  const scope = currentRequest();
  const request = scope === undefined ? {} : { requestId: scope.requestId };
  log.error({ err: error, errorId, ...request }, 'a request failed unexpectedly');
  return new GraphQLError(`Unexpected error; the log has it under ${errorId}`, {
    ...place,
    extensions: { code: UNEXPECTED, errorId, ...request },
  });
}

/** The code of what a client is told nothing about. */
export const UNEXPECTED = 'INTERNAL_SERVER_ERROR';

/** The code that a client gets for an error, before or after it has been masked. */
export function errorCodeOf(error: unknown): string {
  if (!(error instanceof GraphQLError)) return UNEXPECTED;
  const original = originalOf(error);
  if (original === undefined) {
    const { code } = error.extensions;
    return typeof code === 'string' ? code : 'GRAPHQL_ERROR';
  }
  if (original instanceof InvalidInputError || original instanceof PothosValidationError) return BAD_INPUT;
  return original instanceof ExpectedError ? codeOf(original) : UNEXPECTED;
}

const BAD_INPUT = 'BAD_USER_INPUT';

/** `JobNotFoundError` has the code `JOB_NOT_FOUND`. */
function codeOf(error: ExpectedError): string {
  return error.name
    .replace(/Error$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toUpperCase();
}
