import type { NetworkError, RequestParams } from 'graphql-sse';
import type { Connection } from './connection.ts';
import { CommandError, ExitCode } from './exit-code.ts';
import { failureOfErrors, type GraphQLAnswer } from './failure.ts';
import type { TypedDocumentString } from './generated/graphql.ts';

/** Speaks to the API: over HTTP and, for what is watched, by server-sent events. Every failure is a CommandError. */
export interface Api {
  /** Sends a query or mutation. */
  send<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<Result>;
  /** Each answer of a subscription until the server completes it, or the connection breaks. */
  subscribe<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): AsyncGenerator<Result, void>;
}

/** How long an open stream may be silent, in milliseconds: the server gives a sign of life every 12 seconds. */
const SILENCE_LIMIT_MS = 30_000;

/** How long a stream may take to open, in milliseconds. */
const OPENING_LIMIT_MS = 15_000;

export function createApi(connection: Connection): Api {
  const { url } = connection;

  async function send<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<Result> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        ...authorizationOf(connection.token()),
      },
      body: JSON.stringify({ query: operation.toString(), variables }),
    }).catch((error: unknown) => {
      throw unreachable(url, error);
    });
    return dataOf<Result>(await answerOf(response, url));
  }

  async function* subscribe<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): AsyncGenerator<Result, void> {
    const [{ createClient, NetworkError }, { Agent, fetch }] = await Promise.all([
      import('graphql-sse'),
      import('undici'),
    ]);
    const dispatcher = new Agent({ bodyTimeout: SILENCE_LIMIT_MS, headersTimeout: OPENING_LIMIT_MS });
    const token = connection.token();
    let isOpen = false;
    const client = createClient({
      url,
      headers: authorizationOf(token),
      retryAttempts: 0,
      on: {
        connected() {
          isOpen = true;
        },
      },
      fetchFn: (input: string, init: object) => fetch(input, { ...init, dispatcher }),
    });
    const request = { query: operation.toString(), variables } as RequestParams;
    try {
      for await (const answer of client.iterate<Result>(request)) yield dataOf<Result>(answer);
    } catch (error) {
      const failure = error instanceof NetworkError ? await failureOf(error, url, isOpen) : error;
      if (!(failure instanceof CommandError) || failure.exitCode !== ExitCode.NOT_ALLOWED) throw failure;
      // A token that ran out may have been renewed in its file.
      throw connection.token() === token ? failure : failure.toTransient();
    } finally {
      client.dispose();
      await dispatcher.destroy();
    }
  }

  return { send, subscribe };
}

function dataOf<Result>({ data, errors }: GraphQLAnswer): Result {
  if (errors !== undefined && errors.length > 0) throw failureOfErrors(errors);
  return data as Result;
}

function authorizationOf(token: string | null): Record<string, string> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** @throws CommandError where the answer is none of GraphQL. */
async function answerOf(response: Response, url: string): Promise<GraphQLAnswer> {
  const answer: unknown = await response.json().catch(() => null);
  if (typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer)) {
    return answer as GraphQLAnswer;
  }
  throw wrongAnswer(response, url);
}

/** Why a subscription was refused, or broke. */
async function failureOf(error: NetworkError, url: string, wasOpen: boolean): Promise<unknown> {
  if (wasOpen) {
    return new CommandError(ExitCode.UNREACHABLE, `${url} has gone away (${reasonOf(error)})`, {
      isTransient: true,
    });
  }
  if (!(error.response instanceof Object)) return unreachable(url, error);
  try {
    const { errors = [] } = await answerOf(error.response as Response, url);
    return failureOfErrors(errors);
  } catch (wrong) {
    return wrong;
  }
}

function wrongAnswer({ status }: Response, url: string): CommandError {
  if (status === 401) return new CommandError(ExitCode.NOT_ALLOWED, 'the server does not know the token');
  const isTransient = status >= 500 || status === 429;
  const reason = isTransient
    ? 'it is away or too busy'
    : 'is that the address of the API? --url says where it is';
  return new CommandError(ExitCode.UNREACHABLE, `${url} answers with HTTP ${status}: ${reason}`, {
    isTransient,
  });
}

function unreachable(url: string, error: unknown): CommandError {
  const message = `cannot reach ${url} (${reasonOf(error)}): --url or BLADE_URL says where the server is`;
  return new CommandError(ExitCode.UNREACHABLE, message, { isTransient: true });
}

/** The innermost reason of a request that failed, such as `connect ECONNREFUSED 127.0.0.1:4000`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
