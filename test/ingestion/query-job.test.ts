import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import type { JobFactsFragment, StartQueryJobInput } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import { JobErrors } from '../support/operations.ts';
import {
  addSource,
  catalogContent,
  forgetAll,
  storedItems,
  uploadedContent,
  writeQuery,
} from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
  await writeQuery(
    application.warehouseFolder,
    'sortie',
    `SELECT 'S-' || i AS item_id, i * 1.5::DOUBLE AS flight_hours, i % 2 = 0 AS night, NULL::VARCHAR AS note,
       'secret' AS classification_marking, 'T-' || i % 3 AS aircraft_tail FROM range(1, 10) AS t(i)`,
  );
  await writeQuery(
    application.warehouseFolder,
    'aircraft',
    `SELECT 'T-' || i AS tail, 'C-' || (130 + i) AS type FROM range(3) AS t(i)`,
  );
});

beforeEach(() => addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' }));

afterEach(() => forgetAll(application));

afterAll(() => application.close());

async function run(input: Omit<StartQueryJobInput, 'dataType'>): Promise<JobFactsFragment> {
  const { id } = await application.client.startQueryJob({ dataType: 'sortie', ...input });
  return application.client.waitForEnd(id);
}

async function itemIds(): Promise<string[]> {
  return (await storedItems(application)).map(({ itemId }) => itemId);
}

describe('the parameters of a query', () => {
  test.each([
    ['text', 'item_id = :value', 'S-3', ['S-3']],
    ['text that looks like SQL', 'item_id = :value', `' OR '1' = '1`, []],
    ['a whole number', 'flight_hours > :value', 12, ['S-9']],
    ['a fraction', 'flight_hours = :value', 4.5, ['S-3']],
    ['true', 'night = :value', true, ['S-2', 'S-4', 'S-6', 'S-8']],
    ['nothing', "coalesce(:value, item_id) = 'S-1'", null, ['S-1']],
  ])('are bound: %s', async (_name, condition, value, expected) => {
    const job = await run({
      sqlQuery: `SELECT * FROM blade.field.sortie WHERE ${condition}`,
      parameters: { value },
    });
    expect(job).toMatchObject({ state: 'COMPLETED', progress: { totalItems: expected.length } });
    expect(await itemIds()).toEqual(expected);
  });

  test('may be several, and be used more than once', async () => {
    await run({
      sqlQuery: 'SELECT * FROM blade.field.sortie WHERE item_id IN (:one, :other) OR aircraft_tail = :one',
      parameters: { one: 'S-1', other: 'S-2' },
    });
    expect(await itemIds()).toEqual(['S-1', 'S-2']);
  });
});

describe('the items of a query job', () => {
  test('carry its classification in place of their own, and its id, time and metadata', async () => {
    const job = await run({
      sqlQuery: `SELECT * FROM blade.field.sortie WHERE item_id = 'S-1'`,
      catalogConfig: {
        classification: 'TOP_SECRET',
        metadata: { reason: 'exercise', deep: { list: [1, 'a'] } },
      },
    });
    const items = await storedItems(application);
    expect(items).toMatchObject([
      {
        itemId: 'S-1',
        marking: 'TOP SECRET',
        data: { classification_marking: 'secret' },
      },
    ]);
    expect(items[0]?.metadata).toEqual({
      data_source: 'Sorties',
      query_job_id: job.id.slice('Job:'.length),
      query_time: job.startedAt,
      reason: 'exercise',
      deep: { list: [1, 'a'] },
    });
    expect(await catalogContent(application)).toEqual(uploadedContent(items));
  });

  test('carry their own marking where the job has none', async () => {
    await run({ sqlQuery: `SELECT * FROM blade.field.sortie WHERE item_id = 'S-1'` });
    expect(await storedItems(application)).toMatchObject([{ marking: 'SECRET' }]);
  });

  test('may have metadata of their own in place of what the job gives by itself', async () => {
    await run({
      sqlQuery: `SELECT 'S-1' AS item_id`,
      catalogConfig: { metadata: { query_job_id: 'mine', data_source: 'mine, too' } },
    });
    expect((await storedItems(application))[0]?.metadata).toMatchObject({
      query_job_id: 'mine',
      data_source: 'mine, too',
    });
  });

  test('belong to the data type that it names, whatever table they are from', async () => {
    const { id } = await application.client.startQueryJob({
      dataType: 'logistics',
      sqlQuery: `SELECT item_id FROM blade.field.sortie WHERE item_id = 'S-2'`,
    });
    await application.client.waitForEnd(id);
    expect(await storedItems(application)).toMatchObject([
      { dataType: 'logistics', itemId: 'S-2', marking: 'UNCLASSIFIED' },
    ]);
    expect((await storedItems(application))[0]?.metadata).not.toHaveProperty('data_source');
  });
});

test.each([
  [
    'a common table expression',
    `WITH night AS (SELECT * FROM blade.field.sortie WHERE night) SELECT * FROM night WHERE flight_hours > 8`,
    ['S-6', 'S-8'],
  ],
  [
    'a join',
    `SELECT s.item_id, a.type AS aircraft_type FROM blade.field.sortie AS s
       JOIN blade.field.aircraft AS a ON a.tail = s.aircraft_tail WHERE a.type = 'C-131'`,
    ['S-1', 'S-4', 'S-7'],
  ],
  [
    'groups',
    'SELECT aircraft_tail AS item_id, sum(flight_hours) AS flight_hours FROM blade.field.sortie GROUP BY aircraft_tail',
    ['T-0', 'T-1', 'T-2'],
  ],
  [
    'an order and a limit',
    'SELECT * FROM blade.field.sortie ORDER BY flight_hours DESC LIMIT 2',
    ['S-8', 'S-9'],
  ],
])('a query may have %s', async (_name, sqlQuery, expected) => {
  expect(await run({ sqlQuery })).toMatchObject({
    state: 'COMPLETED',
    progress: { successCount: expected.length },
  });
  expect(await itemIds()).toEqual(expected);
});

test('a query whose order is by chance is run to its end like any other', async () => {
  const job = await run({
    sqlQuery: 'SELECT * FROM blade.field.sortie ORDER BY rand() LIMIT 5',
    options: { batchSize: 1 },
  });
  expect(job).toMatchObject({ state: 'COMPLETED', progress: { totalItems: 5, successCount: 5 } });
  expect(await itemIds()).toHaveLength(5);
});

test('a query of more rows than a batch has knows its total before they are all in', async () => {
  const job = await run({
    sqlQuery: `SELECT 'S-' || CAST(id AS STRING) AS item_id, 'many' AS flight_hours FROM range(95)`,
    options: { batchSize: 10, maxErrors: 0 },
  });
  expect(job).toMatchObject({ state: 'FAILED', progress: { totalItems: 95 } });
  expect(job.progress.processedItems).toBeLessThan(95);
});

test('a query of no rows completes', async () => {
  const job = await run({ sqlQuery: 'SELECT * FROM blade.field.sortie WHERE flight_hours > 1000' });
  expect(job).toMatchObject({
    state: 'COMPLETED',
    progress: { percent: 100, totalItems: 0, processedItems: 0, currentOperation: 'Query job completed' },
  });
});

describe('a query that the warehouse cannot run', () => {
  test.each([
    [
      'for a table that there is not',
      'SELECT * FROM blade.field.nothing WHERE a = :secret',
      'blade.field.nothing',
    ],
    ['for a column that there is not', 'SELECT * FROM blade.field.sortie WHERE nothing = :secret', 'nothing'],
    ['for a value that does not fit', 'SELECT CAST(:secret AS INT) AS item_id FROM blade.field.sortie', ''],
    [
      'in the middle of its rows',
      `SELECT item_id, CAST(CASE WHEN flight_hours > 13 THEN :secret ELSE '1' END AS INT) AS flight_hours
         FROM blade.field.sortie`,
      '',
    ],
  ])('%s is FAILED with the reason, which holds no parameter', async (_name, sqlQuery, reason) => {
    const job = await run({ sqlQuery, parameters: { secret: 'hunter2-value' } });
    expect(job).toMatchObject({
      state: 'FAILED',
      progress: { errorCount: 0, successCount: 0 },
      recentErrors: [expect.stringContaining(reason)],
    });
    expect(job.failureReason).toMatch(/^(Sorties|blade\.field\.nothing): .+/);
    const { job: withErrors } = await application.client.send(JobErrors, { id: job.id });
    expect(withErrors?.errors.edges).toMatchObject([{ node: { stage: 'READ', row: null } }]);
    expect(JSON.stringify([job, withErrors])).not.toContain('hunter2');
  });
});

describe('the source that a query job belongs to', () => {
  const SELECT_SORTIES = 'SELECT item_id FROM blade.field.sortie';

  async function runPartition(sqlQuery: string) {
    const job = await run({ sqlQuery });
    const { rows } = await application.database.pool.query(
      `select p.source_name as name, s.name as source, i.metadata ->> 'data_source' as stated, j.name as item_source
       from job_partition p left join data_source s on s.id = p.data_source_id
       left join blade_item i on i.job_id = p.job_id left join data_source j on j.id = i.data_source_id
       where p.job_id = $1 limit 1`,
      [job.id.slice('Job:'.length)],
    );
    return { job, ...rows[0] };
  }

  test.each([
    ['its table', SELECT_SORTIES],
    ['in other case, and quoted', 'SELECT item_id FROM BLADE.Field.`SORTIE`'],
    ['under an alias, in a subquery', 'SELECT x.item_id FROM (SELECT * FROM blade.field.sortie AS s) AS x'],
    [
      'in a WITH that is named like another table',
      'WITH aircraft AS (SELECT * FROM blade.field.sortie) SELECT item_id FROM aircraft',
    ],
    [
      'joined with a table of no source',
      'SELECT s.item_id FROM blade.field.sortie AS s JOIN blade.field.aircraft AS a ON a.tail = s.aircraft_tail',
    ],
    [
      'in a condition alone',
      'SELECT tail AS item_id FROM blade.field.aircraft WHERE tail IN (SELECT aircraft_tail FROM blade.field.sortie)',
    ],
    ['twice', `${SELECT_SORTIES} UNION ALL ${SELECT_SORTIES}`],
  ])('is the one whose table it reads: %s', async (_name, sqlQuery) => {
    await addSource(application, { name: 'A first one', tableName: 'elsewhere' });
    expect(await runPartition(sqlQuery)).toMatchObject({
      ...{ name: 'Sorties', source: 'Sorties', stated: 'Sorties', item_source: 'Sorties' },
      job: { outcome: 'SUCCEEDED' },
    });
  });

  test.each([
    [
      'reads a table of no source',
      'SELECT tail AS item_id FROM blade.field.aircraft',
      'blade.field.aircraft',
    ],
    [
      'only names its table in a WITH',
      'WITH sortie AS (SELECT tail AS item_id FROM blade.field.aircraft) SELECT item_id FROM sortie',
      'blade.field.aircraft',
    ],
    ['reads no table', `SELECT 'X-1' AS item_id`, 'a query without tables'],
  ])('is none if it %s, and its partition names the tables', async (_name, sqlQuery, name) => {
    expect(await runPartition(sqlQuery)).toMatchObject({
      ...{ name, source: null, stated: null, item_source: null },
      job: { outcome: 'SUCCEEDED' },
    });
  });

  test('is none if its tables belong to several, or one table to several', async () => {
    await addSource(application, { name: 'Night sorties' });
    expect(await runPartition(SELECT_SORTIES)).toMatchObject({ name: 'blade.field.sortie', source: null });
  });

  test('has nothing to do with its failure if the table is not its', async () => {
    const job = await run({ sqlQuery: 'SELECT missing FROM blade.field.aircraft' });
    expect(job).toMatchObject({ state: 'FAILED', outcome: 'NOTHING_SUCCEEDED' });
    expect(job.failureReason).toMatch(/^blade\.field\.aircraft: /);
  });

  test('is not needed', async () => {
    await application.database.pool.query('delete from data_source');
    expect(await run({ sqlQuery: SELECT_SORTIES })).toMatchObject({ outcome: 'SUCCEEDED' });
    // A sync of a source that is added later takes the items over.
    await addSource(application);
    const { id } = await application.client.startSync({ syncType: 'FULL' });
    await application.client.waitForEnd(id);
    expect((await storedItems(application))[0]?.metadata).toMatchObject({ data_source: 'Sorties' });
  });
});
