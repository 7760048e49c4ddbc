import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { test } from '../support/on-server.ts';
import { addSource, forgetAll, removeTable, storedItems, writeQuery, writeText } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterEach(() => forgetAll(application));

afterAll(() => application.close());

async function addNumbers(...cursors: readonly (string | number)[]): Promise<string> {
  await writeNumbers(...cursors);
  return addSource(application, { cursorColumn: 'seq' });
}

async function writeNumbers(...cursors: readonly (string | number)[]): Promise<void> {
  await removeTable(application.warehouseFolder, 'sortie');
  const lines = ['item_id,seq', ...cursors.map((cursor, index) => `S-${index},${cursor}`), ''];
  await writeText(application.warehouseFolder, 'sortie.csv', lines.join('\n'));
}

async function sync() {
  const { id } = await application.client.startSync({ syncType: 'INCREMENTAL' });
  return application.client.waitForEnd(id);
}

async function setWatermark(id: string, value: string | null, expected: string | null) {
  const { data } = await application.client.sendRaw(
    `mutation ($input: SetWatermarkInput!) {
      setWatermark(input: $input) {
        __typename
        ... on SetWatermarkSuccess { dataSource { watermark } }
        ... on UserError { message }
      }
    }`,
    { input: { id, value, expected } },
  );
  return data?.setWatermark;
}

test('an admin sets a watermark back, and the next sync reads from there', async () => {
  const id = await addNumbers(8, 9, 10);
  await sync();
  expect(await setWatermark(id, '9', '10')).toEqual({
    __typename: 'SetWatermarkSuccess',
    dataSource: { watermark: '9' },
  });
  expect(await sync()).toMatchObject({ progress: { totalItems: 2 } });
  expect(await setWatermark(id, null, '10')).toMatchObject({ dataSource: { watermark: null } });
  expect(await sync()).toMatchObject({ progress: { totalItems: 3 } });
  const { rows } = await application.database.pool.query(
    "select outcome, details from audit_entry where operation = 'setWatermark' order by id",
  );
  expect(rows).toEqual([
    { outcome: 'DONE', details: { name: 'Sorties', from: '10', to: '9' } },
    { outcome: 'DONE', details: { name: 'Sorties', from: '10', to: null } },
  ]);
  expect(await storedItems(application)).toHaveLength(3);
});

test('a watermark that somebody else has changed is not overwritten', async () => {
  const id = await addNumbers(8, 9);
  await sync();
  expect(await setWatermark(id, '1', '8')).toMatchObject({ __typename: 'WatermarkChangedError' });
  expect(await setWatermark(id, '1', null)).toMatchObject({ __typename: 'WatermarkChangedError' });
});

test('a watermark of another type is refused', async () => {
  const id = await addNumbers(8, 9);
  await sync();
  expect(await setWatermark(id, 'unknown', '9')).toEqual({
    __typename: 'InvalidInputError',
    message: expect.stringContaining('the watermark of this source is a BIGINT, and "unknown" is none'),
  });
});

test.for([
  ['bigint', '7', '9223372036854775808'],
  ['integer', '-7', '5000000000'],
  ['date', '2024-02-29', '2024-02-30'],
  ['timestamptz', '2024-02-29T08:30:00Z', 'garbage'],
  ['decimal(5, 2)', '-12.50', '1234.5'],
  ['double', '1.5', '1e999'],
] as const)(
  'the first watermark of a %s is of that type: %s is one, %s is refused',
  async ([type, good, bad]) => {
    await writeQuery(application.warehouseFolder, 'sortie', `select 'S-1' as item_id, null::${type} as seq`);
    const id = await addSource(application, { cursorColumn: 'seq' });
    expect(await setWatermark(id, bad, null)).toMatchObject({
      __typename: 'InvalidInputError',
      message: expect.stringContaining(`${JSON.stringify(bad)} is none`),
    });
    expect(await setWatermark(id, good, null)).toMatchObject({ dataSource: { watermark: good } });
  },
);

test('a watermark of a source without a cursor, or whose table is gone, is refused with the reason', async () => {
  await writeNumbers(8);
  const id = await addSource(application);
  expect(await setWatermark(id, '8', null)).toMatchObject({
    message: expect.stringContaining('has no cursor column'),
  });
  await forgetAll(application);
  const gone = await addNumbers(8);
  await removeTable(application.warehouseFolder, 'sortie');
  expect(await setWatermark(gone, '8', null)).toMatchObject({
    message: expect.stringContaining(
      'cannot be checked, because the table cannot be read: There is no table',
    ),
  });
});

test('a first watermark of texts that the column cannot be compared with is not used, and the source says so', async () => {
  const id = await addNumbers(8, 9, 10, 'x');
  expect(await setWatermark(id, 'garbage', null)).toMatchObject({ dataSource: { watermark: 'garbage' } });
  expect(await sync()).toMatchObject({ progress: { totalItems: 4 } });
  const { data } = await application.client.sendRaw(
    'query ($id: ID!) { dataSource(id: $id) { watermark lastSyncMessage } }',
    { id },
  );
  expect(data?.dataSource).toEqual({
    watermark: '10',
    lastSyncMessage: expect.stringContaining('The watermark is too far ahead, or no BIGINT'),
  });
});

test('a watermark stays while an active job reads the source', async () => {
  const id = await addNumbers(8, 9);
  const { id: jobId } = await application.client.startSync({ syncType: 'INCREMENTAL' });
  await application.client.waitForEnd(jobId);
  const running = "update job_partition set state = 'RUNNING', finished_at = null";
  await application.database.pool.query(running);
  expect(await setWatermark(id, '1', '9')).toMatchObject({ __typename: 'DataSourceInUseError' });
});

test('testing a source says what a sync would meet in its cursor column', async () => {
  const id = await addNumbers(8, 9, 'x12');
  const find = async () => {
    const { data } = await application.client.sendRaw(
      'mutation ($input: TestDataSourceInput!) { testDataSource(input: $input) { ... on TestDataSourceSuccess { warnings } } }',
      { input: { id } },
    );
    return data?.testDataSource;
  };
  expect(await find()).toEqual({
    warnings: ['seq has values of another kind than most (BIGINT): each costs its row'],
  });
  await writeNumbers('2024-03-01', '9999-12-31');
  expect(await find()).toEqual({
    warnings: [expect.stringMatching(/^seq has times after .* UTC, which is too far ahead/)],
  });
  await writeText(application.warehouseFolder, 'sortie.csv', 'item_id,other\na,b\nc\n');
  expect(await find()).toEqual({
    warnings: [
      'an INCREMENTAL sync would fail: the table has no column seq to sync by',
      'some lines are not rows: each is an error, and keeps the watermark',
    ],
  });
});
