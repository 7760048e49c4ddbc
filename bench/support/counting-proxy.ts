import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands between a program and PostgreSQL, and counts the statements that pass. */
export interface CountingProxy {
  /** The database's URL, through the proxy. */
  readonly url: string;
  /** Statements that the text is part of, or that have begun in any case, since the last call. */
  take(): readonly string[];
  close(): Promise<void>;
}

/** Reads the protocol's messages from the client: simple queries, and executions with the text that was parsed last. */
export async function startCountingProxy(databaseUrl: string): Promise<CountingProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let statements: string[] = [];

  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 5432), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.pipe(client);
    let rest = Buffer.alloc(0);
    let isStarted = false;
    const texts = new Map<string, string>();
    let bound = '';
    client.on('data', (chunk: Buffer) => {
      upstream.write(chunk);
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        // The first message of a connection has no type.
        const header = isStarted ? 1 : 0;
        if (rest.length < header + 4) return;
        const end = header + rest.readUInt32BE(header);
        if (rest.length < end) return;
        const body = rest.subarray(header + 4, end);
        const type = isStarted ? String.fromCharCode(rest[0] ?? 0) : '';
        isStarted = true;
        rest = rest.subarray(end);
        if (type === 'Q') statements.push(textAt(body, 0));
        if (type === 'P') {
          const name = textAt(body, 0);
          texts.set(name, textAt(body, Buffer.byteLength(name) + 1));
        }
        if (type === 'B') bound = textAt(body, Buffer.byteLength(textAt(body, 0)) + 1);
        if (type === 'E') statements.push(texts.get(bound) ?? '');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    take() {
      const taken = statements;
      statements = [];
      return taken;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function textAt(buffer: Buffer, start: number): string {
  return buffer.toString('utf8', start, buffer.indexOf(0, start));
}
