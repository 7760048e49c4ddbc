import { AsyncLocalStorage } from 'node:async_hooks';
import { v7 as newUuid } from 'uuid';
import { createIterator, DONE } from './async-iterator.ts';

/** The current request, available anywhere in the program. */
export interface RequestScope {
  /** Its `X-Request-Id`, or a new id. */
  readonly requestId: string;
  /** Further fields of its log line, such as the job it concerns. */
  readonly facts: Record<string, string>;
  /** The names of the expected errors that it returned. */
  readonly refusals: Set<string>;
  /** Whether it has been logged. */
  isLogged: boolean;
}

const scopes = new AsyncLocalStorage<RequestScope>();

/** A request id from a client: short, and nothing that could forge a log entry. */
const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;

/** @param given the `X-Request-Id` of the request; an invalid one is replaced by a new id. */
export function createRequestScope(given?: string | readonly string[]): RequestScope {
  const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : newUuid();
  return { requestId, facts: {}, refusals: new Set(), isLogged: false };
}

/** Creates the scope of one operation of a request, which may be a batch: each has its own log line. */
export function createOperationScope({ requestId }: Pick<RequestScope, 'requestId'>): RequestScope {
  return { requestId, facts: {}, refusals: new Set(), isLogged: false };
}

/** Runs work as part of answering a request. */
export function runInRequest<Result>(scope: RequestScope, work: () => Result): Result {
  return scopes.run(scope, work);
}

/** The request that is being answered; undefined outside of one, as in a worker. */
export function getCurrentRequest(): RequestScope | undefined {
  return scopes.getStore();
}

/** Adds fields to the log line of the current request, if there is one. */
export function noteInRequest(facts: Readonly<Record<string, string | undefined>>): void {
  const scope = getCurrentRequest();
  if (scope === undefined) return;
  for (const [name, value] of Object.entries(facts)) if (value !== undefined) scope.facts[name] = value;
}

/** Notes an expected error that the current request returned, if there is one. */
export function noteRefusal({ name }: Error): void {
  getCurrentRequest()?.refusals.add(name);
}

/** Iterates as part of answering a request, whatever the context of the consumer. */
export function iterateInRequest<Value>(
  scope: RequestScope,
  source: AsyncIterable<Value>,
): AsyncIterableIterator<Value> {
  const values = source[Symbol.asyncIterator]();
  return createIterator<Value>(
    async () => {
      const result = await runInRequest(scope, () => values.next());
      return result.done ? DONE : result;
    },
    () => values.return?.(),
  );
}
