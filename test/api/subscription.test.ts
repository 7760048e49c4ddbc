import { request } from 'node:http';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, vi } from 'vitest';
import WebSocket from 'ws';
import type {
  JobChangesSubscription,
  JobFactsFragment,
  SyncProgressSubscription,
} from '../generated/graphql.ts';
import { insertJob, insertPartition, moveJob, writeRevision } from '../support/job-rows.ts';
import { test } from '../support/on-server.ts';
import { JobChanges, JobProgress, SyncProgress } from '../support/operations.ts';
import { createSortieTable } from '../support/sortie-table.ts';
import { type Subscription, subscribe, TRANSPORTS, type Transport } from '../support/subscriber.ts';
import { addSource, uuid } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const ROWS = 6_000;

let application: TestApplication;
const open: Subscription<unknown>[] = [];

beforeAll(async () => {
  application = await startTestApplication();
  await createSortieTable({
    folder: application.warehouseFolder,
    table: { catalog: 'blade', schema: 'field', table: 'sortie' },
    rows: ROWS,
  });
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
});

afterAll(() => application.close());

afterEach(async () => {
  await Promise.all(open.splice(0).map((subscription) => subscription.leave()));
});

function watch<Data>(
  transport: Transport,
  operation: { toString(): string },
  variables: Record<string, unknown> = {},
): Subscription<Data> {
  const subscription = subscribe<Data>(application.url, transport, operation.toString(), variables);
  open.push(subscription);
  return subscription;
}

const watchJob = (transport: Transport, id: string) =>
  watch<{ jobProgress: JobFactsFragment }>(transport, JobProgress, { id });

/** The next answer, which has to be data. */
async function readNext<Data>(subscription: Subscription<Data>): Promise<Data> {
  const { done, value } = await subscription.next();
  if (done) throw new Error('the subscription is complete');
  if (value.data == null) throw new Error(JSON.stringify(value.errors));
  return value.data;
}

const nextJob = async (subscription: Subscription<{ jobProgress: JobFactsFragment }>) =>
  (await readNext(subscription)).jobProgress;

/** All answers to the end. */
async function toEnd<Data>(subscription: Subscription<Data>): Promise<Data[]> {
  const all: Data[] = [];
  for await (const { data, errors } of subscription) {
    if (data == null) throw new Error(JSON.stringify(errors));
    all.push(data);
  }
  return all;
}

function expectRising(numbers: readonly number[]) {
  const rising = [...new Set(numbers)].sort((one, other) => one - other);
  expect(numbers).toEqual(rising);
}

function expectCountsAddUp({ progress }: JobFactsFragment) {
  const { processedItems, successCount, errorCount, totalItems, byType } = progress;
  expect(processedItems).toBe(successCount + errorCount);
  if (totalItems != null) expect(processedItems).toBeLessThanOrEqual(totalItems);
  if (byType.length > 0) {
    expect(byType.reduce((sum, type) => sum + type.processedItems, 0)).toBe(processedItems);
  }
}

/** What the program asks of the table of jobs while `run` runs: the values of each statement. */
async function jobReadsDuring(run: () => Promise<void>): Promise<unknown[][]> {
  const reads: unknown[][] = [];
  const send = Client.prototype.query;
  const spy = vi.spyOn(Client.prototype, 'query').mockImplementation(function (
    this: Client,
    ...args: unknown[]
  ) {
    const [statement, values] = args as [{ text?: string; values?: unknown[] } | string, unknown[]?];
    const text = typeof statement === 'string' ? statement : (statement.text ?? '');
    if (/^\s*select\b.*\bfrom "public"\."job"/is.test(text)) {
      reads.push((typeof statement === 'string' ? values : statement.values) ?? []);
    }
    return Reflect.apply(send, this, args);
  });
  try {
    await run();
  } finally {
    spy.mockRestore();
  }
  return reads;
}

describe('syncProgress', () => {
  const watchSyncs = () => watch<SyncProgressSubscription>('WebSocket', SyncProgress);

  test.each(TRANSPORTS)(
    'over %s tells first that there was no sync, and then sees each one to its end',
    async (transport) => {
      await application.database.pool.query(`delete from job where kind = 'SYNC'`);
      const { client } = application;
      const subscription = watch<SyncProgressSubscription>(transport, SyncProgress);
      expect((await readNext(subscription)).syncProgress).toEqual({ state: 'NO_SYNC_JOB', job: null });

      for (const syncType of ['FULL', 'INCREMENTAL'] as const) {
        const started = await client.startSync({ syncType, options: { batchSize: 1_000 } });
        const seen: JobFactsFragment[] = [];
        for (;;) {
          const { state, job } = (await readNext(subscription)).syncProgress;
          if (job == null) throw new Error('the sync is gone');
          expect(job).toMatchObject({ id: started.id, state });
          seen.push(job);
          if (job.finishedAt != null) break;
        }
        expectRising(seen.map(({ revision }) => revision));
        seen.forEach(expectCountsAddUp);
        expect(seen.at(-1)).toMatchObject({
          state: 'COMPLETED',
          progress: { successCount: ROWS, percent: 100 },
        });
      }
      expect(subscription.isComplete).toBe(false);

      const late = watchSyncs();
      expect((await readNext(late)).syncProgress).toEqual(subscription.received.at(-1)?.data?.syncProgress);
    },
  );

  // Two nodes' clocks differ, so the next sync may have the smaller id.
  test('shows the next sync whatever its id, and none that ended before', async () => {
    const { database } = application;
    const first = await insertJob(database, { kind: 'SYNC', state: 'RUNNING' });
    const subscription = watchSyncs();
    expect((await readNext(subscription)).syncProgress.job?.id).toBe(`Job:${first}`);
    await moveJob(database, first, 'COMPLETED');
    expect((await readNext(subscription)).syncProgress).toMatchObject({
      state: 'COMPLETED',
      job: { id: `Job:${first}` },
    });

    const next = await insertJob(database, {
      kind: 'SYNC',
      state: 'QUEUED',
      id: '01900000-0000-7000-8000-000000000000',
    });
    expect((await readNext(subscription)).syncProgress).toMatchObject({
      state: 'QUEUED',
      job: { id: `Job:${next}` },
    });
    await insertJob(database, { kind: 'SYNC', state: 'FAILED', createdAt: new Date('2025-01-01') });
    await moveJob(database, next, 'CANCELLED');
    expect((await readNext(subscription)).syncProgress).toMatchObject({
      state: 'CANCELLED',
      job: { id: `Job:${next}` },
    });
  });
});

describe('jobProgress', () => {
  test('shows a running job over both protocols from its current state to its end, and then completes', async () => {
    const { client } = application;
    const started = await client.startQueryJob({
      dataType: 'sortie',
      sqlQuery: 'SELECT * FROM blade.field.sortie',
      options: { batchSize: 200 },
    });
    const seen = await Promise.all(
      TRANSPORTS.map(async (transport) => {
        const subscription = watchJob(transport, started.id);
        const jobs = (await toEnd(subscription)).map(({ jobProgress }) => jobProgress);
        expect(subscription.isComplete).toBe(true);
        return jobs;
      }),
    );
    for (const jobs of seen) {
      expect(jobs.length).toBeGreaterThan(3);
      expectRising(jobs.map(({ revision }) => revision));
      jobs.forEach(expectCountsAddUp);
      expect(new Set(jobs.map(({ id }) => id))).toEqual(new Set([started.id]));
      const counts = jobs.map(({ progress }) => progress.processedItems);
      expect(counts).toEqual([...counts].sort((one, other) => one - other));
      const order = ['QUEUED', 'RUNNING', 'COMPLETED'];
      const states = jobs.map(({ state }) => order.indexOf(state));
      expect(states).toEqual([...states].sort());
      expect(jobs.at(-1)).toMatchObject({
        state: 'COMPLETED',
        progress: { totalItems: ROWS, successCount: ROWS, errorCount: 0, percent: 100 },
      });
    }
    expect(seen[0]?.at(-1)).toEqual(seen[1]?.at(-1));
  });

  test.each(TRANSPORTS)(
    'over %s gives the present state at once, and then what is new',
    async (transport) => {
      const { database } = application;
      const id = await insertJob(database, { state: 'RUNNING' });
      for (let count = 0; count < 5; count++) await writeRevision(database, id);
      const subscription = watchJob(transport, id);
      expect(await nextJob(subscription)).toMatchObject({ revision: 6, state: 'RUNNING' });
      for (let revision = 7; revision < 12; revision++) {
        await writeRevision(database, id);
        expect((await nextJob(subscription)).revision).toBe(revision);
      }
    },
  );

  test.each(TRANSPORTS)(
    'over %s gives who comes after the end the state that it ended in, and completes',
    async (transport) => {
      const { database } = application;
      for (const state of ['COMPLETED', 'FAILED', 'CANCELLED'] as const) {
        const id = await insertJob(database, { state });
        const subscription = watchJob(transport, id);
        expect(await toEnd(subscription)).toMatchObject([{ jobProgress: { id: `Job:${id}`, state } }]);
      }
    },
  );

  test.each(TRANSPORTS)('over %s returns parts of the job as of each revision', async (transport) => {
    const { database } = application;
    const id = await insertJob(database, { state: 'RUNNING' });
    const partitionId = await insertPartition(database, { jobId: id });
    const subscription = watch<{
      jobProgress: {
        progress: { successCount: number };
        partitions: { nodes: { successCount: number }[] };
        errors: { totalCount: number; edges: { node: { message: string } }[] };
      };
    }>(
      transport,
      `subscription ($id: ID!) {
        jobProgress(id: $id) {
          progress { successCount }
          partitions { nodes { successCount } }
          errors(first: 5) { totalCount edges { node { message } } }
        }
      }`,
      { id },
    );
    await readNext(subscription);
    for (let count = 1; count <= 3; count++) {
      const connection = await database.pool.connect();
      await connection.query('begin');
      await connection.query(
        `insert into job_error (job_id, partition_id, stage, data_type, message)
         values ($1, $2, 'TRANSFORM', 'sortie', $3)`,
        [id, partitionId, `Row ${count}`],
      );
      await connection.query(
        `update job_partition set total_items = 9, read_items = $2::int, processed_items = $2::int, success_count = $2::int,
           read_by_level = array[$2::int, 0, 0, 0, 0], success_by_level = array[$2::int, 0, 0, 0, 0] where id = $1`,
        [partitionId, count],
      );
      await connection.query(
        'update job set total_items = 9, processed_items = $2, success_count = $2 where id = $1',
        [id, count],
      );
      await connection.query('commit');
      connection.release();
      const { jobProgress } = await readNext(subscription);
      expect(jobProgress).toMatchObject({
        progress: { successCount: count },
        partitions: { nodes: [{ successCount: count }] },
        errors: { totalCount: count },
      });
      expect(jobProgress.errors.edges.map(({ node }) => node.message)).toEqual(
        Array.from({ length: count }, (_, index) => `Row ${index + 1}`),
      );
    }
  });

  test.each(TRANSPORTS)(
    'over %s of an unknown job is an error with its code, and the end',
    async (transport) => {
      const id = '01997f3e-8c1a-7000-8000-000000000000';
      const subscription = watchJob(transport, id);
      expect(await readError(subscription)).toMatchObject({
        message: `there is no job ${id}`,
        extensions: { code: 'JOB_NOT_FOUND' },
      });
    },
  );

  test.each(TRANSPORTS)('over %s with a malformed id is an error that names the field', async (transport) => {
    for (const id of ['', 'x', 'DataSource:01997f3e-8c1a-7000-8000-000000000000']) {
      const subscription = watchJob(transport, id);
      expect(await readError(subscription)).toMatchObject({
        extensions: { code: 'BAD_USER_INPUT', issues: [{ path: ['id'], message: expect.any(String) }] },
      });
    }
  });

  async function readError(subscription: Subscription<unknown>) {
    const { value } = await subscription.next().catch((thrown: unknown) => ({
      value: { errors: thrown as { message: string }[] },
    }));
    expect(value?.data ?? null).toBeNull();
    expect(value?.errors).toHaveLength(1);
    await vi.waitFor(() => expect(subscription.isComplete || subscription.received.length === 0).toBe(true));
    return value?.errors?.[0];
  }

  test('answers a plain GET for an event stream, as curl and EventSource send it', async () => {
    const { database, url } = application;
    const id = await insertJob(database, { state: 'RUNNING' });
    const query = `subscription { jobProgress(id: "${id}") { revision state } }`;
    const response = await fetch(`${url}?query=${encodeURIComponent(query)}`, {
      headers: { accept: 'text/event-stream' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const events = readEvents(response);
    expect(await nextEvent(events)).toEqual({
      event: 'next',
      data: { data: { jobProgress: { revision: 1, state: 'RUNNING' } } },
    });
    await moveJob(database, id, 'COMPLETED');
    expect(await nextEvent(events)).toEqual({
      event: 'next',
      data: { data: { jobProgress: { revision: 2, state: 'COMPLETED' } } },
    });
    expect(await nextEvent(events)).toMatchObject({ event: 'complete' });
    expect(await nextEvent(events)).toBeNull();
  });

  test('answers a plain POST for an event stream', async () => {
    const { database, url } = application;
    const id = await insertJob(database, { state: 'CANCELLED' });
    const response = await fetch(url, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ query: JobProgress.toString(), variables: { id } }),
    });
    const events = readEvents(response);
    expect(await nextEvent(events)).toMatchObject({
      event: 'next',
      data: { data: { jobProgress: { state: 'CANCELLED' } } },
    });
    expect(await nextEvent(events)).toMatchObject({ event: 'complete' });
    expect(await nextEvent(events)).toBeNull();
  });
});

describe('jobChanges', () => {
  const watchChanges = (filter?: object) =>
    watch<JobChangesSubscription>('WebSocket', JobChanges, filter === undefined ? {} : { filter });

  const seenBy = ({ received }: Subscription<JobChangesSubscription>, id: string) =>
    received.flatMap(({ data }) => (data?.jobChanges.job?.id === `Job:${id}` ? [data.jobChanges.job] : []));

  /** Waits until the subscriptions see what is made: a subscription to changes says nothing when it begins. */
  async function untilTheySee(subscriptions: Subscription<JobChangesSubscription>[], job: object) {
    await vi.waitFor(
      async () => {
        const id = await insertJob(application.database, job);
        await vi.waitFor(
          () => {
            for (const subscription of subscriptions) expect(seenBy(subscription, id)).toHaveLength(1);
          },
          { timeout: 300, interval: 5 },
        );
      },
      { timeout: 10_000 },
    );
  }

  test('shows every job from its creation to its end, or only those of a kind or data type', async () => {
    const { database } = application;
    const all = watchChanges();
    const syncs = watchChanges({ kinds: ['SYNC'] });
    const queries = watchChanges({ kinds: ['QUERY'] });
    const logistics = watchChanges({ dataTypes: ['logistics'] });
    const queriesOfSorties = watchChanges({ kinds: ['QUERY'], dataTypes: ['sortie', 'deployment'] });
    await untilTheySee([all, queries, queriesOfSorties], { dataType: 'sortie' });
    await untilTheySee([all, syncs, logistics], { kind: 'SYNC', dataType: 'logistics' });

    const live = async (job: Parameters<typeof insertJob>[1]) => {
      const id = await insertJob(database, { ...job, state: 'QUEUED' });
      await vi.waitFor(() => expect(seenBy(all, id)).toHaveLength(1));
      await moveJob(database, id, 'RUNNING');
      await vi.waitFor(() => expect(seenBy(all, id)).toHaveLength(2));
      await moveJob(database, id, 'COMPLETED');
      await vi.waitFor(() => expect(seenBy(all, id)).toHaveLength(3));
      return id;
    };
    const sortieQuery = await live({ kind: 'QUERY', dataType: 'sortie' });
    const cargoSync = await live({ kind: 'SYNC', dataType: 'logistics' });
    const cargoQuery = await live({ kind: 'QUERY', dataType: 'logistics' });
    // What every subscription but that to all has seen by now it saw before this one.
    await untilTheySee([all, queries, queriesOfSorties], { dataType: 'deployment' });
    await untilTheySee([all, syncs, logistics], { kind: 'SYNC', dataType: 'logistics' });

    const life = ['QUEUED', 'RUNNING', 'COMPLETED'];
    const collectStates = (subscription: Subscription<JobChangesSubscription>, id: string) =>
      seenBy(subscription, id).map(({ state }) => state);
    for (const id of [sortieQuery, cargoSync, cargoQuery]) expect(collectStates(all, id)).toEqual(life);
    expect([sortieQuery, cargoSync, cargoQuery].map((id) => collectStates(syncs, id))).toEqual([
      [],
      life,
      [],
    ]);
    expect([sortieQuery, cargoSync, cargoQuery].map((id) => collectStates(queries, id))).toEqual([
      life,
      [],
      life,
    ]);
    expect([sortieQuery, cargoSync, cargoQuery].map((id) => collectStates(logistics, id))).toEqual([
      [],
      life,
      life,
    ]);
    expect([sortieQuery, cargoSync, cargoQuery].map((id) => collectStates(queriesOfSorties, id))).toEqual([
      life,
      [],
      [],
    ]);
    for (const subscription of [all, syncs, queries, logistics, queriesOfSorties]) {
      expect(subscription.isComplete).toBe(false);
    }
  });

  test.each(TRANSPORTS)('over %s says first that the list has to be loaded, once', async (transport) => {
    const subscription = watch<JobChangesSubscription>(transport, JobChanges);
    expect((await readNext(subscription)).jobChanges).toEqual({ mayHaveMissed: true, job: null });
    // Whatever is created from here on has an event.
    const id = await insertJob(application.database);
    expect((await readNext(subscription)).jobChanges).toMatchObject({
      mayHaveMissed: false,
      job: { id: `Job:${id}` },
    });
  });

  test('shows a real job that is started after the subscription, to its end', async () => {
    const { client } = application;
    const all = watchChanges();
    await untilTheySee([all], {});
    const { id } = await client.startQueryJob({
      dataType: 'sortie',
      sqlQuery: 'SELECT * FROM blade.field.sortie',
    });
    await vi.waitFor(
      () =>
        expect(seenBy(all, uuid(id)).at(-1)).toMatchObject({
          state: 'COMPLETED',
          progress: { percent: 100 },
        }),
      { timeout: 20_000 },
    );
    expectRising(seenBy(all, uuid(id)).map(({ revision }) => revision));
    seenBy(all, uuid(id)).forEach(expectCountsAddUp);
  });

  test.each(TRANSPORTS)('over %s for an unknown data type is an error', async (transport) => {
    const subscription = watch(transport, JobChanges, { filter: { dataTypes: ['submarine'] } });
    const outcome = await subscription.next().catch((thrown: unknown) => thrown);
    expect(JSON.stringify(outcome)).toContain('no data type \\"submarine\\"');
    expect(JSON.stringify(outcome)).toContain('filter.dataTypes');
  });
});

test.each(TRANSPORTS)(
  'subscribers over %s of a field that fails are each told why, at every event',
  async (transport) => {
    const { database } = application;
    const id = await insertJob(database, { state: 'RUNNING' });
    const QUERY = `subscription ($id: ID!) { jobProgress(id: $id) { retryOf { id } errors(after: "?") { totalCount } } }`;
    const subscriptions = Array.from({ length: 3 }, () => watch(transport, QUERY, { id }));
    for (let event = 0; event < 2; event++) {
      if (event > 0) await writeRevision(database, id);
      for (const subscription of subscriptions) {
        const { value } = await subscription.next();
        expect(value.errors).toMatchObject([
          {
            message: expect.stringContaining('is not a cursor of this list'),
            locations: [{ line: expect.any(Number) }],
            path: ['jobProgress', 'errors'],
            extensions: { code: 'BAD_USER_INPUT', issues: [{ path: ['after'] }] },
          },
        ]);
      }
    }
  },
);

test('fifty subscribers of a job cause no more reads of the database than one', async () => {
  const { database } = application;
  const id = await insertJob(database, { state: 'RUNNING' });
  const subscriptions = Array.from({ length: 50 }, (_, index) =>
    watchJob(TRANSPORTS[index % 2] ?? 'WebSocket', id),
  );
  await Promise.all(subscriptions.map(nextJob));

  const REVISIONS = 40;
  let newest = 0;
  const reads = await jobReadsDuring(async () => {
    for (let count = 0; count < REVISIONS; count++) {
      newest = await writeRevision(database, id);
      const revisions = await Promise.all(subscriptions.map(async (one) => (await nextJob(one)).revision));
      expect(new Set(revisions)).toEqual(new Set([newest]));
    }
  });
  expect(newest).toBe(REVISIONS + 1);
  expect(reads.filter((values) => values.includes(id)).length).toBe(REVISIONS);
});

describe('a subscriber that reads nothing while two hundred revisions pass', () => {
  const REVISIONS = 200;

  /** A job whose every answer is large, so that no buffer of the system holds all of them. */
  async function insertLargeJob() {
    const id = await insertJob(application.database, { state: 'RUNNING' });
    await application.database.pool.query(
      `update job set recent_errors = array_fill(repeat('x', 20000), array[10]) where id = $1`,
      [id],
    );
    return id;
  }

  interface LargeAnswer {
    readonly data: { readonly jobProgress: { readonly revision: number; readonly state: string } };
  }

  const QUERY = `subscription ($id: ID!) { jobProgress(id: $id) { revision state recentErrors } }`;

  /** Writes the revisions, each once a subscriber that keeps up has seen the one before; then ends the job. */
  async function writeAll(id: string) {
    const eager = watch<{ jobProgress: { revision: number } }>(
      'WebSocket',
      'subscription ($id: ID!) { jobProgress(id: $id) { revision } }',
      { id },
    );
    await readNext(eager);
    for (let count = 0; count < REVISIONS; count++) {
      const revision = await writeRevision(application.database, id);
      expect((await readNext(eager)).jobProgress.revision).toBe(revision);
    }
    await moveJob(application.database, id, 'COMPLETED');
    await toEnd(eager);
  }

  function expectOnlyTheNewest(answers: readonly { revision: number; state: string }[]) {
    const revisions = answers.map(({ revision }) => revision);
    expectRising(revisions);
    expect(answers.at(-1)).toMatchObject({ revision: REVISIONS + 3, state: 'COMPLETED' });
    // What was on its way when it stopped reading, and then the newest: nothing was kept for it in between.
    expect(revisions.length).toBeLessThan(REVISIONS / 2);
    const afterGap = revisions.filter((revision, index) => revision > (revisions[index - 1] ?? revision) + 1);
    expect(afterGap).toEqual([REVISIONS + 3]);
  }

  test('over WebSocket gets only the newest one afterwards', async () => {
    const id = await insertLargeJob();
    const { socket, messages, send, waitForMessage } = await connect();
    send('slow', QUERY, { variables: { id } });
    await waitForMessage('slow');
    socket.pause();
    await writeAll(id);
    socket.resume();
    await vi.waitFor(() => expect(messages.at(-1)?.type).toBe('complete'), { timeout: 10_000 });
    socket.close();
    const answers = messages.flatMap(({ type, payload }) =>
      type === 'next' ? [(payload as LargeAnswer).data.jobProgress] : [],
    );
    expectOnlyTheNewest(answers);
  });

  test('over server-sent events gets only the newest one afterwards', async () => {
    const id = await insertLargeJob();
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      const outgoing = request(application.url, {
        method: 'POST',
        headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      });
      outgoing.on('response', resolve).on('error', reject);
      outgoing.end(JSON.stringify({ query: QUERY, variables: { id } }));
    });
    await writeAll(id);
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    const answers = [...text.matchAll(/"revision":(\d+),"state":"(\w+)"/g)].map(
      ([, revision, state = '']) => ({
        revision: Number(revision),
        state,
      }),
    );
    expectOnlyTheNewest(answers);
  });
});

describe('a subscriber that leaves is removed', () => {
  /** Whether the program reads the job when it changes, because somebody watches it. */
  async function isWatched(id: string): Promise<boolean> {
    const { database } = application;
    const other = await insertJob(database, { state: 'RUNNING' });
    const witness = watchJob('WebSocket', other);
    await nextJob(witness);
    const reads = await jobReadsDuring(async () => {
      await writeRevision(database, id);
      // Changes are told in order: once this one has come, that one has been looked at.
      await writeRevision(database, other);
      await nextJob(witness);
    });
    expect(reads.flat()).toContain(other);
    return reads.flat().includes(id);
  }

  const untilForgotten = (id: string) =>
    vi.waitFor(async () => expect(await isWatched(id)).toBe(false), { timeout: 10_000, interval: 20 });

  const watchers: Record<string, { kind: 'SYNC' | 'QUERY'; query: { toString(): string }; isById: boolean }> =
    {
      jobProgress: { kind: 'QUERY', query: JobProgress, isById: true },
      syncProgress: { kind: 'SYNC', query: SyncProgress, isById: false },
    };

  for (const [name, { kind, query, isById }] of Object.entries(watchers)) {
    test.each(TRANSPORTS)(`when it unsubscribes from ${name} over %s`, async (transport) => {
      const { database } = application;
      const id = await insertJob(database, { kind, state: 'RUNNING' });
      const subscription = watch<unknown>(transport, query, isById ? { id } : {});
      await subscription.next();
      expect(await isWatched(id)).toBe(true);
      await subscription.leave();
      await untilForgotten(id);
      await moveJob(database, id, 'CANCELLED');
    });
  }

  test('when it unsubscribes from jobChanges', async () => {
    const { database } = application;
    const id = await insertJob(database, { state: 'RUNNING' });
    const subscription = watch<unknown>('WebSocket', JobChanges);
    await vi.waitFor(async () => {
      await writeRevision(database, id);
      expect(subscription.received.length).toBeGreaterThan(0);
    });
    expect(await isWatched(id)).toBe(true);
    await subscription.leave();
    await untilForgotten(id);
  });

  test('when its connection breaks', async () => {
    const id = await insertJob(application.database, { state: 'RUNNING' });
    const { socket, send, waitForMessage } = await connect();
    send('watch', JobProgress, { variables: { id } });
    await waitForMessage('watch');
    expect(await isWatched(id)).toBe(true);
    socket.terminate();
    await untilForgotten(id);
  });

  test.each([
    ['jobProgress', JobProgress],
    ['syncProgress', SyncProgress],
    ['jobChanges', JobChanges],
  ])('immediately when it leaves %s, not with the next change', async (_name, query) => {
    const { database } = application;
    const id = await insertJob(database, { kind: 'SYNC', state: 'RUNNING' });
    const { socket, messages, send, complete, waitForMessage } = await connect();
    send('watch', query, { variables: { id } });
    await vi.waitFor(async () => {
      await writeRevision(database, id);
      expect(messages.filter((message) => message.id === 'watch').length).toBeGreaterThan(1);
    });
    expect(await isWatched(id)).toBe(true);
    complete('watch');
    send('after', '{ dataTypes { name } }');
    await waitForMessage('after');
    expect(await isWatched(id)).toBe(false);
    socket.close();
    await moveJob(database, id, 'CANCELLED');
  });
});

describe('a client that sends garbage over WebSocket', () => {
  test('gets an error for each operation, and can continue', async () => {
    const { socket, send, waitForMessage } = await connect();
    send('syntax', 'subscription { jobProgress(');
    send('field', 'subscription { nothing }');
    send('variable', 'subscription ($id: ID!) { jobProgress(id: $id) { id } }');
    send('type', 'query ($first: Int) { jobs(first: $first) { totalCount } }', { variables: { first: 'x' } });
    send('name', 'query A { dataTypes { name } }', { operationName: 'B' });
    send('two', 'query A { dataTypes { name } } query B { dataTypes { name } }');
    send('empty', '');
    send('fragment', 'fragment A on Job { id }');
    for (const id of ['syntax', 'field', 'variable', 'type', 'name', 'two', 'empty', 'fragment']) {
      const { type, payload } = await waitForMessage(id);
      const errors = (type === 'error' ? payload : (payload as { errors: unknown }).errors) as {
        message: string;
      }[];
      expect(errors.length, id).toBeGreaterThan(0);
      for (const { message } of errors) expect(message, id).not.toMatch(/Unexpected error/);
    }
    send('good', '{ dataTypes { name } }');
    expect(await waitForMessage('good')).toMatchObject({
      type: 'next',
      payload: { data: { dataTypes: expect.arrayContaining([{ name: 'sortie' }]) } },
    });
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.close();
  });

  test('is disconnected if it does not even speak the protocol, without disturbing others', async () => {
    const { socket } = await connect();
    const other = await connect();
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    socket.send('\u0000garbage{');
    expect(await closed).toBe(4400);
    other.send('good', '{ dataTypes { name } }');
    expect(await other.waitForMessage('good')).toMatchObject({ type: 'next' });
    other.socket.close();
  });
});

interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

/** A WebSocket that is spoken to in the messages of the protocol. */
async function connect() {
  const socket = new WebSocket(application.url.replace(/^http/, 'ws'), 'graphql-transport-ws');
  const messages: Message[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(data.toString())));
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await vi.waitFor(() => expect(messages).toEqual([{ type: 'connection_ack' }]));
  return {
    socket,
    messages,
    send: (id: string, query: { toString(): string }, rest: object = {}) =>
      socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: query.toString(), ...rest } })),
    complete: (id: string) => socket.send(JSON.stringify({ id, type: 'complete' })),
    /** The first message about an operation. */
    waitForMessage: (id: string) =>
      vi.waitFor(() => {
        const message = messages.find((one) => one.id === id);
        if (message === undefined) throw new Error(`nothing of ${id}`);
        return message;
      }),
  };
}

/** The events of a stream, read as the specification of server-sent events says. */
async function* readEvents(response: Response): AsyncGenerator<{ event: string; data: unknown }> {
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const findField = (name: string) =>
        lines
          .find((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .trim();
      const event = findField('event');
      if (event === undefined) continue; // A comment, which keeps the connection open.
      const data = findField('data');
      yield { event, data: data ? JSON.parse(data) : null };
    }
  }
}

async function nextEvent(events: AsyncGenerator<{ event: string; data: unknown }>) {
  const { done, value } = await events.next();
  return done ? null : value;
}
