import type { WebSocket } from 'ws';

/**
 * Sends the results of a subscription over its WebSocket, as messages of graphql-transport-ws. The text of a result is
 * made once, however many subscribers are given it; graphql-ws would make it once for each.
 * @param id what the client calls its subscription.
 * @returns what to wait for in place of the results: it gives none, and ends with them.
 */
export function sendResults(
  socket: WebSocket,
  id: string,
  results: AsyncIterable<unknown>,
): AsyncIterableIterator<never> {
  const source = results[Symbol.asyncIterator]();
  const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  const sending: AsyncIterableIterator<never> = {
    async next() {
      for (;;) {
        const result = await source.next();
        if (result.done) return { done: true, value: undefined };
        // The next is asked for when this one has left, so that nothing waits for a client that does not read.
        await send(socket, `${head}${textOf(result.value)}}`);
      }
    },
    async return() {
      await source.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => sending,
  };
  return sending;
}

/** Kept for as long as there are subscribers who have yet to be sent it. */
const texts = new WeakMap<object, string>();

function textOf(result: unknown): string {
  if (typeof result !== 'object' || result === null) return JSON.stringify(result);
  let text = texts.get(result);
  if (text === undefined) {
    text = JSON.stringify(result);
    texts.set(result, text);
  }
  return text;
}

function send(socket: WebSocket, message: string): Promise<void> | undefined {
  if (socket.readyState !== socket.OPEN) return undefined;
  // A socket that breaks is closed, which ends its subscriptions.
  return new Promise((resolve) => socket.send(message, () => resolve()));
}
