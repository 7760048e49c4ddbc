import { waitUntilAborted } from '../abort.ts';
import { WarehouseError } from '../warehouse.ts';
import { createClient, type SparkClient } from './client.ts';
import type { SparkRemote } from './connection-string.ts';
import { isTransient, toInterruptionError } from './error.ts';
import type { SessionContext } from './messages.ts';
import { createRetries } from './retries.ts';
import { parseHandle } from './statement-handle.ts';

/** A session of Spark, with the settings that statements need. */
export interface SparkSession {
  readonly client: SparkClient;
  /** Names the session in a request. */
  readonly context: SessionContext;
}

/** The session shared by all statements of a thread. */
export interface SparkSessions {
  /**
   * Returns the session, for a statement that ends with `putBack`; the first call opens it.
   * @param onRepeat called before another attempt, because Spark could not be reached.
   */
  get(signal: AbortSignal, onRepeat: () => void): Promise<SparkSession>;
  /** Gives a session back, which is closed once it was renewed and no other statement has it. */
  putBack(session: SparkSession): void;
  /** Drops a session that Spark has lost, so that the next call opens a new one. */
  forget(session: SparkSession): void;
  /** Makes the next call open a new session, unless SPARK_REMOTE names the one to use. */
  renew(): void;
  /**
   * Interrupts the statements that a handle names, in whichever session they are, and lets Spark forget them.
   * @throws ServiceError of gRPC.
   */
  endStatements(handle: string): Promise<void>;
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
  /** How many statements have each session. */
  const users = new Map<SparkSession, number>();
  const watchers = new Set<() => void>();

  const createContext = (sessionId: string): SessionContext => ({
    session_id: sessionId,
    user_context: { user_id: remote.userId ?? 'blade-ingestion' },
    client_type: clientType,
  });

  async function open(): Promise<SparkSession> {
    const context = createContext(remote.sessionId ?? createId());
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

  async function interrupt(context: SessionContext, tag: string): Promise<readonly string[]> {
    const request = { ...context, interrupt_type: 'INTERRUPT_TYPE_TAG', operation_tag: tag } as const;
    const retries = createRetries(retryDelayMs, closing.signal);
    for (;;) {
      try {
        return (await client.request('Interrupt', request)).interrupted_ids ?? [];
      } catch (error) {
        if (!isTransient(error) || !(await retries.wait())) throw error;
      }
    }
  }

  /** Closes a session. Spark closes by itself what nobody uses for an hour. */
  async function release({ context }: SparkSession): Promise<void> {
    await client.request('ReleaseSession', context).catch(() => {});
  }

  function releaseUnused(session: SparkSession): void {
    if (users.has(session)) return;
    if (session === opened && opening !== null) return;
    void release(session);
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
        const session = await waitUntilAborted(opening, signal);
        users.set(session, (users.get(session) ?? 0) + 1);
        return session;
      } finally {
        watchers.delete(onRepeat);
      }
    },
    putBack(session) {
      const others = (users.get(session) ?? 1) - 1;
      if (others > 0) users.set(session, others);
      else users.delete(session);
      // Others use a session that SPARK_REMOTE names.
      if (remote.sessionId === null) releaseUnused(session);
    },
    forget(session) {
      if (session === opened) opening = null;
    },
    renew() {
      if (remote.sessionId !== null || opening === null || opened === null) return;
      opening = null;
      releaseUnused(opened);
    },
    async endStatements(handle) {
      const { sessionId, tag } = parseHandle(handle);
      const context = createContext(sessionId);
      // Spark forgets by itself what nobody asks for.
      for (const id of await interrupt(context, tag))
        await client
          .request('ReleaseExecute', { ...context, operation_id: id, release_all: {} })
          .catch(() => {});
    },
    async close() {
      closing.abort();
      const session = await opening?.catch(() => null);
      if (remote.sessionId === null)
        await Promise.all([...new Set([...users.keys(), ...(session ? [session] : [])])].map(release));
      client.close();
    },
  };
}

/** The settings of a session: times in UTC, and a failing CAST is an error instead of NULL. */
const SETTINGS = [
  { key: 'spark.sql.session.timeZone', value: 'UTC' },
  { key: 'spark.sql.ansi.enabled', value: 'true' },
];
