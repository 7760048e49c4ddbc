import type { IncomingMessage, ServerResponse } from 'node:http';
import { refuseRequest } from './refuse-request.ts';

/**
 * Refuses a body that is too large: at once where its length is told, and else as soon as it has become so.
 * @returns whether the request may go on.
 */
export function admitBody(request: IncomingMessage, response: ServerResponse, maxBytes: number): boolean {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    refuseBody(request, response, maxBytes);
    return false;
  }
  if (request.headers['transfer-encoding'] === undefined) return true;
  let bytes = 0;
  // Paused, so that counting does not start the reading before there is a reader.
  request.pause();
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) refuseBody(request, response, maxBytes);
  });
  request.on('newListener', (event) => {
    if (event === 'data') request.resume();
  });
  return true;
}

function refuseBody(request: IncomingMessage, response: ServerResponse, maxBytes: number): void {
  if (response.headersSent) {
    request.destroy();
    return;
  }
  // What still comes of the body is not read.
  response.setHeader('connection', 'close');
  response.once('finish', () => request.destroy());
  refuseRequest(
    response,
    413,
    'REQUEST_TOO_LARGE',
    `The body is larger than the ${maxBytes} bytes that one may have.`,
  );
}
