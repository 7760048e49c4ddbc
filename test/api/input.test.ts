import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type {
  CreateDataSourceInput,
  StartQueryJobInput,
  StartSyncInput,
  UpdateDataSourceInput,
} from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import {
  CancelJob,
  CreateDataSource,
  DeleteDataSource,
  RetryJob,
  StartQueryJob,
  StartSync,
  StopSync,
  TestDataSource,
  UpdateDataSource,
} from '../support/operations.ts';
import { writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const UNKNOWN_ID = '01997f3e-8c1a-7000-8000-000000000000';
const SELECT = 'SELECT * FROM blade.field.sortie';

let application: TestApplication;

beforeAll(async () => {
  // No worker: what should be refused and is not stays in the queue, where it is found.
  application = await startTestApplication({ BLADE_ROLES: 'api', BLADE_MAX_BODY_BYTES: '50000000' });
  await create({ name: 'Sorties', dataType: 'sortie' });
});

afterAll(() => application.close());

afterEach(async () => {
  const jobs = await application.database.pool.query(
    `select kind, state, filter, sql_query from job where state <> 'COMPLETED'`,
  );
  expect(jobs.rows, 'a refused input started a job').toEqual([]);
  const queued = await application.database.pool.query('select 1 from pgboss.job where state < $1', [
    'active',
  ]);
  expect(queued.rows, 'a refused input left something in the queue').toEqual([]);
});

function create(input: Partial<CreateDataSourceInput>) {
  return application.client.send(CreateDataSource, {
    input: {
      name: 'A source',
      dataType: 'sortie',
      catalogName: 'blade',
      schemaName: 'field',
      tableName: 'sortie',
      ...input,
    },
  });
}

const update = (input: UpdateDataSourceInput) => application.client.send(UpdateDataSource, { input });

/** Expects that startSync refuses the input for the field, for a reason. */
async function expectSyncRefused(input: Partial<StartSyncInput>, field: string, reason: RegExp) {
  const { startSync } = await application.client.send(StartSync, { input: { syncType: 'FULL', ...input } });
  expect(startSync).toEqual({
    __typename: 'InvalidInputError',
    message: expect.stringContaining(field),
    issues: [{ path: field.split('.'), message: expect.stringMatching(reason) }],
  });
}

async function expectQueryJobRefused(input: Partial<StartQueryJobInput>, field: string, reason: RegExp) {
  const { startQueryJob } = await application.client.send(StartQueryJob, {
    input: { dataType: 'sortie', sqlQuery: SELECT, ...input },
  });
  expect(startQueryJob).toEqual({
    __typename: 'InvalidInputError',
    message: expect.stringContaining(field),
    issues: [{ path: field.split('.'), message: expect.stringMatching(reason) }],
  });
}

/** Expects that a new source, and the change of one, are refused for the field, for a reason. */
async function expectSourceRefused(input: Partial<CreateDataSourceInput>, field: string, reason: RegExp) {
  const before = await sources();
  const expected = {
    __typename: 'InvalidInputError',
    message: expect.any(String),
    issues: [{ path: field.split('.'), message: expect.stringMatching(reason) }],
  };
  expect((await create(input)).createDataSource).toEqual(expected);
  expect((await update({ id: before[0].id, ...input })).updateDataSource).toEqual(expected);
  expect(await sources()).toEqual(before);
}

async function sources() {
  const { rows } = await application.database.pool.query('select * from data_source order by id');
  return rows;
}

describe('startSync names the field at fault and starts nothing', () => {
  test('for an unknown data type', () =>
    expectSyncRefused({ dataType: 'submarine' }, 'input.dataType', /no data type "submarine".*maintenance/));

  test('for an empty data type', () => expectSyncRefused({ dataType: '' }, 'input.dataType', /no data type/));

  test.each([0, -1, -2_147_483_648])('for maxItems %i', (maxItems) =>
    expectSyncRefused({ maxItems }, 'input.maxItems', /at least 1/),
  );

  test.each([0, -1, 10_001])('for batches of %i', (batchSize) =>
    expectSyncRefused({ options: { batchSize } }, 'input.options.batchSize', /1 to 10000/),
  );

  test('for maxErrors below 0', () =>
    expectSyncRefused({ options: { maxErrors: -1 } }, 'input.options.maxErrors', /at least 0/));

  test.each([
    ['nothing at all', '', /empty/],
    ['a column, which is no condition', 'flight_hours', /not a condition/],
    ['a number', '1', /not a condition/],
    ['half a condition', 'flight_hours >', /cannot be understood/],
    ['a parameter', 'flight_hours > :hours', /cannot have parameters/],
    ['a NUL', "mission_id = 'a\0b'", /NUL/],
    ['a way out of its parentheses', '1=1) UNION SELECT * FROM blade.secret.pay WHERE (1=1', /./],
    ['a second statement', '1=1; DROP TABLE blade.field.sortie', /semicolon/],
    ['a comment that swallows what follows', '1=1 --', /comment/],
    ['a query of another table', 'item_id IN (SELECT item_id FROM blade.secret.pay)', /./],
    ['a clause that follows it', '1=1 ORDER BY item_id', /ORDER BY/],
    ['a limit that follows it', '1=1 LIMIT 1', /LIMIT/],
    ['an aggregate', 'count(*) > 1', /query job/],
    ['a function that reads a file', "length(read_files('/etc/passwd')) > 1", /./],
  ])('for a filter that contains %s', (_what, filter, reason) =>
    expectSyncRefused({ filter }, 'input.filter', reason),
  );

  test('with all faults at once', async () => {
    const { startSync } = await application.client.send(StartSync, {
      input: {
        syncType: 'FULL',
        dataType: 'submarine',
        maxItems: 0,
        filter: 'flight_hours',
        options: { batchSize: 0, maxErrors: -1 },
      },
    });
    if (startSync.__typename !== 'InvalidInputError') throw new Error(startSync.__typename);
    expect(startSync.issues.map(({ path }) => path.join('.')).sort()).toEqual([
      'input.dataType',
      'input.filter',
      'input.maxItems',
      'input.options.batchSize',
      'input.options.maxErrors',
    ]);
    for (const { path, message } of startSync.issues) {
      expect(startSync.message).toContain(`${path.join('.')}: ${message}`);
    }
  });

  test('but not for input that GraphQL itself refuses', async () => {
    const answer = await application.client.sendRaw(
      'mutation { startSync(input: { syncType: SOME, maxItems: "many" }) { __typename } }',
    );
    expect(answer.status).toBe(400);
    expect(answer.data).toBeUndefined();
    expect(answer.errors?.map(({ message }) => message).join()).toMatch(
      /Int cannot represent.*"SOME" does not exist/,
    );
  });
});

describe('startQueryJob names the field at fault and starts nothing', () => {
  test('for an unknown data type', () =>
    expectQueryJobRefused({ dataType: 'submarine' }, 'input.dataType', /no data type "submarine"/));

  test.each([
    ['that is empty', '', /empty/],
    ['of blanks', ' \n ', /empty/],
    ['of a comment', '-- SELECT 1', /empty/],
    ['of two statements', `${SELECT}; ${SELECT}`, /one statement/],
    [
      'with a second statement behind a comment',
      `${SELECT} /* */ ; DROP TABLE blade.field.sortie`,
      /one statement/,
    ],
    ['that inserts', `INSERT INTO blade.field.sortie ${SELECT}`, /INSERT/],
    ['that deletes in a CTE', `WITH gone AS (DELETE FROM blade.field.sortie) ${SELECT}`, /./],
    ['that updates', "UPDATE blade.field.sortie SET item_id = 'x'", /UPDATE/],
    [
      'that merges',
      `MERGE INTO blade.field.sortie USING (${SELECT}) s ON true WHEN MATCHED THEN DELETE`,
      /MERGE/,
    ],
    ['that drops', 'DROP TABLE blade.field.sortie', /DROP/],
    ['that makes a table', `CREATE TABLE blade.field.copy AS ${SELECT}`, /CREATE/],
    ['that makes a table of its rows', `SELECT * INTO blade.field.copy FROM blade.field.sortie`, /./],
    ['that copies to a file', `COPY (${SELECT}) TO '/tmp/blade-leak.csv'`, /COPY/],
    ['that attaches a database', "ATTACH '/tmp/other.db'", /ATTACH/],
    ['that changes a setting', 'SET enable_external_access = true', /SET/],
    ['that installs an extension', 'INSTALL httpfs', /INSTALL/],
    ['that grants', 'GRANT ALL ON TABLE blade.field.sortie TO everyone', /GRANT/],
    ['that is cut off', 'SELECT * FROM', /cannot be understood/],
    ['that reads a file', "SELECT * FROM read_csv('/etc/passwd')", /./],
    ['that reads a file as a table', "SELECT * FROM '/etc/passwd'", /./],
    ['that reads a table without its full name', 'SELECT * FROM sortie', /catalog\.schema\.table/],
    ['with a NUL', `${SELECT} WHERE item_id = 'a\0'`, /NUL/],
    ['with a positional parameter', `${SELECT} WHERE item_id = ?`, /named with a colon/],
  ])('for a query %s', (_what, sqlQuery, reason) =>
    expectQueryJobRefused({ sqlQuery }, 'input.sqlQuery', reason),
  );

  const WITH_PARAMETER = `${SELECT} WHERE departure_base = :base`;

  test('for a parameter without a value', () =>
    expectQueryJobRefused({ sqlQuery: WITH_PARAMETER }, 'input.parameters.base', /:base.*needs a value/));

  test('for a value without its parameter', () =>
    expectQueryJobRefused({ parameters: { base: 'EDW' } }, 'input.parameters.base', /does not use :base/));

  test.each([
    ['an object', { like: 'EDW' }],
    ['a list', ['EDW']],
  ])('for a value that is %s', (_what, base) =>
    expectQueryJobRefused(
      { sqlQuery: WITH_PARAMETER, parameters: { base } },
      'input.parameters.base',
      /a string, a number, a boolean or null/,
    ),
  );

  test.each([
    ['a NUL', 'a\0b'],
    ['half a character', 'a\ud800b'],
  ])('for a value that contains %s, which no database stores', (_what, base) =>
    expectQueryJobRefused(
      { sqlQuery: WITH_PARAMETER, parameters: { base } },
      'input.parameters.base',
      /NUL|U\+0000|surrogate|character/i,
    ),
  );

  test('for a whole number that would change when it is bound', () =>
    expectQueryJobRefused(
      { sqlQuery: WITH_PARAMETER, parameters: { base: 2 ** 53 } },
      'input.parameters.base',
      /loses digits.*as a string/,
    ));

  test('for a parameter called __proto__, which no query can use', () =>
    expectQueryJobRefused(
      { parameters: JSON.parse('{"__proto__":"EDW"}') },
      'input.parameters',
      /__proto__/,
    ));

  test.each([
    ['a NUL in a value', { note: 'a\0b' }],
    ['a NUL in a name', { 'a\0b': 'note' }],
    ['a NUL deep inside', { list: [{ note: 'a\0b' }] }],
    ['half a character', { note: 'a\ud800b' }],
    ['a key called __proto__', JSON.parse('{"__proto__":null}')],
    ['a key called __proto__ deep inside', JSON.parse('{"list":[{"__proto__":{"a":1}}]}')],
    ['more levels than an item may have', JSON.parse(`{"a":${'['.repeat(101)}${']'.repeat(101)}}`)],
    ['more than an item may hold', { note: 'x'.repeat(20_000_000) }],
  ])('for metadata with %s', (_what, metadata) =>
    expectQueryJobRefused({ catalogConfig: { metadata } }, 'input.catalogConfig.metadata', /./),
  );

  test.each([0, 10_001])('for batches of %i', (batchSize) =>
    expectQueryJobRefused({ options: { batchSize } }, 'input.options.batchSize', /1 to 10000/),
  );
});

describe('createDataSource and updateDataSource name the field at fault and save nothing', () => {
  test.each(['name', 'catalogName', 'schemaName', 'tableName', 'cursorColumn'] as const)(
    'for an empty %s',
    async (field) => {
      await expectSourceRefused({ [field]: '' }, `input.${field}`, /not be empty/);
      await expectSourceRefused({ [field]: '  \t' }, `input.${field}`, /not be empty/);
    },
  );

  test.each(['name', 'catalogName', 'schemaName', 'tableName', 'cursorColumn'] as const)(
    'for a %s with a NUL',
    (field) => expectSourceRefused({ [field]: 'a\0b' }, `input.${field}`, /NUL/),
  );

  test.each([
    ['name', 201],
    ['catalogName', 256],
    ['schemaName', 256],
    ['tableName', 256],
    ['cursorColumn', 256],
  ] as const)('for a %s of %i characters', (field, length) =>
    expectSourceRefused({ [field]: 'x'.repeat(length) }, `input.${field}`, /at most/),
  );

  test('for an unknown data type', () =>
    expectSourceRefused({ dataType: 'submarine' }, 'input.dataType', /no data type "submarine"/));

  test('for the name of another source', async () => {
    const { createDataSource } = await create({ name: 'Renamed' });
    if (createDataSource.__typename !== 'CreateDataSourceSuccess')
      throw new Error(createDataSource.__typename);
    const { id } = createDataSource.dataSource;
    const expected = {
      issues: [{ path: ['input', 'name'], message: 'another data source is called "Sorties"' }],
    };
    expect((await create({ name: 'Sorties' })).createDataSource).toMatchObject(expected);
    expect((await update({ id, name: ' Sorties ' })).updateDataSource).toMatchObject(expected);
    await application.client.send(DeleteDataSource, { input: { id } });
  });

  test.each(['name', 'dataType', 'catalogName', 'schemaName', 'tableName', 'enabled'] as const)(
    'for a change of the %s to null, which it cannot have',
    async (field) => {
      const before = await sources();
      expect((await update({ id: before[0].id, [field]: null })).updateDataSource).toMatchObject({
        issues: [{ path: ['input', field] }],
      });
      expect(await sources()).toEqual(before);
    },
  );

  test.each([
    ['cron', 'never'],
    ['cron', ''],
    ['cron', '* * * *'],
    ['cron', '0 * * * * *'],
    ['cron', '61 * * * *'],
    ['cron', '0 0 31 2 *'],
    ['cron', '@reboot'],
    ['timeZone', 'Mars/Olympus'],
    ['timeZone', ''],
  ])('for a schedule with the %s %j', (part, text) =>
    expectSourceRefused({ schedule: { cron: '0 2 * * *', [part]: text } }, `input.schedule.${part}`, /./),
  );

  test.each(['the first one', `Job:${UNKNOWN_ID}`])('for the id %s', async (id) => {
    expect((await update({ id })).updateDataSource).toMatchObject({
      issues: [{ path: ['input', 'id'], message: expect.stringMatching(/ids look like DataSource:/) }],
    });
  });

  test('and reports an unknown source', async () => {
    expect((await update({ id: `DataSource:${UNKNOWN_ID}` })).updateDataSource).toMatchObject({
      __typename: 'DataSourceNotFoundError',
      dataSourceId: `DataSource:${UNKNOWN_ID}`,
    });
  });
});

describe('a malformed id is an input error of the mutation', () => {
  const expected = (type: string, field = 'input.id') => ({
    __typename: 'InvalidInputError',
    message: expect.any(String),
    issues: [{ path: field.split('.'), message: expect.stringMatching(`ids look like ${type}:`) }],
  });
  const malformed = [
    '',
    'x',
    '12',
    'Job:',
    'DataSource:',
    'Job:x',
    `Item:${UNKNOWN_ID}`,
    `Job:${UNKNOWN_ID}0`,
  ];

  test.each([...malformed, `DataSource:${UNKNOWN_ID}`, "Job:' OR 1=1 --", 'Job:\0'])(
    'cancelJob and retryJob of %j',
    async (id) => {
      const { client } = application;
      expect((await client.send(CancelJob, { input: { id } })).cancelJob).toEqual(expected('Job'));
      for (const mode of ['ALL', 'FAILED_SOURCES', 'FAILED_ITEMS'] as const) {
        const { retryJob } = await client.send(RetryJob, { input: { id, mode } });
        expect(retryJob).toEqual(expected('Job', 'input.id'));
      }
    },
  );

  test.each([...malformed, `Job:${UNKNOWN_ID}`])('deleteDataSource and testDataSource of %j', async (id) => {
    const { client } = application;
    expect((await client.send(DeleteDataSource, { input: { id } })).deleteDataSource).toEqual(
      expected('DataSource'),
    );
    expect((await client.send(TestDataSource, { input: { id } })).testDataSource).toEqual(
      expected('DataSource'),
    );
  });
});

describe('an unknown id is an error that names it', () => {
  test.each([`Job:${UNKNOWN_ID}`, UNKNOWN_ID, UNKNOWN_ID.toUpperCase()])('of a job, as %s', async (id) => {
    const { client } = application;
    const error = { jobId: `Job:${UNKNOWN_ID}`, message: expect.stringContaining(UNKNOWN_ID) };
    expect((await client.send(CancelJob, { input: { id } })).cancelJob).toEqual({
      __typename: 'JobNotFoundError',
      ...error,
    });
    expect((await client.send(RetryJob, { input: { id, mode: 'ALL' } })).retryJob).toEqual({
      __typename: 'JobNotFoundError',
      ...error,
    });
  });

  test('of a data source', async () => {
    const { client } = application;
    const id = `DataSource:${UNKNOWN_ID}`;
    const error = {
      __typename: 'DataSourceNotFoundError',
      dataSourceId: id,
      message: expect.stringContaining(UNKNOWN_ID),
    };
    expect((await client.send(DeleteDataSource, { input: { id } })).deleteDataSource).toEqual(error);
    expect((await client.send(TestDataSource, { input: { id } })).testDataSource).toEqual(error);
  });
});

describe('a job without anything to work on is refused', () => {
  test('a sync of a data type without an enabled source', async () => {
    const { createDataSource } = await create({ name: 'Off', dataType: 'logistics', enabled: false });
    expect(createDataSource.__typename).toBe('CreateDataSourceSuccess');
    const { startSync } = await application.client.send(StartSync, {
      input: { syncType: 'FULL', dataType: 'logistics' },
    });
    expect(startSync).toEqual({
      __typename: 'NoDataSourceError',
      dataType: 'logistics',
      message: expect.stringContaining('logistics'),
    });
  });

  test('a sync while every source is disabled', async () => {
    await application.database.pool.query('update data_source set enabled = false');
    try {
      const { startSync } = await application.client.send(StartSync, { input: { syncType: 'FULL' } });
      expect(startSync).toEqual({
        __typename: 'NoDataSourceError',
        dataType: null,
        message: expect.stringContaining('createDataSource'),
      });
    } finally {
      await application.database.pool.query(`update data_source set enabled = true where name = 'Sorties'`);
    }
  });

  test('stopSync while no sync is active', async () => {
    const { stopSync } = await application.client.send(StopSync, {});
    expect(stopSync).toEqual({ __typename: 'NoActiveSyncError', message: 'no sync job is active' });
  });
});

/** A cursor as a client might make one up. */
function formatCursor(...parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

describe('a query with invalid input is an error with its code and its field', () => {
  const ofJobs = formatCursor('jobs', 'CREATED_AT DESC', '2026-01-01T00:00:00.000Z', UNKNOWN_ID);
  const ofItems = formatCursor('items', 'ID ASC', 'sortie', 'SRT-0000001');
  const ofNothing = formatCursor(12);

  test.each([
    ['a malformed id of a job', 'query { job(id: "x") { id } }', 'id'],
    ['the id of a source for a job', `query { job(id: "DataSource:${UNKNOWN_ID}") { id } }`, 'id'],
    ['a malformed id of a source', 'query { dataSource(id: "x") { id } }', 'id'],
    ['a malformed id of anything', 'query { node(id: "x") { id } }', 'id'],
    ['an id of anything that is of no type', `query { node(id: "Nothing:${UNKNOWN_ID}") { id } }`, 'id'],
    ['a malformed id of a job as anything', 'query { node(id: "Job:x") { id } }', 'id'],
    ['a malformed id of a partition', 'query { node(id: "JobPartition:x") { id } }', 'id'],
    ['a malformed id of a source as anything', 'query { node(id: "DataSource:x") { id } }', 'id'],
    ['a malformed id of an error', 'query { node(id: "JobError:x") { id } }', 'id'],
    ['an id of an error that is a number', 'query { node(id: "JobError:12") { id } }', 'id'],
    ['an id of an item without its parts', 'query { node(id: "BladeItem:sortie") { id } }', 'id'],
    ['an id of an item of one part', 'query { node(id: "BladeItem:[\\"sortie\\"]") { id } }', 'id'],
    ['an id of an item of numbers', 'query { node(id: "BladeItem:[1,2]") { id } }', 'id'],

    ['jobs after garbage', 'query { jobs(after: "garbage") { totalCount edges { cursor } } }', 'after'],
    ['jobs after nothing', 'query { jobs(after: "") { totalCount edges { cursor } } }', 'after'],
    ['jobs after an item', `query { jobs(after: "${ofItems}") { edges { cursor } } }`, 'after'],
    [
      'jobs after a place in another order',
      `query { jobs(orderBy: { field: CREATED_AT, direction: ASC }, after: "${ofJobs}") { edges { cursor } } }`,
      'after',
    ],
    [
      'jobs after a time that is none',
      `query { jobs(after: "${formatCursor('jobs', 'CREATED_AT DESC', 'yesterday', UNKNOWN_ID)}") { edges { cursor } } }`,
      'after',
    ],
    [
      'jobs after a time that the database does not know',
      `query { jobs(after: "${formatCursor('jobs', 'CREATED_AT DESC', '+275760-09-13T00:00:00.000Z', UNKNOWN_ID)}") { edges { cursor } } }`,
      'after',
    ],
    [
      'jobs after an id that is none',
      `query { jobs(after: "${formatCursor('jobs', 'CREATED_AT DESC', '2026-01-01T00:00:00.000Z', 'x')}") { edges { cursor } } }`,
      'after',
    ],
    [
      'jobs after a cursor of before lists were read by their keys',
      `query { jobs(after: "${Buffer.from(`GPC:S:${UNKNOWN_ID}`).toString('base64')}") { edges { cursor } } }`,
      'after',
    ],
    ['jobs before a number', `query { jobs(before: "${ofNothing}") { edges { cursor } } }`, 'before'],
    ['jobs from both ends', 'query { jobs(first: 1, last: 1) { edges { cursor } } }', 'last'],
    ['fewer than no jobs', 'query { jobs(first: -1) { edges { cursor } } }', 'first'],
    ['fewer than no last jobs', 'query { jobs(last: -1) { edges { cursor } } }', 'last'],
    [
      'jobs of a data type that there is not',
      'query { jobs(filter: { dataTypes: ["submarine"] }) { totalCount edges { cursor } } }',
      'filter.dataTypes',
    ],

    ['items after garbage', 'query { items(after: "garbage") { edges { cursor } } }', 'after'],
    ['items after a job', `query { items(after: "${ofJobs}") { edges { cursor } } }`, 'after'],
    ['items before a number', `query { items(before: "${ofNothing}") { edges { cursor } } }`, 'before'],
    [
      'items after a broken pair',
      `query { items(after: "${ofItems.slice(0, -3)}") { edges { cursor } } }`,
      'after',
    ],
    [
      'items after a pair of numbers',
      `query { items(after: "${formatCursor('items', 'ID ASC', 1, 2)}") { edges { cursor } } }`,
      'after',
    ],
    [
      'items after three',
      `query { items(after: "${formatCursor('items', 'ID ASC', 'a', 'b', 'c')}") { edges { cursor } } }`,
      'after',
    ],
    [
      'items after a NUL',
      `query { items(after: "${formatCursor('items', 'ID ASC', 'a', '\0')}") { edges { cursor } } }`,
      'after',
    ],
    ['items from both ends', 'query { items(first: 1, last: 1) { edges { cursor } } }', 'last'],
    ['fewer than no items', 'query { items(first: -1) { edges { cursor } } }', 'first'],
    [
      'items of a data type that there is not',
      'query { items(filter: { dataTypes: ["submarine"] }) { edges { cursor } } }',
      'filter.dataTypes',
    ],
    [
      'items of a malformed job',
      'query { items(filter: { jobId: "x" }) { edges { cursor } } }',
      'filter.jobId',
    ],
    [
      'items of a malformed source',
      'query { items(filter: { dataSourceId: "x" }) { edges { cursor } } }',
      'filter.dataSourceId',
    ],
    [
      'items whose id begins with a NUL',
      'query { items(filter: { itemIdPrefix: "\\u0000" }) { edges { cursor } } }',
      'filter.itemIdPrefix',
    ],
    [
      'items whose data holds a NUL',
      'query { items(filter: { data: { priority: "\\u0000" } }) { edges { cursor } } }',
      'filter.data',
    ],
    [
      'items whose data has a column with a NUL',
      'query { items(filter: { data: { priority: { a: ["\\u0000"] } } }) { edges { cursor } } }',
      'filter.data',
    ],
  ])('%s', async (_what, query, field) => {
    const { data, errors } = await application.client.sendRaw(query);
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringContaining(field),
        extensions: {
          code: 'BAD_USER_INPUT',
          issues: [
            {
              path: field.split('.'),
              code: expect.stringMatching(/^[A-Z_]+$/),
              message: expect.stringMatching(/\w/),
            },
          ],
        },
      }),
    ]);
    expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([]);
  });

  test.each([
    ['an item', 'query { item(dataType: "sortie", itemId: "\\u0000") { id } }', 'itemId'],
    ['an item of a data type', 'query { item(dataType: "\\u0000", itemId: "1") { id } }', 'dataType'],
    [
      'data sources',
      'query { dataSources(filter: { dataTypes: ["\\u0000"] }) { totalCount } }',
      'filter.dataTypes',
    ],
  ])('%s by a name with a NUL', async (_what, query, field) => {
    const { errors } = await application.client.sendRaw(query);
    expect(errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', issues: [{ path: field.split('.') }] } },
    ]);
  });
});

describe('a value that a scalar does not accept is refused by GraphQL, with HTTP 400', () => {
  test.each([
    '0001-01-01T00:00:00+23:59',
    '9999-12-31T23:59:59-23:59',
    '0000-01-01T00:00:00Z',
    '10000-01-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
  ])('the time %s', async (time) => {
    const { client } = application;
    const query = 'query ($time: DateTime) { jobs(filter: { createdAfter: $time }) { totalCount } }';
    for (const answer of [
      await client.sendRaw(query, { time }),
      await client.sendRaw(query.replace('($time: DateTime)', '').replace('$time', JSON.stringify(time))),
    ]) {
      expect(answer).toEqual({
        status: 400,
        errors: [expect.objectContaining({ message: expect.stringMatching(/DateTime/) })],
      });
    }
  });

  test.each(['JobFilter', 'DateTime', 'JSONObject', 'Int', 'String', 'ID', 'JobOrder'])(
    'lists in each other without measure, as %s',
    async (type) => {
      const { query, value } = DEEPLY_NESTED[type as keyof typeof DEEPLY_NESTED];
      const answer = await fetch(application.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
        body: `{"query":${JSON.stringify(query)},"variables":{"value":${value}}}`,
      });
      expect(answer.status).toBe(400);
      const { errors } = (await answer.json()) as { errors: { message: string }[] };
      expect(errors.map(({ message }) => message).join()).not.toMatch(/Unexpected error/);
    },
  );

  const LISTS = '['.repeat(20_000) + ']'.repeat(20_000);
  const DEEPLY_NESTED = {
    JobFilter: { query: 'query ($value: JobFilter) { jobs(filter: $value) { totalCount } }', value: LISTS },
    DateTime: {
      query: 'query ($value: DateTime) { jobs(filter: { createdAfter: $value }) { totalCount } }',
      value: LISTS,
    },
    JSONObject: {
      query: 'query ($value: JSONObject) { items(filter: { data: $value }) { totalCount } }',
      value: LISTS,
    },
    Int: { query: 'query ($value: Int) { jobs(first: $value) { totalCount } }', value: LISTS },
    String: { query: 'query ($value: String) { jobs(after: $value) { totalCount } }', value: LISTS },
    ID: { query: 'query ($value: ID!) { job(id: $value) { id } }', value: LISTS },
    JobOrder: { query: 'query ($value: JobOrder!) { jobs(orderBy: $value) { totalCount } }', value: LISTS },
  };
});

describe('a list of tens of thousands', () => {
  const many = <Value>(...values: Value[]) =>
    Array.from({ length: 40_000 }, (_, index) => values[index % values.length]);

  test.each([
    [
      'data types',
      'query ($list: [String!]) { items(filter: { dataTypes: $list }) { totalCount } }',
      many('sortie', 'logistics'),
    ],
    [
      'markings',
      'query ($list: [Marking!]) { items(filter: { classificationMarkings: $list }) { totalCount } }',
      many('S', 'U'),
    ],
    [
      'data types of jobs',
      'query ($list: [String!]) { jobs(filter: { dataTypes: $list }) { totalCount } }',
      many('sortie'),
    ],
    [
      'states',
      'query ($list: [JobState!]) { jobs(filter: { states: $list }) { totalCount } }',
      many('QUEUED', 'RUNNING'),
    ],
    ['kinds', 'query ($list: [JobKind!]) { jobs(filter: { kinds: $list }) { totalCount } }', many('SYNC')],
    [
      'outcomes',
      'query ($list: [AuditOutcome!]) { auditEntries(filter: { outcomes: $list }) { totalCount } }',
      many('DONE'),
    ],
  ])('%s, with few different values, is treated as those few', async (_what, query, list) => {
    const { status, data, errors } = await application.client.sendRaw(query, { list });
    expect(errors).toBeUndefined();
    expect(status).toBe(200);
    expect(Object.values(data ?? {})).toEqual([{ totalCount: expect.any(Number) }]);
  });

  test.each(['principalIds', 'operations'])('%s is too many', async (field) => {
    const type = field === 'operations' ? '[String!]' : '[ID!]';
    const { errors } = await application.client.sendRaw(
      `query ($list: ${type}) { auditEntries(filter: { ${field}: $list }) { totalCount } }`,
      { list: Array.from({ length: 40_000 }, (_, index) => String(index)) },
    );
    expect(errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', issues: [{ path: ['filter', field] }] } },
    ]);
  });
});

describe('entries of the audit', () => {
  test.each(['principalIds', 'operations'])('with a NUL in %s', async (field) => {
    const { errors } = await application.client.sendRaw(
      `query { auditEntries(filter: { ${field}: ["\\u0000"] }) { totalCount } }`,
    );
    expect(errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', issues: [{ path: ['filter', field] }] } },
    ]);
  });
});

describe('a page of the errors of a job with invalid input is an error, too', () => {
  const jobId = '01997f3e-8c1a-7000-8000-00000000000a';
  const ofItems = formatCursor('items', 'ID ASC', 'sortie', 'SRT-0000001');

  beforeAll(async () => {
    await application.database.pool.query(
      `insert into job (id, kind, data_type, sql_query, state, outcome, started_at, finished_at, total_items)
       values ($1, 'QUERY', 'sortie', 'SELECT 1', 'COMPLETED', 'SUCCEEDED', now(), now(), 0)`,
      [jobId],
    );
  });

  test.each([
    ['after garbage', 'after: "garbage"', 'after'],
    ['after an item', `after: "${ofItems}"`, 'after'],
    ['after an id that is none', `after: "${formatCursor('errors', 'CREATED_AT ASC', '1.5')}"`, 'after'],
    ['before a number', `before: "${formatCursor('errors', 'CREATED_AT ASC', 12)}"`, 'before'],
    ['from both ends', 'first: 1, last: 1', 'last'],
    ['of fewer than none', 'first: -1', 'first'],
  ])('%s', async (_what, page, field) => {
    const { errors } = await application.client.sendRaw(
      `query { job(id: "${jobId}") { id errors(${page}) { edges { cursor } } } }`,
    );
    expect(errors).toEqual([
      expect.objectContaining({
        message: expect.stringContaining(field),
        extensions: {
          code: 'BAD_USER_INPUT',
          issues: [
            {
              path: field.split('.'),
              code: expect.stringMatching(/^[A-Z_]+$/),
              message: expect.stringMatching(/\w/),
            },
          ],
        },
      }),
    ]);
  });
});

describe('if only some schemas may be read', () => {
  let limited: TestApplication;

  beforeAll(async () => {
    limited = await startTestApplication({ BLADE_ROLES: 'api', BLADE_ALLOWED_SCHEMAS: 'blade.open' });
  });

  afterAll(() => limited.close());

  const refusal = (field: string) => ({
    __typename: 'InvalidInputError',
    issues: [
      {
        path: field.split('.'),
        message: expect.stringMatching(/blade\.field\.sortie cannot be read here.*blade\.open/),
      },
    ],
  });

  test.each([SELECT, `WITH x AS (${SELECT}) SELECT * FROM x`, `SELECT 1 AS one WHERE EXISTS (${SELECT})`])(
    'a query job of another is refused: %s',
    async (sqlQuery) => {
      const { startQueryJob } = await limited.client.send(StartQueryJob, {
        input: { dataType: 'sortie', sqlQuery },
      });
      expect(startQueryJob).toMatchObject(refusal('input.sqlQuery'));
    },
  );

  test('a data source of another schema is refused', async () => {
    const table = { catalogName: 'blade', schemaName: 'field', tableName: 'sortie' };
    const { createDataSource } = await limited.client.send(CreateDataSource, {
      input: { name: 'Sorties', dataType: 'sortie', ...table },
    });
    expect(createDataSource).toMatchObject(refusal('input.schemaName'));
  });

  test('a data source that was saved before that limit is not read', async () => {
    await writeRows(limited.warehouseFolder, 'sortie', [{ item_id: 'a' }]);
    const { rows } = await limited.database.pool.query<{ id: string }>(
      `insert into data_source (id, name, data_type, catalog_name, schema_name, table_name, updated_at)
       values (gen_random_uuid(), 'Old', 'sortie', 'blade', 'field', 'sortie', now()) returning id`,
    );
    const { testDataSource } = await limited.client.send(TestDataSource, {
      input: { id: rows[0]?.id ?? '' },
    });
    expect(testDataSource).toMatchObject({
      isReadable: false,
      problem: expect.stringMatching(/cannot be read here/),
    });
  });
});
