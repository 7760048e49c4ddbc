import type { IncomingMessage, ServerResponse } from 'node:http';
import { refuse } from './refusal.ts';

/**
 * Refuses a request whose address is none: what it asks for is no path, as in a request to a proxy, or its host is no name.
 * Whoever comes after can make a URL of it.
 * @returns whether the request may go on.
 */
export function admitTarget({ url, headers }: IncomingMessage, response: ServerResponse): boolean {
  const host = headers.host ?? 'localhost';
  if (url?.startsWith('/') && URL.canParse(url, 'http://localhost') && URL.canParse(`http://${host}`))
    return true;
  refuse(response, 400, 'BAD_REQUEST', 'What is asked for has to be a path, such as /graphql, of a host.');
  return false;
}
