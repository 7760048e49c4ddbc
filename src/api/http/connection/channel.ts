import type { IncomingMessage } from 'node:http';
import type { Principal } from '../../../access/principal.ts';

/** What operations of a client and their results pass through: a WebSocket, or an event stream with its requests. */
export interface Channel {
  readonly transport: 'websocket' | 'http';
  readonly isOpen: boolean;
  /** Sends a message of graphql-transport-ws; resolves when it has left or the channel is closing. */
  send(message: string): Promise<void>;
  /** Sends a result that is serialized already; resolves as `send` does. */
  sendResult(id: string, result: string): Promise<void>;
  /** @param code of graphql-transport-ws or RFC 6455. */
  close(code: number, reason: string): void;
}

/** What is known about a connection, with the request that opened it. */
export interface Extra {
  readonly channel: Channel;
  readonly request: IncomingMessage;
  /** Undefined until the connection is authenticated. */
  readonly principal?: Principal;
  /** Whether each operation comes in a request that the rate limits have counted. */
  readonly isCounted?: boolean;
}
