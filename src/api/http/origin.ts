import type { IncomingMessage, ServerResponse } from 'node:http';
import { refuseRequest } from './refuse-request.ts';
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

  /**
   * Whether a proxy on this machine has replaced its own name with ours, as Vite does with `changeOrigin`: to the
   * browser, page and API have one origin.
   */
  function isBehindLocalProxy({ headers }: IncomingMessage): boolean {
    return (
      isLoopback &&
      headers['sec-fetch-site'] === 'same-origin' &&
      LOOPBACK_NAMES.includes(URL.parse(headers.origin ?? '')?.hostname ?? '')
    );
  }

  function isForeign(request: IncomingMessage): boolean {
    const { origin, host } = request.headers;
    if (isMisdirected(request)) return true;
    if (origin === undefined || origins.has(origin) || URL.parse(origin)?.host === host) return false;
    return !isBehindLocalProxy(request);
  }

  /** Whether another site's page may have sent an operation without being named by the browser. */
  function isHidden(request: IncomingMessage): boolean {
    const { origin, referer = '' } = request.headers;
    if (asksForCredential || origin !== undefined) return false;
    return isSimple(request) && !origins.has(URL.parse(referer)?.origin ?? '');
  }

  return {
    isForeign,
    admit(request, response) {
      const { origin } = request.headers;
      const isAllowed = origin !== undefined && origins.has(origin);
      response.setHeader('vary', 'Origin');
      // Before any refusal, so that pages of allowed sites can read the reason.
      if (isAllowed) allowOrigin(response, origin);
      if (isMisdirected(request)) {
        refuseRequest(
          response,
          421,
          'UNKNOWN_HOST',
          'This host is not served here: add its address to BLADE_ALLOWED_ORIGINS.',
        );
        return false;
      }
      if (isForeign(request)) {
        refuseRequest(response, 403, 'FOREIGN_ORIGIN', describeForeign(request));
        return false;
      }
      if (isHidden(request)) {
        refuseRequest(response, 403, 'PREFLIGHT_REQUIRED', describeSimple(request));
        return false;
      }
      if (!isAllowed || request.method !== 'OPTIONS') return true;
      answerPreflight(request, response);
      return false;
    },
  };
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-credentials', 'true');
  response.setHeader('access-control-expose-headers', 'Retry-After, WWW-Authenticate, X-Request-Id');
  response.setHeader('cross-origin-resource-policy', 'cross-origin');
}

/** Allows whatever headers the page asks for, since pages of the server's own origin may send any. */
function answerPreflight({ headers }: IncomingMessage, response: ServerResponse): void {
  const asked = headers['access-control-request-headers'] ?? '';
  response.writeHead(204, {
    vary: 'Origin, Access-Control-Request-Headers',
    'access-control-allow-methods': 'GET, POST, PUT, DELETE',
    'access-control-allow-headers': HEADER_NAMES.test(asked) ? asked : CLIENT_HEADERS.join(', '),
    'access-control-max-age': '600',
  });
  response.end();
}

const HEADER_NAMES = /^[\w-]+(, ?[\w-]+)*$/;

/** Headers that GraphQL clients and tracing send. */
const CLIENT_HEADERS = [
  'accept',
  'authorization',
  'content-type',
  'x-requested-with',
  'x-request-id',
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'x-apollo-operation-id',
  'apollographql-client-name',
  'apollographql-client-version',
  'x-graphql-event-stream-token',
  'last-event-id',
  'traceparent',
  'tracestate',
  'baggage',
  'sentry-trace',
];

/** Headers that a page of another site cannot send without a preflight. */
const UNASKED_HEADERS = [
  'authorization',
  'x-requested-with',
  'apollo-require-preflight',
  'x-apollo-operation-name',
];

const SIMPLE_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];

function findType({ headers }: IncomingMessage): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}

/**
 * Whether an operation may come from another site's page that the browser does not name: through a link, an image or, in
 * some browsers, a form.
 */
function isSimple(request: IncomingMessage): boolean {
  const { method, url, headers } = request;
  const type = findType(request);
  const isSimplePost = method === 'POST' && (type === undefined || SIMPLE_TYPES.includes(type));
  const isOperationByGet = method === 'GET' && /[?&](query|extensions)=/.test(url ?? '');
  if (!isSimplePost && !isOperationByGet) return false;
  if (type !== undefined && !SIMPLE_TYPES.includes(type)) return false;
  if (UNASKED_HEADERS.some((name) => headers[name] !== undefined)) return false;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin' || site === 'none') return false;
  if (isOperationByGet && site === undefined && asksAsProgram(headers.accept)) return false;
  return URL.parse(headers.referer ?? '')?.host !== headers.host;
}

/** Links, images and forms never ask for GraphQL or event streams, and EventSource names its page. */
function asksAsProgram(accept = ''): boolean {
  return accept === 'text/event-stream' || accept.includes('application/graphql-response+json');
}

function describeForeign({ headers: { origin = '' } }: IncomingMessage): string {
  const site = origin.slice(0, MOST_ORIGIN_CHARACTERS);
  return (
    `Pages of the origin ${site} may not use this API: add it to BLADE_ALLOWED_ORIGINS. If a development proxy serves ` +
    "the page, it changes the header Host (Vite's changeOrigin): let it keep Host, or add the origin. A program that is " +
    'no page leaves out the header Origin.'
  );
}

/** Longer ones are cut off. */
const MOST_ORIGIN_CHARACTERS = 200;

function describeSimple(request: IncomingMessage): string {
  const { method } = request;
  const what = method === 'GET' ? 'A GET' : `A POST ${describeType(findType(request))}`;
  const remedy =
    method === 'GET'
      ? `send one of the headers ${UNASKED_HEADERS.join(', ')}, or accept: application/graphql-response+json`
      : 'send content-type: application/json';
  return (
    `${what} like this one could come from a ${method === 'GET' ? 'link' : 'form'} on any web page, so it is refused ` +
    `while the server needs no credentials: ${remedy}.`
  );
}

function describeType(type: string | undefined): string {
  return type === undefined ? 'without a content type' : `of ${type}`;
}
