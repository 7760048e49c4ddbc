import { Client } from 'pg';
import { EventSource } from 'undici';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import { startProxy } from '../support/cut-off.ts';
import { EVENT_FIELDS, type LoggedEvent, readLog } from '../support/job-events.ts';
import { insertJob, insertPartition, moveJob, writeRevision } from '../support/job-rows.ts';
import { test } from '../support/on-server.ts';
import { recordSentStatements } from '../support/sent-statements.ts';
import { subscribe, TRANSPORTS } from '../support/subscriber.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterAll(() => application.close());

const WATCH = `subscription Watch($id: ID!, $after: String) {
  jobEvents(id: $id, after: $after) { cursor event { ${EVENT_FIELDS} } gap { reason message } } }`;

interface Watched {
  readonly jobEvents: {
    readonly cursor: string;
    readonly event: Omit<LoggedEvent, 'cursor'> | null;
    readonly gap: { readonly reason: string } | null;
  };
}

const watch = (
  id: string,
  after: string | null = null,
  transport: (typeof TRANSPORTS)[number] = 'WebSocket',
) => subscribe<Watched>(application.url, transport, WATCH, { id, after });

/** Reads the messages up to an event; all for an event that never comes. */
async function readUntil(messages: ReturnType<typeof watch>, isLast = (_message: string) => false) {
  const read: Watched['jobEvents'][] = [];
  for await (const { data, errors } of messages) {
    if (data == null) throw new Error(JSON.stringify(errors));
    read.push(data.jobEvents);
    if (isLast(data.jobEvents.event?.message ?? '')) break;
  }
  return read;
}

const toLog = (messages: readonly Watched['jobEvents'][]) =>
  messages.flatMap(({ cursor, event }) => (event === null ? [] : [{ ...event, cursor }]));

const addEvent = (id: string, reason: string) =>
  application.database.pool.query(`select blade_add_job_event($1, 'WAITING', reason => $2)`, [id, reason]);

async function runningJob(): Promise<string> {
  const id = await insertJob(application.database, { state: 'QUEUED' });
  await moveJob(application.database, id, 'RUNNING');
  return id;
}

describe.each(TRANSPORTS)('over %s', (transport) => {
  test('a subscriber gets what is stored, then what happens, and the end', async () => {
    const id = await runningJob();
    const messages = watch(id, null, transport);
    await readUntil(messages, (message) => message === 'Started');
    await addEvent(id, 'Waiting for rain');
    await moveJob(application.database, id, 'COMPLETED');
    const again = watch(id, null, transport);
    const all = toLog(await readUntil(again));
    expect(all.map(({ message }) => message)).toEqual([
      ...['Queued', 'Started', 'Waiting for rain', 'Completed: 0 rows done'],
    ]);
    expect(all).toEqual(await readLog(application.client, id));
  });
});

test('a subscriber that was cut off continues after its cursor, or after that of any event of the list', async () => {
  const id = await runningJob();
  for (let event = 1; event <= 250; event++) await addEvent(id, `Waiting for round ${event}`);
  const seen = toLog(await readUntil(watch(id), (message) => message === 'Waiting for round 120'));
  const log = await readLog(application.client, id);
  expect(seen).toEqual(log.slice(0, 122));
  const further = watch(id, seen.at(-1)?.cursor);
  await moveJob(application.database, id, 'COMPLETED');
  const rest = toLog(await readUntil(further));
  expect([...seen, ...rest]).toEqual(await readLog(application.client, id));
  expect(toLog(await readUntil(watch(id, log.at(-1)?.cursor)))).toEqual(rest.slice(-1));
  // After the last event, there is nothing.
  expect(await readUntil(watch(id, rest.at(-1)?.cursor))).toEqual([]);
});

test('a cursor of another feed, or of an event that is gone, gives a gap, and then all that is stored', async () => {
  const [id, other] = [await runningJob(), await runningJob()];
  await moveJob(application.database, id, 'COMPLETED');
  const log = await readLog(application.client, id);
  const foreign = (await readLog(application.client, other))[0]?.cursor ?? '';
  for (const [cursor, reason] of [
    ['anything', 'UNKNOWN'],
    [foreign, 'EXPIRED'],
  ] as const) {
    const [first, ...rest] = await readUntil(watch(id, cursor));
    expect(first).toMatchObject({ event: null, gap: { reason, message: expect.any(String) } });
    expect(toLog(rest)).toEqual(log);
    // The gap itself is a place to continue from.
    expect(toLog(await readUntil(watch(id, first?.cursor)))).toEqual(log);
  }
  await application.database.pool.query(
    'delete from job_event where id in (select id from job_event where job_id = $1 order by id limit 1)',
    [id],
  );
  const [gap, ...rest] = await readUntil(watch(id, log[0]?.cursor));
  expect(gap).toMatchObject({ gap: { reason: 'EXPIRED' } });
  expect(toLog(rest)).toEqual(log.slice(1));
});

test('what happens to a job is read once for all who follow it, and what is stored once for all who come back', async () => {
  const id = await runningJob();
  const sent = recordSentStatements();
  try {
    const all = Array.from({ length: 100 }, () => watch(id));
    await Promise.all(all.map((messages) => readUntil(messages, (message) => message === 'Started')));
    const live = Array.from({ length: 100 }, () => watch(id, null));
    await Promise.all(live.map(async (messages) => [await messages.next(), await messages.next()]));
    const statements = await sent.during(async () => {
      await addEvent(id, 'Waiting for rain');
      const next = await Promise.all(live.map((messages) => messages.next()));
      for (const { value } of next)
        expect(value).toMatchObject({ data: { jobEvents: { event: { message: 'Waiting for rain' } } } });
    });
    const reads = statements.filter(({ text }) => /^select .* from .*job_event/is.test(text));
    expect(reads.length).toBeGreaterThan(0);
    expect(reads.length).toBeLessThan(10);
    await Promise.all(live.map((messages) => messages.leave()));
  } finally {
    sent.stop();
  }
});

test('an EventSource that is cut off continues by itself, with nothing lost or repeated', async () => {
  const proxy = await startProxy(application.url);
  const id = await runningJob();
  // Without its cursor: the ids of the events have it.
  const query = `subscription { jobEvents(id: "${id}") { event { message } } }`;
  const events = new EventSource(`${proxy.url}?query=${encodeURIComponent(query)}`);
  const received: string[] = [];
  const ended = new Promise((resolve) => events.addEventListener('complete', resolve));
  events.addEventListener('next', (event) => {
    if ('data' in event) received.push(JSON.parse(String(event.data)).data.jobEvents.event.message);
  });
  try {
    for (let round = 1; round <= 5; round++) {
      await vi.waitFor(
        () => expect(received.at(-1)).toMatch(round === 1 ? 'Started' : `round ${round - 1}`),
        20_000,
      );
      proxy.cut();
      await addEvent(id, `Waiting for round ${round}`);
    }
    await moveJob(application.database, id, 'COMPLETED');
    await ended;
  } finally {
    events.close();
    proxy.close();
  }
  expect(received).toEqual((await readLog(application.client, id)).map(({ message }) => message));
});

const WATCH_ERRORS = `subscription Watch($id: ID!, $after: String) {
  jobErrors(id: $id, after: $after) { cursor error { itemId message } gap { reason } } }`;

interface WatchedErrors {
  readonly jobErrors: {
    readonly cursor: string;
    readonly error: { readonly itemId: string | null } | null;
    readonly gap: { readonly reason: string } | null;
  };
}

const watchErrors = (id: string, after: string | null = null) =>
  subscribe<WatchedErrors>(application.url, 'WebSocket', WATCH_ERRORS, { id, after });

/** Reads so many messages, or all. */
async function readErrors(messages: ReturnType<typeof watchErrors>, count = Number.POSITIVE_INFINITY) {
  const read: WatchedErrors['jobErrors'][] = [];
  for await (const { data, errors } of messages) {
    if (data == null) throw new Error(JSON.stringify(errors));
    read.push(data.jobErrors);
    if (read.length === count) break;
  }
  return read;
}

const toItemIds = (messages: readonly WatchedErrors['jobErrors'][]) =>
  messages.map(({ error }) => error?.itemId);

/** Writes errors of a job with these numbers. */
const addErrors = (
  session: Pick<Client, 'query'>,
  jobId: string,
  partitionId: string,
  from: number,
  to: number,
) =>
  session.query(
    `insert into job_error (job_id, partition_id, stage, data_type, item_id, message, marking)
     select $1, $2, 'TRANSFORM', 'sortie', n::text, 'bad', 'UNCLASSIFIED' from generate_series($3::int, $4::int) n`,
    [jobId, partitionId, from, to],
  );

test('errors come in the order in which they were committed: one of a transaction that was open long is not missed', async ({
  skip,
}) => {
  const { database } = application;
  // The embedded database has one session, which an open transaction keeps.
  if (database.kind === 'embedded') return skip();
  const id = await runningJob();
  const partition = await insertPartition(database, { jobId: id });
  const slow = new Client({ connectionString: database.connectionString });
  await slow.connect();
  try {
    await slow.query('begin');
    await addErrors(slow, id, partition, 1, 2);
    await addErrors(database.pool, id, partition, 3, 4);
    const seen = await readErrors(watchErrors(id), 2);
    expect(toItemIds(seen)).toEqual(['3', '4']);
    // Cut off in the middle of what was read at once, and after it.
    const [middle, end] = [watchErrors(id, seen[0]?.cursor), watchErrors(id, seen[1]?.cursor)];
    expect(toItemIds(await readErrors(middle, 1))).toEqual(['4']);
    await slow.query('commit');
    await writeRevision(database, id);
    expect(toItemIds(await readErrors(end, 2))).toEqual(['1', '2']);
    await moveJob(database, id, 'COMPLETED');
    expect(toItemIds(await readErrors(watchErrors(id, seen[0]?.cursor)))).toEqual(['4', '1', '2']);
    expect(toItemIds(await readErrors(watchErrors(id)))).toHaveLength(4);
  } finally {
    await slow.end();
  }
});

test('thousands of errors come in pages, each once, also from any place among them; more are a gap', async () => {
  const { database } = application;
  const id = await runningJob();
  const partition = await insertPartition(database, { jobId: id });
  await addErrors(database.pool, id, partition, 1, 1_000);
  await addErrors(database.pool, id, partition, 1_001, 1_500);
  await moveJob(database, id, 'COMPLETED');
  const all = await readErrors(watchErrors(id));
  expect(toItemIds(all)).toEqual(Array.from({ length: 1_500 }, (_none, index) => String(index + 1)));
  for (const at of [0, 199, 200, 777, 1_499]) {
    const rest = await readErrors(watchErrors(id, all[at]?.cursor));
    expect(toItemIds(rest)).toEqual(toItemIds(all).slice(at + 1));
  }
  await addErrors(database.pool, id, partition, 1_501, 11_501);
  const [gap, ...rest] = await readErrors(watchErrors(id, all.at(-1)?.cursor));
  expect([gap?.gap, rest]).toEqual([{ reason: 'BEHIND' }, []]);
  const foreign = await readErrors(watchErrors(await runningJob(), gap?.cursor), 1);
  expect(foreign).toMatchObject([{ error: null, gap: { reason: 'UNKNOWN' } }]);
});
