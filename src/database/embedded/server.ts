import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { explainFailure, toFolderError } from '../../shared/folder-access.ts';
import { type FolderError, FullDiskError } from '../../shared/folder-error.ts';
import { findFreeBytes } from '../../shared/full-disk.ts';
import { resolveModuleUrl } from '../../shared/module-url.ts';
import type { Database } from '../database.ts';
import {
  inspectFolder,
  refuseFolder,
  resolvePaths,
  takeFolder,
  toConfiguredFolder,
} from './database-folder.ts';
import type { FolderLock } from './folder-lock.ts';
import { EmbeddedNotifications } from './notifications.ts';
import type { DataProblem, FoundData, PreparedData } from './open-data.ts';
import type { EmbeddedServerEvent, EmbeddedServerOptions, EmbeddedServerRequest } from './server-thread.ts';

/**
 * Starts an embedded PostgreSQL in its own thread, for this process and its threads.
 *
 * All clients share one session. A transaction makes every other client wait, so within one, do not wait for another
 * connection. All clients see the settings and prepared statements of each other. Do not use COPY, which breaks the connection.
 * @param options.folder the folder of the data; created if it does not exist.
 * @param options.findPrepared finds the data to begin with, which is much faster than creating a database; called only if there is
 * none yet.
 * @returns the database, without our tables; it needs `applyMigrations`.
 * @throws FolderError if the folder cannot be used: a process, maybe this one, has it open; it is damaged or belongs to
 * something else; or the file system does not allow it.
 */
export async function startEmbeddedServer(options: {
  folder: string;
  findPrepared?: () => Promise<PreparedData | null>;
}): Promise<Database> {
  const { lock, found } = await takeFolder(options.folder);
  try {
    const prepared = found === null ? await options.findPrepared?.() : null;
    return await start(options.folder, found, prepared ?? null, lock);
  } catch (error) {
    await lock.abandon();
    throw toFolderError(toConfiguredFolder(options.folder), error);
  }
}

const MAX_CONNECTIONS = 100;
const CLOSE_TIMEOUT_MS = 30_000;
const SOCKET_FOLDER_PREFIX = 'blade-ingestion-';

async function start(
  folder: string,
  found: FoundData | null,
  prepared: PreparedData | null,
  lock: FolderLock,
): Promise<Database> {
  await removeSocketFolder(lock.previousHolder?.temporaryFolder);
  // Only this user can enter the folder of the socket, so no other user of the machine can connect.
  const socketFolder = await mkdtemp(join(tmpdir(), SOCKET_FOLDER_PREFIX));
  await lock.describe(socketFolder);
  const release = async () => {
    await removeSocketFolder(socketFolder);
    await lock.release();
  };

  // On Windows, PostgreSQL clients do not support sockets in folders.
  const address =
    process.platform === 'win32'
      ? { host: '127.0.0.1' }
      : { socketPath: join(socketFolder, '.s.PGSQL.5432') };
  const workerData: EmbeddedServerOptions = {
    data: {
      found,
      ...resolvePaths(folder),
      prepared,
    },
    address,
    maxConnections: MAX_CONNECTIONS,
  };
  try {
    const thread = await startThread(folder, workerData);
    const connectionString =
      thread.port === null
        ? `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(socketFolder)}`
        : `postgresql://postgres@127.0.0.1:${thread.port}/postgres`;
    return serve(thread, connectionString, release, (signal) => restart(folder, workerData, signal));
  } catch (error) {
    await removeSocketFolder(socketFolder);
    throw error;
  }
}

/** A thread in which the database is open. */
interface DatabaseThread {
  readonly worker: Worker;
  /** The port it listens on; null for a socket. */
  readonly port: number | null;
  readonly exited: Promise<void>;
}

async function startThread(folder: string, workerData: EmbeddedServerOptions): Promise<DatabaseThread> {
  const worker = new Worker(resolveModuleUrl('./server-thread', import.meta.url), { workerData });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  try {
    return { worker, exited, port: await waitUntilReady(worker, folder) };
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

/**
 * Starts the database again once its disk has space.
 * @returns null after the signal.
 */
async function restart(
  folder: string,
  { data, address, ...options }: EmbeddedServerOptions,
  signal: AbortSignal,
): Promise<DatabaseThread | null> {
  while (!signal.aborted) {
    const free = await findFreeBytes(folder);
    if (free === null || free >= MIN_FREE_BYTES) {
      try {
        if ('socketPath' in address) await rm(address.socketPath, { force: true });
        const found = inspectFolder(folder);
        return await startThread(folder, { ...options, address, data: { ...data, found } });
      } catch (error) {
        // Others have used up the space again.
        if (!(error instanceof FullDiskError)) throw error;
      }
    }
    await delay(RESTART_INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
  return null;
}

/** What PostgreSQL needs at its start: the next file of its log, and some for tables. */
const MIN_FREE_BYTES = 32 * 1_048_576;
const RESTART_INTERVAL_MS = 1_000;

function serve(
  first: DatabaseThread,
  connectionString: string,
  release: () => Promise<void>,
  startAgain: (signal: AbortSignal) => Promise<DatabaseThread | null>,
): Database {
  const notifications = new EmbeddedNotifications(connectionString);
  const closing = new AbortController();
  let thread = first;

  /** Resolves with the reason why the database cannot be used any more; null after it was closed. */
  async function run(): Promise<string | null> {
    for (;;) {
      const { reason, isDiskFull } = await watchThread(thread, notifications);
      if (closing.signal.aborted) return null;
      // Clients know the port of the first thread.
      if (!isDiskFull || thread.port !== null) return reason;
      try {
        const next = await startAgain(closing.signal);
        if (next === null) return null;
        thread = next;
        if (closing.signal.aborted) thread.worker.postMessage('close' satisfies EmbeddedServerRequest);
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
      void notifications.restart().catch(() => {});
    }
  }

  const ended = run().finally(release);
  const lost = new Promise<Error>((resolve) => {
    void ended.then((reason) => {
      if (reason !== null) resolve(new Error(`The embedded database stopped: ${reason}`));
    });
  });

  return {
    connectionString,
    kind: 'embedded',
    notifications,
    lost,
    async close() {
      closing.abort();
      thread.worker.postMessage('close' satisfies EmbeddedServerRequest);
      // A statement that does not end must not keep the process alive; the data survives a killed thread.
      const timer = setTimeout(() => void thread.worker.terminate(), CLOSE_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Delivers the notifications of a thread until it ends, and returns why it did. */
async function watchThread(
  { worker, exited }: DatabaseThread,
  notifications: EmbeddedNotifications,
): Promise<{ reason: string; isDiskFull: boolean }> {
  let reason = 'its thread ended';
  let isDiskFull = false;
  worker.on('message', (event: EmbeddedServerEvent) => {
    if (event.kind === 'notification') notifications.deliver(event.channel, event.payload);
    if (event.kind === 'broken') ({ message: reason, isDiskFull } = event);
  });
  worker.on('error', (error) => {
    reason = error instanceof Error ? error.message : String(error);
  });
  await exited;
  return { reason, isDiskFull };
}

/** @returns the port it listens on; null for a socket. */
function waitUntilReady(thread: Worker, folder: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('The embedded database did not start: its thread ended')));
    thread.once('message', (event: EmbeddedServerEvent) => {
      if (event.kind === 'ready') resolve(event.port);
      else if (event.kind === 'refused') reject(explainProblem(folder, event.problem));
      else reject(new Error('The embedded database did not start'));
    });
  });
}

function explainProblem(folder: string, problem: DataProblem): FolderError {
  return problem.kind === 'damaged'
    ? refuseFolder(folder, problem.found, problem.isUnchanged)
    : explainFailure(toConfiguredFolder(folder), problem.code);
}

/** Removes the folder of a socket, and nothing else: the path may have been read from a file. */
async function removeSocketFolder(path: string | undefined): Promise<void> {
  if (!path || dirname(path) !== tmpdir() || !path.startsWith(join(tmpdir(), SOCKET_FOLDER_PREFIX))) return;
  await rm(path, { recursive: true, force: true });
}
