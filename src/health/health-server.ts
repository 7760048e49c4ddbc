import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readiness } from './health.ts';

/** A server that tells of a process without an API whether it lives and can work. */
export interface HealthServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `/health/live` and `/health/ready`, what else it is given, and nothing more. */
export async function startHealthServer(options: {
  readiness: () => Promise<Readiness>;
  /** Answers requests for metrics; null if they are not served here. */
  metrics: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  host: string;
  port: number;
}): Promise<HealthServer> {
  const server = createServer((request, response) => {
    if (answerHealth(request, response, options.readiness)) return;
    if (options.metrics?.(request, response)) return;
    response
      .writeHead(404, { 'content-type': 'text/plain' })
      .end('this process serves /health/live, /health/ready and, unless told not to, /metrics\n');
  });
  const url = await listen(server, options.host, options.port);
  return {
    url,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Answers a request for a health endpoint: 200 while all is well, 503 while it is not, with what was looked at.
 * @returns false for a request of anything else, which is left alone.
 */
export function answerHealth(
  request: IncomingMessage,
  response: ServerResponse,
  readiness: () => Promise<Readiness>,
): boolean {
  switch (request.url) {
    case '/health/live':
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"live":true}');
      return true;
    case '/health/ready':
      void readiness().then((found) => {
        response
          .writeHead(found.ready ? 200 : 503, {
            'content-type': 'application/json',
            'cache-control': 'no-store',
          })
          .end(JSON.stringify(found));
      });
      return true;
    default:
      return false;
  }
}

/**
 * Listens, and tells where.
 * @throws where the address is taken or is none of this machine's.
 */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  server.off('error', reject);
  const address = server.address() as AddressInfo;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
