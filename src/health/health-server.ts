import type { IncomingMessage, ServerResponse } from 'node:http';
import { type HttpServer, startHttpServer } from '../shared/http-server.ts';
import type { Readiness } from './health.ts';

/**
 * Starts the server of a process without an API: `/health/live`, `/health/ready` and, if there is one, `/metrics`.
 * @param options.metrics answers requests for metrics; null if they are not served here.
 */
export function startHealthServer(options: {
  readiness: () => Promise<Readiness>;
  metrics: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  host: string;
  port: number;
}): Promise<HttpServer> {
  const { readiness, metrics, host, port } = options;
  return startHttpServer(
    (request, response) => {
      if (answerHealth(request, response, readiness) || metrics?.(request, response)) return;
      response
        .writeHead(404, { 'content-type': 'text/plain' })
        .end('this process serves /health/live, /health/ready and, unless turned off, /metrics\n');
    },
    host,
    port,
  );
}

/**
 * Answers a request for a health endpoint: 200 if all parts work, otherwise 503, with the checked parts.
 * @returns false for any other request, which it does not answer.
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
