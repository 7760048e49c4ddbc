import { setTimeout as delay } from 'node:timers/promises';
import { Client, DatabaseError, escapeIdentifier } from 'pg';
import type { NotificationListener, Notifications } from './notifications.ts';

/** When the connection is looked after, in milliseconds. */
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
 * Connects to a PostgreSQL server for its notifications. A connection that is lost is made again, for as long as it takes.
 * @throws what the server said, or that it did not answer, when the first connection cannot be made.
 */
export async function connectServerNotifications(
  connectionString: string,
  care: ConnectionCare = USUAL_CARE,
): Promise<ServerNotifications> {
  const notifications = new ServerNotifications(connectionString, care);
  await notifications.open();
  return notifications;
}

const USUAL_CARE: ConnectionCare = {
  checkInterval: 10_000,
  timeout: 5_000,
  firstRetryDelay: 100,
  longestRetryDelay: 5_000,
};

/** Notifications over a connection that serves nothing else. */
export class ServerNotifications implements Notifications {
  readonly #connectionString: string;
  readonly #care: ConnectionCare;
  readonly #channels = new Map<string, Channel>();
  readonly #closing = new AbortController();
  #client: Client | null = null;
  /** The connection that is, or the one to come. */
  #connected: Promise<Client>;
  #check: NodeJS.Timeout | undefined;
  /** The statement that was sent last: a connection takes one at a time. */
  #lastStatement: Promise<unknown> = Promise.resolve();

  constructor(connectionString: string, care: ConnectionCare) {
    this.#connectionString = connectionString;
    this.#care = care;
    this.#connected = Promise.reject(new Error('The notifications are not open'));
    this.#connected.catch(() => {});
  }

  /** Makes the first connection. */
  async open(): Promise<void> {
    this.#connected = this.#connect();
    await this.#connected;
    this.#check = setInterval(() => void this.#checkConnection(), this.#care.checkInterval);
    this.#check.unref();
  }

  async listen(name: string, listener: NotificationListener): Promise<() => Promise<void>> {
    const channel = this.#channels.get(name) ?? { users: 0, listeners: new Map() };
    this.#channels.set(name, channel);
    // Counted from here on, so that a connection made meanwhile listens for it, and no other listener's end stops it.
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
        // It is the connection that is lost, whether it said so already or not: the next one is awaited.
        this.#lose(client);
      }
    }
  }

  async #leave(name: string, channel: Channel): Promise<void> {
    channel.users -= 1;
    if (channel.users > 0) return;
    this.#channels.delete(name);
    if (!this.#client) return;
    // A connection that is lost listens to nothing anyway.
    await this.#send(this.#client, `unlisten ${escapeIdentifier(name)}`).catch(() => {});
  }

  #send(client: Client, statement: string): Promise<unknown> {
    const sent = this.#lastStatement.catch(() => {}).then(() => client.query(statement));
    this.#lastStatement = sent;
    return sent;
  }

  async #connect(): Promise<Client> {
    const client = new Client({
      connectionString: this.#connectionString,
      connectionTimeoutMillis: this.#care.timeout,
      query_timeout: this.#care.timeout,
      keepAlive: true,
      application_name: 'blade-ingestion notifications',
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

  /** Called for every sign that a connection is gone, of which there may be several. */
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

  /** Spread at random, so that all the nodes of a server that comes back do not come at once. */
  #retryDelay(attempt: number): number {
    const longest = Math.min(this.#care.firstRetryDelay * 2 ** attempt, this.#care.longestRetryDelay);
    return longest * (0.5 + Math.random() / 2);
  }

  /** A connection can be dead without a sign, when the way to the server was cut. */
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
  /** Its listeners, and those that are on the way to be. */
  users: number;
  readonly listeners: Map<symbol, NotificationListener>;
}
