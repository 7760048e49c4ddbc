import { isObject } from '../../../shared/json.ts';
import type { MessageChannel } from '../connection/message-channel.ts';
import type { ServerMessage } from '../connection/server-message.ts';
import type { Line } from './line.ts';

/**
 * Translates the older protocol, that of subscriptions-transport-ws, which GraphQL Playground, Altair and apollo-link-ws
 * speak. Its subprotocol is called `graphql-ws`, like the library that replaced it.
 */
export function speakSubscriptionsTransportWs(line: Line, keepAliveMs: number): MessageChannel {
  let isClosed = false;
  const write = (message: object) => line.send(JSON.stringify(message));
  const sendResult = (id: string, result: string) =>
    line.send(`{"id":${JSON.stringify(id)},"type":"data","payload":${result}}`);

  function close(code: number, reason: string): void {
    // These clients ignore the code and the reason of a close.
    if (!isClosed && code !== NORMAL) void write({ type: 'connection_error', payload: { message: reason } });
    isClosed = true;
    line.close(code, reason);
  }

  function keepAlive(): void {
    // Once a client has got one of these, it connects again when none comes for 20 or 30 seconds.
    void write({ type: 'ka' });
    const timer = setInterval(() => write({ type: 'ka' }), Math.min(keepAliveMs, MOST_KEEP_ALIVE_MS));
    line.onClose(() => clearInterval(timer));
  }

  return {
    transport: 'websocket',
    get isOpen() {
      return line.isOpen;
    },
    sendResult,
    close,

    async send(text) {
      const message: ServerMessage = JSON.parse(text);
      if (message.type === 'connection_ack') {
        await write(message);
        keepAlive();
      } else if (message.type === 'next') await sendResult(message.id, JSON.stringify(message.payload));
      else if (message.type === 'error') {
        // As the library's own server does: its clients show only the first error of an `error`.
        await sendResult(message.id, JSON.stringify({ errors: message.payload }));
        await write({ id: message.id, type: 'complete' });
      } else if (message.type === 'complete') await write(message);
    },

    onMessage(handle) {
      // Clients send their first operations with `connection_init`, without waiting for the answer.
      let initialized: Promise<void> = Promise.resolve();
      line.onMessage(async (text) => {
        if (isClosed) return;
        const message = parseMessage(text);
        if (message === null) return close(BAD_REQUEST, 'Invalid message received');
        if (message.type === 'connection_terminate') return close(NORMAL, 'Terminated by the client');
        const translated = translate(message);
        if (translated === null) return close(BAD_REQUEST, 'Invalid message received');
        if (message.type === 'connection_init') {
          initialized = handle(translated);
          return line.holdWhile(initialized);
        }
        await initialized;
        return isClosed ? undefined : handle(translated);
      });
    },
  };
}

/** Close codes of RFC 6455 and graphql-transport-ws. */
const NORMAL = 1000;
const BAD_REQUEST = 4400;

/** GraphQL Playground waits for 20 seconds, other clients for 30. */
const MOST_KEEP_ALIVE_MS = 15_000;

const CLIENT_MESSAGES: readonly unknown[] = ['connection_init', 'start', 'stop', 'connection_terminate'];

interface ClientMessage {
  readonly type: string;
  readonly id?: unknown;
  readonly payload?: unknown;
}

/** Writes a client's message as one of graphql-transport-ws; null if it is nested too deep to be written. */
function translate({ type, id, payload }: ClientMessage): string | null {
  try {
    if (type === 'connection_init')
      return JSON.stringify({ type, ...(isObject(payload) ? { payload } : {}) });
    if (type === 'stop') return JSON.stringify({ id, type: 'complete' });
    return JSON.stringify({ id, type: 'subscribe', payload: toRequest(payload) });
  } catch {
    return null;
  }
}

/** Parses a client's message; null if it is none of this protocol. */
function parseMessage(text: string): ClientMessage | null {
  try {
    const message: unknown = JSON.parse(text);
    return isObject(message) && CLIENT_MESSAGES.includes(message.type)
      ? { ...message, type: String(message.type) }
      : null;
  } catch {
    return null;
  }
}

/** apollo-link names an operation without a name by an empty text. */
function toRequest(payload: unknown): unknown {
  return isObject(payload) && payload.operationName === '' ? { ...payload, operationName: null } : payload;
}
