import type { ServerResponse } from 'node:http';
import { setContentPolicy } from './security-headers.ts';

/** Refuses a request before it reaches GraphQL, in the form that GraphQL clients read. */
export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  setContentPolicy(response, false);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
