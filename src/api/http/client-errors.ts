import { type FormattedExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql';

/**
 * Writes a result for a client without what only HTTP uses: Yoga keeps the status and the headers of an answer in the
 * extensions of its errors, and removes them itself only from what it sends.
 */
export function toClientResult(result: object): FormattedExecutionResult {
  if (!('errors' in result) || !Array.isArray(result.errors)) return result;
  return { ...result, errors: result.errors.map(toClientError) };
}

/** An error as it is sent to a client, without the status and headers of an answer. */
export function toClientError(error: unknown): GraphQLFormattedError {
  const written = (error instanceof GraphQLError ? error.toJSON() : error) as GraphQLFormattedError;
  if (written.extensions === undefined) return written;
  const { http: _http, unexpected: _unexpected, ...extensions } = written.extensions;
  return { ...written, extensions };
}

/** Gives an error of GraphQL itself a code, if it has none, and leaves out what the parser of a body has thrown. */
export function withCode(error: GraphQLError): GraphQLError {
  const { message, nodes, source, positions, path, cause } = error;
  const { originalError, ...extensions } = error.extensions;
  if (typeof extensions.code === 'string' && originalError === undefined) return error;
  return new GraphQLError(message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    cause,
    extensions: { ...extensions, code: findCode(error) },
  });
}

/** Finds the code of an error of GraphQL itself: only a text that cannot be parsed has a place and no nodes. */
export function findCode({ extensions, nodes, positions }: GraphQLError): string {
  if (typeof extensions.code === 'string') return extensions.code;
  return nodes === undefined && positions !== undefined ? 'GRAPHQL_PARSE_FAILED' : 'BAD_USER_INPUT';
}
