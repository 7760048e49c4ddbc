import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import { TooManyFailedCredentialsError, UnauthenticatedError } from '../../access/access-errors.ts';
import type { Authenticator } from '../../access/authenticator.ts';
import type { ClientAddress } from '../../access/client-address.ts';
import type { Principal } from '../../access/principal.ts';
import { createIterator, DONE } from '../../shared/async-iterator.ts';
import { rateLimited } from '../limits/limit-error.ts';

/** The server context of each HTTP request in yoga. */
export interface NodeContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** Authenticates each HTTP request by its headers, before the body is read. */
export function authenticateRequests(authenticator: Authenticator, findAddress: ClientAddress, log: Logger) {
  const principals = new WeakMap<Request, Principal>();

  async function authenticate(request: IncomingMessage): Promise<Principal> {
    try {
      return await authenticator.authenticate(request.headers.authorization, findAddress(request));
    } catch (error) {
      throw toCredentialError(error, log);
    }
  }

  const plugin: Plugin<object, NodeContext> = {
    async onRequestParse({ request, serverContext: { req } }) {
      principals.set(request, await authenticate(req));
    },
    onSubscribe({ args: { contextValue } }) {
      const principal = principals.get(contextValue.request);
      // Subscriptions over WebSocket end with their connection instead.
      if (principal === undefined) return undefined;
      return {
        onSubscribeResult({ result, setResult }) {
          if (!(Symbol.asyncIterator in result)) return;
          setResult(untilEnd(result, (end) => authenticator.watch(principal, end)));
        },
      };
    },
  };

  return {
    plugin,
    /** @throws GraphQLError with the status and headers of the refusal. */
    authenticate,
    /** @throws if the request was not authenticated. */
    getPrincipal(request: Request): Principal {
      const principal = principals.get(request);
      if (principal === undefined) throw new Error('the request has not been authenticated');
      return principal;
    },
  };
}

/** The error for a missing or invalid credential (RFC 6750), or for one that cannot be checked now. */
export function toCredentialError(error: unknown, log: Logger): GraphQLError {
  if (error instanceof TooManyFailedCredentialsError)
    return rateLimited(error.message, error.retryAfterSeconds);
  if (!(error instanceof UnauthenticatedError)) {
    log.error({ err: error }, 'a credential could not be checked');
    return new GraphQLError('the credential cannot be checked now: try again later', {
      extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503, headers: { 'Retry-After': '1' } } },
    });
  }
  const { message, isMissing } = error;
  if (!isMissing) log.info({ reason: message }, 'a credential was refused');
  const detail = isMissing ? '' : ` error="invalid_token", error_description="${message}"`;
  return new GraphQLError(message, {
    extensions: {
      code: 'UNAUTHENTICATED',
      http: { status: 401, headers: { 'WWW-Authenticate': `Bearer${detail}` } },
    },
  });
}

/** The results of a subscription, ended by an error when its principal's credential expires or is revoked first. */
function untilEnd(
  results: AsyncIterable<ExecutionResult>,
  watch: (onEnd: (reason: UnauthenticatedError) => void) => () => void,
): AsyncIterableIterator<ExecutionResult> {
  const source = results[Symbol.asyncIterator]();
  let state: 'open' | 'ending' | 'over' = 'open';
  let ended: UnauthenticatedError | undefined;
  let interrupt: (() => void) | undefined;
  const unwatch = watch((reason) => {
    if (state !== 'open') return;
    state = 'ending';
    ended = reason;
    void source.return?.();
    interrupt?.();
  });

  async function readNext(): Promise<IteratorResult<ExecutionResult> | null> {
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<ExecutionResult> | null>();
    interrupt = () => resolve(null);
    source.next().then(resolve, reject);
    return promise;
  }

  const end = async () => {
    if (state === 'open') await source.return?.();
    state = 'over';
    unwatch();
  };

  return createIterator<ExecutionResult>(async () => {
    if (state === 'open') {
      const result = await readNext();
      if (result !== null && ended === undefined) {
        if (!result.done) return result;
        await end();
        return DONE;
      }
    }
    if (state !== 'ending') return DONE;
    state = 'over';
    const error = new GraphQLError(ended?.message ?? '', { extensions: { code: 'UNAUTHENTICATED' } });
    return { done: false, value: { errors: [error] } };
  }, end);
}
