import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { createJobLog } from '../../src/jobs/events/job-log.ts';
import { insertJob } from '../support/job-rows.ts';
import { test } from '../support/on-server.ts';
import { subscribe } from '../support/subscriber.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication({ BLADE_ROLES: 'api' });
});

afterAll(() => application.close());

/** A frame of a WebSocket as a client sends it: masked, here with a mask of zeros. */
function encodeFrame(message: object): Buffer {
  const payload = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(8);
  head.writeUInt8(0x81, 0);
  head.writeUInt8(0x80 | 126, 1);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

const STREAMS = ['server-sent events', 'one connection of server-sent events', 'multipart'] as const;

type Transport = 'WebSocket' | (typeof STREAMS)[number];

/** A client of bare TCP, which reads only when it is told to. */
async function openRawSubscription(
  transport: Transport,
  query: string,
  { url: address }: TestApplication = application,
  field = 'jobProgress',
): Promise<{ socket: Socket; received: () => string }> {
  const url = new URL(address);
  const socket = connect(Number(url.port), url.hostname);
  let received = '';
  socket.on('data', (data) => {
    received += data.toString('latin1');
  });
  socket.on('error', () => {});
  if (transport === 'WebSocket') {
    socket.write(
      `GET /graphql HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n',
    );
    await vi.waitFor(() => expect(received).toContain('101 Switching'));
    socket.write(encodeFrame({ type: 'connection_init' }));
    await vi.waitFor(() => expect(received).toContain('connection_ack'));
    socket.write(encodeFrame({ id: '1', type: 'subscribe', payload: { query } }));
  } else if (transport === 'one connection of server-sent events') {
    const token = await (await fetch(address, { method: 'PUT' })).text();
    const headers = { 'x-graphql-event-stream-token': token };
    socket.write(
      `GET /graphql HTTP/1.1\r\nHost: ${url.host}\r\nAccept: text/event-stream\r\n` +
        `X-GraphQL-Event-Stream-Token: ${token}\r\n\r\n`,
    );
    await fetch(address, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ query, extensions: { operationId: '1' } }),
    });
  } else {
    const body = JSON.stringify({ query });
    const accept = transport === 'multipart' ? 'multipart/mixed;subscriptionSpec=1.0' : 'text/event-stream';
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: ${url.host}\r\nAccept: ${accept}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  }
  await vi.waitFor(() => expect(received.includes(field)).toBe(true));
  return { socket, received: () => received };
}

/** Writes revisions of a job, each of many kilobytes, as a busy worker does. */
async function writeRevisions(
  jobId: string,
  count: number,
  { database }: TestApplication = application,
): Promise<void> {
  const errors = Array.from({ length: 10 }, (_, index) => `${index} ${'x'.repeat(3_000)}`);
  for (let written = 0; written < count; written += 1) {
    await database.pool.query(
      `update job set recent_errors = $2, current_operation = 'Revision ' || revision + 1, updated_at = now() where id = $1`,
      [jobId, errors],
    );
  }
}

describe.each(['WebSocket', ...STREAMS] as const)('a subscriber over %s that does not read', (transport) => {
  test('costs no memory, delays nobody, and gets the newest state when it reads again', async () => {
    const { database, url } = application;
    const id = await insertJob(database, { state: 'RUNNING' });
    const query = `subscription { jobProgress(id: "${id}") { revision recentErrors } }`;
    const stalled = await openRawSubscription(transport, query);
    const reader = subscribe<{ jobProgress: { revision: number } }>(url, transport, query);
    await reader.next();
    await writeRevisions(id, 20);
    stalled.socket.pause();
    globalThis.gc?.();
    const before = process.memoryUsage();

    const revisions = 2_000;
    await writeRevisions(id, revisions);
    const newest = revisions + 21;
    await vi.waitFor(() => expect(reader.received.at(-1)?.data?.jobProgress.revision).toBe(newest), 30_000);

    // What was not read would be sixty megabytes; the reader beside it has as much, so that is left out.
    const readBytes = JSON.stringify(reader.received).length;
    const { external, arrayBuffers } = process.memoryUsage();
    expect(external + arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(20_000_000);
    expect(readBytes).toBeGreaterThan(5_000_000);
    const skippedFrom = stalled.received().length;

    stalled.socket.resume();
    // Not toContain, which describes all the megabytes each time.
    await vi.waitFor(() => expect(stalled.received().includes(`"revision":${newest}`)).toBe(true), 60_000);
    const late = [
      ...stalled
        .received()
        .slice(skippedFrom)
        .matchAll(/"revision":(\d+)/g),
    ].map(([, revision]) => Number(revision));
    expect(late.length).toBeLessThan(revisions);
    expect(late).toEqual(late.toSorted((left, right) => left - right));
    stalled.socket.destroy();
    await reader.leave();
  });
});

describe('a subscriber of large events that does not read', () => {
  /** Three hundred events of a hundred kilobytes each. */
  const [EVENTS, TEXT] = [300, 'x'.repeat(100_000)];

  const addEvents = (id: string, first: number, last: number) =>
    application.database.pool.query(
      `select blade_add_job_event($1, 'WAITING', reason => 'Waiting for round ' || n || '! ' || $2)
       from generate_series($3::int, $4::int) n`,
      [id, TEXT, first, last],
    );

  test('gets each event once when it reads again', async () => {
    const { database } = application;
    const id = await insertJob(database, { state: 'RUNNING' });
    await addEvents(id, 1, 20);
    const query = `subscription { jobEvents(id: "${id}") { event { message } } }`;
    const stalled = await openRawSubscription('WebSocket', query, application, 'jobEvents');
    stalled.socket.pause();
    await addEvents(id, 21, EVENTS);
    stalled.socket.resume();
    const findRounds = () =>
      [...stalled.received().matchAll(/Waiting for round (\d+)!/g)].map(([, round]) => Number(round));
    await vi.waitFor(() => expect(findRounds().at(-1)).toBe(EVENTS), 60_000);
    expect(findRounds()).toEqual(Array.from({ length: EVENTS }, (_, index) => index + 1));
    stalled.socket.destroy();
  });

  test('has a megabyte held for it, not a number of events', async () => {
    const { database } = application;
    const id = await insertJob(database, { state: 'RUNNING' });
    await addEvents(id, 1, 50);
    const prisma = createPrismaClient(database.connectionString, { maxConnections: 1 });
    onTestFinished(() => prisma.$disconnect());
    const { read } = createJobLog(prisma, id, () => {});
    const pages: number[] = [];
    for (let after: string | null = null, isWhole = false; !isWhole; ) {
      const page = await read(after);
      pages.push(page.entries.length);
      after = page.entries.at(-1)?.place ?? after;
      ({ isWhole } = page);
    }
    expect(pages.reduce((sum, length) => sum + length)).toBe(50);
    expect(Math.max(...pages)).toBe(9);
  });

  test('gets one that alone is larger', async () => {
    const { database } = application;
    const id = await insertJob(database, { state: 'RUNNING' });
    await database.pool.query(`select blade_add_job_event($1, 'WAITING', reason => repeat('x', 3000000))`, [
      id,
    ]);
    const prisma = createPrismaClient(database.connectionString, { maxConnections: 1 });
    onTestFinished(() => prisma.$disconnect());
    const { read } = createJobLog(prisma, id, () => {});
    expect(await read(null)).toMatchObject({ entries: [{ value: { kind: 'WAITING' } }], isWhole: true });
  });
});

test('a WebSocket that keeps sending requests without reading is closed', async () => {
  const { socket } = await openRawSubscription(
    'WebSocket',
    `subscription { jobProgress(id: "${await insertJob(application.database, { state: 'RUNNING' })}") { revision } }`,
  );
  socket.pause();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const ping = encodeFrame({ type: 'ping', payload: { text: 'x'.repeat(50_000) } });
  const pings = setInterval(() => {
    for (let count = 0; count < 100 && !socket.destroyed; count += 1) socket.write(ping);
  }, 5);
  await closed;
  clearInterval(pings);
  expect((await application.client.sendRaw('{ syncStatus { state } }')).status).toBe(200);
});

test.each(STREAMS)('%s whose client reads nothing is closed, and others continue', async (transport) => {
  const impatient = await startTestApplication({ BLADE_ROLES: 'api', BLADE_KEEP_ALIVE_MS: '300' });
  try {
    const { database, url } = impatient;
    const [busy, quiet] = [
      await insertJob(database, { state: 'RUNNING' }),
      await insertJob(database, { state: 'RUNNING' }),
    ];
    const watch = (id: string) => `subscription { jobProgress(id: "${id}") { revision recentErrors } }`;
    const stalled = await openRawSubscription(transport, watch(busy), impatient);
    const [reader, silent] = [busy, quiet].map((id) =>
      subscribe<{ jobProgress: { revision: number } }>(url, transport, watch(id)),
    );
    await reader?.next();
    await silent?.next();
    const openStreams = async () => {
      const text = await (await fetch(new URL('/metrics', url))).text();
      return Number(/^blade_graphql_subscriptions\{transport="http"\} (\d+)$/m.exec(text)?.[1]);
    };
    expect(await openStreams()).toBe(3);

    stalled.socket.pause();
    await vi.waitFor(async () => {
      // More than the buffers of both machines hold has to be on its way before anybody can see that it is not read.
      await writeRevisions(busy, 100, impatient);
      expect(await openStreams()).toBe(2);
    }, 30_000);

    const closed = new Promise((resolve) => stalled.socket.once('close', resolve));
    stalled.socket.resume();
    await closed;
    // Ended in order, it would say that there is nothing more to come.
    expect(stalled.received()).not.toMatch(/event: complete|--graphql--/);
    expect(stalled.received().endsWith('0\r\n\r\n')).toBe(false);
    await writeRevisions(busy, 1, impatient);
    const { rows } = await database.pool.query<{ revision: number }>(
      'select revision from job where id = $1',
      [busy],
    );
    await vi.waitFor(() =>
      expect(reader?.received.at(-1)?.data?.jobProgress.revision).toBe(rows[0]?.revision),
    );
    await writeRevisions(quiet, 1, impatient);
    await vi.waitFor(() => expect(silent?.received).toHaveLength(2));
    await reader?.leave();
    await silent?.leave();
  } finally {
    await impatient.close();
  }
});
