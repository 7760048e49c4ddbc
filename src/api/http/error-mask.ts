import { PothosValidationError } from '@pothos/core';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import { v7 as newUuid } from 'uuid';
import { isOutage } from '../../database/outage.ts';
import { ExpectedError } from '../../shared/expected-error.ts';
import { isDiskFull } from '../../shared/full-disk.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { getCurrentRequest } from '../../shared/request-scope.ts';
import type { Redact } from '../../shared/secrets.ts';
import { findCode, withCode } from './client-errors.ts';

/**
 * Creates the mask for errors outside a mutation's union. Expected errors keep their message and get a code. Any other is
 * logged under an id, and the client gets only the id.
 * @param redact removes secrets from messages.
 */
export function createErrorMask(log: Logger, redact: Redact): (error: unknown) => Error {
  return (error) => {
    if (isBrokenOff(error))
      return new GraphQLError('The request was aborted.', { extensions: { code: 'BAD_REQUEST' } });
    if (!(error instanceof GraphQLError)) return mask(log, error, {});
    const original = findOriginal(error);
    if (original === undefined) return withCode(error);
    const { nodes, positions, path } = error;
    const place = { nodes: nodes ?? null, positions: positions ?? null, path: path ?? null };
    if (original instanceof InvalidInputError) {
      return new GraphQLError(redact(original.message), {
        ...place,
        extensions: { code: BAD_INPUT, issues: original.issues },
      });
    }
    if (original instanceof ExpectedError) {
      return new GraphQLError(redact(original.message), { ...place, extensions: { code: original.code } });
    }
    if (original instanceof PothosValidationError) {
      return new GraphQLError(redact(original.message), { ...place, extensions: { code: BAD_INPUT } });
    }
    return mask(log, original, place);
  };
}

/** Finds the error that a resolver threw; undefined for GraphQL's own errors, which clients may see. */
function findOriginal(error: GraphQLError): Error | undefined {
  let original = error.originalError;
  while (original instanceof GraphQLError) original = original.originalError;
  return original ?? undefined;
}

/** Whether the client disconnected before it had sent the whole request, so that nobody reads the answer. */
function isBrokenOff(error: unknown): boolean {
  return (
    error instanceof Error && error.message === 'aborted' && 'code' in error && error.code === 'ECONNRESET'
  );
}

function mask(log: Logger, error: unknown, place: object): GraphQLError {
  const errorId = newUuid();
  const scope = getCurrentRequest();
  const request = scope === undefined ? {} : { requestId: scope.requestId };
  log.error({ err: error, errorId, ...request }, 'a request failed unexpectedly');
  if (isDiskFull(error)) {
    return new GraphQLError(
      'The disk of the database is full, so nothing was changed: free some space and try again.',
      { ...place, extensions: { code: 'SERVICE_UNAVAILABLE', errorId, ...request } },
    );
  }
  if (isOutage(error)) {
    return new GraphQLError(
      'The database does not answer now: try again in a moment. Look first whether a change has been made.',
      { ...place, extensions: { code: 'SERVICE_UNAVAILABLE', errorId, ...request } },
    );
  }
  return new GraphQLError(`Unexpected error. Find its cause in the log under ${errorId}.`, {
    ...place,
    extensions: { code: UNEXPECTED, errorId, ...request },
  });
}

/** The code of a masked error. */
export const UNEXPECTED = 'INTERNAL_SERVER_ERROR';

/** Returns the code that a client gets for an error, masked or not. */
export function toErrorCode(error: unknown): string {
  if (!(error instanceof GraphQLError)) return UNEXPECTED;
  const original = findOriginal(error);
  if (original === undefined) return findCode(error);
  if (original instanceof InvalidInputError || original instanceof PothosValidationError) return BAD_INPUT;
  return original instanceof ExpectedError ? original.code : UNEXPECTED;
}

const BAD_INPUT = 'BAD_USER_INPUT';
