import { expect } from 'vitest';
import { ANY_SCHEMA } from '../../src/sql-check/allowed-schemas.ts';
import type { JobFactsFragment } from '../generated/graphql.ts';
import type { ApiClient } from '../support/api-client.ts';
import { startDatabricksServer } from '../support/databricks-server.ts';
import { test as base } from '../support/on-server.ts';
import { JobById, JobProgress, TestDataSource } from '../support/operations.ts';
import { addSource, catalogContent, storedItems, uploadedContent } from '../support/tables.ts';
import { startTestApplication } from '../support/test-application.ts';

const SORTIES = { cursorColumn: 'updated_at' };

const test = base
  .extend('server', ({ open }) => open(startDatabricksServer({ pageRows: 500 })))
  .extend('reader', ({ open, server }) =>
    open(
      startTestApplication(
        { BLADE_WORKER_THREADS: '1' },
        { warehouse: { name: 'databricks', settings: server.configuration, allowedSchemas: ANY_SCHEMA } },
      ),
    ),
  );

/** A query of sorties with these numbers. */
function selectSorties(from: number, to: number): string {
  return `SELECT 'S-' || lpad(i::VARCHAR, 6, '0') AS item_id, 'M-' || i AS mission_id, 1.5 AS flight_hours,
    'COMPLETED' AS mission_status, TIMESTAMPTZ '2024-01-01 00:00:00.000001+00' + to_microseconds(i) AS updated_at
    FROM range(${from}, ${to}) t(i)`;
}

function countByName(wire: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    [...new Set(wire)].map((name) => [name, wire.filter((other) => other === name).length]),
  );
}

/** Watches a job until its state is as wanted. */
async function waitForJob(
  client: ApiClient,
  id: string,
  isWanted: (job: JobFactsFragment) => boolean,
): Promise<JobFactsFragment> {
  for await (const { jobProgress } of client.watch(JobProgress, { id }))
    if (isWanted(jobProgress)) return jobProgress;
  throw new Error(`job ${id} ended before`);
}

test('a full sync uploads every row of a Databricks table, and an incremental one the new rows', async ({
  reader: application,
  server,
}) => {
  const { client } = application;
  await server.run(`CREATE TABLE blade.field.sortie AS ${selectSorties(0, 3000)}`);
  await addSource(application, SORTIES);

  const full = await client.startSync({ syncType: 'FULL' });
  expect(await client.waitForEnd(full.id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: 3000, successCount: 3000, errorCount: 0 },
  });
  // One session for the history, the version, the columns twice, the count and the rows, each statement closed, none cancelled.
  await server.seen('CloseOperation', 6);
  expect(countByName(server.wire)).toMatchObject({ OpenSession: 1, ExecuteStatement: 6, CloseOperation: 6 });
  expect(server.wire).not.toContain('CancelOperation');

  await server.run(`INSERT INTO blade.field.sortie ${selectSorties(3000, 3007)}`);
  const incremental = await client.startSync({ syncType: 'INCREMENTAL' });
  expect(await client.waitForEnd(incremental.id)).toMatchObject({
    state: 'COMPLETED',
    // With the row at the watermark.
    progress: { totalItems: 8, successCount: 8, errorCount: 0 },
  });
  const items = await storedItems(application);
  expect(items).toHaveLength(3007);
  expect(items[0]?.data).toMatchObject({ flight_hours: '1.5', updated_at: '2024-01-01T00:00:00.000001Z' });
  expect(await catalogContent(application)).toEqual(uploadedContent(items));
});

test('a job that waits for its warehouse says so, and cancelling it cancels its statement', async ({
  reader: application,
  server,
}) => {
  const { client } = application;
  await server.run(`CREATE TABLE blade.field.sortie AS ${selectSorties(0, 10)}`);
  await addSource(application, SORTIES);
  server.hold();
  const { id } = await client.startSync({ syncType: 'FULL' });
  await waitForJob(
    client,
    id,
    ({ progress }) => progress.currentOperation === 'Waiting for the warehouse to start',
  );
  // A statement can be cancelled once the warehouse has named it; on a busy machine, the job waits for that, too.
  await server.seen('GetOperationStatus');
  await client.cancelJob(id);
  expect(await client.waitForEnd(id)).toMatchObject({ state: 'CANCELLED' });
  await server.seen('CancelOperation');
  expect(await storedItems(application)).toEqual([]);
});

test('a job that waited for its warehouse continues when that has started', async ({
  reader: application,
  server,
}) => {
  const { client } = application;
  await server.run(`CREATE TABLE blade.field.sortie AS ${selectSorties(0, 10)}`);
  await addSource(application, SORTIES);
  const release = server.hold();
  const { id } = await client.startSync({ syncType: 'FULL' });
  await waitForJob(
    client,
    id,
    ({ progress }) => progress.currentOperation === 'Waiting for the warehouse to start',
  );
  const showOperations = async () => {
    const { job } = await client.send(JobById, { id });
    return job?.partitions.nodes.map(({ currentOperation }) => currentOperation);
  };
  expect(await showOperations()).toEqual(['Waiting for the warehouse to start']);
  release();
  expect(await client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { successCount: 10 },
  });
  expect(await showOperations()).toEqual([null]);
});

test('a job that is cancelled in the middle of a result cancels its statement, and keeps what it has read', async ({
  reader: application,
  server,
}) => {
  const { client } = application;
  await server.run(`CREATE TABLE blade.field.sortie AS ${selectSorties(0, 300_000)}`);
  await addSource(application, SORTIES);
  const { id } = await client.startSync({ syncType: 'FULL' });
  await waitForJob(client, id, ({ progress }) => progress.successCount > 0);
  await client.cancelJob(id);
  const end = await client.waitForEnd(id);
  expect(end.state).toBe('CANCELLED');
  await server.seen('CancelOperation');
  const items = await storedItems(application);
  expect(items.length).toBeLessThan(300_000);
  expect(end.progress.successCount).toBe(items.filter(({ uploadedAt }) => uploadedAt !== null).length);
  expect(await catalogContent(application)).toEqual(uploadedContent(items));
});

test('a result that breaks off is read again, and the job completes', async ({
  reader: application,
  server,
}) => {
  const { client } = application;
  await server.run(`CREATE TABLE blade.field.sortie AS ${selectSorties(0, 3000)}`);
  await addSource(application, SORTIES);
  server.fail({ operation: 'FetchResults', after: 5, isCarriedOut: true });
  const { id } = await client.startSync({ syncType: 'FULL' });
  expect(await client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: 3000, processedItems: 3000, successCount: 3000, errorCount: 0 },
  });
  const { OpenSession, ExecuteStatement } = countByName(server.wire);
  expect(ExecuteStatement).toBe(7);
  // One session a thread, and the next attempt may run in the extra one.
  expect([1, 2]).toContain(OpenSession);
  expect(await storedItems(application)).toHaveLength(3000);
});

test('a table that grows while a full sync reads it is read up to where it was counted', async ({
  reader: application,
  server,
}) => {
  await server.run('CREATE SEQUENCE blade.field.reads');
  await server.run(
    `CREATE VIEW blade.field.sortie AS SELECT sortie.* FROM (${selectSorties(0, 4000)}) AS sortie,
      (SELECT nextval('blade.field.reads') AS number) AS read
      WHERE sortie.item_id < 'S-' || lpad((3000 + read.number)::VARCHAR, 6, '0')`,
  );
  await addSource(application, SORTIES);
  const full = await application.client.startSync({ syncType: 'FULL' });
  expect(await application.client.waitForEnd(full.id)).toMatchObject({ state: 'COMPLETED' });
  const before = (await storedItems(application)).length;
  const incremental = await application.client.startSync({ syncType: 'INCREMENTAL' });
  const { state, progress } = await application.client.waitForEnd(incremental.id);
  expect(state).toBe('COMPLETED');
  expect(progress.successCount).toBeGreaterThan(0);
  // The row at the watermark is read again.
  expect(await storedItems(application)).toHaveLength(before + progress.successCount - 1);
});

test.for([
  ['read whole', {}],
  ['split into partitions', { partitionRows: 1_000 }],
] as const)(
  'a table with another number of rows each time is FAILED with both numbers, %s',
  async ([_name, options], { reader: application, server }) => {
    await server.run('CREATE SEQUENCE blade.field.reads');
    await server.run(
      `CREATE VIEW blade.field.sortie AS SELECT sortie.* FROM (${selectSorties(0, 4000)}) AS sortie,
      (SELECT nextval('blade.field.reads') AS number) AS read
      WHERE sortie.item_id < 'S-' || lpad((4000 - read.number)::VARCHAR, 6, '0')`,
    );
    await addSource(application, SORTIES);
    const { id } = await application.client.startSync({ syncType: 'FULL', options });
    const job = await application.client.waitForEnd(id);
    expect(job).toMatchObject({
      state: 'FAILED',
      failureReason: expect.stringMatching(
        /^Sorties: 3,9\d\d rows were counted, but 3,9\d\d were read\. The table changed each of the 3 times it was read\.( \d of 3,9\d\d rows? w\w+ not read\.)?$/,
      ),
    });
    const { rows } = await application.database.pool.query(
      `select p.message_marking, p.replans, p.state, s.watermark
     from job_partition p join data_source s on s.id = p.data_source_id`,
    );
    // Of rows of every marking.
    expect(rows).toEqual([{ message_marking: 'TOP SECRET', replans: 2, state: 'FAILED', watermark: null }]);
  },
);

test('testing a source returns its columns and row count from Databricks', async ({
  reader: application,
  server,
}) => {
  const { client } = application;
  await server.run(`CREATE TABLE blade.field.sortie AS ${selectSorties(0, 12)}`);
  const id = await addSource(application, SORTIES);
  const { testDataSource } = await client.send(TestDataSource, { input: { id } });
  expect(testDataSource).toMatchObject({
    isReadable: true,
    rowCount: 12,
    columns: [
      { name: 'item_id', type: 'STRING' },
      { name: 'mission_id', type: 'STRING' },
      { name: 'flight_hours', type: 'DECIMAL(2,1)' },
      { name: 'mission_status', type: 'STRING' },
      { name: 'updated_at', type: 'TIMESTAMP' },
    ],
  });
});

test('a token that Databricks refuses is reported at the source, and is in no log', async ({
  open,
  server,
}) => {
  const credentials = { kind: 'token', token: 'refused-secret' } as const;
  const settings = { ...server.configuration, credentials };
  const warehouse = { name: 'databricks', settings, allowedSchemas: ANY_SCHEMA };
  const application = await open(startTestApplication({}, { warehouse }));
  await addSource(application, SORTIES);
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  const end = await application.client.waitForEnd(id);
  expect(end.state).toBe('FAILED');
  expect(JSON.stringify(end)).toContain('refused the credentials (HTTP 403)');
  expect(application.log.join()).not.toContain('refused-secret');
});
