import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { Principal } from '../../../access/principal.ts';

/** A WebSocket of a client, with the request that opened it. */
export interface Extra {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** Undefined until the connection is authenticated. */
  readonly principal?: Principal;
}
