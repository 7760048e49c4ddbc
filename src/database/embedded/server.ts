import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { explainFailure, toFolderError } from '../../shared/folder-access.ts';
import type { FolderError } from '../../shared/folder-error.ts';
import { resolveModuleUrl } from '../../shared/module-url.ts';
import type { Database } from '../database.ts';
import { refuseFolder, resolvePaths, takeFolder, toConfiguredFolder } from './database-folder.ts';
import type { FolderLock } from './folder-lock.ts';
import { EmbeddedNotifications } from './notifications.ts';
import type { DataProblem, FoundData } from './open-data.ts';
import type { EmbeddedServerEvent, EmbeddedServerOptions, EmbeddedServerRequest } from './server-thread.ts';

/**
 * Starts an embedded PostgreSQL in its own thread, for this process and its threads.
 *
 * All clients share one session. A transaction makes every other client wait, so within one, do not wait for another
 * connection. All clients see the settings and prepared statements of each other. Do not use COPY, which breaks the connection.
 * @param options.folder the folder of the data; created if it does not exist.
 * @param options.prepared a folder that was opened and closed before, which is copied if there is no data yet. That is much
 * faster than creating a database.
 * @returns the database, without our tables; it needs `applyMigrations`.
 * @throws FolderError if the folder cannot be used: a process, maybe this one, has it open; it is damaged or belongs to
 * something else; or the file system does not allow it.
 */
export async function startEmbeddedServer(options: { folder: string; prepared?: string }): Promise<Database> {
  const { lock, found } = await takeFolder(options.folder);
  try {
    return await start(options.folder, found, options.prepared ?? null, lock);
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
  prepared: string | null,
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
      prepared: prepared === null ? null : resolvePaths(prepared).dataFolder,
    },
    address,
    maxConnections: MAX_CONNECTIONS,
  };
  const thread = new Worker(resolveModuleUrl('./server-thread', import.meta.url), { workerData });
  const exited = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  try {
    const port = await waitUntilReady(thread, folder);
    const connectionString =
      port === null
        ? `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(socketFolder)}`
        : `postgresql://postgres@127.0.0.1:${port}/postgres`;
    return serve(thread, exited, connectionString, release);
  } catch (error) {
    await thread.terminate();
    await removeSocketFolder(socketFolder);
    throw error;
  }
}

function serve(
  thread: Worker,
  exited: Promise<void>,
  connectionString: string,
  release: () => Promise<void>,
): Database {
  const notifications = new EmbeddedNotifications(connectionString);
  let reason: string | undefined;
  thread.on('message', (event: EmbeddedServerEvent) => {
    if (event.kind === 'notification') notifications.deliver(event.channel, event.payload);
    if (event.kind === 'broken') reason = event.message;
  });
  thread.on('error', (error) => {
    reason = error instanceof Error ? error.message : String(error);
  });

  let isClosing = false;
  const released = exited.then(release);
  const lost = new Promise<Error>((resolve) => {
    void released.then(() => {
      if (!isClosing) resolve(new Error(`The embedded database stopped: ${reason ?? 'its thread ended'}`));
    });
  });

  return {
    connectionString,
    kind: 'embedded',
    notifications,
    lost,
    async close() {
      isClosing = true;
      thread.postMessage('close' satisfies EmbeddedServerRequest);
      // A statement that does not end must not keep the process alive; the data survives a killed thread.
      const timer = setTimeout(() => void thread.terminate(), CLOSE_TIMEOUT_MS);
      await released;
      clearTimeout(timer);
    },
  };
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
