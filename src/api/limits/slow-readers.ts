import type { ServerResponse } from 'node:http';
import type { WebSocketServer } from 'ws';
import type { ConnectionLimits } from './settings.ts';

/**
 * Terminates the WebSockets of clients that keep sending requests without reading the answers, before these fill the
 * memory. A subscription alone cannot do that: its next result is made after the last one has left.
 */
export function endUnreadSockets(webSockets: WebSocketServer, { maxWaitingBytes }: ConnectionLimits): void {
  webSockets.on('connection', (socket) => {
    const check = () => {
      // An orderly close would queue behind the unread data.
      if (socket.bufferedAmount > maxWaitingBytes) socket.terminate();
    };
    socket.on('message', check);
    socket.on('ping', check);
  });
}

/**
 * Destroys a response whose client has read nothing for a while. An event stream buffers one event at most: the next one
 * is made after the last has left.
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
