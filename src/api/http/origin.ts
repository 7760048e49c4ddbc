import type { IncomingMessage, ServerResponse } from 'node:http';
import { refuse } from './refusal.ts';
import type { OriginSettings } from './settings.ts';

/** Which sites may send requests by the browsers of those who visit them. */
export interface OriginPolicy {
  /** Whether a page of another site sent it, or a foreign name that points at this machine. */
  isForeign(request: IncomingMessage): boolean;
  /**
   * Refuses requests from other sites and answers preflights. Sets the CORS headers for pages of allowed sites.
   * @returns whether the request is admitted.
   */
  admit(request: IncomingMessage, response: ServerResponse): boolean;
}

/**
 * Creates the policy against cross-site requests. Browsers let any page send forms and open WebSockets to any address, so
 * a malicious page could start and cancel jobs. But they name the page, and send a preflight before other requests.
 */
export function createOriginPolicy({
  allowedOrigins,
  isLoopback,
  asksForCredential,
}: OriginSettings): OriginPolicy {
  const origins = new Set(allowedOrigins);
  const names = new Set([...LOOPBACK_NAMES, ...allowedOrigins.map((origin) => new URL(origin).hostname)]);

  /** DNS rebinding: a page whose name now points at this machine still sends that name. */
  function isMisdirected({ headers: { host = '' } }: IncomingMessage): boolean {
    return isLoopback && !names.has(URL.parse(`http://${host}`)?.hostname ?? '');
  }

  function isForeign(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    if (isMisdirected(request)) return true;
    return origin !== undefined && !origins.has(origin) && URL.parse(origin)?.host !== host;
  }

  return {
    isForeign,
    admit(request, response) {
      if (isMisdirected(request)) {
        refuse(
          response,
          421,
          'UNKNOWN_HOST',
          'This host is not served here: add its address to BLADE_ALLOWED_ORIGINS.',
        );
        return false;
      }
      if (isForeign(request) || (!asksForCredential && isHidden(request))) {
        refuse(
          response,
          403,
          'FOREIGN_ORIGIN',
          'A page of another site may not do that. A program that is no browser sends one of the headers ' +
            `${UNASKED_HEADERS.join(', ')} with a GET, and a JSON body with a POST.`,
        );
        return false;
      }
      const { origin } = request.headers;
      response.setHeader('vary', 'Origin');
      if (origin === undefined || !origins.has(origin)) return true;
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-allow-credentials', 'true');
      response.setHeader('access-control-expose-headers', 'Retry-After, WWW-Authenticate, X-Request-Id');
      response.setHeader('cross-origin-resource-policy', 'cross-origin');
      if (request.method !== 'OPTIONS') return true;
      response.writeHead(204, {
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers':
          'accept, authorization, content-type, x-requested-with, x-request-id, traceparent, last-event-id',
        'access-control-max-age': '600',
      });
      response.end();
      return false;
    },
  };
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** Headers that a page of another site cannot send without a preflight. */
const UNASKED_HEADERS = [
  'authorization',
  'x-requested-with',
  'apollo-require-preflight',
  'x-apollo-operation-name',
];

const SIMPLE_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];

/**
 * Whether an operation may come from another site's page that the browser does not name: through a link, an image or, in
 * some browsers, a form.
 */
function isHidden({ method, url, headers }: IncomingMessage): boolean {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  const isSimplePost = method === 'POST' && (type === undefined || SIMPLE_TYPES.includes(type));
  const isOperationByGet = method === 'GET' && /[?&](query|extensions)=/.test(url ?? '');
  if (!isSimplePost && !isOperationByGet) return false;
  if (type !== undefined && !SIMPLE_TYPES.includes(type)) return false;
  if (UNASKED_HEADERS.some((name) => headers[name] !== undefined)) return false;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin' || site === 'none') return false;
  // Links, images and forms never accept event streams, and EventSource names its page.
  if (isOperationByGet && site === undefined && headers.accept === 'text/event-stream') return false;
  return URL.parse(headers.referer ?? '')?.host !== headers.host;
}
