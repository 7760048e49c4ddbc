import type { IncomingMessage, ServerResponse } from 'node:http';
import { refuseRequest } from './refuse-request.ts';

/**
 * Refuses a request whose target is not a path, as in a proxy request, or whose host is not a name. An admitted request
 * always makes a valid URL.
 * @returns whether the request is admitted.
 */
export function admitTarget({ url, headers }: IncomingMessage, response: ServerResponse): boolean {
  const host = headers.host ?? 'localhost';
  if (url?.startsWith('/') && URL.canParse(url, 'http://localhost') && URL.canParse(`http://${host}`))
    return true;
  refuseRequest(response, 400, 'BAD_REQUEST', 'The request must name a path, such as /graphql, and a host.');
  return false;
}
