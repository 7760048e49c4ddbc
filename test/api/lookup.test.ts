import { type GraphQLNamedType, getNamedType, isLeafType, isObjectType, isUnionType } from 'graphql';
import { v7 as newUuid } from 'uuid';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { schema } from '../../src/api/schema/schema.ts';
import type {
  CreateDataSourceInput,
  DataSourceFilter,
  ItemFilter,
  JobFactsFragment,
  JobFilter,
  JobOrder,
  UpdateDataSourceInput,
} from '../generated/graphql.ts';
import {
  insertJob as insertJobRow,
  insertPartition as insertPartitionRow,
  type JobRow,
} from '../support/job-rows.ts';
import { test } from '../support/on-every-database.ts';
import {
  CancelJob,
  CreateDataSource,
  DataSources,
  DataTypes,
  DeleteDataSource,
  Item,
  Items,
  JobById,
  JobErrors,
  Jobs,
  NodeById,
  RetryJob,
  StartSync,
  StopSync,
  SyncStatus,
  TestDataSource,
  UpdateDataSource,
} from '../support/operations.ts';
import { addSource, removeTable, uuid, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
/** Sources, and one sync of both that has ended: five good sorties, four good maintenance rows and three bad ones. */
let sorties: string;
let repairs: string;
let sync: JobFactsFragment;

beforeAll(async () => {
  application = await startTestApplication();
  await expectNoSyncYet();
  const { client, warehouseFolder } = application;
  await writeRows(warehouseFolder, 'sortie', SORTIES);
  await writeRows(warehouseFolder, 'maintenance', REPAIRS);
  sorties = await addSource(application, {
    name: 'Sorties',
    dataType: 'sortie',
    tableName: 'sortie',
    cursorColumn: 'updated_at',
  });
  repairs = await addSource(application, {
    name: 'Repairs',
    dataType: 'maintenance',
    tableName: 'maintenance',
  });
  const { id } = await client.startSync({ syncType: 'FULL' });
  sync = await client.waitForEnd(id);
});

afterAll(() => application.close());

const SORTIES = [1, 2, 3, 4, 5].map((number) => ({
  item_id: `SRT-${number}`,
  mission_id: `MSN-${number}`,
  mission_status: number < 3 ? 'COMPLETED' : null,
  flight_hours: number + 0.5,
  crew: { pilot: `P${number}`, seats: number },
  is_night: number % 2 === 0,
  updated_at: `2026-01-0${number}T00:00:00Z`,
}));

const REPAIRS = [
  { item_id: 'R%1', priority: 'HIGH', classification: 'SECRET' },
  { item_id: 'R_2', priority: 'HIGH', classification: 'U' },
  { item_id: 'RX3', priority: 'LOW', classification: 'ts' },
  { item_id: 'R"4\\', priority: 'LOW', classification: null },
  { item_id: 'BAD-1', priority: 'LOW', classification: 'PUBLIC' },
  { item_id: 'BAD-2', priority: 'LOW', classification: 'PRIVATE' },
  { item_id: null, priority: 'LOW', classification: 'U' },
];

/** The first thing that is asked of the new program: `beforeAll` cannot be a test of its own. */
async function expectNoSyncYet() {
  const { syncStatus } = await application.client.send(SyncStatus, {});
  expect(syncStatus).toEqual({ state: 'NO_SYNC_JOB', job: null });
}

function query<Result extends object>(text: string, values: readonly unknown[] = []) {
  return application.database.pool.query<Result>(text, [...values]);
}

const insertJob = (job: JobRow = {}) => insertJobRow(application.database, job);

const insertPartition = (jobId: string, dataSourceId: string, state: 'RUNNING' | 'COMPLETED') =>
  insertPartitionRow(application.database, { jobId, dataSourceId, state });

describe('syncStatus', () => {
  test('returns the most recent sync with its progress by data type, once it has ended', async () => {
    const { syncStatus } = await application.client.send(SyncStatus, {});
    expect(syncStatus).toEqual({ state: 'COMPLETED', job: sync });
    expect(syncStatus.job?.progress).toMatchObject({
      percent: 100,
      totalItems: 12,
      processedItems: 12,
      successCount: 9,
      errorCount: 3,
      byType: [
        { dataType: 'maintenance', totalItems: 7, processedItems: 7, successCount: 4, errorCount: 3 },
        { dataType: 'sortie', totalItems: 5, processedItems: 5, successCount: 5, errorCount: 0 },
      ],
    });
  });

  test('returns the active sync while there is one, not a newer query job', async () => {
    const active = await insertJob({ kind: 'SYNC', state: 'RUNNING' });
    await insertJob({ kind: 'QUERY', state: 'QUEUED' });
    const { syncStatus } = await application.client.send(SyncStatus, {});
    expect(syncStatus).toMatchObject({ state: 'RUNNING', job: { id: `Job:${active}`, kind: 'SYNC' } });
    await query('delete from job where id <> $1', [uuid(sync.id)]);
  });

  // The clocks of two nodes differ: the ids of what the slower one makes are smaller than they should be.
  test('returns the active sync even if a past one has a greater id', async () => {
    const active = await insertJob({
      kind: 'SYNC',
      state: 'RUNNING',
      id: '01900000-0000-7000-8000-000000000000',
    });
    try {
      const { syncStatus } = await application.client.send(SyncStatus, {});
      expect(syncStatus).toMatchObject({ state: 'RUNNING', job: { id: `Job:${active}` } });
    } finally {
      await query('delete from job where id = $1', [active]);
    }
  });
});

describe('a job', () => {
  test('can be looked up by its global id, and by its bare UUID in any case', async () => {
    const { client } = application;
    const { job } = await client.send(JobById, { id: sync.id });
    expect(job).toMatchObject({ ...sync });
    expect((await client.send(JobById, { id: uuid(sync.id) })).job).toEqual(job);
    expect((await client.send(JobById, { id: uuid(sync.id).toUpperCase() })).job).toEqual(job);
  });

  test('is null for an unknown id', async () => {
    expect(await application.client.send(JobById, { id: newUuid() })).toEqual({ job: null });
  });

  test('shows what it was started with', async () => {
    const { client } = application;
    const { job } = await client.send(JobById, { id: sync.id });
    expect(job?.configuration).toEqual({
      __typename: 'SyncConfiguration',
      syncType: 'FULL',
      filter: null,
      maxItems: null,
      options: { batchSize: 2_000, maxErrors: null, maxAttempts: 6, partitionRows: null },
    });
  });

  test('of a query shows the names of its parameters, but not their values', async () => {
    const { client } = application;
    const started = await client.startQueryJob({
      dataType: 'sortie',
      sqlQuery: 'SELECT * FROM blade.field.sortie WHERE mission_id = :mission AND flight_hours > :hours',
      parameters: { mission: 'MSN-OF-NOBODY', hours: 1 },
      catalogConfig: { classification: 'TOP_SECRET', metadata: { operation: 'KESTREL' } },
      options: { batchSize: 10, maxErrors: 3 },
    });
    await client.waitForEnd(started.id);
    const { job } = await client.send(JobById, { id: started.id });
    expect(job?.configuration).toEqual({
      __typename: 'QueryConfiguration',
      sqlQuery: 'SELECT * FROM blade.field.sortie WHERE mission_id = :mission AND flight_hours > :hours',
      parameterNames: ['hours', 'mission'],
      classification: 'TOP_SECRET',
      metadata: { operation: 'KESTREL' },
      options: { batchSize: 10, maxErrors: 3, maxAttempts: 6, partitionRows: null },
    });
    expect(JSON.stringify(job)).not.toContain('MSN-OF-NOBODY');
  });

  test('has a partition and a source for each table that it reads, with separate counts', async () => {
    const { job } = await application.client.send(JobById, { id: sync.id });
    expect(job?.dataSources).toEqual([
      { id: `DataSource:${repairs}`, name: 'Repairs' },
      { id: `DataSource:${sorties}`, name: 'Sorties' },
    ]);
    expect(job?.partitions.nodes).toMatchObject([
      {
        sourceName: 'Repairs',
        dataType: 'maintenance',
        state: 'COMPLETED',
        attempt: 1,
        totalItems: 7,
        readItems: 7,
        processedItems: 7,
        successCount: 4,
        errorCount: 3,
        message: null,
      },
      { sourceName: 'Sorties', dataType: 'sortie', totalItems: 5, successCount: 5, errorCount: 0 },
    ]);
  });
});

describe('each field of a job', () => {
  // Lists read only the columns that are asked for; `node` reads them all.
  test.each(jobSelections())('says the same alone as where all is read: %s', async (selection) => {
    const { data, errors } = await application.client.sendRaw(
      `{ jobs(first: 100) { edges { node { id ${selection} } } } }`,
    );
    expect(errors).toBeUndefined();
    const jobs = data?.jobs as { edges: { node: { id: string } }[] } | undefined;
    expect(jobs?.edges).not.toHaveLength(0);
    for (const { node } of jobs?.edges ?? []) {
      const whole = await application.client.sendRaw(
        `query ($id: ID!) { node(id: $id) { id ... on Job { ${selection} ${jobSelections().join(' ')} } } }`,
        { id: node.id },
      );
      expect(whole.errors).toBeUndefined();
      expect(whole.data?.node).toMatchObject(node);
      const one = await application.client.sendRaw(`query ($id: ID!) { job(id: $id) { id ${selection} } }`, {
        id: node.id,
      });
      expect(one.data?.job).toEqual(node);
    }
  });
});

/** Each field of a job with all that is plain below it, and what is below those that give the job itself one by one. */
function jobSelections(): string[] {
  const SAME_ROW = [
    'JobProgress',
    'JobConfiguration',
    'SyncConfiguration',
    'QueryConfiguration',
    'RepairConfiguration',
  ];
  const listSelections = (type: GraphQLNamedType): string[] => {
    if (isUnionType(type))
      return type
        .getTypes()
        .flatMap((member) => listSelections(member).map((one) => `... on ${member} { ${one} }`));
    if (!isObjectType(type)) return [];
    return Object.values(type.getFields()).flatMap((field) => {
      const named = getNamedType(field.type);
      if (isLeafType(named)) return [field.name];
      const below = SAME_ROW.includes(named.name) ? listSelections(named) : [listPlainFields(named)];
      return below.map((one) => `${field.name} { ${one} }`);
    });
  };
  return listSelections(schema.getTypeMap().Job as GraphQLNamedType);
}

function listPlainFields(type: GraphQLNamedType): string {
  if (!isObjectType(type)) return '__typename';
  const plain = Object.values(type.getFields()).filter(({ type: given }) => isLeafType(getNamedType(given)));
  return plain.length === 0 ? '__typename' : plain.map(({ name }) => name).join(' ');
}

describe('the errors of a job', () => {
  test('each have their row', async () => {
    const { job } = await application.client.send(JobErrors, { id: sync.id });
    expect(job?.errors.totalCount).toBe(3);
    expect(job?.errors.edges.map(({ node }) => node)).toMatchObject([
      {
        stage: 'TRANSFORM',
        dataType: 'maintenance',
        itemId: 'BAD-1',
        message: expect.stringContaining('PUBLIC'),
        row: { item_id: 'BAD-1', priority: 'LOW', classification: 'PUBLIC' },
      },
      { stage: 'TRANSFORM', itemId: 'BAD-2', message: expect.stringContaining('PRIVATE') },
      { stage: 'TRANSFORM', itemId: null, row: { priority: 'LOW', classification: 'U' } },
    ]);
    expect(sync.recentErrors).toEqual(job?.errors.edges.map(({ node }) => node.message));
  });

  test('are paged forward and backward without gap or overlap, and by stage', async () => {
    const { client } = application;
    const jobId = await insertJob();
    const partitionId = await insertPartition(jobId, sorties, 'COMPLETED');
    await query(
      `insert into job_error (job_id, partition_id, stage, data_type, item_id, message, row)
       select $1, $2, case when n % 3 = 0 then 'UPLOAD' when n % 3 = 1 then 'SAVE' else 'TRANSFORM' end::error_stage,
         'sortie', 'SRT-' || n, 'error ' || n, jsonb_build_object('n', n)
       from generate_series(1, 47) as n order by n`,
      [jobId, partitionId],
    );
    const expected = Array.from({ length: 47 }, (_, index) => `error ${index + 1}`);
    const page = async (variables: object) => {
      const { job } = await client.send(JobErrors, { id: jobId, ...variables });
      if (job == null) throw new Error('no job');
      return job.errors;
    };
    const forward = await pagesForward((after) => page({ first: 10, after }));
    expect(forward.map(({ length }) => length)).toEqual([10, 10, 10, 10, 7]);
    expect(forward.flat().map(({ message }) => message)).toEqual(expected);
    const backward = await pagesBackward((before) => page({ last: 10, before }));
    expect(backward.map(({ length }) => length)).toEqual([7, 10, 10, 10, 10]);
    expect(backward.flat().map(({ message }) => message)).toEqual(expected);

    const some = await pagesForward((after) => page({ first: 7, after, stages: ['UPLOAD', 'SAVE'] }));
    expect(some.flat().map(({ message }) => message)).toEqual(
      expected.filter((_, index) => (index + 1) % 3 !== 2),
    );
    expect((await page({ stages: ['UPLOAD'] })).totalCount).toBe(15);
    expect(await page({ stages: [] })).toMatchObject({ totalCount: 0, edges: [] });
    expect(await page({ first: 0 })).toMatchObject({ totalCount: 47, edges: [] });
  });

  test('belong to their job, however many jobs are queried at once', async () => {
    const { data, errors } = await application.client.sendRaw(`query {
      jobs(first: 50) { edges { node { id errors(first: 2) { totalCount edges { node { partition { id } } } } } } }
    }`);
    expect(errors).toBeUndefined();
    const { jobs } = data as {
      jobs: { edges: { node: { id: string; errors: { totalCount: number; edges: object[] } } }[] };
    };
    const byJob = new Map(jobs.edges.map(({ node }) => [node.id, node.errors]));
    expect(byJob.size).toBeGreaterThan(2);
    expect(byJob.get(sync.id)).toMatchObject({ totalCount: 3 });
    for (const [id, page] of byJob) {
      const { rows } = await query<{ count: number }>(
        'select count(*)::int as count from job_error where job_id = $1',
        [uuid(id)],
      );
      expect(page.totalCount).toBe(rows[0]?.count);
      expect(page.edges.length).toBe(Math.min(2, page.totalCount));
    }
  });
});

describe('the list of jobs', () => {
  /** Jobs as a year of use would leave them, the oldest first. */
  const history: Required<Omit<JobRow, 'marking'>>[] = [];
  const START = Date.parse('2025-03-01T00:00:00Z');

  beforeAll(async () => {
    const states = ['COMPLETED', 'FAILED', 'CANCELLED'] as const;
    const types = ['maintenance', 'sortie', 'deployment', 'logistics'];
    for (let index = 0; index < 230; index++) {
      const createdAt = new Date(START + index * 3_600_000);
      const job = {
        id: newUuid({ msecs: createdAt.getTime() }),
        kind: index % 5 === 0 ? ('SYNC' as const) : ('QUERY' as const),
        state: states[index % 3] ?? 'COMPLETED',
        dataType: types[index % 4] ?? '',
        createdAt,
      };
      history.push(job);
      await insertJob(job);
    }
  });

  const ofThatTime: JobFilter = { createdBefore: '2025-12-31T00:00:00Z' };

  async function page(variables: {
    filter?: JobFilter;
    orderBy?: JobOrder;
    first?: number;
    after?: string | null;
    last?: number;
    before?: string | null;
  }) {
    const { jobs } = await application.client.send(Jobs, {
      ...variables,
      filter: { ...ofThatTime, ...variables.filter },
    });
    return jobs;
  }

  const findIds = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => uuid(id));
  const oldestFirst = () => history.map(({ id }) => id);
  const newestFirst = () => oldestFirst().reverse();

  test('is paged forward, newest first, without gap or overlap', async () => {
    const pages = await pagesForward((after) => page({ first: 50, after }));
    expect(pages.map(({ length }) => length)).toEqual([50, 50, 50, 50, 30]);
    expect(findIds(pages.flat())).toEqual(newestFirst());
  });

  test('is paged backward to its beginning', async () => {
    const pages = await pagesBackward((before) => page({ last: 50, before }));
    expect(pages.map(({ length }) => length)).toEqual([30, 50, 50, 50, 50]);
    expect(findIds(pages.flat())).toEqual(newestFirst());
  });

  test('is paged oldest first, and ends with a full page if it divides evenly', async () => {
    const pages = await pagesForward((after) =>
      page({ orderBy: { field: 'CREATED_AT', direction: 'ASC' }, first: 115, after }),
    );
    expect(pages.map(({ length }) => length)).toEqual([115, 115]);
    expect(findIds(pages.flat())).toEqual(oldestFirst());
  });

  test('keeps its place while new jobs are created', async () => {
    const first = await page({ first: 10 });
    const newcomer = await insertJob({ createdAt: new Date('2025-12-30T00:00:00Z') });
    const second = await page({ first: 10, after: first.pageInfo.endCursor ?? null });
    await query('delete from job where id = $1', [newcomer]);
    expect(findIds([...first.edges, ...second.edges].map(({ node }) => node))).toEqual(
      newestFirst().slice(0, 20),
    );
  });

  test('has the total count on every page', async () => {
    expect((await page({ first: 1 })).totalCount).toBe(230);
    expect((await page({ first: 0 })).totalCount).toBe(230);
    expect((await page({ filter: { kinds: ['SYNC'] }, last: 3 })).totalCount).toBe(46);
  });

  test('returns 20 by default, and at most 200', async () => {
    expect((await page({})).edges).toHaveLength(20);
    const most = await page({ first: 200 });
    expect(most.edges).toHaveLength(200);
    expect(most.pageInfo.hasNextPage).toBe(true);
  });

  test.each<[string, JobFilter, (job: (typeof history)[number]) => boolean]>([
    ['kind', { kinds: ['SYNC'] }, ({ kind }) => kind === 'SYNC'],
    ['kinds', { kinds: ['SYNC', 'QUERY'] }, () => true],
    ['state', { states: ['FAILED'] }, ({ state }) => state === 'FAILED'],
    ['states', { states: ['FAILED', 'CANCELLED'] }, ({ state }) => state !== 'COMPLETED'],
    ['a state that none is in', { states: ['RUNNING'] }, () => false],
    ['data type', { dataTypes: ['logistics'] }, ({ dataType }) => dataType === 'logistics'],
    [
      'time, the first moment of it included and the last one not',
      { createdAfter: '2025-03-02T00:00:00Z', createdBefore: '2025-03-03T00:00:00Z' },
      ({ createdAt }) =>
        createdAt >= new Date('2025-03-02T00:00:00Z') && createdAt < new Date('2025-03-03T00:00:00Z'),
    ],
    [
      'all of these at once',
      { kinds: ['QUERY'], states: ['COMPLETED'], dataTypes: ['sortie', 'maintenance'] },
      ({ kind, state, dataType }) =>
        kind === 'QUERY' && state === 'COMPLETED' && ['sortie', 'maintenance'].includes(dataType),
    ],
    ['no kind at all', { kinds: [] }, () => false],
  ])('is filtered by %s', async (_what, filter, fits) => {
    const pages = await pagesForward((after) => page({ filter, first: 60, after }));
    const expected = history.filter(fits).map(({ id }) => id);
    expect(findIds(pages.flat())).toEqual(expected.reverse());
    expect((await page({ filter })).totalCount).toBe(expected.length);
  });
});

describe('items', () => {
  async function findIds(filter?: ItemFilter) {
    const { items } = await application.client.send(Items, { first: 200, ...(filter ? { filter } : {}) });
    expect(items.totalCount).toBe(items.edges.length);
    return items.edges.map(({ node }) => node.itemId);
  }

  test.each<[string, () => ItemFilter | undefined, string[]]>([
    [
      'are all there, by data type and id',
      () => undefined,
      ['R"4\\', 'R%1', 'RX3', 'R_2', 'SRT-1', 'SRT-2', 'SRT-3', 'SRT-4', 'SRT-5'],
    ],
    ['of a data type', () => ({ dataTypes: ['maintenance'] }), ['R"4\\', 'R%1', 'RX3', 'R_2']],
    ['of no data type', () => ({ dataTypes: [] }), []],
    ['of a marking, in either spelling', () => ({ classificationMarkings: ['S'] }), ['R%1']],
    ['of markings', () => ({ classificationMarkings: ['TS', 'U'] }), ['R"4\\', 'RX3', 'R_2']],
    [
      'of a default marking',
      () => ({ classificationMarkings: ['CONFIDENTIAL'] }),
      ['SRT-1', 'SRT-2', 'SRT-3', 'SRT-4', 'SRT-5'],
    ],
    ['of a source', () => ({ dataSourceId: `DataSource:${repairs}` }), ['R"4\\', 'R%1', 'RX3', 'R_2']],
    ['of a job', () => ({ jobId: sync.id, dataTypes: ['maintenance'] }), ['R"4\\', 'R%1', 'RX3', 'R_2']],
    ['of another job', () => ({ jobId: newUuid() }), []],
    [
      'whose id begins with a text',
      () => ({ itemIdPrefix: 'SRT-' }),
      ['SRT-1', 'SRT-2', 'SRT-3', 'SRT-4', 'SRT-5'],
    ],
    ['whose id begins with a per cent sign', () => ({ itemIdPrefix: 'R%' }), ['R%1']],
    ['whose id begins with an underscore', () => ({ itemIdPrefix: 'R_' }), ['R_2']],
    ['whose id has a quote and a backslash', () => ({ itemIdPrefix: 'R"4\\' }), ['R"4\\']],
    [
      'that are uploaded',
      () => ({ isUploaded: true, dataTypes: ['maintenance'] }),
      ['R"4\\', 'R%1', 'RX3', 'R_2'],
    ],
    ['that are not uploaded', () => ({ isUploaded: false }), []],
    ['by a text of their data', () => ({ data: { priority: 'HIGH' } }), ['R%1', 'R_2']],
    ['by a number of their data', () => ({ data: { flight_hours: 3.5 } }), ['SRT-3']],
    ['by a truth value of their data', () => ({ data: { is_night: true } }), ['SRT-2', 'SRT-4']],
    ['by an object of their data', () => ({ data: { crew: { seats: 2, pilot: 'P2' } } }), ['SRT-2']],
    ['by several columns', () => ({ data: { priority: 'LOW', classification: 'ts' } }), ['RX3']],
    ['by a column that none has', () => ({ data: { nothing: 'at all' } }), []],
    ['by a null of their data', () => ({ data: { mission_status: null } }), ['SRT-3', 'SRT-4', 'SRT-5']],
    [
      'by everything at once',
      () => ({
        dataTypes: ['maintenance'],
        itemIdPrefix: 'R',
        data: { priority: 'HIGH' },
        classificationMarkings: ['S', 'SECRET'],
        isUploaded: true,
      }),
      ['R%1'],
    ],
  ])('%s', async (_what, filter, expected) => {
    expect((await findIds(filter())).sort()).toEqual([...expected].sort());
  });

  test.each([1, 2, 4, 9, 10])('are paged by %i forward and backward without gap or overlap', async (size) => {
    const all = await findIds();
    const page = async (variables: object) => (await application.client.send(Items, variables)).items;
    const forward = await pagesForward((after) => page({ first: size, after }));
    expect(forward.flat().map(({ itemId }) => itemId)).toEqual(all);
    const backward = await pagesBackward((before) => page({ last: size, before }));
    expect(backward.flat().map(({ itemId }) => itemId)).toEqual(all);
  });

  test('are paged within a filter', async () => {
    const pages = await pagesForward(async (after) => {
      const filter = { dataTypes: ['sortie'], data: { mission_status: 'COMPLETED' } };
      return (await application.client.send(Items, { filter, first: 1, after })).items;
    });
    expect(pages.flat().map(({ itemId }) => itemId)).toEqual(['SRT-1', 'SRT-2']);
  });

  test('one can be looked up by its data type and id', async () => {
    const { item } = await application.client.send(Item, { dataType: 'maintenance', itemId: 'R"4\\' });
    expect(item).toMatchObject({
      itemId: 'R"4\\',
      classificationMarking: 'UNCLASSIFIED',
      data: { item_id: 'R"4\\', priority: 'LOW' },
      catalogId: 'BLADE-maintenance-R"4\\',
      uploadedAt: expect.stringMatching(/^20.*Z$/),
      job: { id: sync.id },
      dataSource: { id: `DataSource:${repairs}`, name: 'Repairs' },
    });
  });

  test('an unknown one is null', async () => {
    const { client } = application;
    expect(await client.send(Item, { dataType: 'sortie', itemId: 'R%1' })).toEqual({ item: null });
  });
});

describe('node', () => {
  const node = async (id: string) => (await application.client.send(NodeById, { id })).node;

  test('finds a job', async () => {
    expect(await node(sync.id)).toEqual({ __typename: 'Job', id: sync.id, kind: 'SYNC', state: 'COMPLETED' });
  });

  test('finds a data source', async () => {
    expect(await node(`DataSource:${sorties}`)).toEqual({
      __typename: 'DataSource',
      id: `DataSource:${sorties}`,
      name: 'Sorties',
      fullTableName: 'blade.field.sortie',
    });
  });

  test('finds a partition', async () => {
    const { job } = await application.client.send(JobById, { id: sync.id });
    const id = job?.partitions.nodes[1]?.id ?? '';
    expect(await node(id)).toEqual({
      __typename: 'JobPartition',
      id,
      sourceName: 'Sorties',
      dataSource: { id: `DataSource:${sorties}` },
    });
  });

  test('finds an error', async () => {
    const { job } = await application.client.send(JobErrors, { id: sync.id });
    const error = job?.errors.edges[0]?.node;
    expect(await node(error?.id ?? '')).toEqual({
      __typename: 'JobError',
      id: error?.id,
      stage: 'TRANSFORM',
      message: error?.message,
      partition: { id: expect.stringMatching(/^JobPartition:/) },
    });
  });

  test.each(['R"4\\', 'R%1', 'SRT-1'])('finds the item %s', async (itemId) => {
    const dataType = itemId.startsWith('R') ? 'maintenance' : 'sortie';
    const { item } = await application.client.send(Item, { dataType, itemId });
    expect(await node(item?.id ?? '')).toEqual({ __typename: 'BladeItem', id: item?.id, dataType, itemId });
  });

  test('finds a run of a schedule', async () => {
    const id = newUuid();
    await query(
      `insert into scheduled_run (id, data_source_id, state, first_due_at, due_at)
       values ($1, $2, 'WAITING', now(), now())`,
      [id, sorties],
    );
    expect(await node(`ScheduledRun:${id}`)).toEqual({
      __typename: 'ScheduledRun',
      id: `ScheduledRun:${id}`,
    });
  });

  test.each([
    'Job:01997f3e-8c1a-7000-8000-000000000000',
    'JobPartition:01997f3e-8c1a-7000-8000-000000000000',
    'DataSource:01997f3e-8c1a-7000-8000-000000000000',
    'ScheduledRun:01997f3e-8c1a-7000-8000-000000000000',
    'JobError:01997f3e-8c1a-7000-8000-000000000000',
    'BladeItem:["sortie","nothing"]',
    'BladeItem:["submarine","nothing"]',
  ])('is null for the unknown id %s', async (id) => {
    expect(await node(id)).toBeNull();
  });

  test('accepts the ids of every type that has them', async () => {
    const { data } = await application.client.sendRaw(
      'query { __type(name: "Node") { possibleTypes { name } } }',
    );
    const { possibleTypes } = (data as { __type: { possibleTypes: { name: string }[] } }).__type;
    expect(possibleTypes.length).toBeGreaterThan(5);
    for (const { name } of possibleTypes) {
      const { errors } = await application.client.sendRaw(`query { node(id: "${name}:?") { id } }`);
      expect(errors?.[0]?.message).toContain(`ids look like ${name}:`);
      const example = / ids look like (.*)$/.exec(errors?.[0]?.message ?? '')?.[1] ?? '';
      expect((await node(example))?.__typename ?? name).toBe(name);
    }
  });

  test('returns the current state each time', async () => {
    const id = await insertJob({ state: 'RUNNING' });
    expect(await node(`Job:${id}`)).toMatchObject({ state: 'RUNNING' });
    await query(
      `update job set state = 'COMPLETED', outcome = 'SUCCEEDED', finished_at = now() where id = $1`,
      [id],
    );
    expect(await node(`Job:${id}`)).toMatchObject({ state: 'COMPLETED' });
  });
});

describe('data sources', () => {
  test('are listed by name, by data type, and by whether syncs read them', async () => {
    const { client } = application;
    const off = await addSource(application, {
      name: 'A source that is off',
      dataType: 'sortie',
      tableName: 'sortie',
      enabled: false,
    });
    const names = async (filter: DataSourceFilter) =>
      (await client.send(DataSources, { filter })).dataSources.nodes.map(({ name }) => name);
    expect(await names({})).toEqual(['A source that is off', 'Repairs', 'Sorties']);
    expect(await names({ dataTypes: ['sortie'] })).toEqual(['A source that is off', 'Sorties']);
    expect(await names({ enabled: true })).toEqual(['Repairs', 'Sorties']);
    expect(await names({ enabled: false, dataTypes: ['sortie'] })).toEqual(['A source that is off']);
    expect(await names({ enabled: false, dataTypes: ['maintenance'] })).toEqual([]);
    expect((await client.send(DeleteDataSource, { input: { id: off } })).deleteDataSource).toEqual({
      __typename: 'DeleteDataSourceSuccess',
      deletedId: `DataSource:${off}`,
      name: 'A source that is off',
    });
    expect(await names({})).toEqual(['Repairs', 'Sorties']);
  });

  test('show how their last sync ended, and their watermark', async () => {
    const { dataSources } = await application.client.send(DataSources, {
      filter: { dataTypes: ['sortie'] },
    });
    expect(dataSources.nodes).toMatchObject([
      {
        itemCount: 5,
        lastSyncState: 'COMPLETED',
        lastSyncMessage: null,
        lastSyncAt: expect.stringMatching(/^20.*Z$/),
        cursorColumn: 'updated_at',
        watermark: expect.stringContaining('2026-01-05'),
      },
    ]);
  });

  test('one can be looked up by its id, and is null for an unknown id', async () => {
    const ask = (id: string) => application.client.sendRaw(`query { dataSource(id: "${id}") { name } }`);
    expect((await ask(sorties)).data).toEqual({ dataSource: { name: 'Sorties' } });
    expect((await ask(`DataSource:${sorties}`)).data).toEqual({ dataSource: { name: 'Sorties' } });
    expect(await ask(newUuid())).toMatchObject({ status: 200, data: { dataSource: null } });
  });
});

describe('testDataSource', () => {
  async function look(input: Partial<CreateDataSourceInput> & Pick<CreateDataSourceInput, 'tableName'>) {
    const id = await addSource(application, {
      name: 'On trial',
      dataType: 'sortie',
      enabled: false,
      ...input,
    });
    const { testDataSource } = await application.client.send(TestDataSource, { input: { id } });
    await application.client.send(DeleteDataSource, { input: { id } });
    return testDataSource;
  }

  test('finds no problem with a good table', async () => {
    const { testDataSource } = await application.client.send(TestDataSource, { input: { id: sorties } });
    expect(testDataSource).toMatchObject({
      __typename: 'TestDataSourceSuccess',
      isReadable: true,
      problem: null,
      rowCount: 5,
      surplusColumns: ['crew', 'is_night', 'updated_at'],
      missingColumns: expect.arrayContaining(['pilot_callsign', 'departure_base']),
      warnings: [],
    });
    if (testDataSource.__typename !== 'TestDataSourceSuccess') throw new Error();
    expect(testDataSource.columns.slice(0, 2)).toEqual([
      { name: 'item_id', type: 'STRING' },
      { name: 'mission_id', type: 'STRING' },
    ]);
    expect(testDataSource.missingColumns).not.toContain('item_id');
  });

  test('warns about a table without identifying columns and without the cursor column', async () => {
    await writeRows(application.warehouseFolder, 'poor', [{ note: 'a' }, { note: 'b' }]);
    expect(await look({ tableName: 'poor', cursorColumn: 'changed_at' })).toMatchObject({
      isReadable: true,
      rowCount: 2,
      surplusColumns: ['note'],
      warnings: [
        expect.stringMatching(/item_id, mission_id.*every row would fail/),
        expect.stringMatching(/no column changed_at/),
      ],
    });
    await removeTable(application.warehouseFolder, 'poor');
  });

  test('says why a table cannot be read, without revealing paths of the warehouse', async () => {
    const found = await look({ tableName: 'nowhere' });
    expect(found).toEqual({
      __typename: 'TestDataSourceSuccess',
      isReadable: false,
      problem: expect.stringContaining('nowhere'),
      columns: [],
      missingColumns: [],
      surplusColumns: [],
      rowCount: null,
      warnings: [],
      dataSource: { id: expect.any(String), name: 'On trial', fullTableName: 'blade.field.nowhere' },
    });
    expect(JSON.stringify(found)).not.toContain(application.warehouseFolder);
  });

  test('does not change the source', async () => {
    const before = await query('select * from data_source where id = $1', [sorties]);
    await application.client.send(TestDataSource, { input: { id: sorties } });
    expect((await query('select * from data_source where id = $1', [sorties])).rows).toEqual(before.rows);
  });
});

describe('a part of the id of a job', () => {
  const ask = async (id: string) =>
    application.client.sendRaw('query ($id: ID!) { job(id: $id) { id } }', { id });

  test('finds the job that it begins the id of, as long as that is the only one', async () => {
    const [one, other] = ['fa11c0de-0000-7000-8000-00000000000a', 'fa11c0de-0000-7000-8000-00000000000b'];
    await insertJob({ id: one });
    for (const id of ['fa11c0de', 'FA11C0DE-', 'Job:fa11c0de-0000-7', one.slice(0, -1)])
      expect((await ask(id)).data).toEqual({ job: { id: `Job:${one}` } });
    expect((await ask('fa11c0df')).data).toEqual({ job: null });
    await insertJob({ id: other });
    for (const id of ['fa11c0de', 'Job:fa11c0de-0000-7', one.slice(0, -1)])
      expect(await ask(id)).toMatchObject({
        data: { job: null },
        errors: [
          {
            extensions: { code: 'AMBIGUOUS_JOB_ID' },
            message: expect.stringMatching(/several jobs .* give more of it/),
          },
        ],
      });
    expect((await ask(other)).data).toEqual({ job: { id: `Job:${other}` } });
    await query('delete from job where id = any($1::uuid[])', [[one, other]]);
  });

  test.each([
    'fa11c0d',
    'fa11c0de0',
    'fa11c0dg',
    'Job:',
    'DataSource:fa11c0de',
    'fa11c0de-0000-7000-8000-00000000000ab',
  ])('is refused if it begins no id, such as %j', async (id) => {
    expect(await ask(id)).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });
});

describe('updateDataSource', () => {
  const SAVED = {
    name: 'Changing',
    dataType: 'sortie',
    catalogName: 'blade',
    schemaName: 'field',
    tableName: 'sortie',
    cursorColumn: 'updated_at',
    enabled: false,
  };

  async function change(input: Omit<UpdateDataSourceInput, 'id'>) {
    const id = await addSource(application, SAVED);
    await query(`update data_source set watermark = '2026-01-03T00:00:00Z' where id = $1`, [id]);
    const { updateDataSource } = await application.client.send(UpdateDataSource, {
      input: { id: `DataSource:${id}`, ...input },
    });
    await application.client.send(DeleteDataSource, { input: { id } });
    if (updateDataSource.__typename !== 'UpdateDataSourceSuccess')
      throw new Error(JSON.stringify(updateDataSource));
    expect(updateDataSource.dataSource.id).toBe(`DataSource:${id}`);
    return updateDataSource.dataSource;
  }

  test.each([
    ['catalog', { catalogName: 'other' }, 'other.field.sortie'],
    ['schema', { schemaName: 'other' }, 'blade.other.sortie'],
    ['table', { tableName: 'other' }, 'blade.field.other'],
    ['cursor column', { cursorColumn: 'scheduled_departure' }, 'blade.field.sortie'],
    ['cursor column to none', { cursorColumn: null }, 'blade.field.sortie'],
  ])('with another %s resets the watermark', async (_what, input, fullTableName) => {
    expect(await change(input)).toMatchObject({ fullTableName, watermark: null });
  });

  test('with another name, or enabled again, keeps the watermark', async () => {
    expect(await change({ name: 'Changed', enabled: true })).toMatchObject({
      name: 'Changed',
      enabled: true,
      watermark: '2026-01-03T00:00:00Z',
    });
  });

  test('with another data type resets the watermark, because no item of that type was read', async () => {
    expect(await change({ dataType: 'logistics' })).toMatchObject({ dataType: 'logistics', watermark: null });
  });

  test('cannot change the table of a source while a sync reads it, but everything else', async () => {
    const { client } = application;
    const id = await addSource(application, SAVED);
    const jobId = await insertJob({ kind: 'SYNC', state: 'RUNNING' });
    await insertPartition(jobId, id, 'RUNNING');
    try {
      const moved = await client.send(UpdateDataSource, { input: { id, tableName: 'other' } });
      expect(moved.updateDataSource).toMatchObject({ __typename: 'DataSourceInUseError' });
      const renamed = await client.send(UpdateDataSource, { input: { id, name: 'Renamed' } });
      expect(renamed.updateDataSource).toMatchObject({ dataSource: { name: 'Renamed' } });
    } finally {
      await query('delete from job where id = $1', [jobId]);
      await client.send(DeleteDataSource, { input: { id } });
    }
  });

  test('changes what it is given, clears what is null, and leaves the rest', async () => {
    const id = await addSource(application, {
      ...SAVED,
      schedule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
    });
    await query(`update data_source set watermark = '7' where id = $1`, [id]);
    const read = async () => (await query('select * from data_source where id = $1', [id])).rows[0];
    const before = await read();
    const ignored = { revision: expect.any(Number), updated_at: expect.any(Date) };
    const { client } = application;
    await client.send(UpdateDataSource, { input: { id } });
    expect(await read()).toEqual({ ...before, ...ignored });
    await client.send(UpdateDataSource, { input: { id, enabled: false } });
    expect(await read()).toEqual({ ...before, enabled: false, next_due_at: null, ...ignored });
    await client.send(UpdateDataSource, { input: { id, enabled: true, schedule: null } });
    expect(await read()).toEqual({
      ...before,
      ...{ enabled: true, schedule_cron: null, schedule_time_zone: 'UTC', next_due_at: null },
      ...ignored,
    });
    await client.send(UpdateDataSource, { input: { id, cursorColumn: null } });
    expect(await read()).toMatchObject({ cursor_column: null, watermark: null, name: SAVED.name });
    await client.send(DeleteDataSource, { input: { id } });
  });

  test('of two changes of one revision makes the first, and gives the second the current one', async () => {
    const { client } = application;
    const id = await addSource(application, SAVED);
    const changes = await Promise.all(
      ['East', 'West', 'North'].map((name) =>
        client.send(UpdateDataSource, { input: { id, expectedRevision: 1, name } }),
      ),
    );
    const results = changes.map(({ updateDataSource }) => updateDataSource);
    expect(results.map(({ __typename }) => __typename).sort()).toEqual([
      ...['DataSourceChangedError', 'DataSourceChangedError', 'UpdateDataSourceSuccess'],
    ]);
    expect(results).toContainEqual({
      __typename: 'DataSourceChangedError',
      dataSourceId: `DataSource:${id}`,
      currentRevision: 2,
      message: expect.stringContaining('was changed in the meantime'),
    });
    const again = await client.send(UpdateDataSource, {
      input: { id, expectedRevision: 2, name: 'South' },
    });
    expect(again.updateDataSource).toMatchObject({ dataSource: { name: 'South', revision: 3 } });
    await client.send(DeleteDataSource, { input: { id } });
  });

  test('trims names, and enables a new source by default', async () => {
    const { createDataSource } = await application.client.send(CreateDataSource, {
      input: {
        name: '  Trimmed ',
        dataType: 'logistics',
        catalogName: ' blade',
        schemaName: 'field ',
        tableName: ' cargo ',
        cursorColumn: ' shipped_date ',
      },
    });
    expect(createDataSource).toMatchObject({
      dataSource: {
        name: 'Trimmed',
        fullTableName: 'blade.field.cargo',
        cursorColumn: 'shipped_date',
        enabled: true,
        watermark: null,
      },
    });
    if (createDataSource.__typename !== 'CreateDataSourceSuccess') throw new Error();
    await application.client.send(DeleteDataSource, { input: { id: createDataSource.dataSource.id } });
  });
});

describe('deleteDataSource', () => {
  test('is refused while an active job reads the source, and nothing is lost', async () => {
    const { client } = application;
    const jobId = await insertJob({ kind: 'SYNC', state: 'RUNNING' });
    await insertPartition(jobId, sorties, 'RUNNING');
    const { deleteDataSource } = await client.send(DeleteDataSource, { input: { id: sorties } });
    expect(deleteDataSource).toEqual({
      __typename: 'DataSourceInUseError',
      dataSourceId: `DataSource:${sorties}`,
      message: expect.stringMatching(/active job/),
    });
    expect(
      (await client.send(DataSources, { filter: { dataTypes: ['sortie'] } })).dataSources.nodes,
    ).toHaveLength(1);
    await query('delete from job where id = $1', [jobId]);
  });

  test('keeps the items and the history of its jobs', async () => {
    const { client, warehouseFolder } = application;
    await writeRows(warehouseFolder, 'cargo', [{ item_id: 'CRG-1' }, { item_id: 'CRG-2' }]);
    const id = await addSource(application, { name: 'Cargo', dataType: 'logistics', tableName: 'cargo' });
    const { id: jobId } = await client.startSync({ syncType: 'FULL', dataType: 'logistics' });
    await client.waitForEnd(jobId);
    const before = (await client.send(JobById, { id: jobId })).job;
    expect(before?.progress).toMatchObject({ processedItems: 2 });

    expect((await client.send(DeleteDataSource, { input: { id } })).deleteDataSource.__typename).toBe(
      'DeleteDataSourceSuccess',
    );
    expect((await client.send(DeleteDataSource, { input: { id } })).deleteDataSource.__typename).toBe(
      'DataSourceNotFoundError',
    );

    const { job } = await client.send(JobById, { id: jobId });
    expect(job).toEqual({ ...before, dataSources: [] });
    expect(job?.partitions.nodes).toMatchObject([{ sourceName: 'Cargo', processedItems: 2 }]);
    const { items } = await client.send(Items, { filter: { dataTypes: ['logistics'] } });
    expect(items.edges.map(({ node }) => [node.itemId, node.dataSource])).toEqual([
      ['CRG-1', null],
      ['CRG-2', null],
    ]);
    const partition = job?.partitions.nodes[0]?.id ?? '';
    expect((await client.send(NodeById, { id: partition })).node).toMatchObject({ dataSource: null });
  });
});

describe('what the state of a job does not allow', () => {
  test('cancelling an ended job returns its state', async () => {
    const { cancelJob } = await application.client.send(CancelJob, { input: { id: sync.id } });
    expect(cancelJob).toEqual({
      __typename: 'JobAlreadyFinishedError',
      jobId: sync.id,
      state: 'COMPLETED',
      message: expect.stringContaining('COMPLETED'),
    });
  });

  test('retrying a job that has not ended returns its state', async () => {
    const id = await insertJob({ state: 'RUNNING' });
    const { retryJob } = await application.client.send(RetryJob, { input: { id, mode: 'ALL' } });
    expect(retryJob).toEqual({
      __typename: 'JobNotFinishedError',
      jobId: `Job:${id}`,
      state: 'RUNNING',
      message: expect.stringContaining('RUNNING'),
    });
  });

  test.each([
    ['FAILED_ITEMS', 'no failed items'],
    ['FAILED_SOURCES', 'no failed sources'],
  ] as const)('retrying the %s of a job that has none', async (mode, message) => {
    const id = await insertJob();
    await insertPartition(id, sorties, 'COMPLETED');
    const { retryJob } = await application.client.send(RetryJob, { input: { id, mode } });
    expect(retryJob).toEqual({
      __typename: 'NothingToRetryError',
      ...{ jobId: `Job:${id}`, mode, message: expect.stringContaining(message) },
    });
  });

  test('starting or retrying a sync while another one is active returns the active one', async () => {
    const { client } = application;
    const id = await insertJob({ kind: 'SYNC', state: 'RUNNING' });
    const { startSync } = await client.send(StartSync, { input: { syncType: 'FULL' } });
    expect(startSync).toEqual({
      __typename: 'SyncAlreadyRunningError',
      message: expect.stringContaining('stopSync'),
      activeJob: { id: `Job:${id}`, state: 'RUNNING' },
    });
    const { retryJob } = await client.send(RetryJob, { input: { id: sync.id, mode: 'ALL' } });
    expect(retryJob).toEqual({
      __typename: 'SyncAlreadyRunningError',
      message: expect.stringContaining('stopSync'),
      activeJob: { id: `Job:${id}`, state: 'RUNNING' },
    });
    const { stopSync } = await client.send(StopSync, {});
    expect(stopSync).toMatchObject({
      __typename: 'StopSyncSuccess',
      message: 'Sync job stopped',
      job: { id: `Job:${id}`, state: 'CANCELLED' },
    });
    expect((await client.send(StopSync, {})).stopSync.__typename).toBe('NoActiveSyncError');
  });
});

test('data types show their columns, their default marking and what identifies an item', async () => {
  const { dataTypes } = await application.client.send(DataTypes, {});
  expect(Object.fromEntries(dataTypes.map(({ name, defaultMarking }) => [name, defaultMarking]))).toEqual({
    maintenance: 'UNCLASSIFIED',
    sortie: 'CONFIDENTIAL',
    deployment: 'SECRET',
    logistics: 'UNCLASSIFIED',
  });
  for (const { columns, description } of dataTypes) {
    expect(columns.find(({ name }) => name === 'item_id')).toEqual({
      name: 'item_id',
      kind: 'TEXT',
      identifying: true,
    });
    expect(columns.length).toBeGreaterThan(10);
    expect(description).toMatch(/\.$/);
  }
});

interface Page<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor?: string | null;
    readonly endCursor?: string | null;
  };
}

/** All pages from the first to the last, each asked for by the end of the one before. */
async function pagesForward<Node>(load: (after: string | null) => Promise<Page<Node>>): Promise<Node[][]> {
  const pages: Node[][] = [];
  let after: string | null = null;
  for (;;) {
    const { edges, pageInfo } = await load(after);
    expect(pageInfo.endCursor ?? null).toBe(edges.at(-1)?.cursor ?? null);
    pages.push(edges.map(({ node }) => node));
    if (!pageInfo.hasNextPage) return pages;
    expect(edges.length, 'an empty page that says more comes').toBeGreaterThan(0);
    after = pageInfo.endCursor ?? null;
  }
}

/** All pages in the order of the list, the last asked for first. */
async function pagesBackward<Node>(load: (before: string | null) => Promise<Page<Node>>): Promise<Node[][]> {
  const pages: Node[][] = [];
  let before: string | null = null;
  for (;;) {
    const { edges, pageInfo } = await load(before);
    expect(pageInfo.startCursor ?? null).toBe(edges[0]?.cursor ?? null);
    pages.unshift(edges.map(({ node }) => node));
    if (!pageInfo.hasPreviousPage) return pages;
    expect(edges.length, 'an empty page that says more comes before').toBeGreaterThan(0);
    before = pageInfo.startCursor ?? null;
  }
}
