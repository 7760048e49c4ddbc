import { parentPort, workerData } from 'node:worker_threads';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { collectAfterStart } from '../../shared/collect-garbage.ts';
import { DataError, type DataOptions, type DataProblem, type OpenData, openData } from './open-data.ts';
import { guardSession } from './session-guard.ts';

/** The data of the thread. */
export interface EmbeddedServerOptions {
  readonly data: DataOptions;
  readonly address: { readonly socketPath: string } | { readonly host: string };
  readonly maxConnections: number;
}

/** A message of the thread. */
export type EmbeddedServerEvent =
  | { readonly kind: 'ready'; readonly port: number | null }
  | { readonly kind: 'refused'; readonly problem: DataProblem }
  | { readonly kind: 'notification'; readonly channel: string; readonly payload: string }
  /** The database has stopped; with a full disk, it can be opened again once there is space. */
  | { readonly kind: 'broken'; readonly message: string; readonly isDiskFull: boolean };

/** A message to the thread. */
export type EmbeddedServerRequest = 'close';

const options: EmbeddedServerOptions = workerData;
if (!parentPort) throw new Error('The embedded server must run in its own thread');
const port = parentPort;

const send = (event: EmbeddedServerEvent) => port.postMessage(event);

try {
  await serve(await openData(options.data));
} catch (error) {
  if (!(error instanceof DataError)) throw error;
  send({ kind: 'refused', problem: error.problem });
}

async function serve(data: OpenData): Promise<void> {
  const server = new PGLiteSocketServer({
    db: guardSession(data.database, {
      onNotification: (channel, payload) => send({ kind: 'notification', channel, payload }),
      onBroken(error) {
        send({ kind: 'broken', message: error.message, isDiskFull: data.isDiskFull() });
        // So that the connections of clients end, instead of waiting for an answer forever.
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
  send({ kind: 'ready', port: parsePort(server.getServerConn()) });
  collectAfterStart();
}

async function close(server: PGLiteSocketServer, data: OpenData): Promise<void> {
  await server.stop();
  await data.close();
  port.close();
}

function parsePort(address: string): number | null {
  return 'host' in options.address ? Number(address.slice(address.lastIndexOf(':') + 1)) : null;
}
