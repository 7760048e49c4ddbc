import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { CreateDataSourceInput, JobFactsFragment } from '../generated/graphql.ts';
import { readLog } from '../support/job-events.ts';
import { test } from '../support/on-server.ts';
import {
  AcceptSchemaChange,
  JobErrors,
  SchemaReads,
  TestDataSource,
  UpdateDataSource,
} from '../support/operations.ts';
import { addSource, forgetAll, storedItems, writeQuery, writeRows, writeText } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterEach(() => forgetAll(application));

afterAll(() => application.close());

const write = (columns: string, table = 'sortie') =>
  writeQuery(application.warehouseFolder, table, `SELECT ${columns} FROM range(5) AS r(n)`);

const ID = `'S-' || n AS item_id`;
const CURSOR = 'n AS updated_at';

async function sync(input: object = {}): Promise<JobFactsFragment> {
  const { id } = await application.client.startSync({ syncType: 'INCREMENTAL', ...input });
  return application.client.waitForEnd(id);
}

async function findSource(id: string) {
  const { dataSource } = await application.client.send(SchemaReads, { id });
  if (!dataSource) throw new Error('the source is gone');
  return dataSource;
}

const add = (input: Partial<CreateDataSourceInput> = {}) =>
  addSource(application, { cursorColumn: 'updated_at', ...input });

const accept = (id: string) => application.client.send(AcceptSchemaChange, { input: { id } });

const readMessages = async ({ id }: { id: string }) =>
  (await readLog(application.client, id)).map(({ message }) => message);

test('a source shows the columns of its table, and what has changed in them since the last sync', async () => {
  await write(`${ID}, ${CURSOR}, 1::INTEGER AS a, {x: 1, y: 'one'} AS nested, 'old' AS b`);
  const source = await add();
  expect(await findSource(source)).toMatchObject({ schema: null, schemaChanges: null });
  expect(await sync()).toMatchObject({ outcome: 'SUCCEEDED' });
  expect(await findSource(source)).toMatchObject({
    onSchemaChange: 'CONTINUE',
    schemaChanges: null,
    schema: [
      { name: 'item_id', type: 'STRING', comment: null, isNullable: null },
      { name: 'updated_at', type: 'BIGINT' },
      { name: 'a', type: 'INT' },
      { name: 'nested', type: 'STRUCT<x: INT, y: STRING>' },
      { name: 'b', type: 'STRING' },
    ],
  });

  await write(`${ID}, ${CURSOR}, 1.5::DOUBLE AS A, {x: 1, y: 'one', z: true} AS nested, 'new' AS c`);
  const { testDataSource } = await application.client.send(TestDataSource, { input: { id: source } });
  expect(testDataSource).toMatchObject({
    warnings: [
      expect.stringMatching(/^the schema has changed since the last sync: A changed from INT to DOUBLE, /),
    ],
  });
  const job = await sync();
  expect(job).toMatchObject({ outcome: 'SUCCEEDED' });
  const changes = [
    { kind: 'RETYPED', column: 'A', type: 'INT', newType: 'DOUBLE', message: 'A changed from INT to DOUBLE' },
    {
      kind: 'RETYPED',
      column: 'nested',
      type: 'STRUCT<x: INT, y: STRING>',
      newType: 'STRUCT<x: INT, y: STRING, z: BOOLEAN>',
    },
    { kind: 'DROPPED', column: 'b', type: 'STRING', newType: null },
    { kind: 'ADDED', column: 'c', type: 'STRING', newName: null },
  ];
  expect((await findSource(source)).schemaChanges).toMatchObject({ isStopped: false, changes });
  expect(await readMessages(job)).toContainEqual(
    'The schema of Sorties has changed: A changed from INT to DOUBLE, nested changed from STRUCT<x: INT, y: STRING> to STRUCT<x: INT, y: STRING, z: BOOLEAN>, b STRING dropped, c STRING added',
  );

  // The next sync compares with this one. What was found stays to be seen.
  const next = await sync({ syncType: 'FULL' });
  expect(await readMessages(next)).not.toContainEqual(expect.stringContaining('schema'));
  expect(await findSource(source)).toMatchObject({
    schemaChanges: { changes },
    schema: [{}, {}, { name: 'A', type: 'DOUBLE' }, {}, { name: 'c' }],
  });
});

test('a sync that does not complete leaves the changes to the next one', async () => {
  await write(`${ID}, ${CURSOR}`);
  const source = await add();
  await sync();
  await write(`${ID}, ${CURSOR}, 1 AS flight_hours, 'NO MARKING' AS classification_marking`);
  const failed = await sync({ options: { maxErrors: 0 } });
  expect(failed).toMatchObject({ state: 'FAILED' });
  expect(await readMessages(failed)).toContainEqual(expect.stringMatching(/flight_hours INT added/));
  expect(await findSource(source)).toMatchObject({ schema: [{}, {}] });
  const next = await sync();
  expect(await readMessages(next)).toContainEqual(expect.stringMatching(/flight_hours INT added/));
});

test('a source that pauses reads nothing of a changed table until that is accepted, and other sources go on', async () => {
  await write(`${ID}, ${CURSOR}`);
  await write(`'O-' || n AS item_id`, 'other');
  const source = await add({ onSchemaChange: 'PAUSE' });
  await addSource(application, { name: 'Others', tableName: 'other' });
  expect(await sync()).toMatchObject({ outcome: 'SUCCEEDED' });

  await write(`${ID}, n + 10 AS updated_at, true AS extra`);
  await write(`'P-' || n AS item_id`, 'other');
  const job = await sync();
  expect(job).toMatchObject({ state: 'FAILED', outcome: 'SOURCES_FAILED', progress: { successCount: 5 } });
  expect((await storedItems(application)).map(({ itemId }) => itemId)).toContain('P-4');
  const stopped = {
    watermark: '4',
    lastSyncState: 'FAILED',
    lastSyncMessage:
      'The schema of the table has changed: extra BOOLEAN added. Nothing was read, because onSchemaChange of the source is PAUSE: run acceptSchemaChange for the source, and sync it again.',
    schema: [{ name: 'item_id' }, { name: 'updated_at' }],
    schemaChanges: { isStopped: true, changes: [{ kind: 'ADDED', column: 'extra' }] },
  };
  expect(await findSource(source)).toMatchObject(stopped);
  expect(await readMessages(job)).toContainEqual(
    'The schema of Sorties has changed: extra BOOLEAN added. Nothing of it is read',
  );
  const { job: errors } = await application.client.send(JobErrors, { id: job.id });
  expect(errors?.errors.edges).toMatchObject([{ node: { stage: 'READ' } }]);

  // It stays stopped, also if another column comes after what was accepted.
  await sync();
  expect(await findSource(source)).toMatchObject(stopped);
  await accept(source);
  expect(await findSource(source)).toMatchObject({
    schema: [{}, {}, { name: 'extra' }],
    schemaChanges: { isStopped: false },
  });
  await write(`${ID}, n + 10 AS updated_at, true AS extra, 1 AS more`);
  expect(await sync()).toMatchObject({ outcome: 'SOURCES_FAILED' });
  expect((await findSource(source)).schemaChanges).toMatchObject({ changes: [{ column: 'more' }] });
  await accept(source);
  expect(await sync()).toMatchObject({ outcome: 'SUCCEEDED' });
  expect(await findSource(source)).toMatchObject({ watermark: '14', lastSyncMessage: null });
});

test('a stopped source goes on by itself once its table is as it was, or once it shall continue', async () => {
  await write(`${ID}, ${CURSOR}`);
  const source = await add({ onSchemaChange: 'PAUSE' });
  await sync();
  await write(`${ID}, ${CURSOR}, true AS extra`);
  expect(await sync()).toMatchObject({ state: 'FAILED' });
  await write(`${ID}, ${CURSOR}`);
  expect(await sync()).toMatchObject({ outcome: 'SUCCEEDED' });
  expect(await findSource(source)).toMatchObject({ schemaChanges: null, schema: [{}, {}] });

  await write(`${ID}, ${CURSOR}, true AS extra`);
  expect(await sync()).toMatchObject({ state: 'FAILED' });
  await application.client.send(UpdateDataSource, { input: { id: source, onSchemaChange: 'CONTINUE' } });
  expect(await sync()).toMatchObject({ outcome: 'SUCCEEDED' });
  expect(await findSource(source)).toMatchObject({
    schemaChanges: { isStopped: false },
    schema: [{}, {}, { name: 'extra' }],
  });
});

test.for([
  [
    'a dropped cursor column',
    `${ID}, n AS other`,
    /no cursor column updated_at any more: bring it back, or set cursorColumn of the source to another column or to null/,
  ],
  [
    'a retyped cursor column',
    `${ID}, n::VARCHAR AS updated_at`,
    /cursor column updated_at was BIGINT and is now STRING: if it still grows/,
  ],
  [
    'a dropped id column',
    `${CURSOR}, 'M' AS mission_id`,
    /no column item_id any more, which identifies its items/,
  ],
  [
    'a retyped id column',
    `n AS item_id, ${CURSOR}`,
    /item_id, which identifies the items, was STRING and is now BIGINT/,
  ],
] as const)(
  '%s stops the source whatever it does else, and says what to do',
  async ([, columns, message]) => {
    await write(`${ID}, ${CURSOR}`);
    const source = await add();
    await sync();
    const before = await storedItems(application);
    await write(columns);
    for (const syncType of ['FULL', 'INCREMENTAL'])
      expect(await sync({ syncType })).toMatchObject({ outcome: 'NOTHING_SUCCEEDED' });
    expect(await findSource(source)).toMatchObject({
      lastSyncMessage: expect.stringMatching(message),
      watermark: '4',
      schemaChanges: { isStopped: true },
    });
    expect(await storedItems(application)).toEqual(before);
    await accept(source);
    expect(await sync({ syncType: 'FULL' })).toMatchObject({ outcome: 'SUCCEEDED' });
  },
);

test('another cursor column lets a source go on whose cursor column was dropped', async () => {
  await write(`${ID}, ${CURSOR}`);
  const source = await add();
  await sync();
  await write(`${ID}, n AS changed_at`);
  expect(await sync()).toMatchObject({ outcome: 'NOTHING_SUCCEEDED' });
  await application.client.send(UpdateDataSource, { input: { id: source, cursorColumn: 'changed_at' } });
  expect(await sync()).toMatchObject({ outcome: 'SUCCEEDED' });
  expect(await findSource(source)).toMatchObject({ watermark: '4', schemaChanges: { isStopped: false } });
});

test('types that are inferred from the cells of text files are no schema, and an empty file says nothing about its columns', async () => {
  const { warehouseFolder } = application;
  await writeText(warehouseFolder, 'sortie.csv', 'item_id,flight_hours\nS-1,1\n');
  const source = await addSource(application, { onSchemaChange: 'PAUSE' });
  await sync();
  expect((await findSource(source)).schema).toMatchObject([{ type: 'STRING' }, { type: 'BIGINT' }]);
  await writeText(warehouseFolder, 'sortie.csv', 'item_id,flight_hours\n7,1.5\n');
  expect(await sync()).toMatchObject({ outcome: 'SUCCEEDED' });
  await writeText(warehouseFolder, 'sortie.csv', 'item_id\n7\n');
  expect(await sync()).toMatchObject({ outcome: 'NOTHING_SUCCEEDED' });
  expect((await findSource(source)).schemaChanges).toMatchObject({
    changes: [{ kind: 'DROPPED', column: 'flight_hours' }],
  });

  await writeRows(warehouseFolder, 'sortie', [{ item_id: 'S-1', flight_hours: 1 }]);
  expect(await sync()).toMatchObject({ outcome: 'SUCCEEDED' });
  await writeRows(warehouseFolder, 'sortie', []);
  await sync();
  expect(await findSource(source)).toMatchObject({ schemaChanges: null, schema: [{}, {}] });
});

test('another table is not compared with the one before', async () => {
  await write(`${ID}, ${CURSOR}`);
  const source = await add({ onSchemaChange: 'PAUSE' });
  await sync();
  await write(`n AS item_id, ${CURSOR}, true AS extra`, 'other');
  await application.client.send(UpdateDataSource, { input: { id: source, tableName: 'other' } });
  expect(await findSource(source)).toMatchObject({ schema: null, schemaChanges: null });
  expect(await sync()).toMatchObject({ outcome: 'SUCCEEDED' });
});

test('accepting a schema that stops nothing changes nothing', async () => {
  await write(`${ID}, ${CURSOR}`);
  const source = await add();
  await sync();
  const before = await findSource(source);
  const { acceptSchemaChange } = await accept(source);
  expect(acceptSchemaChange).toMatchObject({ __typename: 'AcceptSchemaChangeSuccess' });
  expect(await findSource(source)).toEqual(before);
});
