import type { ServerResponse } from 'node:http';

/** Keeps answers out of frames, and from being taken for a page or a script. */
export function setSecurityHeaders(response: ServerResponse): void {
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('x-frame-options', 'DENY');
  response.setHeader('referrer-policy', 'same-origin');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
}

/**
 * Sets what an answer may load: nothing, unless it is GraphiQL. The dashboard's files set their own policy, since a browser
 * applies the headers of a 304 to the page it has cached.
 */
export function setContentPolicy(response: ServerResponse, isGraphiQL: boolean): void {
  response.setHeader('content-security-policy', isGraphiQL ? GRAPHIQL_POLICY : ANSWER_POLICY);
}

const ANSWER_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** GraphiQL is one page with inline scripts and styles, and an editor in a worker made from a blob. */
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
