import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { UnauthenticatedError } from '../access/access-errors.ts';
import type { Authenticator } from '../access/authenticator.ts';
import { coversAll } from '../data-types/marking.ts';
import { type HealthServer, listen } from '../health-server.ts';
import type { Metrics } from './metrics.ts';

/** Answers a request for `/metrics`; gives false for any other, which is left alone. */
export type MetricsEndpoint = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Serves metrics to everybody, or to whom an authenticator lets in and whose clearance covers every marking: the numbers
 * count what has any of them.
 */
export function createMetricsEndpoint(
  metrics: Pick<Metrics, 'text' | 'contentType'>,
  authenticator?: Authenticator,
): MetricsEndpoint {
  async function refusalOf({
    headers,
  }: IncomingMessage): Promise<{ status: number; message: string } | null> {
    if (authenticator === undefined) return null;
    try {
      const { clearance } = await authenticator.authenticate(headers.authorization);
      return coversAll(clearance)
        ? null
        : {
            status: 403,
            message: 'metrics count what has any marking, and your clearance does not cover all',
          };
    } catch (error) {
      return error instanceof UnauthenticatedError
        ? { status: 401, message: error.message }
        : { status: 503, message: 'the credential cannot be looked at now: try again later' };
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = await refusalOf(request);
    if (refusal !== null) {
      response
        .writeHead(refusal.status, {
          'content-type': 'text/plain',
          ...(refusal.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
        })
        .end(`${refusal.message}\n`);
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

/** Serves `/metrics` on a port of its own, and nothing else. */
export async function startMetricsServer(
  answer: MetricsEndpoint,
  host: string,
  port: number,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    if (answer(request, response)) return;
    response.writeHead(404, { 'content-type': 'text/plain' }).end('this port serves /metrics only\n');
  });
  const url = await listen(server, host, port);
  return {
    url,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
