import type { IncomingMessage, Server } from 'node:http';
import { DEPRECATED_GRAPHQL_WS_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ApiLimits } from '../../limits/settings.ts';
import { endUnreadSockets } from '../../limits/slow-readers.ts';
import type { OperationProtocol } from '../connection/operation-protocol.ts';
import type { createOriginPolicy } from '../origin.ts';
import { speakGraphqlTransportWs } from './graphql-transport-ws.ts';
import { createLine } from './line.ts';
import { speakSubscriptionsTransportWs } from './subscriptions-transport-ws.ts';

export interface WebSocketOptions {
  readonly server: Server;
  readonly path: string;
  readonly protocol: OperationProtocol;
  readonly sites: Pick<ReturnType<typeof createOriginPolicy>, 'isForeign'>;
  readonly limits: ApiLimits;
  /** Called with each connection; the function it returns is called when that closes. */
  readonly onConnection: () => () => void;
  readonly log: Logger;
}

/**
 * Serves GraphQL over WebSocket on one path of an HTTP server: graphql-transport-ws, and the older protocol of
 * subscriptions-transport-ws.
 * @returns a function that closes every connection as going away (1001), so that clients connect again.
 */
export function serveWebSockets(options: WebSocketOptions): () => Promise<void> {
  const { server, path, protocol, limits, sites, onConnection, log } = options;
  const { keepAliveMs } = limits.connections;
  const webSockets = new WebSocketServer({
    server,
    path,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
    maxPayload: limits.maxBodyBytes,
    verifyClient: ({ req }: { req: IncomingMessage }) => !sites.isForeign(req),
  });

  webSockets.on('connection', (socket, request) => {
    socket.once('close', onConnection());
    // A connection that breaks closes, which is all that anybody needs to know.
    socket.on('error', (error) => log.debug({ err: error }, 'a WebSocket broke off'));
    const line = createLine(socket, log);
    const isOlder = socket.protocol === DEPRECATED_GRAPHQL_WS_PROTOCOL;
    const channel = isOlder
      ? speakSubscriptionsTransportWs(line, keepAliveMs)
      : speakGraphqlTransportWs(line);
    const closed = protocol.opened(
      {
        protocol: isOlder ? GRAPHQL_TRANSPORT_WS_PROTOCOL : socket.protocol,
        send: channel.send,
        close: channel.close,
        onMessage: channel.onMessage,
      },
      { channel, request },
    );
    keepAlive(socket, keepAliveMs);
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

/** The first one that a client offers is chosen. */
const SUBPROTOCOLS = [GRAPHQL_TRANSPORT_WS_PROTOCOL, DEPRECATED_GRAPHQL_WS_PROTOCOL];

/** Close code of RFC 6455. */
const GOING_AWAY = 1001;

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
