import { type FetchAPI, isAsyncIterable } from 'graphql-yoga';

/** How a protocol writes the results of a subscription. */
export interface StreamFormat {
  /** Sent at once: some clients take a stream as open only when something has arrived. */
  readonly start: string;
  /** Sent while there are no results, so that nobody on the way closes the connection. */
  readonly heartbeat: string;
  readonly end: string;
  toText(result: object): string;
}

/**
 * Streams the results of a subscription, each when the client has read those before.
 * @throws if they are those of another operation.
 */
export function streamResults(
  results: unknown,
  fetchAPI: FetchAPI,
  heartbeatMs: number,
  { start, heartbeat, end, toText }: StreamFormat,
): ReadableStream<Uint8Array> {
  if (!isAsyncIterable(results)) throw new Error('only a subscription has a stream of results');
  const source = results[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let timer: NodeJS.Timeout | undefined;
  // Of Yoga's classes, because its server ends no other stream when the client leaves.
  return new fetchAPI.ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(start));
      timer = setInterval(() => {
        // Nothing is added for a client that does not read.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(heartbeat));
      }, heartbeatMs);
    },
    async pull(controller) {
      const { done, value } = await source.next().catch((error: unknown) => {
        clearInterval(timer);
        throw error;
      });
      if (!done) {
        controller.enqueue(encoder.encode(toText(Object(value))));
        return;
      }
      clearInterval(timer);
      controller.enqueue(encoder.encode(end));
      controller.close();
    },
    async cancel() {
      clearInterval(timer);
      await source.return?.();
    },
  });
}
