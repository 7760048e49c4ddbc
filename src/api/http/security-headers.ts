import type { ServerResponse } from 'node:http';

/** Nothing that is served here is for a frame of another page, and no answer is to be taken for a page or a script. */
export function setSecurityHeaders(response: ServerResponse): void {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-frame-options', 'DENY');
  response.setHeader('referrer-policy', 'same-origin');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
}

/**
 * What an answer may load: nothing, unless it is the page of GraphiQL. Not for the files of the dashboard, which have a policy
 * of their own: a browser takes the headers of a 304 for those of the page that it kept.
 */
export function setContentPolicy(response: ServerResponse, isGraphiQL: boolean): void {
  response.setHeader('content-security-policy', isGraphiQL ? GRAPHIQL_POLICY : ANSWER_POLICY);
}

const ANSWER_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** GraphiQL is one page with its script and style in it, and an editor that runs in a worker made of a blob. */
const GRAPHIQL_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'self' blob:",
  "style-src 'unsafe-inline' 'self'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
