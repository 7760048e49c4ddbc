import { type Client, createClient } from 'graphql-ws';

/** Whether changes reach this page. */
export type ConnectionState = 'connecting' | 'connected' | 'lost';

/** The WebSocket of all subscriptions. It reconnects for as long as the page is open. */
export interface Connection {
  readonly client: Client;
  state(): ConnectionState;
  onChange(listener: () => void): () => void;
  /** Runs when a lost connection is back: what happened in between must be queried. */
  onReconnect(listener: () => void): () => void;
  close(): void;
}

/** How long the server has to answer a ping, in milliseconds. */
const PONG_TIMEOUT_MS = 5_000;

const PING_INTERVAL_MS = 10_000;

const MAX_WAIT_MS = 5_000;

/** Close codes of graphql-ws for a credential that the server does not accept. */
const UNAUTHORIZED = new Set([4401, 4403]);

/**
 * @param credential sent when the connection opens; null for none.
 * @param onUnauthorized runs when the server closes the connection because it does not accept the credential.
 */
export function openConnection(credential: string | null, onUnauthorized: () => void): Connection {
  const changeListeners = new Set<() => void>();
  const reconnectListeners = new Set<() => void>();
  let state: ConnectionState = 'connecting';
  let pongTimeout: ReturnType<typeof setTimeout> | undefined;
  let socket: WebSocket | undefined;

  function changeState(next: ConnectionState): void {
    if (state === next) return;
    const previous = state;
    state = next;
    for (const listener of changeListeners) listener();
    if (previous === 'lost' && next === 'connected') for (const listener of reconnectListeners) listener();
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
        changeState('connected');
      },
      closed(event) {
        clearTimeout(pongTimeout);
        const { code } = event as CloseEvent;
        if (UNAUTHORIZED.has(code)) onUnauthorized();
        // The client closes an idle connection itself, with 1000.
        else if (code !== 1000) changeState('lost');
      },
      ping(received) {
        if (received) return;
        // A connection can die without a close event.
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

/** Backs off, but retries at once when the browser is online again or the page is looked at. */
function waitBeforeRetry(retries: number): Promise<void> {
  const maxWait = Math.min(MAX_WAIT_MS, 250 * 2 ** retries);
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      document.removeEventListener('visibilitychange', done);
      resolve();
    };
    const timer = setTimeout(done, maxWait * (0.5 + Math.random() / 2));
    window.addEventListener('online', done);
    document.addEventListener('visibilitychange', done);
  });
}
