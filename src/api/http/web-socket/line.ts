import type { Logger } from 'pino';
import type { WebSocket } from 'ws';

/** Texts to and from the client of a WebSocket. */
export interface Line {
  readonly isOpen: boolean;
  /** Resolves when the text has left or the socket is closing, which ends its subscriptions. */
  send(text: string): Promise<void>;
  close(code: number, reason: string): void;
  /** @param handle handles each text; an error of it closes the socket. */
  onMessage(handle: (text: string) => Promise<void>): void;
  onClose(act: () => void): void;
  /** Leaves further texts to the network until the work is done. */
  holdWhile(work: Promise<void>): Promise<void>;
}

export function createLine(socket: WebSocket, log: Logger): Line {
  return {
    get isOpen() {
      return socket.readyState <= socket.OPEN;
    },
    send(text) {
      if (socket.readyState !== socket.OPEN) return Promise.resolve();
      return new Promise((resolve) => socket.send(text, () => resolve()));
    },
    close: (code, reason) => socket.close(code, reason),
    onMessage(handle) {
      socket.on('message', (data) => {
        handle(String(data)).catch((error: unknown) => {
          log.error({ err: error }, 'a message over WebSocket failed unexpectedly');
          socket.close(INTERNAL_ERROR, 'Internal server error');
        });
      });
    },
    onClose: (act) => void socket.once('close', act),
    async holdWhile(work) {
      socket.pause();
      try {
        await work;
      } finally {
        socket.resume();
      }
    },
  };
}

/** Close code of graphql-transport-ws. */
const INTERNAL_ERROR = 4500;
