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
import { rateLimited } from '../limits/limit-error.ts';
import type { Extra } from './web-socket/web-sockets.ts';

/** What is known of a WebSocket connection once its principal is. */
export interface AuthenticatedConnection {
  readonly principal: Principal;
}

/** What yoga is given with each request over HTTP. */
export interface NodeContext {
  readonly req: IncomingMessage;
}

/** Finds out who sends each request over HTTP, before anything of it is read but its headers. */
export function authenticateRequests(authenticator: Authenticator, addressOf: ClientAddress, log: Logger) {
  const principals = new WeakMap<Request, Principal>();

  const plugin: Plugin<object, NodeContext> = {
    async onRequestParse({ request, serverContext: { req } }) {
      const authorization = request.headers.get('authorization') ?? undefined;
      try {
        principals.set(request, await authenticator.authenticate(authorization, addressOf(req)));
      } catch (error) {
        throw refusal(error, log);
      }
    },
    onSubscribe({ args: { contextValue } }) {
      const principal = principals.get(contextValue.request);
      // The subscriptions of a WebSocket end with their connection.
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
    /** @throws where the request was not authenticated: nothing is answered without. */
    principalOf(request: Request): Principal {
      const principal = principals.get(request);
      if (principal === undefined) throw new Error('the request has not been authenticated');
      return principal;
    },
  };
}

/** What graphql-ws closes connections with: clients renew their credential and connect again, */
const FORBIDDEN = 4403;
/** or give up. */
const UNAUTHORIZED = 4401;
/** Something on the server's side is away, or too much was tried: clients connect again, later. */
const TRY_AGAIN_LATER = 1013;

type Connection = Context<Record<string, unknown>, Extra>;

/**
 * Finds out who opens each WebSocket, by the payload of its `connection_init`, and closes it when their right ends.
 * @returns hooks of graphql-ws.
 */
export function authenticateConnections(authenticator: Authenticator, addressOf: ClientAddress, log: Logger) {
  const unwatch = new WeakMap<object, () => void>();

  return {
    async onConnect({ connectionParams, extra }: Connection): Promise<boolean> {
      try {
        const principal = await authenticator.authenticate(
          authorizationOf(connectionParams),
          addressOf(extra.request),
        );
        Object.assign(extra, { principal } satisfies AuthenticatedConnection);
        const stop = authenticator.watch(principal, (reason) => close(extra, FORBIDDEN, reason));
        unwatch.set(extra.socket, stop);
        // It may have been closed while its principal was looked up.
        if (extra.socket.readyState > extra.socket.OPEN) stop();
        return true;
      } catch (error) {
        const told = refusal(error, log);
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

/** A reason is at most 123 bytes, and a character that was cut becomes one of three. */
const MAX_REASON_BYTES = 120;

/** The credential in the payload of a `connection_init`, where clients put it in one of these ways. */
function authorizationOf(payload: Record<string, unknown> = {}): string | undefined {
  const { headers } = payload;
  const places = [payload, ...(typeof headers === 'object' && headers !== null ? [headers] : [])];
  return places
    .flatMap(Object.entries)
    .find(([name, value]) => name.toLowerCase() === 'authorization' && typeof value === 'string')?.[1];
}

/** What a client is told whose credential is missing or no good, as RFC 6750 has it; or that it cannot be told. */
function refusal(error: unknown, log: Logger): GraphQLError {
  if (error instanceof TooManyFailedCredentialsError)
    return rateLimited(error.message, error.retryAfterSeconds);
  if (!(error instanceof UnauthenticatedError)) {
    log.error({ err: error }, 'a credential could not be looked at');
    return new GraphQLError('the credential cannot be looked at now: try again later', {
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

/** The results of a subscription, and the error that its principal's right has ended with, should it do so before. */
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

  async function nextOfSource(): Promise<IteratorResult<ExecutionResult> | null> {
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
      const result = await nextOfSource();
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
