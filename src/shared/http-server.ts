import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server that listens. */
export interface HttpServer {
  /** Where it listens, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

/**
 * Starts an HTTP server.
 * @param port 0 for any free port.
 * @throws if the address is in use or does not belong to this machine.
 */
export async function startHttpServer(
  answer: RequestListener,
  host: string,
  port: number,
): Promise<HttpServer> {
  const server = createServer(answer);
  const url = await listen(server, host, port);
  return {
    url,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Lets a server listen.
 * @param port 0 for any free port.
 * @returns its address as a URL.
 * @throws if the address is in use or does not belong to this machine.
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
