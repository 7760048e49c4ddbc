import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-every-database.ts';
import { addSource, forgetAll } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  // Without a worker, so that jobs stay in the queue.
  application = await startTestApplication({ BLADE_ROLES: 'api' });
});

afterEach(() => forgetAll(application));

afterAll(() => application.close());

interface Started {
  readonly __typename: string;
  readonly isReplay?: boolean;
  readonly message: string;
  readonly jobId?: string;
  readonly job?: { readonly id: string; readonly labels: readonly { key: string; value: string }[] };
  readonly issues?: readonly { readonly path: readonly string[]; readonly code: string }[];
}

async function send(
  name: 'startSync' | 'startQueryJob' | 'retryJob' | 'repairCatalog',
  input: object,
  client: ApiClient = application.client,
): Promise<Started> {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const { data, errors } = await client.sendRaw(
    `mutation ($input: ${type}Input!) { ${name}(input: $input) {
      __typename
      ... on ${type}Success { isReplay message job { id labels { key value } } }
      ... on UserError { message }
      ... on IdempotencyKeyReusedError { jobId }
      ... on InvalidInputError { issues { path code } }
    } }`,
    { input },
  );
  expect(errors).toBeUndefined();
  return (data as Record<string, Started>)[name] as Started;
}

const query = {
  dataType: 'sortie',
  sqlQuery: 'SELECT 1 AS item_id',
  labels: [{ key: 'team', value: 'ops' }],
};

const addSorties = () => addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });

async function countRows(table: string): Promise<number> {
  const { rows } = await application.database.pool.query(`select count(*)::int as count from ${table}`);
  return rows[0].count;
}

describe('a start with an idempotency key', () => {
  test('that is sent again returns the job that it started, and says so', async () => {
    await addSorties();
    const first = await send('startSync', { syncType: 'FULL', idempotencyKey: 'nightly-1' });
    expect(first).toMatchObject({ __typename: 'StartSyncSuccess', isReplay: false });
    const again = await send('startSync', { syncType: 'FULL', idempotencyKey: 'nightly-1' });
    expect(again).toMatchObject({
      ...{ isReplay: true, job: { id: first.job?.id } },
      message: expect.stringContaining('Nothing was started now'),
    });
    expect(await countRows('job')).toBe(1);
    expect(await countRows("audit_entry where operation = 'startSync'")).toBe(1);
    expect(await send('startSync', { syncType: 'FULL' })).toMatchObject({
      __typename: 'SyncAlreadyRunningError',
    });
  });

  test('also of a repair of the catalog, which has its labels', async () => {
    const input = { idempotencyKey: 'repair', labels: [{ key: 'why', value: 'restored' }] };
    const first = await send('repairCatalog', input);
    expect(first).toMatchObject({ isReplay: false, job: { labels: input.labels } });
    expect(await send('repairCatalog', input)).toMatchObject({
      isReplay: true,
      job: { id: first.job?.id },
    });
    expect(await send('repairCatalog', {})).toMatchObject({ __typename: 'RepairAlreadyRunningError' });
    expect(await send('repairCatalog', { ...input, labels: [] })).toMatchObject({
      __typename: 'IdempotencyKeyReusedError',
    });
  });

  test('is started once, however many send it at once', async () => {
    await addSorties();
    const starts = await Promise.all(
      Array.from({ length: 12 }, () => send('startQueryJob', { ...query, idempotencyKey: 'once' })),
    );
    expect(new Set(starts.map(({ job }) => job?.id)).size).toBe(1);
    expect(starts.filter(({ isReplay }) => isReplay === false)).toHaveLength(1);
    expect(await countRows('job')).toBe(1);
    expect(await countRows('job_partition')).toBe(1);
  });

  test('and another input is refused with the job of the first', async () => {
    await addSorties();
    const first = await send('startQueryJob', { ...query, idempotencyKey: 'k' });
    expect(
      await send('startQueryJob', { ...query, sqlQuery: 'SELECT 2 AS item_id', idempotencyKey: 'k' }),
    ).toEqual({
      __typename: 'IdempotencyKeyReusedError',
      jobId: first.job?.id,
      message: expect.stringContaining('choose another key'),
    });
    expect(await countRows('job')).toBe(1);
  });

  test('that was refused can be sent again once nothing keeps it from starting', async () => {
    const input = { syncType: 'FULL', idempotencyKey: 'k' };
    expect(await send('startSync', input)).toMatchObject({ __typename: 'NoDataSourceError' });
    await addSorties();
    expect(await send('startSync', input)).toMatchObject({ isReplay: false });
  });

  test('is another start for another operation, and after 24 hours', async () => {
    await addSorties();
    const { job } = await send('startQueryJob', { ...query, idempotencyKey: 'k' });
    await application.client.cancelJob(job?.id ?? '');
    const retry = await send('retryJob', { id: job?.id, idempotencyKey: 'k' });
    expect(retry).toMatchObject({ __typename: 'RetryJobSuccess', isReplay: false });
    expect(await send('retryJob', { id: job?.id, idempotencyKey: 'k' })).toMatchObject({
      isReplay: true,
      job: { id: retry.job?.id },
    });
    await application.database.pool.query(
      `update start_request set created_at = created_at - interval '25 hours' where operation = 'startQueryJob'`,
    );
    const later = await send('startQueryJob', {
      ...query,
      sqlQuery: 'SELECT 3 AS item_id',
      idempotencyKey: 'k',
    });
    expect(later).toMatchObject({ isReplay: false });
    expect(later.job?.id).not.toBe(job?.id);
  });

  test('of a job that a lowered clearance no longer covers is refused without naming the job', async () => {
    const closed = await startTestApplication({ BLADE_ROLES: 'api', ...SECRET_SETTINGS });
    onTestFinished(() => closed.close());
    const sign = async (clearance: string) => {
      const client = createApiClient(closed.url, await bearer({ role: 'operator', clearance }));
      onTestFinished(() => client.close());
      return client;
    };
    const [before, since] = [await sign('TOP SECRET'), await sign('CONFIDENTIAL')];
    const { job } = await send(
      'startQueryJob',
      { ...query, catalogConfig: { classification: 'SECRET', reason: 'plans' } },
      before,
    );
    await before.cancelJob(job?.id ?? '');
    const retry = { id: job?.id, idempotencyKey: 'k' };
    expect(await send('retryJob', retry, before)).toMatchObject({ isReplay: false });
    for (const input of [retry, { ...retry, mode: 'FAILED_ITEMS' }]) {
      expect(await send('retryJob', input, since)).toEqual({
        __typename: 'IdempotencyKeyReusedError',
        jobId: null,
        message: expect.stringContaining('that your clearance does not cover: choose another key'),
      });
    }
  });

  test.each(['', ' ', 'a b', 'ä', 'x'.repeat(256), 'a\nb'])('%j is no key', async (idempotencyKey) => {
    expect(await send('startQueryJob', { ...query, idempotencyKey })).toMatchObject({
      __typename: 'InvalidInputError',
      issues: [{ path: ['input', 'idempotencyKey'], code: 'INVALID' }],
    });
  });
});

describe('labels', () => {
  test('stay with the job and its retries, sorted by their keys', async () => {
    await addSorties();
    const labels = [
      { key: 'team', value: 'ops' },
      { key: 'blade.example/run', value: '' },
    ];
    const { job } = await send('startQueryJob', { ...query, labels });
    const sorted = [labels[1], labels[0]];
    expect(job?.labels).toEqual(sorted);
    await application.client.cancelJob(job?.id ?? '');
    expect((await send('retryJob', { id: job?.id })).job?.labels).toEqual(sorted);
  });

  test.each([
    [[{ key: '', value: 'x' }], ['0', 'key'], 'INVALID'],
    [[{ key: '-x', value: 'x' }], ['0', 'key'], 'INVALID'],
    [[{ key: 'x', value: 'x'.repeat(256) }], ['0', 'value'], 'OUT_OF_RANGE'],
    [[{ key: 'x', value: 'a\0b' }], ['0', 'value'], 'INVALID'],
    [
      [
        { key: 'x', value: 'a' },
        { key: 'x', value: 'b' },
      ],
      ['1', 'key'],
      'DUPLICATE',
    ],
    [Array.from({ length: 21 }, (_none, index) => ({ key: `k${index}`, value: '' })), [], 'OUT_OF_RANGE'],
  ])('%j are refused', async (labels, path, code) => {
    expect(await send('startQueryJob', { ...query, labels })).toMatchObject({
      __typename: 'InvalidInputError',
      issues: [{ path: ['input', 'labels', ...path], code }],
    });
  });
});

describe('a sync of some sources', () => {
  test('reads these only, and names their data type if it is one', async () => {
    const sorties = await addSorties();
    await addSource(application, { name: 'Others', dataType: 'sortie', tableName: 'other' });
    const started = await send('startSync', {
      syncType: 'FULL',
      dataSourceIds: [`DataSource:${sorties}`, sorties],
    });
    expect(started).toMatchObject({ __typename: 'StartSyncSuccess' });
    const { rows } = await application.database.pool.query(
      'select p.source_name, j.data_type from job_partition p join job j on j.id = p.job_id',
    );
    expect(rows).toEqual([{ source_name: 'Sorties', data_type: 'sortie' }]);
  });

  test('is refused for one that is disabled, unknown, none, or together with a data type', async () => {
    const off = await addSource(application, {
      ...{ name: 'Off', dataType: 'sortie', tableName: 'off' },
      enabled: false,
    });
    const start = (input: object) => send('startSync', { syncType: 'FULL', ...input });
    expect(await start({ dataSourceIds: [off] })).toMatchObject({
      issues: [{ path: ['input', 'dataSourceIds', '0'], code: 'NOT_ALLOWED' }],
      message: expect.stringContaining('"Off" is disabled'),
    });
    expect(await start({ dataSourceIds: ['01997f3e-8c1a-7000-8000-000000000000'] })).toMatchObject({
      __typename: 'DataSourceNotFoundError',
    });
    expect(await start({ dataSourceIds: [] })).toMatchObject({
      issues: [{ path: ['input', 'dataSourceIds'], code: 'OUT_OF_RANGE' }],
    });
    expect(await start({ dataSourceIds: ['x'] })).toMatchObject({
      issues: [{ path: ['input', 'dataSourceIds', '0'], code: 'INVALID' }],
    });
    expect(await start({ dataSourceIds: [off], dataType: 'sortie' })).toMatchObject({
      issues: [{ path: ['input', 'dataType'], code: 'CONFLICT' }],
    });
    expect(await countRows('job')).toBe(0);
  });
});
