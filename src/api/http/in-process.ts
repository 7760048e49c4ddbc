import { type IncomingMessage, type Server, request as sendRequest } from 'node:http';
import { addAbortSignal, type Duplex, duplexPair, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Answers requests without a listening socket. */
export interface InProcess {
  /**
   * Answers a request as one over a socket, with all checks and limits.
   * @param address the client's address. Refused credentials are counted per address.
   * @throws AbortError if the signal of the request is aborted, or an error if the server stops before it has answered.
   */
  fetch(request: Request, address?: string): Promise<Response>;
  /** Resolves once every request is answered. */
  idle(): Promise<void>;
  /** Breaks off what is not answered, and answers no more. */
  close(): void;
}

/** Gives a server requests over pairs of streams, which it takes for connections. */
export function createInProcess(server: Server): InProcess {
  const connections = new Map<Duplex, Promise<void>>();
  let isClosed = false;

  function connect(address: string | undefined): Duplex {
    const [near, far] = duplexPair();
    server.emit('connection', Object.assign(far, { remoteAddress: address }));
    const closed = new Promise<void>((resolve) => far.once('close', resolve));
    connections.set(
      far,
      closed.then(() => void connections.delete(far)),
    );
    return near;
  }

  return {
    async fetch(request, address) {
      if (isClosed) throw new Error('the program has stopped');
      const { host, pathname, search } = new URL(request.url);
      const outgoing = sendRequest({
        createConnection: () => connect(address),
        ...{ method: request.method, path: `${pathname}${search}` },
        headers: { host, ...Object.fromEntries(request.headers) },
        signal: request.signal,
      });
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      outgoing.once('response', resolve).on('error', reject);
      if (request.body === null) outgoing.end();
      // A server that refuses a request may not read the rest of it.
      else pipeline(request.body, outgoing).catch(reject);
      // Before the connection ends, which would break off the answer with another error.
      return toResponse(addAbortSignal(request.signal, await promise));
    },
    async idle() {
      await Promise.all(connections.values());
    },
    close() {
      isClosed = true;
      for (const connection of connections.keys()) connection.destroy();
    },
  };
}

/** Headers about the connection. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/** Statuses whose answers have no body. */
const EMPTY_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

function toResponse(answer: IncomingMessage): Response {
  const { statusCode: status = 500, statusMessage: statusText = '', rawHeaders } = answer;
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (!CONNECTION_HEADERS.has(name.toLowerCase())) headers.append(name, value);
  }
  if (EMPTY_STATUSES.has(status)) answer.resume();
  const body = EMPTY_STATUSES.has(status) ? null : (Readable.toWeb(answer) as ReadableStream);
  return new Response(body, { status, statusText, headers });
}
