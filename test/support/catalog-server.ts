import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { httpCatalogDefaults } from '../../src/catalog/http/options.ts';
import type { Choice } from '../../src/shared/definition.ts';

/** A catalog service for tests, which stores uploads and misbehaves on demand. */
export interface CatalogServer {
  /** Its address, with the path from the options. */
  readonly url: string;
  /** What makes a program upload to it, with the default settings. */
  readonly choice: Choice;
  /** The accepted items by source and id, such as `BLADE:sortie/1`; the last upload of each. */
  readonly items: ReadonlyMap<string, ReceivedItem>;
  /** All uploads, in the order in which they began. */
  readonly requests: readonly ReceivedRequest[];
  /** The most requests at once. */
  readonly peakConcurrency: number;
  /** The most open connections at once. */
  readonly peakConnections: number;
  /** Sets the reply to each upload; null accepts it, which is the default. */
  answerWith(decide: (upload: Upload) => Reply | null): void;
  /** Sets what it does with a DELETE of an item. */
  removeWith(removal: Removal): void;
  /** Loses an item, or holds it with another content. */
  damage(name: string, change: Partial<ReceivedItem> | null): void;
  /** Loses all items, and gets another generation. */
  reset(): void;
  /** Breaks all connections and refuses new ones. */
  goDown(): Promise<void>;
  /** Listens again, where it did before. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

/** What the service does with a DELETE: 404 for an item that it does not hold, a status for each item, or 204 once a promise resolves. */
export type Removal = 'ALWAYS_204' | '404_IF_MISSING' | 404 | 405 | 501 | 403 | 503 | (() => Promise<void>);

/** An upload as received in its form. */
export interface ReceivedItem {
  readonly fileName: string;
  readonly contentType: string;
  /** The content of the file. */
  readonly data: string;
  readonly dataSource: string;
  readonly classificationMarking: string;
  readonly itemId: string;
  readonly metadata: string;
}

interface LookupRequest {
  readonly items: readonly { readonly dataSource: string; readonly itemId: string }[];
}

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The item, once its form has been read. */
  itemId: string | null;
}

export interface Upload {
  /** The number of uploads that began earlier. */
  readonly ordinal: number;
  /** The number of uploads of this item, this one included. */
  readonly attempt: number;
  readonly item: ReceivedItem;
}

export type Reply =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** Milliseconds before the answer. */
      readonly after?: number;
    }
  /** Breaks the connection instead of answering. */
  | 'RESET'
  /** Breaks the connection in the middle of the answer. */
  | 'HALF_ANSWER'
  /** Answers with something that is not HTTP. */
  | 'GARBAGE'
  /** Never answers. */
  | 'SILENCE'
  /** Answers with a body that never ends. */
  | 'ENDLESS_ANSWER';

/**
 * Starts a catalog service on a free port of this machine.
 * @param options.path what its URL has after the port, such as `/api/v1/`.
 * @param options.hasGeneration whether it knows its generation. Default: true.
 * @param options.hasLookup whether it says which items it holds. Default: true.
 * @param options.removal what it does with a DELETE of an item. Default: 204, whether or not it holds the item.
 * @param options.resetInBody ordinals of uploads whose connection is broken off while their form is still coming in.
 */
export async function startCatalogServer(
  options: {
    path?: string;
    resetInBody?: ReadonlySet<number>;
    hasGeneration?: boolean;
    hasLookup?: boolean;
    removal?: Removal;
  } = {},
): Promise<CatalogServer> {
  const { path = '', resetInBody = new Set<number>(), hasGeneration = true, hasLookup = true } = options;
  let removal = options.removal ?? 'ALWAYS_204';
  const base = path.replace(/\/$/, '');
  const items = new Map<string, ReceivedItem>();
  const requests: ReceivedRequest[] = [];
  const attempts = new Map<string, number>();
  const sockets = new Set<Socket>();
  const closed = new AbortController();
  let uploads = 0;
  let generation = 1;
  let concurrency = 0;
  let peakConcurrency = 0;
  let peakConnections = 0;
  let decide: (upload: Upload) => Reply | null = () => null;

  function lookUp({ dataSource, itemId }: LookupRequest['items'][number]) {
    const item = items.get(`${dataSource}/${itemId}`);
    if (item === undefined) return null;
    const { classificationMarking, metadata, data } = item;
    return { classificationMarking, metadata, data };
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://catalog');
    if (`${request.method} ${url.pathname}` === `POST ${base}/catalog/items/lookup`) {
      const asked: LookupRequest = JSON.parse(await text(request));
      if (hasLookup) response.end(JSON.stringify({ items: asked.items.map(lookUp) }));
      else response.writeHead(404).end();
      return;
    }
    if (`${request.method} ${url.pathname}` === `GET ${base}/catalog/generation`) {
      if (hasGeneration) response.end(JSON.stringify({ generation: `generation-${generation}` }));
      else response.writeHead(404).end();
      return;
    }
    const received: ReceivedRequest = {
      method: request.method ?? '',
      path: url.pathname,
      authorization: request.headers.authorization,
      time: Date.now(),
      itemId: null,
    };
    requests.push(received);
    peakConcurrency = Math.max(peakConcurrency, ++concurrency);
    response.once('close', () => concurrency--);
    switch (`${received.method} ${received.path}`) {
      case `POST ${base}/catalog/item`: {
        const ordinal = uploads++;
        if (resetInBody.has(ordinal)) {
          request.once('data', () => request.socket.resetAndDestroy());
          return;
        }
        const item = await readForm(request);
        received.itemId = item.itemId;
        const key = `${item.dataSource}/${item.itemId}`;
        const attempt = (attempts.get(key) ?? 0) + 1;
        attempts.set(key, attempt);
        const reply = decide({ ordinal, attempt, item }) ?? { status: 201, body: '{"status":"stored"}' };
        if (typeof reply === 'object' && reply.status >= 200 && reply.status < 300) items.set(key, item);
        await answer(response, reply, closed.signal);
        return;
      }
      case `DELETE ${base}/catalog/item`: {
        received.itemId = url.searchParams.get('itemId');
        const name = `${url.searchParams.get('dataSource')}/${received.itemId}`;
        if (typeof removal === 'function') await removal();
        if (typeof removal === 'number') response.writeHead(removal).end();
        else {
          const isHeld = items.delete(name);
          response.writeHead(isHeld || removal !== '404_IF_MISSING' ? 204 : 404).end();
        }
        return;
      }
      default:
        response.writeHead(404).end();
    }
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    peakConnections = Math.max(peakConnections, sockets.size);
    socket.once('close', () => sockets.delete(socket));
  });
  async function listen(port: number): Promise<number> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
  async function goDown(): Promise<void> {
    const down = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await down;
  }
  const port = await listen(0);

  const url = `http://127.0.0.1:${port}${path}`;
  return {
    url,
    choice: { name: 'http', settings: { ...httpCatalogDefaults, url, token: null } },
    items,
    requests,
    get peakConcurrency() {
      return peakConcurrency;
    },
    get peakConnections() {
      return peakConnections;
    },
    answerWith(newDecide) {
      decide = newDecide;
    },
    removeWith(newRemoval) {
      removal = newRemoval;
    },
    damage(name, change) {
      const item = items.get(name);
      if (change === null) items.delete(name);
      else if (item !== undefined) items.set(name, { ...item, ...change });
    },
    reset() {
      items.clear();
      generation++;
    },
    goDown,
    comeBack: async () => {
      await listen(port);
    },
    async close() {
      closed.abort();
      if (server.listening) await goDown();
    },
  };
}

/** Reads a form with a parser that is not of undici: who writes and who reads must not share a mistake. */
async function readForm(request: IncomingMessage): Promise<ReceivedItem> {
  const parts = new Map<string, string>();
  let fileName = '';
  let contentType = '';
  const parser = new Busboy({ headers: request.headers as BusboyHeaders, preservePath: true });
  parser.on('field', (name, value) => parts.set(name, value));
  parser.on('file', (name, stream, receivedName, _encoding, type) => {
    fileName = receivedName;
    contentType = type;
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => parts.set(name, Buffer.concat(chunks).toString('utf8')));
  });
  request.pipe(parser);
  await once(parser, 'finish');
  const part = (name: string): string => {
    const value = parts.get(name);
    if (value === undefined) throw new Error(`the form has no ${name}`);
    return value;
  };
  return {
    fileName,
    contentType,
    data: part('file'),
    dataSource: part('dataSource'),
    classificationMarking: part('classificationMarking'),
    itemId: part('itemId'),
    metadata: part('metadata'),
  };
}

async function answer(response: ServerResponse, reply: Reply, signal: AbortSignal): Promise<void> {
  switch (reply) {
    case 'RESET':
      response.socket?.resetAndDestroy();
      return;
    case 'HALF_ANSWER':
      response.writeHead(201, { 'content-length': '1000' });
      response.write('{"status":', () => response.socket?.resetAndDestroy());
      return;
    case 'GARBAGE':
      response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n\r\n');
      return;
    case 'SILENCE':
      return;
    case 'ENDLESS_ANSWER':
      response.writeHead(201);
      response.write('{');
      return;
  }
  const { status, headers = {}, body = '', after = 0 } = reply;
  if (after > 0) await delay(after, undefined, { signal });
  response.writeHead(status, headers).end(body);
}
