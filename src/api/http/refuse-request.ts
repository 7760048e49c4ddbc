import type { ServerResponse } from 'node:http';
import type { GraphQLError } from 'graphql';
import { isObject } from '../../shared/json.ts';
import { toClientError } from './client-errors.ts';
import { setContentPolicy } from './security-headers.ts';

/** Refuses a request before it reaches GraphQL, in the form that GraphQL clients read. */
export function refuseRequest(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, { message, extensions: { code } });
}

/** Refuses a request with an error, which may name the status and headers of the answer as Yoga has them. */
export function refuseRequestWith(response: ServerResponse, error: GraphQLError): void {
  const { http } = error.extensions;
  const { status, headers } = isObject(http) ? http : {};
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, String(value));
  send(response, typeof status === 'number' ? status : 400, toClientError(error));
}

function send(response: ServerResponse, status: number, error: object): void {
  const body = JSON.stringify({ errors: [error] });
  setContentPolicy(response, false);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
