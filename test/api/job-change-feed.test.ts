import { Client } from 'pg';
import { EventSource } from 'undici';
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { startProxy } from '../support/cut-off.ts';
import { insertJob, moveJob, writeRevision } from '../support/job-rows.ts';
import { test } from '../support/on-server.ts';
import { recordSentStatements } from '../support/sent-statements.ts';
import { subscribe } from '../support/subscriber.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
/** Asks for tokens, which have clearances. */
let guarded: TestApplication;

beforeAll(async () => {
  application = await startTestApplication({ BLADE_ROLES: 'api' });
  guarded = await startTestApplication({ BLADE_ROLES: 'api', ...SECRET_SETTINGS });
});

afterAll(() => Promise.all([application.close(), guarded.close()]));

const WATCH = `subscription Watch($filter: JobFilter, $after: String) {
  jobChanges(filter: $filter, after: $after) {
    cursor mayHaveMissed matches gap { reason message } job { id state revision } } }`;

interface Change {
  readonly cursor: string;
  readonly mayHaveMissed: boolean;
  readonly matches: boolean | null;
  readonly gap: { readonly reason: string } | null;
  readonly job: { readonly id: string; readonly state: string; readonly revision: number } | null;
}

/** @param clearance of a principal of the guarded application; without one, of the other. */
async function watch(filter: object = {}, after: string | null = null, clearance?: string) {
  const messages = subscribe<{ jobChanges: Change }>(
    (clearance === undefined ? application : guarded).url,
    'WebSocket',
    WATCH,
    { filter, after },
    clearance === undefined ? undefined : await bearer({ role: 'admin', clearance }),
  );
  onTestFinished(() => messages.leave());
  const next = async (): Promise<Change> => {
    const { value } = await messages.next();
    if (value?.data == null) throw new Error(JSON.stringify(value?.errors));
    return value.data.jobChanges;
  };
  return {
    next,
    leave: () => messages.leave(),
    /** Reads the changes up to that of a job that is created now. */
    async rest() {
      const marker = await insertJob(application.database, { state: 'QUEUED' });
      const read: Change[] = [];
      for (;;) {
        const change = await next();
        if (change.job?.id === `Job:${marker}`) {
          await moveJob(application.database, marker, 'CANCELLED');
          return read;
        }
        read.push(change);
      }
    },
  };
}

async function leaveAt(filter: object = {}, clearance?: string): Promise<string> {
  const feed = await watch(filter, null, clearance);
  const { cursor, mayHaveMissed, gap } = await feed.next();
  expect([mayHaveMissed, gap]).toEqual([true, null]);
  await feed.leave();
  return cursor;
}

const toFacts = (changes: readonly Change[]) =>
  changes.map(({ job, matches }) => [job?.id.slice('Job:'.length), job?.state, matches]);

test('a client that was away gets what has changed meanwhile, each job once, and what no longer matches', async () => {
  const { database } = application;
  const [busy, ending, still] = [
    await insertJob(database, { state: 'RUNNING' }),
    await insertJob(database, { state: 'RUNNING' }),
    await insertJob(database, { state: 'RUNNING' }),
  ];
  const filters = [{}, { states: ['RUNNING'] }, { states: ['COMPLETED'] }];
  const cursors = await Promise.all(filters.map((filter) => leaveAt(filter)));
  await writeRevision(database, busy);
  await moveJob(database, ending, 'COMPLETED');
  const brief = await insertJob(database, { state: 'QUEUED' });
  await moveJob(database, brief, 'RUNNING');
  await writeRevision(database, busy);
  await moveJob(database, brief, 'COMPLETED');
  const feeds = await Promise.all(filters.map((filter, index) => watch(filter, cursors[index] ?? null)));
  const [all = [], running = [], completed = []] = [
    await feeds[0]?.rest(),
    await readCount(feeds[1], 3),
    await readCount(feeds[2], 2),
  ];
  expect(toFacts(all)).toEqual([
    [ending, 'COMPLETED', true],
    [busy, 'RUNNING', true],
    [brief, 'COMPLETED', true],
  ]);
  expect(toFacts(running)).toEqual([
    [ending, 'COMPLETED', false],
    [busy, 'RUNNING', true],
    [brief, 'COMPLETED', false],
  ]);
  expect(toFacts(completed)).toEqual([
    [ending, 'COMPLETED', true],
    [brief, 'COMPLETED', true],
  ]);
  // From each place among them, exactly the rest.
  for (const [index, { cursor }] of all.entries()) {
    const again = await (await watch({}, cursor)).rest();
    expect(toFacts(again).filter(([id]) => [busy, ending, brief].includes(id as string))).toEqual(
      toFacts(all.slice(index + 1)),
    );
  }
  // One that has not changed is known to match all the same.
  await moveJob(database, still, 'COMPLETED');
  const last = [await feeds[1]?.next(), await feeds[1]?.next()].find(
    (change) => change?.job?.id === `Job:${still}`,
  );
  expect(last?.matches ?? null).toBe(false);
});

async function readCount(feed: Awaited<ReturnType<typeof watch>> | undefined, count: number) {
  const read: Change[] = [];
  while (feed !== undefined && read.length < count) read.push(await feed.next());
  return read;
}

test('a change of a transaction that was open long is not missed', async ({ skip }) => {
  const { database } = application;
  // The embedded database has one session, which an open transaction keeps.
  if (database.kind === 'embedded') return skip();
  const [slow, quick] = [
    await insertJob(database, { state: 'RUNNING' }),
    await insertJob(database, { state: 'RUNNING' }),
  ];
  const session = new Client({ connectionString: database.connectionString });
  await session.connect();
  try {
    const feed = await watch();
    await feed.next();
    await session.query('begin');
    await session.query(`update job set current_operation = 'slow' where id = $1`, [slow]);
    await writeRevision(database, quick);
    const { cursor, job } = await feed.next();
    expect(job?.id).toBe(`Job:${quick}`);
    await feed.leave();
    await session.query('commit');
    expect(toFacts(await (await watch({}, cursor)).rest())).toEqual([[slow, 'RUNNING', true]]);
  } finally {
    await session.end();
  }
});

test('a cursor that cannot be continued from gives a gap that can: of another filter or database', async () => {
  const cursor = await leaveAt();
  const ahead = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
  ahead[1] = '999999999999:999999999999:';
  for (const [filter, after, reason] of [
    [{ kinds: ['QUERY'] }, cursor, 'UNKNOWN'],
    [{}, 'anything', 'UNKNOWN'],
    [{}, Buffer.from(JSON.stringify(ahead)).toString('base64url'), 'EXPIRED'],
  ] as const) {
    const gap = await (await watch(filter, after)).next();
    expect(gap).toMatchObject({ job: null, matches: null, mayHaveMissed: true, gap: { reason } });
    const id = await insertJob(application.database, { state: 'RUNNING' });
    expect((await (await watch(filter, gap.cursor)).next()).job?.id).toBe(`Job:${id}`);
  }
});

test('a client that was away gets no job above its clearance', async () => {
  const { database } = guarded;
  const id = await insertJob(database, { state: 'RUNNING' });
  const secret = await insertJob(database, { state: 'RUNNING' });
  await database.pool.query(`update job set marking = 'CUI' where id = $1`, [id]);
  await database.pool.query(`update job set marking = 'SECRET' where id = $1`, [secret]);
  const cursor = await leaveAt({}, 'CUI');
  await moveJob(database, secret, 'COMPLETED');
  await moveJob(database, id, 'COMPLETED');
  const feed = await watch({}, cursor, 'CUI');
  expect((await feed.next()).job?.id).toBe(`Job:${id}`);
  // What it has not got before its clearance was raised is a gap.
  expect(await (await watch({}, cursor, 'SECRET')).next()).toMatchObject({ gap: { reason: 'UNKNOWN' } });
});

test('clients that come back at once are served by a few reads, wherever each of them was', async () => {
  const { database } = application;
  const cursors: string[] = [];
  const id = await insertJob(database, { state: 'RUNNING' });
  for (let place = 0; place < 10; place++) {
    cursors.push(await leaveAt());
    await writeRevision(database, id);
  }
  const sent = recordSentStatements();
  try {
    const statements = await sent.during(async () => {
      const feeds = await Promise.all(
        Array.from({ length: 200 }, (_none, index) => watch({}, cursors[index % 10])),
      );
      for (const { job } of await Promise.all(feeds.map((feed) => feed.next()))) {
        expect(job).toMatchObject({ id: `Job:${id}`, revision: 11 });
      }
    });
    const reads = statements.filter(({ text }) => /from\s+("?public"?\.)?"?job"?\b/i.test(text));
    expect(reads.length).toBeGreaterThan(0);
    expect(reads.length).toBeLessThan(60);
  } finally {
    sent.stop();
  }
});

test('an EventSource that is cut off continues by itself with the jobs that have changed meanwhile', async () => {
  const { database } = application;
  const proxy = await startProxy(application.url);
  const query = 'subscription { jobChanges { mayHaveMissed job { id state } } }';
  const events = new EventSource(`${proxy.url}?query=${encodeURIComponent(query)}`);
  const received: Pick<Change, 'mayHaveMissed' | 'job'>[] = [];
  events.addEventListener('next', (event) => {
    if ('data' in event) received.push(JSON.parse(String(event.data)).data.jobChanges);
  });
  try {
    await vi.waitFor(() => expect(received).toHaveLength(1), 20_000);
    const ids: string[] = [];
    for (let round = 1; round <= 3; round++) {
      proxy.cut();
      ids.push(await insertJob(database, { state: 'RUNNING' }));
      await vi.waitFor(() => expect(received).toHaveLength(round + 1), 20_000);
    }
    expect(received.map(({ mayHaveMissed }) => mayHaveMissed)).toEqual([true, false, false, false]);
    expect(received.slice(1).map(({ job }) => job?.id)).toEqual(ids.map((id) => `Job:${id}`));
  } finally {
    events.close();
    proxy.close();
  }
});
