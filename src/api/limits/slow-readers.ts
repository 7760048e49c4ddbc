import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { WebSocketServer } from 'ws';
import type { ConnectionLimits } from './settings.ts';

/**
 * Breaks off the WebSockets of clients that ask on and on and do not read the answers, before these fill the memory. A
 * subscription alone cannot: its next result is made when the last one has left.
 */
export function endUnreadSockets(webSockets: WebSocketServer, { maxWaitingBytes }: ConnectionLimits): void {
  webSockets.on('connection', (socket) => {
    const check = () => {
      // Closed in order, it would wait for what waits before it.
      if (socket.bufferedAmount > maxWaitingBytes) socket.terminate();
    };
    socket.on('message', check);
    socket.on('ping', check);
  });
}

/**
 * Lets nothing be told of what is sent to a connection that breaks: that it closes is told already. graphql-ws would write
 * each such message to the console, as it does with what a client sends that is too large.
 * @param serve adds the listeners of graphql-ws.
 */
export function withoutConsole<Served>(
  webSockets: WebSocketServer,
  log: Logger,
  serve: () => Served,
): Served {
  webSockets.on('connection', (socket) => {
    const send = socket.send.bind(socket) as (data: string, sent: () => void) => void;
    socket.send = (data: string, sent: unknown) =>
      send(data, () => {
        if (typeof sent === 'function') sent();
      });
  });
  const served = serve();
  webSockets.on('connection', (socket) => {
    socket.removeAllListeners('error');
    socket.on('error', (error) => log.debug({ err: error }, 'a WebSocket was broken off'));
  });
  return served;
}

/**
 * Breaks off a response whose client has read nothing for a while. An event stream is asked for its next event only when
 * the last one has left, so that meanwhile nothing but that event waits.
 * @param patienceMs how long a client may read nothing, in milliseconds.
 */
export function endUnreadResponse(response: ServerResponse, patienceMs: number): void {
  let written = -1;
  const timer = setInterval(() => {
    const { socket } = response;
    const isWaiting = socket !== null && socket.writableLength > 0;
    if (isWaiting && socket.bytesWritten - socket.writableLength === written) response.destroy();
    written = socket === null ? -1 : socket.bytesWritten - socket.writableLength;
  }, patienceMs);
  timer.unref();
  response.once('close', () => clearInterval(timer));
}
