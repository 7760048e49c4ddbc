import { type FetchAPI, isAsyncIterable } from 'graphql-yoga';
import { toClientResult } from './client-errors.ts';

/**
 * Answers a subscription in Apollo's multipart protocol: a part for each result, and an empty part as a heartbeat. Each part
 * is followed at once by the boundary of the next, because clients read a part up to its boundary.
 */
export function toMultipartResponse(results: unknown, fetchAPI: FetchAPI, heartbeatMs: number): Response {
  if (!isAsyncIterable(results)) throw new Error('only a subscription has parts');
  const source = results[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let heartbeat: NodeJS.Timeout | undefined;
  // Of Yoga's classes, because its server ends no other stream when the client leaves.
  const body = new fetchAPI.ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(`\r\n--${BOUNDARY}`));
      heartbeat = setInterval(() => {
        // Nothing is added for a client that does not read.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(toPart({})));
      }, heartbeatMs);
    },
    async pull(controller) {
      const { done, value } = await source.next().catch((error: unknown) => {
        clearInterval(heartbeat);
        throw error;
      });
      if (!done) {
        controller.enqueue(encoder.encode(toPart({ payload: toClientResult(Object(value)) })));
        return;
      }
      clearInterval(heartbeat);
      controller.enqueue(encoder.encode('--\r\n'));
      controller.close();
    },
    async cancel() {
      clearInterval(heartbeat);
      await source.return?.();
    },
  });
  return new fetchAPI.Response(body, {
    headers: {
      'content-type': `multipart/mixed;boundary="${BOUNDARY}";subscriptionSpec=1.0`,
      'cache-control': 'no-cache',
    },
  });
}

const BOUNDARY = 'graphql';

function toPart(content: object): string {
  return `\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(content)}\r\n--${BOUNDARY}`;
}
