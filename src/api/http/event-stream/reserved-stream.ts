import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ConnectionLimits } from '../../limits/settings.ts';
import type { MessageChannel } from '../connection/message-channel.ts';
import type { ServerMessage } from '../connection/server-message.ts';
import { prepareStream } from '../stream-responses.ts';

/** An event stream for many operations, which a client reserves, opens, and fills by further requests. */
export interface ReservedStream extends MessageChannel {
  /** Whether a response carries it. */
  readonly isOpened: boolean;
  /** Carries the stream in a response, with what has waited for it. */
  open(response: ServerResponse): void;
  /** Handles a message of the client. */
  receive(message: object): Promise<void>;
  hasOperation(id: string): boolean;
}

/**
 * Creates a stream of graphql-sse's single connection mode.
 * @param onClose called once when the stream ends, in whatever way.
 */
export function createReservedStream(
  { keepAliveMs, maxWaitingBytes }: ConnectionLimits,
  onClose: () => void,
): ReservedStream {
  const ids = new Set<string>();
  const opened = Promise.withResolvers<ServerResponse | null>();
  let response: ServerResponse | null = null;
  let isOpen = true;
  /** Characters that wait for the stream to be opened or read. */
  let waiting = 0;
  let handle: (message: string) => Promise<void> = async () => {};

  function end(): void {
    if (!isOpen) return;
    isOpen = false;
    opened.resolve(null);
    onClose();
  }

  /** Resolves when the text has left, so that the next result is only made for a client that reads. */
  async function write(text: string): Promise<void> {
    waiting += text.length;
    const target = await opened.promise;
    if (target !== null && isOpen && !target.write(text)) await untilRead(target);
    waiting -= text.length;
  }

  const sendResult = (id: string, result: string) => write(nextEvent(id, result));

  function complete(id: string): Promise<void> {
    ids.delete(id);
    return write(completeEvent(id));
  }

  return {
    transport: 'http',
    get isOpen() {
      return isOpen;
    },
    get isOpened() {
      return response !== null;
    },
    sendResult,
    hasOperation: (id) => ids.has(id),
    onMessage(handler) {
      handle = handler;
    },

    async send(text) {
      const message: ServerMessage = JSON.parse(text);
      if (message.type === 'next') await sendResult(message.id, JSON.stringify(message.payload));
      else if (message.type === 'error') {
        await sendResult(message.id, JSON.stringify({ errors: message.payload }));
        await complete(message.id);
      } else if (message.type === 'complete') await complete(message.id);
    },

    async receive(message) {
      // As for WebSockets: a client may not keep sending requests without reading the answers.
      if (waiting > maxWaitingBytes) {
        response?.destroy();
        return end();
      }
      if ('type' in message && 'id' in message && typeof message.id === 'string') {
        if (message.type === 'subscribe') ids.add(message.id);
        else ids.delete(message.id);
      }
      await handle(JSON.stringify(message));
    },

    // Only for a credential that is no longer valid: requests are checked before they become messages.
    close(_code, reason) {
      const result = JSON.stringify({
        errors: [{ message: reason, extensions: { code: 'UNAUTHENTICATED' } }],
      });
      for (const id of ids) response?.write(nextEvent(id, result) + completeEvent(id));
      end();
      response?.end();
    },

    open(target) {
      response = target;
      prepareStream(target, keepAliveMs);
      target.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
        connection: 'keep-alive',
      });
      // Some browsers take the stream as open only when something has arrived.
      target.write(':\n\n');
      const timer = setInterval(() => target.write(':\n\n'), keepAliveMs);
      target.once('close', () => {
        clearInterval(timer);
        end();
      });
      opened.resolve(target);
    },
  };
}

/** Resolves when all that waits has left, or the client has. */
async function untilRead(response: ServerResponse): Promise<void> {
  const left = new AbortController();
  const stop = () => left.abort();
  response.once('close', stop);
  await once(response, 'drain', { signal: left.signal }).catch(() => {});
  response.off('close', stop);
}

function nextEvent(id: string, result: string): string {
  return `event: next\ndata: {"id":${JSON.stringify(id)},"payload":${result}}\n\n`;
}

function completeEvent(id: string): string {
  return `event: complete\ndata: ${JSON.stringify({ id })}\n\n`;
}
