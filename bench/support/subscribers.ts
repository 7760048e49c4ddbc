import { once } from 'node:events';
import WebSocket from 'ws';

/** Many WebSockets with one subscription each, which only count messages. */
export interface Subscribers {
  /**
   * Waits until each subscriber has received the message of a round.
   * @param publish starts the round, whose messages contain the text.
   * @returns the milliseconds from its start to each message.
   */
  round(text: string, publish: () => Promise<unknown>): Promise<number[]>;
  close(): Promise<void>;
}

/** How many connect at once. */
const CONNECTING = 100;

/** How long a round may take, in milliseconds. */
const ROUND_TIMEOUT_MS = 60_000;

/** Opens the subscribers, and waits until each has the current state. */
export async function openSubscribers(url: string, count: number, query: string): Promise<Subscribers> {
  const sockets: WebSocket[] = [];
  let onData: (data: Buffer) => void = () => {};

  async function open(): Promise<void> {
    const socket = new WebSocket(url, 'graphql-transport-ws', {
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    sockets.push(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.on('error', reject);
    socket.on('close', (code, reason) => reject(new Error(`closed with ${code} ${reason}`)));
    await once(socket, 'open');
    let isSubscribed = false;
    socket.on('message', (data: Buffer) => {
      if (isSubscribed) return onData(data);
      const text = data.toString();
      if (text.includes('connection_ack')) {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
      } else if (text.includes('"next"') && !text.includes('"errors"')) {
        isSubscribed = true;
        resolve();
      } else if (!text.includes('"ping"')) reject(new Error(text));
    });
    socket.send('{"type":"connection_init"}');
    await promise;
  }

  for (let left = count; left > 0; left -= CONNECTING) {
    await Promise.all(Array.from({ length: Math.min(left, CONNECTING) }, open));
  }

  return {
    async round(text, publish) {
      const times: number[] = [];
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(
        () => reject(new Error(`only ${times.length} of ${count} received it`)),
        ROUND_TIMEOUT_MS,
      );
      const start = performance.now();
      onData = (data) => {
        if (!data.includes(text)) return;
        times.push(performance.now() - start);
        if (times.length === count) resolve();
      };
      try {
        await publish();
        await promise;
      } finally {
        clearTimeout(timer);
      }
      return times;
    },
    async close() {
      for (const socket of sockets) {
        socket.removeAllListeners('close');
        socket.terminate();
      }
    },
  };
}
