import type { ServerResponse } from 'node:http';
import type { WebSocketServer } from 'ws';
import type { ConnectionLimits } from './api-limits.ts';

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
