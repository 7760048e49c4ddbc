import { type FetchAPI, isAsyncIterable } from 'graphql-yoga';
import { serializeResult } from '../serialized-result.ts';
import { findCursor } from '../shared-execution.ts';

/**
 * Answers a subscription as server-sent events, in the form of graphql-sse. As Yoga does, but each event of a feed has its
 * cursor as its id, which `EventSource` sends back when it connects again.
 */
export function toEventStream(results: unknown, fetchAPI: FetchAPI, heartbeatMs: number): Response {
  if (!isAsyncIterable(results)) throw new Error('only a subscription has events');
  const source = results[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let heartbeat: NodeJS.Timeout | undefined;
  // Of Yoga's classes, because its server ends no other stream when the client leaves.
  const body = new fetchAPI.ReadableStream<Uint8Array>({
    start(controller) {
      const write = () => controller.enqueue(encoder.encode(':\n\n'));
      // Some browsers take the stream as open only when something has arrived.
      write();
      heartbeat = setInterval(() => {
        // Nothing is added for a client that does not read.
        if ((controller.desiredSize ?? 0) > 0) write();
      }, heartbeatMs);
    },
    async pull(controller) {
      const { done, value } = await source.next().catch((error: unknown) => {
        clearInterval(heartbeat);
        throw error;
      });
      if (!done) {
        controller.enqueue(encoder.encode(toEvent(Object(value))));
        return;
      }
      clearInterval(heartbeat);
      controller.enqueue(encoder.encode('event: complete\ndata:\n\n'));
      controller.close();
    },
    async cancel() {
      clearInterval(heartbeat);
      await source.return?.();
    },
  });
  return new fetchAPI.Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      connection: 'keep-alive',
      'cache-control': 'no-cache',
      'content-encoding': 'none',
    },
  });
}

function toEvent(result: object): string {
  const cursor = findCursor(result);
  const id = cursor === null ? '' : `id: ${cursor}\n`;
  return `event: next\n${id}data: ${serializeResult(result)}\n\n`;
}
