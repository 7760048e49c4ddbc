import { expect, onTestFinished, test } from 'vitest';
import type { JobFactsFragment } from '../generated/graphql.ts';
import { type DatabricksServer, startDatabricksServer } from '../support/databricks-server.ts';
import { JobProgress, TestDataSource } from '../support/operations.ts';
import { addSource, catalogContent, storedItems, uploadedContent } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

async function start(): Promise<{ application: TestApplication; server: DatabricksServer }> {
  const server = await startDatabricksServer({ pageRows: 500 });
  const application = await startTestApplication(
    { BLADE_WORKER_THREADS: '1' },
    { warehouse: server.configuration },
  );
  onTestFinished(async () => {
    await application.close();
    await server.close();
  });
  return { application, server };
}

function sorties(from: number, to: number): string {
  return `SELECT 'S-' || lpad(i::VARCHAR, 6, '0') AS item_id, 'M-' || i AS mission_id, 1.5 AS flight_hours,
    'COMPLETED' AS mission_status, TIMESTAMPTZ '2024-01-01 00:00:00.000001+00' + to_microseconds(i) AS updated_at
    FROM range(${from}, ${to}) t(i)`;
}

function counts(wire: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    [...new Set(wire)].map((name) => [name, wire.filter((other) => other === name).length]),
  );
}

/** The job as soon as it is as asked for. */
async function jobWhen(
  { client }: TestApplication,
  id: string,
  isReached: (job: JobFactsFragment) => boolean,
): Promise<JobFactsFragment> {
  for await (const { jobProgress } of client.watch(JobProgress, { id }))
    if (isReached(jobProgress)) return jobProgress;
  throw new Error(`job ${id} ended before`);
}

async function sourceOfSorties(application: TestApplication): Promise<string> {
  return addSource(application, {
    name: 'Sorties',
    dataType: 'sortie',
    tableName: 'sortie',
    cursorColumn: 'updated_at',
  });
}

test('a full sync takes every row of a Databricks table to the catalog, and an incremental one what is new', async () => {
  const { application, server } = await start();
  await server.run(`CREATE TABLE blade.field.sortie AS ${sorties(0, 3000)}`);
  await sourceOfSorties(application);

  const full = await application.client.startSync({ syncType: 'FULL' });
  expect(await application.client.waitForEnd(full.id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: 3000, successCount: 3000, errorCount: 0 },
  });
  // One session for the columns, the count and the rows, each statement closed, and nothing cancelled.
  await server.seen('CloseOperation', 3);
  expect(counts(server.wire)).toMatchObject({ OpenSession: 1, ExecuteStatement: 3, CloseOperation: 3 });
  expect(server.wire).not.toContain('CancelOperation');

  await server.run(`INSERT INTO blade.field.sortie ${sorties(3000, 3007)}`);
  const incremental = await application.client.startSync({ syncType: 'INCREMENTAL' });
  expect(await application.client.waitForEnd(incremental.id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: 7, successCount: 7, errorCount: 0 },
  });
  const items = await storedItems(application);
  expect(items).toHaveLength(3007);
  expect(items[0]?.data).toMatchObject({ flight_hours: '1.5', updated_at: '2024-01-01T00:00:00.000001Z' });
  expect(await catalogContent(application)).toEqual(uploadedContent(items));
});

test('a job that waits for its warehouse to start says so, and is cancelled there as well as here', async () => {
  const { application, server } = await start();
  await server.run(`CREATE TABLE blade.field.sortie AS ${sorties(0, 10)}`);
  await sourceOfSorties(application);
  server.hold();
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  await jobWhen(
    application,
    id,
    ({ progress }) => progress.currentOperation === 'Waiting for the warehouse to start',
  );
  await application.client.cancelJob(id);
  expect(await application.client.waitForEnd(id)).toMatchObject({ state: 'CANCELLED' });
  await server.seen('CancelOperation');
  expect(await storedItems(application)).toEqual([]);
});

test('a job that waited for its warehouse goes on when that has started', async () => {
  const { application, server } = await start();
  await server.run(`CREATE TABLE blade.field.sortie AS ${sorties(0, 10)}`);
  await sourceOfSorties(application);
  const release = server.hold();
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  await jobWhen(
    application,
    id,
    ({ progress }) => progress.currentOperation === 'Waiting for the warehouse to start',
  );
  release();
  expect(await application.client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { successCount: 10 },
  });
});

test('a job that is cancelled in the middle of a result cancels its statement, and keeps what it has read', async () => {
  const { application, server } = await start();
  await server.run(`CREATE TABLE blade.field.sortie AS ${sorties(0, 300_000)}`);
  await sourceOfSorties(application);
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  await jobWhen(application, id, ({ progress }) => progress.successCount > 0);
  await application.client.cancelJob(id);
  const end = await application.client.waitForEnd(id);
  expect(end.state).toBe('CANCELLED');
  await server.seen('CancelOperation');
  const items = await storedItems(application);
  expect(items.length).toBeLessThan(300_000);
  expect(end.progress.successCount).toBe(items.filter(({ uploadedAt }) => uploadedAt !== null).length);
  expect(await catalogContent(application)).toEqual(uploadedContent(items));
});

test('a result that breaks off is read again, and the job ends whole', async () => {
  const { application, server } = await start();
  await server.run(`CREATE TABLE blade.field.sortie AS ${sorties(0, 3000)}`);
  await sourceOfSorties(application);
  server.fail({ operation: 'FetchResults', after: 5, isCarriedOut: true });
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  expect(await application.client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: 3000, processedItems: 3000, successCount: 3000, errorCount: 0 },
  });
  expect(counts(server.wire)).toMatchObject({ OpenSession: 1, ExecuteStatement: 4 });
  expect(await storedItems(application)).toHaveLength(3000);
});

test('a source is tested, with the columns and the rows that Databricks tells of it', async () => {
  const { application, server } = await start();
  await server.run(`CREATE TABLE blade.field.sortie AS ${sorties(0, 12)}`);
  const id = await sourceOfSorties(application);
  const { testDataSource } = await application.client.send(TestDataSource, { id });
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

test('a token that Databricks refuses is told at the source and is in no log', async () => {
  const server = await startDatabricksServer();
  const application = await startTestApplication(
    {},
    { warehouse: { ...server.configuration, credentials: { kind: 'token', token: 'refused-secret' } } },
  );
  onTestFinished(async () => {
    await application.close();
    await server.close();
  });
  await sourceOfSorties(application);
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  const end = await application.client.waitForEnd(id);
  expect(end.state).toBe('FAILED');
  expect(JSON.stringify(end)).toContain('refused the credentials (HTTP 403)');
  expect(application.log.join()).not.toContain('refused-secret');
});
