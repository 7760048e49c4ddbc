import { Client, escapeIdentifier } from 'pg';
import type { NotificationListener, Notifications } from '../notifications.ts';

/**
 * Notifications of the embedded database, which its thread hands over. A channel is listened to until the database closes,
 * however many listeners come and go: all clients share one session, and listening costs it nothing.
 */
export class EmbeddedNotifications implements Notifications {
  readonly #connectionString: string;
  readonly #channels = new Map<string, Channel>();

  constructor(connectionString: string) {
    this.#connectionString = connectionString;
  }

  async listen(name: string, listener: NotificationListener): Promise<() => Promise<void>> {
    let channel = this.#channels.get(name);
    if (!channel) {
      channel = { listeners: new Map(), listening: this.#startListening(name) };
      this.#channels.set(name, channel);
      // So that the next listener tries again; this one is told by the promise itself.
      channel.listening.catch(() => this.#channels.delete(name));
    }
    await channel.listening;
    const { listeners } = channel;
    const key = Symbol();
    listeners.set(key, listener);
    return async () => {
      listeners.delete(key);
    };
  }

  /** Hands a notification to the listeners of its channel. */
  deliver(channel: string, payload: string): void {
    for (const listener of this.#channels.get(channel)?.listeners.values() ?? []) {
      listener.onNotification(payload);
    }
  }

  /** Through the socket, where it waits for its turn, rather than in the thread, where it would end up in a client's transaction. */
  async #startListening(name: string): Promise<void> {
    const client = new Client({ connectionString: this.#connectionString });
    client.on('error', () => {}); // A query that is under way rejects by itself.
    await client.connect();
    try {
      await client.query(`listen ${escapeIdentifier(name)}`);
    } finally {
      await client.end();
    }
  }
}

interface Channel {
  readonly listeners: Map<symbol, NotificationListener>;
  readonly listening: Promise<void>;
}
