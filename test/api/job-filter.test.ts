import fc from 'fast-check';
import { v7 as newUuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { MARKINGS, type Marking, toLevel } from '../../src/data-types/marking.ts';
import { createPrismaClients, type PrismaClients } from '../../src/database/prisma-client.ts';
import { createJobMatcher, type JobFilter } from '../../src/jobs/job-filter.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { type Chance, createChance } from '../support/chance.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';
import { insertJob, moveJob, writeRevision } from '../support/job-rows.ts';
import { test } from '../support/on-server.ts';
import { subscribe } from '../support/subscriber.ts';
import { addSource, uuid } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const CLEARANCES = ['UNCLASSIFIED', 'CUI', 'SECRET', 'TOP SECRET'] as const;
type Clearance = (typeof CLEARANCES)[number];
const OUTCOMES = ['SUCCEEDED', 'ITEMS_FAILED', 'SOURCES_FAILED', 'NOTHING_SUCCEEDED'] as const;
const SQL = [
  'SELECT 1',
  'SELECT Kelvin FROM a.b.c',
  'select ÄRGER',
  "WHERE x LIKE '%_\\'",
  'İstanbul',
] as const;
const STARTERS = ['ann', 'bob', 'key:1'] as const;
const START = Date.UTC(2026, 0, 1);
const moment = (hours: number) => new Date(START + hours * 3_600_000);

let application: TestApplication;
let clients: Record<Clearance, ApiClient>;
let database: PrismaClients;
let sources: string[];
const jobIds: string[] = [];

beforeAll(async () => {
  application = await startTestApplication({ BLADE_ROLES: 'api', ...SECRET_SETTINGS });
  database = createPrismaClients(application.database.connectionString, { maxConnections: 2 });
  const entries = CLEARANCES.map(async (clearance) => {
    const client = createApiClient(application.url, await bearer({ role: 'admin', clearance }));
    return [clearance, client] as const;
  });
  clients = Object.fromEntries(await Promise.all(entries)) as Record<Clearance, ApiClient>;
  const cleared = { client: clients['TOP SECRET'] };
  sources = [await addSource(cleared, { name: 'One' }), await addSource(cleared, { name: 'Two' })];
  const chance = createChance(7);
  for (let job = 0; job < 120; job++) jobIds.push(await insertRandomJob(chance));
});

afterAll(async () => {
  await Promise.all(Object.values(clients).map((client) => client.close()));
  await database.close();
  await application.close();
});

/** Inserts a job, whose counts a clearance sees according to the markings of its rows. */
async function insertRandomJob(chance: Chance): Promise<string> {
  const { pool } = application.database;
  const kind = chance.oneOf(['QUERY', 'QUERY', 'SYNC'] as const);
  const state =
    kind === 'SYNC' ? 'COMPLETED' : chance.oneOf(['COMPLETED', 'FAILED', 'QUEUED', 'CANCELLED'] as const);
  const id = await insertJob(application.database, {
    ...{ kind, state },
    dataType: chance.oneOf(['sortie', 'logistics']),
    createdAt: moment(chance.below(5)),
  });
  const success = Array.from({ length: 5 }, () => chance.below(2));
  const errors = Array.from({ length: 5 }, () => chance.below(2));
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const [succeeded, failed] = [sum(success), sum(errors)];
  const labels = {
    ...(chance.below(2) === 0 ? { team: chance.oneOf(['ops', 'it', '']) } : {}),
    ...(chance.below(3) === 0 ? { 'a/b': 'ops' } : {}),
  };
  await pool.query('alter table job disable trigger user');
  await pool.query(
    `update job set success_by_level = $2, error_by_level = $3, success_count = $4, error_count = $5,
       processed_items = $6, total_items = $6, labels = $7, started_by_id = $8, started_by_name = $8, marking = $9,
       finished_at = case when finished_at is not null then greatest(created_at, $10::timestamptz) end,
       started_at = case when started_at is not null then created_at end,
       sql_query = case when kind = 'QUERY' then $11 end, filter = case when kind = 'SYNC' then $12 end,
       retry_of_id = $13, retry_mode = $14::retry_mode, outcome = $15::job_outcome where id = $1`,
    [
      ...[id, success, errors, succeeded, failed, succeeded + failed, JSON.stringify(labels)],
      chance.oneOf([...STARTERS, null]),
      chance.oneOf(MARKINGS as unknown as [Marking, ...Marking[]]),
      moment(chance.below(5)),
      chance.oneOf(SQL),
      chance.oneOf([...SQL, null]),
      ...(chance.below(3) === 0 ? [jobIds[0] ?? null, 'ALL'] : [null, null]),
      findOutcome(state, succeeded, failed),
    ],
  );
  await pool.query('alter table job enable trigger user');
  for (const [ordinal, dataSourceId] of sources.entries()) {
    if (chance.below(3) > 0) continue;
    await pool.query(
      `insert into job_partition (id, job_id, ordinal, state, data_type, data_source_id, source_name, finished_at)
       values ($1, $2, $3, 'FAILED', 'sortie', $4::uuid, $4::text, now())`,
      [newUuid(), id, ordinal, dataSourceId],
    );
  }
  return id;
}

function findOutcome(state: string, succeeded: number, failed: number): string | null {
  if (state === 'FAILED') return succeeded > 0 ? 'SOURCES_FAILED' : 'NOTHING_SUCCEEDED';
  if (state !== 'COMPLETED') return null;
  if (failed === 0) return 'SUCCEEDED';
  return succeeded > 0 ? 'ITEMS_FAILED' : 'NOTHING_SUCCEEDED';
}

interface Listed {
  readonly id: string;
  readonly outcome: string | null;
  readonly startedBy: { readonly id: string } | null;
  readonly labels: readonly { readonly key: string; readonly value: string }[];
  readonly configuration: { readonly sqlQuery?: string; readonly filter?: string | null };
}

async function list(clearance: Clearance, filter: object): Promise<Listed[]> {
  const { data, errors } = await clients[clearance].sendRaw(
    `query ($filter: JobFilter) { jobs(first: 200, filter: $filter) { nodes { id outcome startedBy { id }
      labels { key value } configuration { ... on QueryConfiguration { sqlQuery } ... on SyncConfiguration { filter } } } } }`,
    { filter },
  );
  expect(errors).toBeUndefined();
  return (data as { jobs: { nodes: Listed[] } }).jobs.nodes;
}

const toIds = (jobs: readonly { readonly id: string }[]) => jobs.map(({ id }) => uuid(id)).sort();

const some = <Value>(values: readonly Value[]) => fc.subarray([...values], { maxLength: 2 });
const time = fc.integer({ min: 0, max: 5 }).map(moment);

const filters: fc.Arbitrary<JobFilter> = fc.record(
  {
    kinds: some(['SYNC', 'QUERY']),
    states: some(['COMPLETED', 'FAILED', 'QUEUED', 'CANCELLED']),
    outcomes: some(OUTCOMES),
    dataTypes: some(['sortie', 'logistics']),
    dataSourceIds: fc.integer({ min: 0, max: 2 }).map((count) => sources.slice(0, count)),
    startedByIds: some(STARTERS),
    createdAfter: time,
    createdBefore: time,
    finishedAfter: time,
    finishedBefore: time,
    isRetry: fc.boolean(),
    retryOfId: fc.constant(null).map(() => jobIds[0] ?? ''),
    sqlContains: fc.constantFrom('', 'select', 'KELVIN', 'ä', 'Ä', '%', '_', '\\', 'i̇', 'nothing'),
    labels: some([
      { key: 'team', value: 'ops' },
      { key: 'team', value: null },
      { key: 'a/b', value: 'ops' },
      { key: 'constructor', value: null },
    ]),
  },
  { requiredKeys: [] },
);

describe('the filter of jobs', () => {
  test('means the same for a list and for a feed, at every clearance', async () => {
    await fc.assert(
      fc.asyncProperty(filters, fc.constantFrom(...CLEARANCES), async (filter, clearance) => {
        const matcher = createJobMatcher(filter);
        const rows = await database
          .clearedFor(clearance)
          .job.findMany({ include: { partitions: { select: { dataSourceId: true } } } });
        const matching = rows.filter(({ partitions, ...job }) =>
          matcher.matches(job, new Set(partitions.map(({ dataSourceId }) => dataSourceId ?? ''))),
        );
        expect(toIds(await list(clearance, filter))).toEqual(toIds(matching));
      }),
      fuzzParameters(1, 'lists and feeds'),
    );
  });

  test.each(CLEARANCES)('reveals to %s nothing that the jobs do not show', async (clearance) => {
    const shown = await list(clearance, {});
    expect(shown.length).toBeGreaterThan(10);
    expect(shown.length < jobIds.length).toBe(toLevel(clearance) < toLevel('TOP SECRET'));
    for (const outcome of OUTCOMES)
      expect(toIds(await list(clearance, { outcomes: [outcome] }))).toEqual(
        toIds(shown.filter((job) => job.outcome === outcome)),
      );
    for (const text of SQL)
      expect(toIds(await list(clearance, { sqlContains: text }))).toEqual(
        toIds(
          shown.filter(({ configuration: { sqlQuery, filter } }) => (sqlQuery ?? filter)?.includes(text)),
        ),
      );
    for (const value of ['ops', 'it', ''])
      expect(toIds(await list(clearance, { labels: [{ key: 'team', value }] }))).toEqual(
        toIds(shown.filter(({ labels }) => labels.some((one) => one.key === 'team' && one.value === value))),
      );
    for (const starter of STARTERS)
      expect(toIds(await list(clearance, { startedByIds: [starter] }))).toEqual(
        toIds(shown.filter(({ startedBy }) => startedBy?.id === `Principal:${starter}`)),
      );
  });

  test('finds jobs of lower clearances by other outcomes than those of all rows', async () => {
    const [all, covered] = [await list('TOP SECRET', {}), await list('UNCLASSIFIED', {})];
    const outcomes = new Map(all.map(({ id, outcome }) => [id, outcome]));
    expect(covered.filter(({ id, outcome }) => outcomes.get(id) !== outcome)).not.toEqual([]);
  });

  test.each([
    ['a source that is no id', { dataSourceIds: ['x'] }, 'filter.dataSourceIds.0'],
    ['a job that is no id', { retryOfId: 'x' }, 'filter.retryOfId'],
    ['a text that cannot be stored', { sqlContains: 'a\0b' }, 'filter.sqlContains'],
    ['a label that cannot be stored', { labels: [{ key: 'a', value: '\0' }] }, 'filter.labels.0.value'],
    ['a starter that cannot be stored', { startedByIds: ['\0'] }, 'filter.startedByIds'],
    [
      'more values than a statement holds',
      { startedByIds: Array.from({ length: 101 }, (_none, index) => `p${index}`) },
      'filter.startedByIds',
    ],
  ])('refuses %s', async (_, filter, field) => {
    const { errors } = await clients.SECRET.sendRaw(
      'query ($filter: JobFilter) { jobs(filter: $filter) { totalCount } }',
      { filter },
    );
    expect(errors?.[0]).toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
      message: expect.stringContaining(field),
    });
  });
});

describe('a feed with a filter', () => {
  interface Change {
    readonly jobChanges: { readonly job: { readonly id: string; readonly state: string } | null };
  }

  async function watch(filter: object, clearance: Clearance = 'TOP SECRET') {
    const feed = subscribe<Change>(
      application.url,
      'WebSocket',
      'subscription ($filter: JobFilter) { jobChanges(filter: $filter) { job { id state } } }',
      { filter },
      await bearer({ role: 'admin', clearance }),
    );
    onTestFinished(() => feed.leave());
    return (id: string) =>
      feed.received.flatMap(({ data }) =>
        data?.jobChanges.job != null && uuid(data.jobChanges.job.id) === id
          ? [data.jobChanges.job.state]
          : [],
      );
  }

  /** Writes revisions of a job until a feed that shows all of it has seen one, so that the feed has begun. */
  async function untilSeen(seen: (id: string) => readonly string[], id: string): Promise<void> {
    await vi.waitFor(async () => {
      await writeRevision(application.database, id);
      expect(seen(id)).not.toEqual([]);
    });
  }

  test('shows a job as long as it matches, and once more when it no longer does', async () => {
    const id = await insertJob(application.database, { state: 'QUEUED' });
    const [all, queued, failed] = [
      await watch({}),
      await watch({ states: ['QUEUED'] }),
      await watch({ states: ['FAILED'] }),
    ];
    await untilSeen(all, id);
    await untilSeen(queued, id);
    await moveJob(application.database, id, 'RUNNING');
    await moveJob(application.database, id, 'COMPLETED');
    await vi.waitFor(() => expect(all(id).at(-1)).toBe('COMPLETED'));
    const states = queued(id);
    expect(new Set(states.slice(0, -1))).toEqual(new Set(['QUEUED']));
    expect(states.at(-1)).not.toBe('QUEUED');
    expect(failed(id)).toEqual([]);
  });

  test('shows that a job no longer matches which it has not shown before', async () => {
    const id = await insertJob(application.database, { state: 'RUNNING' });
    const marker = await insertJob(application.database, { state: 'RUNNING' });
    const running = await watch({ states: ['RUNNING'] });
    await untilSeen(running, marker);
    expect(running(id)).toEqual([]);
    await moveJob(application.database, id, 'COMPLETED');
    await vi.waitFor(() => expect(running(id)).toEqual(['COMPLETED']));
  });

  test('by source, label, SQL and starter shows only such jobs', async () => {
    const ids = [
      await insertJob(application.database, { state: 'RUNNING' }),
      await insertJob(application.database, { state: 'RUNNING' }),
    ];
    const [mine = '', other = ''] = ids;
    await application.database.pool.query(
      `update job set labels = '{"team": "mine"}', started_by_id = 'me', started_by_name = 'Me',
         sql_query = 'SELECT mine' where id = $1`,
      [mine],
    );
    await application.database.pool.query(
      `insert into job_partition (id, job_id, ordinal, state, data_type, data_source_id, source_name)
       values ($1, $1, 0, 'RUNNING', 'sortie', $2, 'One')`,
      [mine, sources[0]],
    );
    const all = await watch({});
    const feeds = await Promise.all(
      [
        { labels: [{ key: 'team', value: 'mine' }] },
        { startedByIds: ['me'] },
        { sqlContains: 'MINE' },
        { dataSourceIds: [sources[0]] },
      ].map((filter) => watch(filter)),
    );
    for (const seen of feeds) await untilSeen(seen, mine);
    await untilSeen(all, other);
    await untilSeen(all, mine);
    expect(feeds.map((seen) => seen(other))).toEqual([[], [], [], []]);
  });
});
