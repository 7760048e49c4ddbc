import type { FetchAPI } from 'graphql-yoga';
import { streamResults } from '../result-stream.ts';
import { serializeResult } from '../serialized-result.ts';
import { findCursor } from '../shared-execution.ts';

/**
 * Answers a subscription as server-sent events, in the form of graphql-sse. As Yoga does, but each event of a feed has its
 * cursor as its id, which `EventSource` sends back when it connects again.
 */
export function toEventStream(results: unknown, fetchAPI: FetchAPI, heartbeatMs: number): Response {
  const body = streamResults(results, fetchAPI, heartbeatMs, {
    start: ':\n\n',
    heartbeat: ':\n\n',
    end: 'event: complete\ndata:\n\n',
    toText: toEvent,
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
