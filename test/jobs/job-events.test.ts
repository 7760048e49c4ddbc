import { afterAll, beforeAll, expect } from 'vitest';
import type { Job, PrismaClient } from '../../src/database/generated/prisma/client.ts';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { type AllJobEvents, createJobEvents } from '../../src/jobs/events/job-events.ts';
import { type JobNotifications, listenToJobs } from '../../src/jobs/events/job-notifications.ts';
import { insertJob, moveJob, writeRevision } from '../support/job-rows.ts';
import { test } from '../support/on-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let prisma: PrismaClient;
let notifications: JobNotifications;
let events: AllJobEvents;
const faults: unknown[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.connectionString, { maxConnections: 2 });
  notifications = await listenToJobs(database.notifications, (error) => faults.push(error));
  events = createJobEvents(prisma, notifications, (error) => faults.push(error));
});

afterAll(async () => {
  events.close();
  await notifications.close();
  await prisma.$disconnect();
  await database.close();
  expect(faults).toEqual([]);
});

/** Reads until the job comes. */
async function readTo(jobs: AsyncIterableIterator<Job | null>, id: string): Promise<Job[]> {
  const seen: Job[] = [];
  for (;;) {
    const { done, value } = await jobs.next();
    if (done) throw new Error(`job ${id} never came`);
    if (value === null) continue;
    seen.push(value);
    if (value.id === id) return seen;
  }
}

test('a subscriber to all jobs that reads nothing keeps the newest ten thousand, each once, and no more', async () => {
  const slow = await events.watchChanges({});
  const eager = await events.watchChanges({ dataTypes: ['logistics'] });
  await database.pool.query(
    `insert into job (id, kind, state, outcome, data_type, sql_query, started_at, finished_at, total_items)
     select gen_random_uuid(), 'QUERY', 'COMPLETED', 'SUCCEEDED', 'sortie', 'SELECT 1', now(), now(), 0
     from generate_series(1, 10500)`,
  );
  const busy = await insertJob(database, { state: 'RUNNING' });
  for (let count = 0; count < 20; count++) await writeRevision(database, busy);
  const marker = await insertJob(database, { dataType: 'logistics' });
  await readTo(eager, marker);

  // Once for the beginning and for what was dropped: it had not read the first.
  expect(await slow.next()).toEqual({ done: false, value: null });
  const waiting = await readTo(slow, marker);
  expect(waiting).toHaveLength(10_000);
  expect(new Set(waiting.map(({ id }) => id)).size).toBe(10_000);
  expect(waiting.filter(({ id }) => id === busy).map(({ revision }) => revision)).toEqual([21]);
  await slow.return?.();
  await eager.return?.();
});

test('a subscriber that ends while it waits for a change is released immediately', async () => {
  const id = await insertJob(database, { state: 'RUNNING' });
  const watched = await events.watchJob(id);
  expect(await watched?.next()).toMatchObject({ value: { id } });
  const all = await events.watchChanges({});
  expect(await all.next()).toEqual({ done: false, value: null });
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
  const all = await own.watchChanges({});
  expect(await all.next()).toEqual({ done: false, value: null });
  const waits = all.next();
  own.close();
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
  const all = await own.watchChanges({});
  expect(await watched?.next()).toMatchObject({ value: { state: 'RUNNING' } });
  await moveJob(database, id, 'COMPLETED');
  await reconnect();
  expect(await watched?.next()).toMatchObject({ value: { state: 'COMPLETED' } });
  expect(await watched?.next()).toEqual({ done: true, value: undefined });
  expect((await readTo(all, id)).at(-1)).toMatchObject({ state: 'COMPLETED' });
  expect(errors).toHaveLength(1);
  own.close();
});
