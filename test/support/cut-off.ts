import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy whose connections can be cut. */
export interface Proxy {
  /** The address of the API through it. */
  readonly url: string;
  /** How often it has been connected to. */
  readonly connections: number;
  /** Breaks all connections; the next ones work. */
  cut(): void;
  close(): void;
}

/** @param target the address of the API, or a function that returns it for each connection. */
export async function startProxy(target: string | (() => string)): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const { port, hostname } = new URL(typeof target === 'string' ? target : target());
    const upstream = connect(Number(port), hostname);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.once('close', () => other.destroy());
      one.pipe(other);
    }
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${own}/graphql`,
    get connections() {
      return connections;
    },
    cut,
    close() {
      cut();
      server.close();
    },
  };
}
