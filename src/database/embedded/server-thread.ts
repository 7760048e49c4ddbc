import { cpSync } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { guardSession } from './session-guard.ts';

/** What the thread is started with. */
export interface EmbeddedServerOptions {
  readonly dataFolder: string;
  /** Exists from when the data folder was made whole. */
  readonly madeWholePath: string;
  /** A data folder to begin with a copy of where there is none yet. */
  readonly prepared: string | null;
  readonly address: { readonly socketPath: string } | { readonly host: string };
  readonly maxConnections: number;
}

/** What the thread tells. */
export type EmbeddedServerEvent =
  | { readonly kind: 'ready'; readonly port: number | null }
  | { readonly kind: 'notification'; readonly channel: string; readonly payload: string }
  | { readonly kind: 'broken'; readonly message: string };

/** What the thread is asked. */
export type EmbeddedServerRequest = 'close';

const options: EmbeddedServerOptions = workerData;
if (!parentPort) throw new Error('The embedded server runs in a thread of its own');
const port = parentPort;

const tell = (event: EmbeddedServerEvent) => port.postMessage(event);

const database = await openData();
const server = new PGLiteSocketServer({
  db: guardSession(database, {
    onNotification: (channel, payload) => tell({ kind: 'notification', channel, payload }),
    onBroken(error) {
      tell({ kind: 'broken', message: error.message });
      // Clients are to see their connections end, not to wait for an answer that never comes.
      setImmediate(() => process.exit(1));
    },
  }),
  maxConnections: options.maxConnections,
  ...('socketPath' in options.address
    ? { path: options.address.socketPath }
    : { host: options.address.host, port: 0 }),
});
await server.start();
port.on('message', (_request: EmbeddedServerRequest) => void close());
tell({ kind: 'ready', port: portOf(server.getServerConn()) });

async function openData(): Promise<PGlite> {
  const isWhole = await exists(options.madeWholePath);
  if (!isWhole) {
    // What a process left behind that ended while it made the folder.
    await rm(options.dataFolder, { recursive: true, force: true });
    await mkdir(dirname(options.dataFolder), { recursive: true });
    // Several times as fast as its asynchronous twin, and this thread has nothing else to do.
    if (options.prepared) cpSync(options.prepared, options.dataFolder, { recursive: true });
  }
  const opened = await PGlite.create(options.dataFolder);
  if (!isWhole) {
    await opened.exec('checkpoint');
    await writeFile(options.madeWholePath, '');
  }
  return opened;
}

async function close(): Promise<void> {
  await server.stop();
  if (database.isInTransaction()) await database.exec('rollback');
  await database.exec('checkpoint');
  await database.close();
  port.close();
}

function portOf(address: string): number | null {
  return 'host' in options.address ? Number(address.slice(address.lastIndexOf(':') + 1)) : null;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
