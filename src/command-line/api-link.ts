import type { NetworkError, RequestParams } from 'graphql-sse';
import { CommandError } from './command-error.ts';
import type { CompleteData } from './complete-data.ts';
import { ExitCode } from './exit-code.ts';
import { type AnswerError, toCommandError } from './failure.ts';
import type { TypedDocumentString } from './generated/graphql.ts';
import type { ServerAddress } from './server-address.ts';

/** The link to the API: HTTP, and server-sent events for subscriptions. Every failure is a CommandError. */
export interface ApiLink {
  /** Sends a query or mutation. */
  send<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<CompleteData<Result>>;
  /** Asks the server for a backup. @returns the archive as it comes. */
  fetchBackup(): Promise<ReadableStream<Uint8Array>>;
  /**
   * Yields each result of a subscription until the server completes it or the connection breaks.
   * @param signal ends it.
   */
  subscribe<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
    signal?: AbortSignal,
  ): AsyncGenerator<Result, void>;
}

/** How long an open stream may be silent, in milliseconds: the server sends a ping every 12 seconds. */
const SILENCE_LIMIT_MS = 30_000;

/** How long a stream may take to open, in milliseconds. */
const OPENING_LIMIT_MS = 15_000;

export function createApiLink(address: ServerAddress): ApiLink {
  const { url } = address;

  async function send<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<CompleteData<Result>> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        ...createAuthorization(address.readToken()),
      },
      body: JSON.stringify({ query: operation.toString(), variables }),
    }).catch((error: unknown) => {
      throw toUnreachableError(error, url);
    });
    return takeData<CompleteData<Result>>(await readAnswer(response, url));
  }

  async function fetchBackup(): Promise<ReadableStream<Uint8Array>> {
    const response = await fetch(new URL('/backup', url), {
      method: 'POST',
      headers: { 'x-requested-with': 'blade', ...createAuthorization(address.readToken()) },
    }).catch((error: unknown) => {
      throw toUnreachableError(error, url);
    });
    if (response.ok && response.body !== null) return response.body;
    takeData(await readAnswer(response, url));
    throw toHttpError(response, url);
  }

  async function* subscribe<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
    signal?: AbortSignal,
  ): AsyncGenerator<Result, void> {
    const [{ createClient, NetworkError }, { Agent, fetch }] = await Promise.all([
      import('graphql-sse'),
      import('undici'),
    ]);
    const dispatcher = new Agent({ bodyTimeout: SILENCE_LIMIT_MS, headersTimeout: OPENING_LIMIT_MS });
    const token = address.readToken();
    let isOpen = false;
    const client = createClient({
      url,
      headers: createAuthorization(token),
      retryAttempts: 0,
      on: {
        connected() {
          isOpen = true;
        },
      },
      fetchFn: (input: string, init: object) => fetch(input, { ...init, dispatcher }),
    });
    const request = { query: operation.toString(), variables } as RequestParams;
    const end = () => client.dispose();
    try {
      signal?.throwIfAborted();
      signal?.addEventListener('abort', end, { once: true });
      for await (const answer of client.iterate<Result>(request)) yield takeData<Result>(answer);
    } catch (error) {
      const failure = error instanceof NetworkError ? await toStreamError(error, url, isOpen) : error;
      if (!(failure instanceof CommandError) || failure.exitCode !== ExitCode.NOT_ALLOWED) throw failure;
      // An expired token may have been renewed in its file.
      const isTransient = address.readToken() !== token;
      throw new CommandError(failure.exitCode, failure.message, { isTransient });
    } finally {
      signal?.removeEventListener('abort', end);
      client.dispose();
      await dispatcher.destroy();
    }
  }

  return { send, fetchBackup, subscribe };
}

/** An answer of the API as it comes. */
interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly AnswerError[];
}

function takeData<Result>({ data, errors }: Answer): Result {
  if (errors !== undefined && errors.length > 0) throw toCommandError(errors);
  return data as Result;
}

function createAuthorization(token: string | null): Record<string, string> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** @throws CommandError for an answer that is not GraphQL. */
async function readAnswer(response: Response, url: string): Promise<Answer> {
  const answer: unknown = await response.json().catch(() => null);
  if (typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer)) {
    return answer as Answer;
  }
  throw toHttpError(response, url);
}

/** Says why a subscription was refused or broke. */
async function toStreamError(error: NetworkError, url: string, wasOpen: boolean): Promise<unknown> {
  if (wasOpen) return createUnreachableError(`lost the connection to ${url} (${describeCause(error)})`);
  if (!(error.response instanceof Object)) return toUnreachableError(error, url);
  try {
    const { errors = [] } = await readAnswer(error.response as Response, url);
    return toCommandError(errors);
  } catch (notGraphql) {
    return notGraphql;
  }
}

function toHttpError({ status }: Response, url: string): CommandError {
  if (status === 401) return new CommandError(ExitCode.NOT_ALLOWED, 'the server does not know the token');
  const isTransient = status >= 500 || status === 429;
  const reason = isTransient
    ? 'the server is away or too busy'
    : 'this is not the API; set --url to its address';
  return createUnreachableError(`${url} answered HTTP ${status}: ${reason}`, isTransient);
}

function toUnreachableError(error: unknown, url: string): CommandError {
  return createUnreachableError(
    `cannot reach ${url} (${describeCause(error)}): set --url or BLADE_URL to the server's address`,
  );
}

function createUnreachableError(message: string, isTransient = true): CommandError {
  return new CommandError(ExitCode.UNREACHABLE, message, { isTransient });
}

/** Describes the innermost cause of a failed request, such as `connect ECONNREFUSED 127.0.0.1:4000`. */
function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return describeCause(error.errors[0]);
  return error.cause instanceof Error ? describeCause(error.cause) : error.message;
}
