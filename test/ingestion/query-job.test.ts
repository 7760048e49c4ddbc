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
        classification: ' top secret ',
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
    await addSource(application, { name: 'Supply', dataType: 'logistics', tableName: 'none' });
    const { id } = await application.client.startQueryJob({
      dataType: 'logistics',
      sqlQuery: `SELECT item_id FROM blade.field.sortie WHERE item_id = 'S-2'`,
    });
    await application.client.waitForEnd(id);
    expect(await storedItems(application)).toMatchObject([
      { dataType: 'logistics', itemId: 'S-2', marking: 'UNCLASSIFIED', metadata: { data_source: 'Supply' } },
    ]);
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
    expect(job.failureReason).toMatch(/^Sorties: .+/);
    const { job: withErrors } = await application.client.send(JobErrors, { id: job.id });
    expect(withErrors?.errors.edges).toMatchObject([{ node: { stage: 'READ', row: null } }]);
    expect(JSON.stringify([job, withErrors])).not.toContain('hunter2');
  });
});
