import type { IncomingMessage, Server } from 'node:http';
import type { ExecutionArgs } from 'graphql';
import { GraphQLError } from 'graphql';
import { type Context, handleProtocols, makeServer } from 'graphql-ws';
import { type createYoga, isAsyncIterable } from 'graphql-yoga';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Authenticator } from '../../../access/authenticator.ts';
import type { ClientAddress } from '../../../access/client-address.ts';
import {
  createRequestScope,
  iterateInRequest,
  type RequestScope,
  runInRequest,
} from '../../../shared/request-scope.ts';
import { tooManyOperations } from '../../limits/limit-error.ts';
import { type createRateLimits, toCaller } from '../../limits/rate-limits.ts';
import type { ApiLimits } from '../../limits/settings.ts';
import { endUnreadSockets } from '../../limits/slow-readers.ts';
import { authenticateConnections } from '../authentication.ts';
import type { OperationObserver } from '../observe-operations.ts';
import type { createOriginPolicy } from '../origin.ts';
import { refuseServerMessages } from './client-messages.ts';
import type { Extra } from './extra.ts';
import { sendResults } from './send-results.ts';

export interface WebSocketOptions {
  readonly server: Server;
  readonly path: string;
  /** Executes the operations, with the plugins that those over HTTP pass through. */
  readonly getEnveloped: (context: object) => Pipeline;
  readonly authenticator: Authenticator;
  readonly findAddress: ClientAddress;
  readonly sites: Pick<ReturnType<typeof createOriginPolicy>, 'isForeign'>;
  readonly rates: Pick<ReturnType<typeof createRateLimits>, 'admitRequest'>;
  readonly operations: Pick<OperationObserver, 'refused'>;
  readonly limits: ApiLimits;
  /** Called with each connection; the function it returns is called when that closes. */
  readonly onConnection: () => () => void;
  readonly log: Logger;
}

/**
 * Serves GraphQL over WebSocket (graphql-transport-ws) on one path of an HTTP server.
 * @returns a function that closes every connection as going away (1001), so that clients connect again.
 */
export function serveWebSockets(options: WebSocketOptions): () => Promise<void> {
  const { server, path, limits, sites, onConnection, log } = options;
  const webSockets = new WebSocketServer({
    server,
    path,
    handleProtocols,
    maxPayload: limits.maxBodyBytes,
    verifyClient: ({ req }: { req: IncomingMessage }) => !sites.isForeign(req),
  });
  const protocol = createProtocol(options);

  webSockets.on('connection', (socket, request) => {
    socket.once('close', onConnection());
    // A connection that breaks closes, which is all that anybody needs to know.
    socket.on('error', (error) => log.debug({ err: error }, 'a WebSocket broke off'));
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (message) => send(socket, message),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (handle) =>
          socket.on('message', (data) => {
            handle(String(data)).catch((error: unknown) => {
              log.error({ err: error }, 'a message over WebSocket failed unexpectedly');
              socket.close(INTERNAL_ERROR, 'Internal server error');
            });
          }),
      },
      { socket, request },
    );
    keepAlive(socket, limits.connections.keepAliveMs);
    socket.once('close', (code, reason) => void closed(code, String(reason)));
  });
  endUnreadSockets(webSockets, limits.connections);

  return async () => {
    for (const client of webSockets.clients) client.close(GOING_AWAY, 'Going away');
    webSockets.removeAllListeners();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    webSockets.close((error) => (error === undefined ? resolve() : reject(error)));
    await promise;
  };
}

/** Close codes of RFC 6455 and graphql-transport-ws. */
const GOING_AWAY = 1001;
const INTERNAL_ERROR = 4500;

/** The functions of one operation, as yoga's plugins wrap them. */
type Pipeline = ReturnType<ReturnType<typeof createYoga>['getEnveloped']>;

function createProtocol({
  getEnveloped,
  authenticator,
  findAddress,
  rates,
  operations,
  limits,
  log,
}: WebSocketOptions) {
  // graphql-ws executes each operation through one function, so its own pipeline is found by its arguments.
  const pipelines = new WeakMap<object, Pick<Pipeline, 'execute' | 'subscribe'>>();
  const findPipeline = (args: object) => {
    const pipeline = pipelines.get(args);
    if (pipeline === undefined) throw new Error('the operation has not been admitted');
    return pipeline;
  };

  return makeServer<Record<string, unknown>, Extra>({
    ...authenticateConnections(authenticator, findAddress, log),
    jsonMessageReviver: refuseServerMessages,
    connectionInitWaitTimeout: limits.connections.initTimeoutMs,
    execute: (args) => findPipeline(args).execute(args),
    subscribe: (args) => findPipeline(args).subscribe(args),

    async onSubscribe(connection: Context<Record<string, unknown>, Extra>, _id, params) {
      const { socket, request, principal } = connection.extra;
      const scope = createRequestScope();
      const refuse = (errors: readonly GraphQLError[]) => {
        operations.refused(scope, errors);
        return errors;
      };
      const { maxOperations } = limits.connections;
      if (Object.keys(connection.subscriptions).length > maxOperations) {
        return refuse([tooManyOperations(maxOperations)]);
      }
      const pipeline = getEnveloped({ ...connection, principal, req: request, socket, params });
      try {
        if (principal !== undefined) await rates.admitRequest(toCaller(principal, findAddress(request)));
        const document = pipeline.parse(params.query);
        const errors: readonly GraphQLError[] = pipeline.validate(pipeline.schema, document);
        if (errors.length > 0) return refuse(errors);
        const args: ExecutionArgs = {
          schema: pipeline.schema,
          document,
          operationName: params.operationName ?? null,
          variableValues: params.variables ?? null,
          contextValue: await pipeline.contextFactory(),
        };
        pipelines.set(args, bindToRequest(scope, pipeline));
        return args;
      } catch (error) {
        if (error instanceof GraphQLError) return refuse([error]);
        throw error;
      }
    },

    onOperation({ extra: { socket } }, id, _params, _args, result) {
      return isAsyncIterable(result) ? sendResults((message) => send(socket, message), id, result) : result;
    },
  });
}

/** The functions of a pipeline, run as part of answering a request. */
function bindToRequest(
  scope: RequestScope,
  { execute, subscribe }: Pipeline,
): Pick<Pipeline, 'execute' | 'subscribe'> {
  return {
    execute: (args: ExecutionArgs) => runInRequest(scope, () => execute(args)),
    async subscribe(args: ExecutionArgs) {
      const result = await runInRequest(scope, () => subscribe(args));
      return isAsyncIterable(result) ? iterateInRequest(scope, result) : result;
    },
  };
}

/** Resolves when the message has left or the socket is closing, which ends its subscriptions. */
function send(socket: WebSocket, message: string): Promise<void> {
  if (socket.readyState !== socket.OPEN) return Promise.resolve();
  return new Promise((resolve) => socket.send(message, () => resolve()));
}

/** Pings a client at an interval, and breaks off a connection that does not answer within it. */
function keepAlive(socket: WebSocket, intervalMs: number): void {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, intervalMs);
  socket.once('close', () => clearInterval(timer));
}
