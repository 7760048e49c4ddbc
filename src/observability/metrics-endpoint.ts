import type { IncomingMessage, ServerResponse } from 'node:http';
import { TooManyFailedCredentialsError, UnauthenticatedError } from '../access/access-errors.ts';
import type { Authenticator } from '../access/authenticator.ts';
import type { ClientAddress } from '../access/client-address.ts';
import { coversAll } from '../data-types/marking.ts';
import { type HttpServer, startHttpServer } from '../shared/http-server.ts';
import type { Metrics } from './metrics.ts';

/** Answers a request for `/metrics`; returns false for any other, which is left alone. */
export type MetricsEndpoint = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Who may read metrics. */
export interface MetricsAccess {
  readonly authenticator: Authenticator;
  readonly findAddress: ClientAddress;
}

/**
 * Creates the endpoint of metrics.
 * @param access who may read them: only principals whose clearance covers every marking, because the numbers count all items.
 * Default: everybody.
 */
export function createMetricsEndpoint(
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  access?: MetricsAccess,
): MetricsEndpoint {
  async function checkAccess(request: IncomingMessage): Promise<ErrorResponse | null> {
    if (access === undefined) return null;
    const { authenticator, findAddress } = access;
    try {
      const { authorization } = request.headers;
      const { clearance } = await authenticator.authenticate(authorization, findAddress(request));
      return coversAll(clearance)
        ? null
        : {
            status: 403,
            message:
              'metrics count items of every marking, and your clearance does not cover them all: TOP SECRET is needed',
          };
    } catch (error) {
      return toErrorResponse(error);
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = await checkAccess(request);
    if (refusal !== null) {
      const { status, message, headers } = refusal;
      response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(`${message}\n`);
      return;
    }
    const text = await metrics.text();
    response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(text);
  }

  return (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') return false;
    void answer(request, response).catch(() => response.writeHead(500).end());
    return true;
  };
}

interface ErrorResponse {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function toErrorResponse(error: unknown): ErrorResponse {
  if (error instanceof UnauthenticatedError)
    return { status: 401, message: error.message, headers: { 'www-authenticate': 'Bearer' } };
  if (error instanceof TooManyFailedCredentialsError)
    return {
      status: 429,
      message: error.message,
      headers: { 'retry-after': String(error.retryAfterSeconds) },
    };
  return { status: 503, message: 'the credential cannot be checked now: try again later' };
}

/** Starts a server for `/metrics` alone. */
export function startMetricsServer(answer: MetricsEndpoint, host: string, port: number): Promise<HttpServer> {
  return startHttpServer(
    (request, response) => {
      if (answer(request, response)) return;
      response.writeHead(404, { 'content-type': 'text/plain' }).end('this port serves only /metrics\n');
    },
    host,
    port,
  );
}
