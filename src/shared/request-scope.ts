import { AsyncLocalStorage } from 'node:async_hooks';
import { v7 as newUuid } from 'uuid';
import { createIterator, DONE } from './async-iterator.ts';

/** What is known of the request that is being answered, wherever in the program that happens. */
export interface RequestScope {
  /** That of its `X-Request-Id`, or a new one. */
  readonly requestId: string;
  /** What its line in the log says beside the rest, such as the job that it is about. */
  readonly facts: Record<string, string>;
  /** Whether a line of the log has told of it. */
  isLogged: boolean;
}

const scopes = new AsyncLocalStorage<RequestScope>();

/** What a client may call its request: short, and nothing that could be taken for another part of a log. */
const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;

/** @param given the `X-Request-Id` of the request; a new id is made where there is none, or none that can be used. */
export function newRequestScope(given?: string | readonly string[]): RequestScope {
  const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : newUuid();
  return { requestId, facts: {}, isLogged: false };
}

/** Does something as part of answering a request. */
export function inRequest<Result>(scope: RequestScope, work: () => Result): Result {
  return scopes.run(scope, work);
}

/** The request that is being answered; undefined where there is none, as in a worker. */
export function currentRequest(): RequestScope | undefined {
  return scopes.getStore();
}

/** Adds to what the log says of the request that is being answered, where one is. */
export function noteInRequest(facts: Readonly<Record<string, string | undefined>>): void {
  const scope = currentRequest();
  if (scope === undefined) return;
  for (const [name, value] of Object.entries(facts)) if (value !== undefined) scope.facts[name] = value;
}

/** Gives what comes as part of answering a request, whoever asks for the next of it. */
export function iterateInRequest<Value>(
  scope: RequestScope,
  source: AsyncIterable<Value>,
): AsyncIterableIterator<Value> {
  const values = source[Symbol.asyncIterator]();
  return createIterator<Value>(
    async () => {
      const result = await inRequest(scope, () => values.next());
      return result.done ? DONE : result;
    },
    () => values.return?.(),
  );
}
