import { afterAll, beforeAll, expect } from 'vitest';
import type { Job, PrismaClient } from '../../src/database/generated/prisma/client.ts';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import type { ChangeEntry } from '../../src/jobs/events/change-feed.ts';
import { type AllJobEvents, createJobEvents } from '../../src/jobs/events/job-events.ts';
import { type AllJobFeeds, createJobFeeds } from '../../src/jobs/events/job-feeds.ts';
import { type JobNotifications, listenToJobs } from '../../src/jobs/events/job-notifications.ts';
import type { JobFilter } from '../../src/jobs/job-filter.ts';
import { insertJob, moveJob, writeRevision } from '../support/job-rows.ts';
import { test } from '../support/on-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let prisma: PrismaClient;
let notifications: JobNotifications;
let events: AllJobEvents;
let feeds: AllJobFeeds;
const faults: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.connectionString, { maxConnections: 2 });
  notifications = await listenToJobs(database.notifications, (error) => faults.push(error));
  events = createJobEvents(prisma, notifications, (error) => faults.push(error));
  feeds = createJobFeeds(notifications, (error) => faults.push(error));
});

afterAll(async () => {
  events.close();
  feeds.close();
  await notifications.close();
  await prisma.$disconnect();
  await database.close();
  expect(faults).toEqual([]);
});

/** Reads until the job comes. @returns the entries before, too. */
async function readTo(entries: AsyncIterableIterator<ChangeEntry>, id: string): Promise<ChangeEntry[]> {
  const seen: ChangeEntry[] = [];
  for (;;) {
    const { done, value } = await entries.next();
    if (done) throw new Error(`job ${id} never came`);
    seen.push(value);
    if (toJob(value)?.id === id) return seen;
  }
}

const toJob = (entry: ChangeEntry): Job | undefined => ('value' in entry ? entry.value?.job : undefined);

const watchChanges = (filter: JobFilter = {}) =>
  feeds.seenBy(prisma, 'TOP SECRET').watchChanges(filter, 'BEGINNING');

const insertEnded = (count: number) =>
  database.pool.query(
    `insert into job (id, kind, state, outcome, data_type, sql_query, started_at, finished_at, total_items)
     select gen_random_uuid(), 'QUERY', 'COMPLETED', 'SUCCEEDED', 'sortie', 'SELECT 1', now(), now(), 0
     from generate_series(1, $1)`,
    [count],
  );

test('a subscriber to all jobs that reads nothing gets ten thousand afterwards, each once; more are a gap', async () => {
  const slow = await watchChanges();
  const slower = await watchChanges();
  expect(await slow.next()).toMatchObject({ value: { value: null } });
  await insertEnded(9_900);
  const busy = await insertJob(database, { state: 'RUNNING' });
  for (let count = 0; count < 20; count++) await writeRevision(database, busy);
  const marker = await insertJob(database, { dataType: 'logistics' });

  const waiting = (await readTo(slow, marker)).flatMap((entry) => toJob(entry) ?? []);
  expect(waiting).toHaveLength(9_902);
  expect(new Set(waiting.map(({ id }) => id)).size).toBe(9_902);
  expect(waiting.filter(({ id }) => id === busy).map(({ revision }) => revision)).toEqual([21]);
  await slow.return?.();

  await insertEnded(500);
  expect(await slower.next()).toMatchObject({ value: { value: null } });
  expect(await slower.next()).toMatchObject({ value: { gap: 'BEHIND' } });
  // It continues behind the gap.
  const next = await insertJob(database);
  expect(await readTo(slower, next)).toHaveLength(1);
  await slower.return?.();
});

test('a subscriber that ends while it waits for a change is released immediately', async () => {
  const id = await insertJob(database, { state: 'RUNNING' });
  const watched = await events.watchJob(id);
  expect(await watched?.next()).toMatchObject({ value: { id } });
  const all = await watchChanges();
  expect(await all.next()).toMatchObject({ value: { value: null } });
  for (const jobs of [watched, all]) {
    const waits = jobs?.next();
    await jobs?.return?.();
    expect(await waits).toEqual({ done: true, value: undefined });
    expect(await jobs?.next()).toEqual({ done: true, value: undefined });
  }
});

test('an unknown job is null', async () => {
  expect(await events.watchJob('01997f3e-8c1a-7000-8000-000000000000')).toBeNull();
});

test('closing ends every subscription, after its unread events', async () => {
  const own = createJobEvents(prisma, notifications, (error) => faults.push(error));
  const id = await insertJob(database, { state: 'RUNNING' });
  const watched = await own.watchJob(id);
  const ownFeeds = createJobFeeds(notifications, (error) => faults.push(error));
  const all = await ownFeeds.seenBy(prisma, 'TOP SECRET').watchChanges({}, 'BEGINNING');
  expect(await all.next()).toMatchObject({ value: { value: null } });
  const waits = all.next();
  own.close();
  ownFeeds.close();
  expect(await waits).toEqual({ done: true, value: undefined });
  expect(await watched?.next()).toMatchObject({ done: false, value: { id } });
  expect(await watched?.next()).toEqual({ done: true, value: undefined });
});

test('after a lost connection, missed events are read as soon as the database answers', async () => {
  const errors: unknown[] = [];
  let refusals = 1;
  const findMany: typeof prisma.job.findMany = (...args) => {
    if (refusals-- > 0) throw new Error('the database is starting up');
    return prisma.job.findMany(...args);
  };
  const shaky = {
    job: { findUnique: prisma.job.findUnique, findMany },
    $queryRaw: prisma.$queryRaw.bind(prisma),
  } as unknown as PrismaClient;
  let reconnect = async () => {};
  const silent: JobNotifications = {
    subscribe({ onReconnect }) {
      reconnect = async () => onReconnect();
      return () => {};
    },
    close: async () => {},
  };
  const own = createJobEvents(shaky, silent, (error) => errors.push(error));
  const id = await insertJob(database, { state: 'RUNNING' });
  const watched = await own.watchJob(id);
  expect(await watched?.next()).toMatchObject({ value: { state: 'RUNNING' } });
  await moveJob(database, id, 'COMPLETED');
  await reconnect();
  expect(await watched?.next()).toMatchObject({ value: { state: 'COMPLETED' } });
  expect(await watched?.next()).toEqual({ done: true, value: undefined });
  expect(errors).toHaveLength(1);
  own.close();
});
