import { parentPort, workerData } from 'node:worker_threads';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { DataError, type DataOptions, type DataProblem, type OpenData, openData } from './open-data.ts';
import { guardSession } from './session-guard.ts';

/** What the thread is started with. */
export interface EmbeddedServerOptions {
  readonly data: DataOptions;
  readonly address: { readonly socketPath: string } | { readonly host: string };
  readonly maxConnections: number;
}

/** What the thread tells. */
export type EmbeddedServerEvent =
  | { readonly kind: 'ready'; readonly port: number | null }
  | { readonly kind: 'refused'; readonly problem: DataProblem }
  | { readonly kind: 'notification'; readonly channel: string; readonly payload: string }
  | { readonly kind: 'broken'; readonly message: string };

/** What the thread is asked. */
export type EmbeddedServerRequest = 'close';

const options: EmbeddedServerOptions = workerData;
if (!parentPort) throw new Error('The embedded server runs in a thread of its own');
const port = parentPort;

const tell = (event: EmbeddedServerEvent) => port.postMessage(event);

try {
  await serve(await openData(options.data));
} catch (error) {
  if (!(error instanceof DataError)) throw error;
  tell({ kind: 'refused', problem: error.problem });
}

async function serve(data: OpenData): Promise<void> {
  const server = new PGLiteSocketServer({
    db: guardSession(data.database, {
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
  port.on('message', (_request: EmbeddedServerRequest) => void close(server, data));
  tell({ kind: 'ready', port: portOf(server.getServerConn()) });
}

async function close(server: PGLiteSocketServer, data: OpenData): Promise<void> {
  await server.stop();
  await data.close();
  port.close();
}

function portOf(address: string): number | null {
  return 'host' in options.address ? Number(address.slice(address.lastIndexOf(':') + 1)) : null;
}
