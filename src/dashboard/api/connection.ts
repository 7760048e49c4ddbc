import { type Client, createClient } from 'graphql-ws';

/** Whether changes reach this page at present. */
export type ConnectionState = 'connecting' | 'connected' | 'lost';

/** The WebSocket that subscriptions come over. It connects again by itself for as long as the page is open. */
export interface Connection {
  readonly client: Client;
  state(): ConnectionState;
  onChange(listener: () => void): () => void;
  /** Tells when the connection is back after it was lost: what happened in between has to be asked for. */
  onReconnect(listener: () => void): () => void;
  close(): void;
}

/** How long the server may take to answer a ping, in milliseconds. */
const PONG_TIMEOUT_MS = 5_000;

const PING_INTERVAL_MS = 10_000;

const LONGEST_WAIT_MS = 5_000;

/** The server does not know who this is: close codes of graphql-ws. */
const UNAUTHORIZED = new Set([4401, 4403]);

/**
 * @param credential sent when the connection is opened; null for none.
 * @param onUnauthorized told when the server closes the connection for want of a credential that it knows.
 */
export function openConnection(credential: string | null, onUnauthorized: () => void): Connection {
  const changeListeners = new Set<() => void>();
  const reconnectListeners = new Set<() => void>();
  let state: ConnectionState = 'connecting';
  let pongTimeout: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket | undefined;

  function become(next: ConnectionState): void {
    if (state === next) return;
    const before = state;
    state = next;
    for (const listener of changeListeners) listener();
    if (before === 'lost' && next === 'connected') for (const listener of reconnectListeners) listener();
  }

  const url = new URL('/graphql', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const client = createClient({
    url: url.href,
    connectionParams: credential === null ? {} : { authorization: `Bearer ${credential}` },
    keepAlive: PING_INTERVAL_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: waitBeforeRetry,
    on: {
      connected(opened) {
        socket = opened as WebSocket;
        become('connected');
      },
      closed(event) {
        clearTimeout(pongTimeout);
        const { code } = event as CloseEvent;
        if (UNAUTHORIZED.has(code)) onUnauthorized();
        // Closed by ourselves while nothing is subscribed to.
        else if (code !== 1000) become('lost');
      },
      ping(received) {
        if (received) return;
        // A connection can die without either side being told.
        pongTimeout = setTimeout(() => socket?.close(4408, 'Request Timeout'), PONG_TIMEOUT_MS);
      },
      pong(received) {
        if (received) clearTimeout(pongTimeout);
      },
    },
  });

  return {
    client,
    state: () => state,
    onChange(listener) {
      changeListeners.add(listener);
      return () => changeListeners.delete(listener);
    },
    onReconnect(listener) {
      reconnectListeners.add(listener);
      return () => reconnectListeners.delete(listener);
    },
    close: () => void client.dispose(),
  };
}

/** Waits longer each time, and not at all once the browser says that it is online again or somebody looks at the page. */
function waitBeforeRetry(retries: number): Promise<void> {
  const longest = Math.min(LONGEST_WAIT_MS, 250 * 2 ** retries);
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      document.removeEventListener('visibilitychange', done);
      resolve();
    };
    const timer = setTimeout(done, longest * (0.5 + Math.random() / 2));
    window.addEventListener('online', done);
    document.addEventListener('visibilitychange', done);
  });
}
