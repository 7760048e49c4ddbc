import { WebSocket } from 'ws';

/**
 * Opens a WebSocket as a page of a site does, and closes it.
 * @returns "open", or the message of the refusal.
 */
export function openWebSocket(url: string, origin: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws', { origin });
    socket.on('open', () => {
      socket.close();
      resolve('open');
    });
    socket.on('error', ({ message }) => resolve(message));
  });
}
