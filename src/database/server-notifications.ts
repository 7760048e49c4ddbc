import { setTimeout as delay } from 'node:timers/promises';
import { type Client, DatabaseError, escapeIdentifier } from 'pg';
import { createClient } from './connection.ts';
import type { NotificationListener, Notifications } from './notifications.ts';

/** How the connection is kept alive, in milliseconds. */
export interface ConnectionCare {
  /** How often it is checked. */
  readonly checkInterval: number;
  /** How long connecting, a check, or starting to listen may take. */
  readonly timeout: number;
  /** The wait before the first attempt to connect again; it doubles with each that fails. */
  readonly firstRetryDelay: number;
  readonly longestRetryDelay: number;
}

/**
 * Connects to a PostgreSQL server for its notifications, and again whenever the connection is lost.
 * @throws the server's error, or that it does not answer, if the first connection fails.
 */
export async function connectServerNotifications(
  connectionString: string,
  care: ConnectionCare = DEFAULT_CARE,
): Promise<ServerNotifications> {
  const notifications = new ServerNotifications(connectionString, care);
  await notifications.open();
  return notifications;
}

const DEFAULT_CARE: ConnectionCare = {
  checkInterval: 10_000,
  timeout: 5_000,
  firstRetryDelay: 100,
  longestRetryDelay: 5_000,
};

/** Notifications over a separate connection. */
export class ServerNotifications implements Notifications {
  readonly #connectionString: string;
  readonly #care: ConnectionCare;
  readonly #channels = new Map<string, Channel>();
  readonly #closing = new AbortController();
  #client: Client | null = null;
  /** The current connection, or the next one. */
  #connected: Promise<Client>;
  #check: NodeJS.Timeout | undefined;
  /** The last statement sent: a connection takes one at a time. */
  #lastStatement: Promise<unknown> = Promise.resolve();

  constructor(connectionString: string, care: ConnectionCare) {
    this.#connectionString = connectionString;
    this.#care = care;
    this.#connected = Promise.reject(new Error('The notifications are not open'));
    this.#connected.catch(() => {});
  }

  /** Opens the first connection. */
  async open(): Promise<void> {
    this.#connected = this.#connect();
    await this.#connected;
    this.#check = setInterval(() => void this.#checkConnection(), this.#care.checkInterval);
    this.#check.unref();
  }

  async listen(name: string, listener: NotificationListener): Promise<() => Promise<void>> {
    const channel = this.#channels.get(name) ?? { users: 0, listeners: new Map() };
    this.#channels.set(name, channel);
    // Counted before listening, so that a connection opened meanwhile listens, too, and the end of another listener does not stop it.
    channel.users += 1;
    try {
      await this.#startListening(name);
    } catch (error) {
      this.#leave(name, channel);
      throw error;
    }
    const key = Symbol();
    channel.listeners.set(key, listener);
    return async () => {
      if (channel.listeners.delete(key)) await this.#leave(name, channel);
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#check);
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => {});
  }

  async #startListening(name: string): Promise<void> {
    for (;;) {
      const client = await this.#connected;
      try {
        await this.#send(client, `listen ${escapeIdentifier(name)}`);
        return;
      } catch (error) {
        if (error instanceof DatabaseError && error.severity === 'ERROR') throw error;
        // The connection is lost, whether that has shown yet or not: wait for the next one.
        this.#lose(client);
      }
    }
  }

  async #leave(name: string, channel: Channel): Promise<void> {
    channel.users -= 1;
    if (channel.users > 0) return;
    this.#channels.delete(name);
    if (!this.#client) return;
    // A lost connection listens to nothing anyway.
    await this.#send(this.#client, `unlisten ${escapeIdentifier(name)}`).catch(() => {});
  }

  #send(client: Client, statement: string): Promise<unknown> {
    const sent = this.#lastStatement.catch(() => {}).then(() => client.query(statement));
    this.#lastStatement = sent;
    return sent;
  }

  async #connect(): Promise<Client> {
    const client = createClient(this.#connectionString, {
      name: 'blade-ingestion notifications',
      timeout: this.#care.timeout,
    });
    client.on('error', () => this.#lose(client));
    client.on('end', () => this.#lose(client));
    client.on('notification', ({ channel, payload }) => {
      for (const listener of this.#channels.get(channel)?.listeners.values() ?? []) {
        listener.onNotification(payload ?? '');
      }
    });
    await client.connect();
    try {
      for (const name of this.#channels.keys()) await client.query(`listen ${escapeIdentifier(name)}`);
      this.#closing.signal.throwIfAborted();
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    this.#client = client;
    return client;
  }

  /** Called for every sign that a connection is lost; there may be several. */
  #lose(client: Client): void {
    if (client !== this.#client) return;
    this.#client = null;
    void client.end().catch(() => {});
    this.#connected = this.#reconnect();
    this.#connected.catch(() => {}); // Rejects only when closing.
  }

  async #reconnect(): Promise<Client> {
    for (let attempt = 0; ; attempt++) {
      await delay(this.#retryDelay(attempt), undefined, { signal: this.#closing.signal });
      const client = await this.#connect().catch(() => null);
      if (!client) continue;
      for (const channel of this.#channels.values()) {
        for (const listener of channel.listeners.values()) listener.onReconnect();
      }
      return client;
    }
  }

  /** Jittered, so that not all nodes connect at once when a server is back. */
  #retryDelay(attempt: number): number {
    const longest = Math.min(this.#care.firstRetryDelay * 2 ** attempt, this.#care.longestRetryDelay);
    return longest * (0.5 + Math.random() / 2);
  }

  /** A connection can be dead without a sign, if the network was cut. */
  async #checkConnection(): Promise<void> {
    const client = this.#client;
    if (!client) return;
    try {
      await this.#send(client, 'select 1');
    } catch {
      this.#lose(client);
    }
  }
}

interface Channel {
  /** Its listeners, including those that wait for the database to listen. */
  users: number;
  readonly listeners: Map<symbol, NotificationListener>;
}
