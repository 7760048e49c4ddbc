import type { FetchAPI } from 'graphql-yoga';
import { toClientResult } from './client-errors.ts';
import { streamResults } from './result-stream.ts';

/**
 * Answers a subscription in Apollo's multipart protocol: a part for each result, and an empty part as a heartbeat. Each part
 * is followed at once by the boundary of the next, because clients read a part up to its boundary.
 */
export function toMultipartResponse(results: unknown, fetchAPI: FetchAPI, heartbeatMs: number): Response {
  const body = streamResults(results, fetchAPI, heartbeatMs, {
    start: `\r\n--${BOUNDARY}`,
    heartbeat: toPart({}),
    end: '--\r\n',
    toText: (result) => toPart({ payload: toClientResult(result) }),
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
