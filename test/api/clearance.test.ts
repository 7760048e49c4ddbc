import { type GraphQLObjectType, getNamedType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { schema } from '../../src/api/schema/schema.ts';
import { type Marking, toLevel } from '../../src/data-types/marking.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { insertJob, insertPartition, moveJob, writeRevision } from '../support/job-rows.ts';
import { toMarkingName } from '../support/marking-name.ts';
import { test } from '../support/on-server.ts';
import { RetryJob, StartQueryJob, StartSync } from '../support/operations.ts';
import { subscribe, type Transport } from '../support/subscriber.ts';
import { addSource, uuid, writeQuery, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const CLEARANCES = ['UNCLASSIFIED', 'CUI', 'CONFIDENTIAL', 'SECRET', 'TOP SECRET'] as const;
const LOWER = CLEARANCES.slice(0, -1);
type Clearance = (typeof CLEARANCES)[number];

/** Both ways to write each marking; the ids tell the level. */
const MARKINGS: readonly Marking[] = [
  'U',
  'UNCLASSIFIED',
  'CUI',
  'C',
  'CONFIDENTIAL',
  'S',
  'SECRET',
  'TS',
  'TOP SECRET',
];

const createRow = (marking: Marking, id: string) => ({
  item_id: `${id}-${marking}`,
  classification_marking: marking,
  mission_status: 'DONE',
  updated_at: `2026-01-0${toLevel(marking) + 1}T00:00:00Z`,
});

/** Rows with a marking of their own that a clearance covers, and one good one that has none: it is CONFIDENTIAL. */
const GOOD = [
  ...MARKINGS.map((marking) => createRow(marking, 'GOOD')),
  { item_id: 'GOOD-none', mission_status: 'DONE' },
];
const BAD = [
  ...MARKINGS.map((marking) => ({ ...createRow(marking, 'BAD'), flight_hours: 'two' })),
  { item_id: 'BAD-none', flight_hours: 'two' },
  { item_id: 'BAD-unknown', classification_marking: 'COSMIC' },
];

function findLevel(row: { readonly classification_marking?: string }): number {
  const { classification_marking: marking } = row;
  if (marking === undefined) return toLevel('CONFIDENTIAL');
  return toLevel(MARKINGS.find((known) => known === marking) ?? 'TOP SECRET');
}

const coveredBy = (
  clearance: Clearance,
  rows: readonly { classification_marking?: string; item_id: string }[],
) => rows.filter((row) => findLevel(row) <= toLevel(clearance)).map(({ item_id }) => item_id);

let application: TestApplication;
let authorizations: Record<Clearance, string>;
let clients: Record<Clearance, ApiClient>;
/** A sync that has ended, and a query job of each marking that one can have. */
let syncId: string;
let queryJobs: { readonly marking: Clearance; readonly id: string }[];

beforeAll(async () => {
  application = await startTestApplication({ BLADE_ROLES: 'api,worker', ...SECRET_SETTINGS });
  const perClearance = async <Value>(make: (clearance: Clearance) => Promise<Value>) =>
    Object.fromEntries(
      await Promise.all(CLEARANCES.map(async (clearance) => [clearance, await make(clearance)] as const)),
    ) as Record<Clearance, Value>;
  authorizations = await perClearance((clearance) => bearer({ role: 'admin', clearance }));
  clients = await perClearance(async (clearance) =>
    createApiClient(application.url, authorizations[clearance]),
  );
  const cleared: TestApplication = { ...application, client: clients['TOP SECRET'] };

  await writeRows(application.warehouseFolder, 'sortie', [...GOOD, ...BAD]);
  await addSource(cleared, {
    name: 'Sorties',
    dataType: 'sortie',
    tableName: 'sortie',
    cursorColumn: 'updated_at',
  });
  await addSource(cleared, { name: 'Nothing', dataType: 'deployment', tableName: 'nothing' });
  await addSource(cleared, { name: 'Supply', dataType: 'logistics', tableName: 'supply', enabled: false });
  syncId = (await clients['TOP SECRET'].startSync({ syncType: 'FULL' })).id;
  await clients['TOP SECRET'].waitForEnd(syncId);

  await addSource(cleared, {
    name: 'More supply',
    dataType: 'logistics',
    tableName: 'supply',
    cursorColumn: 'quantity',
  });
  queryJobs = [];
  for (const [marking, dataType, classification] of [
    ['UNCLASSIFIED', 'logistics', null],
    ['CUI', 'logistics', 'CUI'],
    ['CONFIDENTIAL', 'sortie', null],
    ['SECRET', 'sortie', 'SECRET'],
    ['TOP SECRET', 'logistics', 'TS'],
  ] as const) {
    const { id } = await clients['TOP SECRET'].startQueryJob({
      dataType,
      sqlQuery: `SELECT 'Q-${marking}' AS item_id, 'u' AS classification_marking UNION ALL SELECT NULL, 'U'`,
      catalogConfig: { classification },
    });
    await clients['TOP SECRET'].waitForEnd(id);
    queryJobs.push({ marking, id });
  }
});

afterAll(async () => {
  await Promise.all(Object.values(clients).map((client) => client.close()));
  await application.close();
});

async function ask(clearance: Clearance, query: string, variables: Record<string, unknown> = {}) {
  const { data, errors } = await clients[clearance].sendRaw(query, variables);
  expect(errors).toBeUndefined();
  // biome-ignore lint/suspicious/noExplicitAny: the queries of these tests are texts, so that a test can list them.
  return data as any;
}

const ITEMS = `query ($filter: ItemFilter) { items(first: 200, filter: $filter) {
  totalCount edges { cursor node { id itemId classificationMarking } } } }`;

async function itemIds(clearance: Clearance, filter: object): Promise<{ ids: string[]; totalCount: number }> {
  const { items } = await ask(clearance, ITEMS, { filter });
  const ids = items.edges.map(({ node }: { node: { itemId: string } }) => node.itemId);
  return { ids, totalCount: items.totalCount };
}

describe.each(CLEARANCES)('a principal cleared for %s', (clearance) => {
  const goodIds = coveredBy(clearance, GOOD).sort();
  const badIds = coveredBy(clearance, BAD);
  const queryMarkings = CLEARANCES.filter((marking) => toLevel(marking) <= toLevel(clearance));

  test.each<[string, object]>([
    ['by the beginning of their ids', { itemIdPrefix: 'GOOD' }],
    ['by what their data has', { data: { mission_status: 'DONE' } }],
    ['of all markings', { classificationMarkings: MARKINGS.map(toMarkingName), itemIdPrefix: 'GOOD' }],
  ])('sees and counts only the items up to that, %s', async (_name, filter) => {
    const { ids, totalCount } = await itemIds(clearance, filter);
    expect(ids.sort()).toEqual(goodIds);
    expect(totalCount).toBe(goodIds.length);
  });

  test('sees and counts only the query jobs up to that, their items and the sync', async () => {
    const { jobs } = await ask(clearance, '{ jobs(first: 100) { totalCount edges { node { id } } } }');
    const known = [
      syncId,
      ...queryJobs.filter(({ marking }) => queryMarkings.includes(marking)).map(({ id }) => id),
    ];
    expect(jobs.edges.map(({ node }: { node: { id: string } }) => node.id).sort()).toEqual(known.sort());
    expect(jobs.totalCount).toBe(known.length);
    // The rows of the queries say that they are unclassified; what a job brings in is marked as high as the job.
    expect((await itemIds(clearance, { itemIdPrefix: 'Q-' })).ids.sort()).toEqual(
      queryMarkings.map((marking) => `Q-${marking}`).sort(),
    );
  });

  test('sees the sources of a job as in their own list', async () => {
    const { job, dataSources } = await ask(
      clearance,
      `query ($id: ID!) { job(id: $id) { dataSources { ...All } } dataSources(filter: { enabled: true }) { nodes { ...All } } }
        fragment All on DataSource { id name fullTableName enabled cursorColumn watermark itemCount lastSyncAt
          lastSyncState lastSyncMessage schedule { cron nextRuns } createdAt updatedAt scheduledRuns { id } }`,
      { id: syncId },
    );
    const names = ['Nothing', 'Sorties'];
    expect(job.dataSources.map(({ name }: { name: string }) => name)).toEqual(names);
    expect(job.dataSources).toEqual(
      dataSources.nodes.filter(({ name }: { name: string }) => names.includes(name)),
    );
    const [{ itemCount, watermark }] = job.dataSources.slice(1);
    expect(itemCount).toBe(goodIds.length);
    expect(watermark === null).toBe(clearance !== 'TOP SECRET');
  });

  test('follows the errors and events of a job as they are listed, with the counts of those rows', async () => {
    const { job } = await ask(
      clearance,
      `query ($id: ID!) { job(id: $id) {
        errors(first: 100) { edges { node { id } } } events(first: 100) { edges { node { id } } } } }`,
      { id: syncId },
    );
    const listed = (list: { edges: { node: { id: string } }[] }) => list.edges.map(({ node }) => node.id);
    const follow = async (feed: string, entry: string) => {
      const query = `subscription ($id: ID!) { ${feed}(id: $id) { ${entry} } }`;
      const answers = await Array.fromAsync(
        // biome-ignore lint/suspicious/noExplicitAny: of two feeds.
        subscribe<any>(application.url, 'WebSocket', query, { id: syncId }, authorizations[clearance]),
      );
      return answers.map(({ data }) => data[feed]);
    };
    const errors = await follow('jobErrors', 'error { id }');
    expect(errors.map(({ error }) => error.id).sort()).toEqual(listed(job.errors).sort());
    const events = await follow('jobEvents', 'event { id ... on JobEndedEvent { successCount errorCount } }');
    expect(events.map(({ event }) => event.id)).toEqual(listed(job.events));
    expect(events.at(-1)).toMatchObject({
      event: { successCount: goodIds.length, errorCount: badIds.length },
    });
  });

  test('sees the errors of rows up to that, and the counts of a sync only for those', async () => {
    const { job } = await ask(
      clearance,
      `query ($id: ID!) { job(id: $id) { state outcome failedSources { sourceName dataType message isRetryable } recentErrors failureReason
        errors(first: 100) { totalCount edges { node { itemId stage partition { id } } } }
        partitions { nodes { id sourceName state totalItems readItems processedItems successCount errorCount percent message
          dataSource { itemCount watermark lastSyncMessage lastSyncState } } }
        progress { percent totalSources completedSources totalItems processedItems successCount errorCount
          byType { dataType totalItems processedItems successCount errorCount } } } }`,
      { id: syncId },
    );
    // The table of deployments, whose data is SECRET, is missing.
    const readErrors = toLevel(clearance) >= toLevel('SECRET') ? 1 : 0;
    const counts = { successCount: goodIds.length, errorCount: badIds.length };
    const processedItems = counts.successCount + counts.errorCount;
    expect(job).toMatchObject({
      state: 'FAILED',
      outcome: 'SOURCES_FAILED',
      failedSources: [
        {
          ...{ sourceName: 'Nothing', dataType: 'deployment', isRetryable: true },
          message:
            readErrors === 1 ? expect.stringContaining('nothing') : expect.stringContaining('cleared for it'),
        },
      ],
      failureReason:
        readErrors === 1
          ? expect.stringMatching(/^Nothing: .*nothing/)
          : expect.stringContaining('cleared for it'),
      progress: {
        percent: null,
        ...{ totalSources: 2, completedSources: 1 },
        totalItems: processedItems,
        processedItems,
        ...counts,
      },
    });
    expect(job.progress.byType).toEqual([
      {
        dataType: 'deployment',
        // Nobody could count them; what a lower clearance covers is what was read.
        totalItems: clearance === 'TOP SECRET' ? null : 0,
        ...{ processedItems: 0, successCount: 0, errorCount: 0 },
      },
      { dataType: 'sortie', totalItems: processedItems, processedItems, ...counts },
    ]);
    expect(job.partitions.nodes).toMatchObject([
      {
        state: 'FAILED',
        readItems: 0,
        processedItems: 0,
        dataSource: {
          lastSyncState: 'FAILED',
          lastSyncMessage:
            readErrors === 1 ? expect.stringContaining('nothing') : expect.stringContaining('cleared for it'),
        },
        message:
          readErrors === 1 ? expect.stringContaining('nothing') : expect.stringContaining('cleared for it'),
      },
      {
        ...{
          state: 'COMPLETED',
          percent: 100,
          totalItems: processedItems,
          readItems: processedItems,
          message: null,
        },
        ...counts,
        dataSource: {
          itemCount: goodIds.length,
          watermark: clearance === 'TOP SECRET' ? expect.stringContaining('2026-01-05') : null,
          ...{ lastSyncState: 'COMPLETED', lastSyncMessage: null },
        },
      },
    ]);
    const errors = job.errors.edges.map(({ node }: { node: { itemId: string | null } }) => node.itemId);
    expect(job.errors.totalCount).toBe(errors.length);
    expect(errors.filter((id: string | null) => id !== null).sort()).toEqual([...badIds].sort());
    expect(errors.length).toBe(badIds.length + readErrors);
    expect(job.recentErrors).toHaveLength(Math.min(10, errors.length));
    const partitions = job.partitions.nodes.map(({ id }: { id: string }) => id);
    for (const { node } of job.errors.edges) expect(partitions).toContain(node.partition.id);
  });

  test('cannot start a query job with data or a classification above that', async () => {
    for (const marking of CLEARANCES) {
      const { startQueryJob } = await clients[clearance].send(StartQueryJob, {
        input: {
          dataType: 'logistics',
          sqlQuery: `SELECT 'S-1' AS item_id`,
          catalogConfig: { classification: toMarkingName(marking) },
        },
      });
      if (toLevel(marking) <= toLevel(clearance)) {
        if (startQueryJob.__typename !== 'StartQueryJobSuccess')
          throw new Error(JSON.stringify(startQueryJob));
        await clients[clearance].waitForEnd(startQueryJob.job.id);
        await application.database.pool.query('delete from job where id = $1', [uuid(startQueryJob.job.id)]);
      } else {
        expect(startQueryJob).toMatchObject({
          __typename: 'InvalidInputError',
          issues: [{ path: ['input', 'catalogConfig', 'classification'] }],
        });
      }
    }
    if (toLevel(clearance) >= toLevel('SECRET')) return;
    const { startQueryJob } = await clients[clearance].send(StartQueryJob, {
      input: { dataType: 'deployment', sqlQuery: `SELECT 'D-1' AS item_id` },
    });
    expect(startQueryJob).toMatchObject({
      __typename: 'InvalidInputError',
      issues: [{ path: ['input', 'dataType'] }],
    });
  });
});

/** Everything that can be asked about something of which one has the id, or the place in a list. */
const ENTRY_POINTS: Readonly<Record<string, readonly string[]>> = {
  item: [
    'query ($key: String!) { item(dataType: "sortie", itemId: $key) { itemId data } }',
    'query ($id: ID!) { node(id: $id) { id ... on BladeItem { data job { id } } } }',
    'query ($key: String!) { items(filter: { itemIdPrefix: $key }) { totalCount edges { node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }',
    'query ($key: String!) { items(filter: { data: { item_id: $key } }) { totalCount edges { node { id } } } }'
      .replace('{ item_id: $key }', '$data')
      .replace('($key: String!)', '($data: JSONObject!)'),
    'query ($cursor: String!) { items(first: 2, after: $cursor) { totalCount edges { node { id } } pageInfo { hasNextPage hasPreviousPage } } }',
    'query ($cursor: String!) { items(last: 2, before: $cursor) { totalCount edges { node { id } } pageInfo { hasNextPage hasPreviousPage } } }',
  ],
  job: [
    'query ($id: ID!) { job(id: $id) { id state } }',
    'query ($id: ID!) { node(id: $id) { id ... on Job { state errors { totalCount } } } }',
    'query ($id: ID!) { items(filter: { jobId: $id }) { totalCount edges { node { id } } } }',
    'query ($cursor: String!) { jobs(first: 2, after: $cursor) { totalCount edges { node { id } } pageInfo { hasNextPage hasPreviousPage } } }',
    'query ($cursor: String!) { jobs(orderBy: { field: CREATED_AT, direction: ASC }, last: 2, before: $cursor) { totalCount edges { node { id } } pageInfo { hasNextPage hasPreviousPage } } }',
    ...['cancelJob', 'pauseJob', 'resumeJob'].map(
      (name) =>
        `mutation ($id: ID!) { ${name}(input: { id: $id }) { __typename ... on UserError { message } ... on JobNotFoundError { jobId } } }`,
    ),
    ...['ALL', 'FAILED_SOURCES', 'FAILED_ITEMS'].map(
      (mode) =>
        `mutation ($id: ID!) { retryJob(input: { id: $id, mode: ${mode} }) { __typename ... on UserError { message } ... on JobNotFoundError { jobId } } }`,
    ),
  ],
  partition: ['query ($id: ID!) { node(id: $id) { id ... on JobPartition { sourceName } } }'],
  error: ['query ($id: ID!) { node(id: $id) { id ... on JobError { message row } } }'],
  errorOfSync: [
    'query ($cursor: String!, $of: ID!) { job(id: $of) { errors(first: 2, after: $cursor) { totalCount edges { node { id } } pageInfo { hasNextPage hasPreviousPage } } } }',
    'query ($cursor: String!, $of: ID!) { job(id: $of) { errors(last: 2, before: $cursor) { totalCount edges { node { id } } pageInfo { hasNextPage hasPreviousPage } } } }',
  ],
};

interface Subject {
  readonly id: string;
  readonly key?: string;
  /** Its place in the list, by the name of the order. */
  readonly cursors?: Readonly<Record<string, string>>;
}

const ABSENT_UUID = '01997f3e-8c1a-7000-8000-000000000000';
const createCursors = (list: string, orders: readonly string[], ...place: readonly string[]) =>
  Object.fromEntries(
    orders.map((order) => [
      order,
      Buffer.from(JSON.stringify([list, order, ...place])).toString('base64url'),
    ]),
  );
const itemSubject = (itemId: string): Subject => ({
  id: `BladeItem:${JSON.stringify(['sortie', itemId])}`,
  key: itemId,
  cursors: createCursors('items', ['ID ASC'], 'sortie', itemId),
});
const jobSubject = (id: string, createdAt: string): Subject => ({
  id: `Job:${id}`,
  cursors: createCursors('jobs', ['CREATED_AT DESC', 'CREATED_AT ASC'], createdAt, id),
});
const errorSubject = (id: string): Subject => ({
  id: `JobError:${id}`,
  cursors: createCursors('errors', ['CREATED_AT ASC'], id),
});

/** A UUID that nothing has, next to another in every order. */
const findNeighbor = (id: string) => id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));

/** What there is not, in lists just where the invisible is. */
function absentBeside(
  it: Readonly<Record<string, Subject>>,
  createdAt: string,
): Readonly<Record<string, Subject>> {
  return {
    item: itemSubject('GOOD-TOP SECRET '),
    job: jobSubject(findNeighbor(uuid(it.job?.id ?? '')), createdAt),
    partition: { id: `JobPartition:${ABSENT_UUID}` },
    error: errorSubject(findNeighbor(uuid(it.error?.id ?? ''))),
    errorOfSync: errorSubject(findNeighbor(uuid(it.errorOfSync?.id ?? ''))),
  };
}

/** What there is and nobody below TOP SECRET may know of, and what there is not. */
async function invisible(): Promise<{
  it: Readonly<Record<string, Subject>>;
  absent: Readonly<Record<string, Subject>>;
}> {
  const { pool } = application.database;
  const job = uuid(queryJobs.find(({ marking }) => marking === 'TOP SECRET')?.id ?? '');
  const { rows: jobs } = await pool.query<{ created_at: Date }>('select created_at from job where id = $1', [
    job,
  ]);
  const createdAt = jobs[0]?.created_at.toISOString() ?? '';
  const { rows: errors } = await pool.query<{ id: string }>(
    `select id::text from job_error where job_id = $1 and marking in ('TS', 'TOP SECRET') order by id`,
    [uuid(syncId)],
  );
  const { rows: partitions } = await pool.query<{ id: string }>(
    'select id from job_partition where job_id = $1',
    [job],
  );
  const it = {
    item: itemSubject('GOOD-TOP SECRET'),
    job: jobSubject(job, createdAt),
    partition: { id: `JobPartition:${partitions[0]?.id}` },
    error: errorSubject(errors[0]?.id ?? ''),
    errorOfSync: errorSubject(errors[0]?.id ?? ''),
  };
  return { it, absent: absentBeside(it, createdAt) };
}

/** The whole answer, with a word in place of what was asked about. */
async function answerAbout(clearance: Clearance, query: string, { id, key, cursors = {} }: Subject) {
  const [cursor] = query.includes('direction: ASC') ? [cursors['CREATED_AT ASC']] : Object.values(cursors);
  const wanted: Record<string, unknown> = { id, key, cursor, data: { item_id: key }, of: syncId };
  const variables = Object.fromEntries(
    Object.entries(wanted).filter(([name]) => new RegExp(`\\$${name}: `).test(query)),
  );
  const text = JSON.stringify(await clients[clearance].sendRaw(query, variables));
  return [uuid(id), id, key].reduce<string>(
    (answer, part) => (part ? answer.replaceAll(part, 'IT') : answer),
    text,
  );
}

describe.each(LOWER)('for a principal cleared for %s, what is above that does not exist', (clearance) => {
  test.each(
    Object.entries(ENTRY_POINTS).flatMap(([subject, queries]) =>
      queries.map((query) => [subject, query] as const),
    ),
  )('%s in %s', async (subject, query) => {
    const found = await invisible();
    const it = found.it[subject];
    const absent = found.absent[subject];
    if (it === undefined || absent === undefined) throw new Error(`there is no ${subject}`);
    const answer = await answerAbout(clearance, query, it);
    expect(answer).toBe(await answerAbout(clearance, query, absent));
    if (query.startsWith('mutation')) return;
    // Otherwise the comparison would be of nothing.
    if (query.includes('$cursor')) {
      // A place in a list is one, whatever stands there.
      expect(JSON.parse(answer)).not.toHaveProperty('errors');
      return;
    }
    expect(await answerAbout('TOP SECRET', query, it)).not.toBe(
      await answerAbout('TOP SECRET', query, absent),
    );
  });

  test.each<Transport>(['WebSocket', 'server-sent events'])(
    'job in jobProgress over %s',
    async (transport) => {
      const firstAnswer = async ({ id }: Subject) => {
        const query = 'subscription ($id: ID!) { jobProgress(id: $id) { id state } }';
        const watched = subscribe(application.url, transport, query, { id }, authorizations[clearance]);
        try {
          const { value, done } = await watched.next();
          return JSON.stringify([done, value, watched.isComplete]).replaceAll(uuid(id), 'IT');
        } catch (error) {
          return JSON.stringify(error).replaceAll(uuid(id), 'IT');
        } finally {
          await watched.leave();
        }
      };
      const {
        it: { job },
        absent: { job: absent },
      } = await invisible();
      if (job === undefined || absent === undefined) throw new Error('there is no job');
      const answer = await firstAnswer(job);
      expect(answer).toBe(await firstAnswer(absent));
      expect(answer).toContain('IT');
    },
  );
});

describe('while a sync runs', () => {
  const PROGRESS = `id state progress { percent totalItems processedItems successCount errorCount itemsPerSecond
    estimatedCompletion byType { totalItems processedItems } }`;

  test('everybody can watch it, with the counts that their clearance covers; only TOP SECRET sees the rest', async () => {
    const { database } = application;
    const id = await insertJob(database, { kind: 'SYNC', state: 'RUNNING' });
    const partition = await insertPartition(database, { jobId: id });
    await database.pool.query(`update job set marking = 'UNCLASSIFIED' where id = $1`, [id]);
    const watchers = CLEARANCES.map((clearance) =>
      subscribe<{ jobProgress: unknown }>(
        application.url,
        'WebSocket',
        `subscription ($id: ID!) { jobProgress(id: $id) { ${PROGRESS} } }`,
        { id },
        authorizations[clearance],
      ),
    );
    for (const watcher of watchers) await watcher.next();
    await database.pool.query(
      `update job_partition set total_items = 100, read_items = 15, processed_items = 15, success_count = 15,
         read_by_level = '{1,2,3,4,5}', success_by_level = '{1,2,3,4,5}' where id = $1`,
      [partition],
    );
    await database.pool.query(
      `update job set total_items = 100, is_total_known = true, processed_items = 15, success_count = 15,
         success_by_level = '{1,2,3,4,5}', items_per_second = 5, estimated_completion = now(),
         progress_by_type = '[{"dataType": "sortie", "totalItems": 100, "processedItems": 15, "successCount": 15,
           "errorCount": 0, "successByLevel": [1, 2, 3, 4, 5], "errorByLevel": [0, 0, 0, 0, 0]}]' where id = $1`,
      [id],
    );
    const seen = await Promise.all(
      watchers.map(async (watcher) => (await watcher.next()).value?.data?.jobProgress),
    );
    expect(seen).toMatchObject(
      CLEARANCES.map((clearance, level) => {
        const processedItems = [1, 3, 6, 10, 15][level];
        const known = { processedItems, successCount: processedItems, errorCount: 0 };
        return {
          state: 'RUNNING',
          progress:
            clearance === 'TOP SECRET'
              ? {
                  ...known,
                  percent: 15,
                  totalItems: 100,
                  itemsPerSecond: 5,
                  estimatedCompletion: expect.any(String),
                }
              : {
                  ...{
                    ...known,
                    percent: null,
                    totalItems: null,
                    itemsPerSecond: null,
                    estimatedCompletion: null,
                  },
                  byType: [{ totalItems: null, processedItems }],
                },
        };
      }),
    );
    for (const clearance of CLEARANCES) {
      const { startSync } = await clients[clearance].send(StartSync, { input: { syncType: 'FULL' } });
      expect(startSync).toMatchObject({
        __typename: 'SyncAlreadyRunningError',
        activeJob: { id: `Job:${id}` },
      });
    }
    await moveJob(database, id, 'COMPLETED');
    for (const watcher of watchers) {
      expect((await watcher.next()).value?.data?.jobProgress).toMatchObject({
        state: 'COMPLETED',
        progress: { percent: 100 },
      });
      expect((await watcher.next()).done).toBe(true);
      await watcher.leave();
    }
    await database.pool.query('delete from job where id = $1', [id]);
  });
});

test('jobChanges shows a query job only to principals cleared for it', async () => {
  const { database } = application;
  const watch = (clearance: Clearance) =>
    subscribe<{ jobChanges: { job: { id: string } | null } }>(
      application.url,
      'WebSocket',
      'subscription { jobChanges { job { id } } }',
      {},
      authorizations[clearance],
    );
  const low = watch('CUI');
  const high = watch('TOP SECRET');
  const insertRunningJob = async (marking: Marking) => {
    const id = await insertJob(database, { state: 'RUNNING' });
    await database.pool.query('update job set marking = $2 where id = $1', [id, marking]);
    return id;
  };
  const known = await insertRunningJob('CUI');
  // Until a subscription is heard of, it may not have begun.
  const readFirst = async (watcher: typeof low) => {
    const next = watcher.next();
    let isThere = false;
    void next.then(() => {
      isThere = true;
    });
    while (!isThere) {
      await writeRevision(database, known);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return next;
  };
  await readFirst(low);
  await readFirst(high);
  const secret = await insertRunningJob('SECRET');
  await writeRevision(database, secret);
  await moveJob(database, secret, 'COMPLETED');
  const last = await insertRunningJob('U');
  await writeRevision(database, last);
  const idsTo = async (watcher: typeof low) => {
    const ids = new Set<string>();
    for await (const { data } of watcher) {
      if (data?.jobChanges.job) ids.add(uuid(data.jobChanges.job.id));
      if (ids.has(last)) break;
    }
    return ids;
  };
  expect(await idsTo(high)).toContain(secret);
  expect(await idsTo(low)).not.toContain(secret);
  await database.pool.query('delete from job where id = any($1)', [[known, secret, last]]);
});

test('a retry of failed items finds none if all of them are above the clearance', async () => {
  await application.database.pool.query('delete from job_error where job_id = $1 and marking <> $2', [
    uuid(syncId),
    'TOP SECRET',
  ]);
  const retry = (clearance: Clearance) =>
    clients[clearance].send(RetryJob, { input: { id: syncId, mode: 'FAILED_ITEMS' } });
  expect((await retry('SECRET')).retryJob).toMatchObject({
    __typename: 'NothingToRetryError',
    message: expect.stringContaining('has no failed items to retry'),
  });
  const { retryJob } = await retry('TOP SECRET');
  if (retryJob.__typename !== 'RetryJobSuccess') throw new Error(JSON.stringify(retryJob));
  await clients['TOP SECRET'].waitForEnd(retryJob.job.id);
});

const LOW = { classification_marking: 'U' };
const HIGH = { classification_marking: 'SECRET' };
const good = (marked: object) => ({
  item_id: `OUTCOME-${JSON.stringify(marked)}`,
  // A table without its cursor column is not read.
  updated_at: '2025-12-31T00:00:00Z',
  ...marked,
});
const bad = (marked: object) => ({ ...good(marked), flight_hours: 'two' });

test.each([
  ['a SECRET item fails', [good(LOW), bad(HIGH)], [], 'SUCCEEDED', 'ITEMS_FAILED'],
  ['all items are SECRET and fail', [bad(HIGH)], [], 'SUCCEEDED', 'NOTHING_SUCCEEDED'],
  ['only a SECRET item succeeds', [bad(LOW), good(HIGH)], [], 'NOTHING_SUCCEEDED', 'ITEMS_FAILED'],
  ['all items of both fail', [bad(LOW), bad(HIGH)], [], 'NOTHING_SUCCEEDED', 'NOTHING_SUCCEEDED'],
  ['a source fails and a SECRET item, too', [bad(HIGH)], ['missing'], 'SOURCES_FAILED', 'NOTHING_SUCCEEDED'],
  ['a source fails and others', [bad(LOW), good(HIGH)], ['missing'], 'NOTHING_SUCCEEDED', 'SOURCES_FAILED'],
] as const)(
  'if %s, the outcome is what it would be without the items above the clearance',
  async (_when, rows, missing, low, high) => {
    const cleared: TestApplication = { ...application, client: clients['TOP SECRET'] };
    await writeRows(application.warehouseFolder, 'sortie', rows);
    const sources = await Promise.all(
      missing.map((tableName) => addSource(cleared, { name: tableName, dataType: 'sortie', tableName })),
    );
    const { id } = await clients['TOP SECRET'].startSync({ syncType: 'FULL', dataType: 'sortie' });
    await clients['TOP SECRET'].waitForEnd(id);
    const OUTCOME =
      'query ($id: ID!) { job(id: $id) { outcome } jobs(first: 1) { edges { node { outcome } } } }';
    for (const clearance of CLEARANCES) {
      const outcome = toLevel(clearance) < toLevel('SECRET') ? low : high;
      expect(await ask(clearance, OUTCOME, { id })).toEqual({
        job: { outcome },
        jobs: { edges: [{ node: { outcome } }] },
      });
    }
    await application.database.pool.query('delete from data_source where id = any($1)', [sources]);
    await application.database.pool.query('delete from job where id = $1', [uuid(id)]);
    await application.database.pool.query(`delete from blade_item where item_id like 'OUTCOME-%'`);
    await writeRows(application.warehouseFolder, 'sortie', [...GOOD, ...BAD]);
  },
);

test('a query job can be retried only by principals cleared for it, and only they see which job a retry repeats', async () => {
  const secret = queryJobs.find(({ marking }) => marking === 'SECRET')?.id ?? '';
  const { retryJob } = await clients.SECRET.send(RetryJob, { input: { id: secret, mode: 'ALL' } });
  if (retryJob.__typename !== 'RetryJobSuccess') throw new Error(JSON.stringify(retryJob));
  await clients.SECRET.waitForEnd(retryJob.job.id);
  const RETRY =
    'query ($id: ID!) { job(id: $id) { retryOf { id } configuration { ... on QueryConfiguration { classification } } } }';
  expect((await ask('SECRET', RETRY, { id: retryJob.job.id })).job).toEqual({
    retryOf: { id: secret },
    configuration: { classification: 'SECRET' },
  });
  expect((await ask('CONFIDENTIAL', RETRY, { id: retryJob.job.id })).job).toBeNull();
});

test('the number of partitions of a source is shown only to principals cleared for TOP SECRET', async () => {
  await writeQuery(
    application.warehouseFolder,
    'supply',
    `SELECT 'L-' || i AS item_id, i AS quantity, CASE WHEN i < 10 THEN 'U' ELSE 'TS' END AS classification_marking FROM range(2500) AS t(i)`,
  );
  const { id } = await clients['TOP SECRET'].startSync({
    syncType: 'FULL',
    dataType: 'logistics',
    options: { partitionRows: 1000, maxErrors: 7 },
  });
  await clients['TOP SECRET'].waitForEnd(id);
  const PARTITIONS = `query ($id: ID!) { job(id: $id) { partitions { nodes { state sourceName readItems totalItems } }
    configuration { ... on SyncConfiguration { options { maxErrors } } } } }`;
  const { job: whole } = await ask('TOP SECRET', PARTITIONS, { id });
  expect(whole.partitions.nodes.length).toBeGreaterThan(1);
  expect(whole.configuration).toEqual({ options: { maxErrors: 7 } });
  for (const clearance of LOWER) {
    const { job } = await ask(clearance, PARTITIONS, { id });
    expect(job.partitions.nodes).toEqual([
      { state: 'COMPLETED', sourceName: 'More supply', readItems: 10, totalItems: 10 },
    ]);
    expect(job.configuration).toEqual({ options: { maxErrors: null } });
  }
});

// A limit that the visible rows do not come to would tell that there are others.
test('the limit of a sync is shown only to principals cleared for TOP SECRET', async () => {
  const { id } = await clients.CUI.startSync({ syncType: 'FULL', dataType: 'logistics', maxItems: 3 });
  await clients.CUI.waitForEnd(id);
  const LIMIT =
    'query ($id: ID!) { job(id: $id) { configuration { ... on SyncConfiguration { maxItems } } } }';
  for (const clearance of CLEARANCES) {
    const { job } = await ask(clearance, LIMIT, { id });
    expect(job.configuration).toEqual({ maxItems: clearance === 'TOP SECRET' ? 3 : null });
  }
});

test('a test of a source shows the number of rows only to principals cleared for TOP SECRET', async () => {
  const { dataSources } = await ask(
    'CUI',
    '{ dataSources(filter: { dataTypes: ["sortie"] }) { nodes { id } } }',
  );
  const LOOK = `mutation ($id: ID!) { testDataSource(input: { id: $id }) { ... on TestDataSourceSuccess {
    isReadable rowCount dataSource { watermark } } } }`;
  for (const clearance of CLEARANCES) {
    const { testDataSource } = await ask(clearance, LOOK, { id: dataSources.nodes[0].id });
    const isTold = clearance === 'TOP SECRET';
    expect(testDataSource).toEqual({
      ...{ isReadable: true, rowCount: isTold ? GOOD.length + BAD.length : null },
      dataSource: { watermark: isTold ? expect.any(String) : null },
    });
  }
});

test('a hidden query job does not keep anybody from changing and deleting its source', async () => {
  const cleared: TestApplication = { ...application, client: clients['TOP SECRET'] };
  const source = await addSource(cleared, { name: 'Away', dataType: 'maintenance', tableName: 'nothing' });
  const id = await insertJob(application.database, { state: 'RUNNING' });
  await insertPartition(application.database, { jobId: id, dataSourceId: source });
  const DELETE = 'mutation ($id: ID!) { deleteDataSource(input: { id: $id }) { __typename } }';
  expect(await ask('UNCLASSIFIED', DELETE, { id: source })).toEqual({
    deleteDataSource: { __typename: 'DeleteDataSourceSuccess' },
  });
  await application.database.pool.query('delete from job where id = $1', [id]);
});

test('the audit shows a query job only to principals cleared for it, regardless of who started it', async () => {
  const secret = queryJobs.find(({ marking }) => marking === 'SECRET')?.id ?? '';
  const viewers = [await bearer({ clearance: 'CUI' }), await bearer({ clearance: 'SECRET' })].map(
    (authorization) => createApiClient(application.url, authorization),
  );
  for (const viewer of viewers) {
    const { data } = await viewer.sendRaw(
      'mutation ($id: ID!) { cancelJob(input: { id: $id }) { __typename } }',
      {
        id: secret,
      },
    );
    expect(data).toEqual({ cancelJob: { __typename: 'ForbiddenError' } });
    await viewer.close();
  }
  const AUDIT = `query ($id: ID!) { auditEntries(first: 100, filter: { jobId: $id }) {
    totalCount edges { node { operation outcome } } } }`;
  const listEntries = async (clearance: Clearance) => {
    const { auditEntries } = await ask(clearance, AUDIT, { id: secret });
    const entries = auditEntries.edges.map(
      ({ node }: { node: { operation: string; outcome: string } }) => `${node.operation} ${node.outcome}`,
    );
    expect(auditEntries.totalCount).toBe(entries.length);
    return entries;
  };
  const all = ['cancelJob REFUSED', 'cancelJob REFUSED', 'startQueryJob DONE'];
  expect(await listEntries('TOP SECRET')).toEqual(all);
  expect(await listEntries('SECRET')).toEqual(all);
  // What somebody was refused who could not know of it is what anybody may have asked for.
  expect(await listEntries('CONFIDENTIAL')).toEqual(['cancelJob REFUSED']);
});

test('every field that leads to items, errors and jobs is tested here', () => {
  const guarded = ['BladeItem', 'Job', 'JobError', 'JobPartition'];
  // Mutations return the job that the principal's own `jobs` has read or written.
  const returnsOwnJob = (type: GraphQLObjectType, field: string) =>
    field === 'job' && /^[A-Z]\w+Success$/.test(type.name);
  const ways = Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type)
      ? Object.values(type.getFields())
          .filter(
            (field) => guarded.includes(getNamedType(field.type).name) && !returnsOwnJob(type, field.name),
          )
          .map((field) => `${type.name}.${field.name}`)
      : [],
  );
  // Each reads through the client of the principal's clearance: `prisma` and `jobs` of ApiContext.
  expect(ways.sort()).toEqual([
    'BladeItem.job',
    'ItemConnection.nodes',
    'ItemEdge.node',
    'Job.retryOf',
    'JobChange.job',
    'JobConnection.nodes',
    'JobEdge.node',
    'JobError.partition',
    'JobErrorConnection.nodes',
    'JobErrorEdge.node',
    'JobErrorMessage.error',
    'JobPartitionConnection.nodes',
    'JobPartitionEdge.node',
    'LowerItemMarkingSuccess.item',
    'MarkingFloor.job',
    'Query.item',
    'Query.job',
    'RepairAlreadyRunningError.activeJob',
    'ScheduledRun.job',
    'Subscription.jobProgress',
    'SyncAlreadyRunningError.activeJob',
    'SyncStatus.job',
  ]);
});
