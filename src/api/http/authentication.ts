import type { IncomingMessage } from 'node:http';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Context } from 'graphql-ws';
import type { Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import { TooManyFailedCredentialsError, UnauthenticatedError } from '../../access/access-errors.ts';
import type { Authenticator } from '../../access/authenticator.ts';
import type { ClientAddress } from '../../access/client-address.ts';
import type { Principal } from '../../access/principal.ts';
import { createIterator, DONE } from '../../shared/async-iterator.ts';
import { isObject } from '../../shared/json.ts';
import { rateLimited } from '../limits/limit-error.ts';
import type { Extra } from './web-socket/extra.ts';

/** A WebSocket connection whose principal is known. */
export interface AuthenticatedConnection {
  readonly principal: Principal;
}

/** The server context of each HTTP request in yoga. */
export interface NodeContext {
  readonly req: IncomingMessage;
}

/** Authenticates each HTTP request by its headers, before the body is read. */
export function authenticateRequests(authenticator: Authenticator, findAddress: ClientAddress, log: Logger) {
  const principals = new WeakMap<Request, Principal>();

  const plugin: Plugin<object, NodeContext> = {
    async onRequestParse({ request, serverContext: { req } }) {
      const authorization = request.headers.get('authorization') ?? undefined;
      try {
        principals.set(request, await authenticator.authenticate(authorization, findAddress(req)));
      } catch (error) {
        throw toRefusal(error, log);
      }
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
    /** @throws if the request was not authenticated. */
    getPrincipal(request: Request): Principal {
      const principal = principals.get(request);
      if (principal === undefined) throw new Error('the request has not been authenticated');
      return principal;
    },
  };
}

/** Close code of graphql-transport-ws: renew the credential and connect again. */
const FORBIDDEN = 4403;
/** Close code of graphql-transport-ws: do not try again without a credential. */
const UNAUTHORIZED = 4401;
/** Close code of RFC 6455 for a passing failure or too many attempts: connect again later. */
const TRY_AGAIN_LATER = 1013;

type Connection = Context<Record<string, unknown>, Extra>;

/**
 * Authenticates each WebSocket by the payload of its `connection_init`, and closes it when the credential expires or is
 * revoked.
 * @returns hooks for graphql-ws.
 */
export function authenticateConnections(
  authenticator: Authenticator,
  findAddress: ClientAddress,
  log: Logger,
) {
  const unwatch = new WeakMap<object, () => void>();

  return {
    async onConnect({ connectionParams, extra }: Connection): Promise<boolean> {
      try {
        const principal = await authenticator.authenticate(
          findAuthorization(connectionParams),
          findAddress(extra.request),
        );
        Object.assign(extra, { principal } satisfies AuthenticatedConnection);
        const stop = authenticator.watch(principal, (reason) => close(extra, FORBIDDEN, reason));
        unwatch.set(extra.socket, stop);
        // The socket may have closed in the meantime.
        if (extra.socket.readyState > extra.socket.OPEN) stop();
        return true;
      } catch (error) {
        const told = toRefusal(error, log);
        if (!(error instanceof UnauthenticatedError)) close(extra, TRY_AGAIN_LATER, told);
        else close(extra, error.isMissing ? UNAUTHORIZED : FORBIDDEN, told);
        return false;
      }
    },
    onClose({ extra }: Connection): void {
      unwatch.get(extra.socket)?.();
    },
  };
}

function close({ socket }: Connection['extra'], code: number, { message }: Error): void {
  socket.close(code, Buffer.from(message).subarray(0, MAX_REASON_BYTES).toString());
}

/** A close reason has at most 123 bytes; a character cut in half becomes one of three bytes. */
const MAX_REASON_BYTES = 120;

/** Finds the credential in the payload of a `connection_init`, at its top or in its `headers`, as clients send it. */
function findAuthorization(payload: Record<string, unknown> = {}): string | undefined {
  const { headers } = payload;
  const places = [payload, ...(isObject(headers) ? [headers] : [])];
  return places
    .flatMap(Object.entries)
    .find(([name, value]) => name.toLowerCase() === 'authorization' && typeof value === 'string')?.[1];
}

/** The error for a missing or invalid credential (RFC 6750), or for one that cannot be checked now. */
function toRefusal(error: unknown, log: Logger): GraphQLError {
  if (error instanceof TooManyFailedCredentialsError)
    return rateLimited(error.message, error.retryAfterSeconds);
  if (!(error instanceof UnauthenticatedError)) {
    log.error({ err: error }, 'a credential could not be checked');
    return new GraphQLError('the credential cannot be checked now: try again later', {
      extensions: { code: 'SERVICE_UNAVAILABLE', http: { status: 503 } },
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
