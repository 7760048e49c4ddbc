import { waitUntilAborted } from '../abort.ts';
import { WarehouseError } from '../warehouse.ts';
import { createClient, type SparkClient } from './client.ts';
import type { SparkRemote } from './connection-string.ts';
import { isTransient, toInterruptionError } from './error.ts';
import type { SessionContext } from './messages.ts';
import { createRetries } from './retries.ts';

/** A session of Spark, with the settings that statements need. */
export interface SparkSession {
  readonly client: SparkClient;
  /** Names the session in a request. */
  readonly context: SessionContext;
}

/** The session shared by all statements of a thread. */
export interface SparkSessions {
  /**
   * Returns the session; the first call opens it.
   * @param onRepeat called before another attempt, because Spark could not be reached.
   */
  get(signal: AbortSignal, onRepeat: () => void): Promise<SparkSession>;
  /** Drops a session that Spark has lost, so that the next call opens a new one. */
  forget(session: SparkSession): void;
  /** Closes the session, and with it the statements still running in it. */
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly remote: SparkRemote;
  /** Creates the id of a session: a UUID. */
  readonly createId: () => string;
  readonly clientType: string;
  /** The wait before the first retry of a request, in milliseconds. */
  readonly retryDelayMs: number;
}

/** Creates the sessions. Sends nothing before the first one is needed. */
export function createSessions({
  remote,
  createId,
  clientType,
  retryDelayMs,
}: SessionOptions): SparkSessions {
  const client = createClient(remote);
  const closing = new AbortController();
  let opening: Promise<SparkSession> | null = null;
  let opened: SparkSession | null = null;
  const watchers = new Set<() => void>();

  async function open(): Promise<SparkSession> {
    const context = {
      session_id: remote.sessionId ?? createId(),
      user_context: { user_id: remote.userId ?? 'blade-ingestion' },
      client_type: clientType,
    };
    const request = { ...context, operation: { set: { pairs: SETTINGS } } };
    const retries = createRetries(retryDelayMs, closing.signal);
    for (;;) {
      try {
        const { server_side_session_id: id } = await client.request('Config', request);
        opened = {
          client,
          context: {
            ...context,
            ...(id === undefined ? {} : { client_observed_server_side_session_id: id }),
          },
        };
        return opened;
      } catch (error) {
        if (!isTransient(error)) throw error;
        for (const watch of watchers) watch();
        if (await retries.wait()) continue;
        // A Spark that was there before is likely to come back.
        throw opened === null ? error : toInterruptionError(error, {});
      }
    }
  }

  return {
    async get(signal, onRepeat) {
      if (closing.signal.aborted) throw new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
      opening ??= open().catch((error: unknown) => {
        opening = null;
        throw error;
      });
      watchers.add(onRepeat);
      try {
        return await waitUntilAborted(opening, signal);
      } finally {
        watchers.delete(onRepeat);
      }
    },
    forget(session) {
      if (session === opened) opening = null;
    },
    async close() {
      closing.abort();
      const session = await opening?.catch(() => null);
      // Others use a session that SPARK_REMOTE names.
      if (session && remote.sessionId === null)
        await client.request('ReleaseSession', session.context).catch(() => {});
      client.close();
    },
  };
}

/** The settings of a session: times in UTC, and a failing CAST is an error instead of NULL. */
const SETTINGS = [
  { key: 'spark.sql.session.timeZone', value: 'UTC' },
  { key: 'spark.sql.ansi.enabled', value: 'true' },
];
