import { escapeIdentifier } from 'pg';
import { createClient } from '../connection.ts';
import type { NotificationListener, Notifications } from '../notifications.ts';

/**
 * Notifications of the embedded database, delivered by its thread. Once it listens to a channel, it does so until it closes:
 * all clients share one session, and listening is free.
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
      // Lets the next listener try again; this one's promise rejects.
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

  /** Delivers a notification to the listeners of its channel. */
  deliver(channel: string, payload: string): void {
    for (const listener of this.#channels.get(channel)?.listeners.values() ?? []) {
      listener.onNotification(payload);
    }
  }

  /** Listens to all channels again, because the database was started again. Notifications may have been missed. */
  async restart(): Promise<void> {
    for (const [name, channel] of this.#channels) {
      await this.#startListening(name);
      for (const listener of channel.listeners.values()) listener.onReconnect();
    }
  }

  /** Listens through the socket, to wait for its turn; in the thread, it could run within a client's transaction. */
  async #startListening(name: string): Promise<void> {
    const client = createClient(this.#connectionString);
    client.on('error', () => {}); // A pending query rejects by itself.
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
