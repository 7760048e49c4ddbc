import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, inject, vi } from 'vitest';
import { connectServerNotifications } from '../../src/database/server-notifications.ts';
import { test } from '../support/on-every-database.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const usesServer = inject('preparedDatabase').kind === 'server';
const needsServer = usesServer ? '' : ' (skipped: needs a server)';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.close());

function recordingListener() {
  const payloads: string[] = [];
  const onReconnect = vi.fn();
  return { payloads, onReconnect, onNotification: (payload: string) => payloads.push(payload) };
}

const notify = (channel: string, payload: string) =>
  database.pool.query('select pg_notify($1, $2)', [channel, payload]);

test('every write of a job notifies with what listeners need', async () => {
  const listener = recordingListener();
  const stop = await database.notifications.listen('blade_job', listener);
  const id = crypto.randomUUID();
  await database.pool.query("insert into job (id, kind, sync_type) values ($1, 'SYNC', 'FULL')", [id]);
  await database.pool.query("update job set state = 'RUNNING', started_at = now() where id = $1", [id]);
  await vi.waitFor(() => expect(listener.payloads).toHaveLength(2));
  expect(listener.payloads.map((payload) => JSON.parse(payload))).toEqual([
    { id, revision: 1, state: 'QUEUED', kind: 'SYNC', dataType: null },
    { id, revision: 2, state: 'RUNNING', kind: 'SYNC', dataType: null },
  ]);
  await stop();
});

test('a notification arrives after its transaction commits, and never if that is rolled back', async () => {
  const listener = recordingListener();
  const stop = await database.notifications.listen('transactions', listener);
  const client = await database.pool.connect();
  await client.query("begin; select pg_notify('transactions', 'rolled back'); rollback");
  await client.query('begin');
  await client.query("select pg_notify('transactions', 'committed')");
  expect(listener.payloads).toEqual([]);
  await client.query('commit');
  client.release();
  await vi.waitFor(() => expect(listener.payloads).toEqual(['committed']));
  await stop();
});

test('all listeners of a channel get its notifications until they stop, and others do not', async () => {
  const [first, second, other] = [recordingListener(), recordingListener(), recordingListener()];
  const stops = await Promise.all([
    database.notifications.listen('shared', first),
    database.notifications.listen('shared', second),
    database.notifications.listen('an other channel, "quoted"', other),
  ]);
  await notify('shared', 'one');
  await vi.waitFor(() => expect(second.payloads).toEqual(['one']));
  await stops[0]?.();
  await notify('shared', 'two');
  await notify('an other channel, "quoted"', 'three');
  await vi.waitFor(() => expect(other.payloads).toEqual(['three']));
  expect(second.payloads).toEqual(['one', 'two']);
  expect(first.payloads).toEqual(['one']);
  await Promise.all(stops.map((stop) => stop()));
});

test('a listener can start while another one of its channel stops', async () => {
  const stop = await database.notifications.listen('busy', recordingListener());
  const listener = recordingListener();
  const [stopListener] = await Promise.all([database.notifications.listen('busy', listener), stop()]);
  await notify('busy', 'heard');
  await vi.waitFor(() => expect(listener.payloads).toEqual(['heard']));
  await stopListener();
});

test('long payloads and many of them arrive complete and in order', async () => {
  const listener = recordingListener();
  const stop = await database.notifications.listen('many', listener);
  const payloads = Array.from({ length: 300 }, (_item, index) => `${index} ${'é'.repeat(3_000)}`);
  const client = await database.pool.connect();
  for (const payload of payloads) await client.query('select pg_notify($1, $2)', ['many', payload]);
  client.release();
  await vi.waitFor(() => expect(listener.payloads).toEqual(payloads));
  await stop();
});

async function terminateNotificationConnections(): Promise<void> {
  const { rowCount } = await database.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'blade-ingestion notifications' and datname = current_database()`,
  );
  expect(rowCount).toBeGreaterThan(0);
}

test.skipIf(!usesServer)(
  `a connection that is terminated comes back, and says so${needsServer}`,
  async () => {
    const listener = recordingListener();
    const stop = await database.notifications.listen('lost', listener);
    await terminateNotificationConnections();
    await vi.waitFor(() => expect(listener.onReconnect).toHaveBeenCalledOnce());
    await notify('lost', 'again');
    await vi.waitFor(() => expect(listener.payloads).toEqual(['again']));
    await stop();
  },
);

test.skipIf(!usesServer)(
  `who listens while the connection is away hears from when it is back${needsServer}`,
  async () => {
    await terminateNotificationConnections();
    const listener = recordingListener();
    const stop = await database.notifications.listen('away', listener);
    await notify('away', 'heard');
    await vi.waitFor(() => expect(listener.payloads).toEqual(['heard']));
    await stop();
  },
);

test.skipIf(!usesServer)(
  `a connection that falls silent is given up and made again${needsServer}`,
  async () => {
    const way = await openWay(database.connectionString);
    const notifications = await connectServerNotifications(way.connectionString, {
      checkInterval: 50,
      timeout: 300,
      firstRetryDelay: 10,
      longestRetryDelay: 20,
    });
    const listener = recordingListener();
    await notifications.listen('silent', listener);
    way.fallSilent();
    await vi.waitFor(() => expect(listener.onReconnect).toHaveBeenCalled());
    await notify('silent', 'again');
    await vi.waitFor(() => expect(listener.payloads).toEqual(['again']));
    await notifications.close();
    await way.close();
  },
);

test('the error for an unreachable server does not show its password', async () => {
  const connecting = connectServerNotifications('postgresql://user:very-secret@127.0.0.1:1/database');
  await expect(connecting).rejects.toThrow(/ECONNREFUSED/);
  await expect(connecting).rejects.not.toThrow(/very-secret/);
});

/** A way to the server that can be cut without a sign to either side. */
async function openWay(connectionString: string) {
  const url = new URL(connectionString);
  const { hostname, port } = url;
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((client) => {
    const backend = connect(Number(port || 5432), hostname);
    pairs.add([client, backend]);
    client
      .on('error', () => {})
      .pipe(backend.on('error', () => {}))
      .pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The way has no port');
  url.host = `127.0.0.1:${address.port}`;
  return {
    connectionString: url.href,
    fallSilent() {
      for (const [client, backend] of pairs) {
        client.unpipe(backend);
        backend.unpipe(client);
      }
    },
    async close() {
      for (const sockets of pairs) for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
