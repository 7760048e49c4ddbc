import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type HttpCatalogOptions, httpCatalogDefaults } from '../../src/catalog/http/options.ts';
import { type CatalogServer, startCatalogServer } from '../support/catalog-server.ts';
import { readLog } from '../support/job-events.ts';
import { test as base } from '../support/on-server.ts';
import { JobErrors, JobProgress, RetryJob } from '../support/operations.ts';
import { addSorties } from '../support/tables.ts';
import { startTestApplication } from '../support/test-application.ts';

const ROWS = 3_000;

const test = base
  .extend('server', ({ open }) => open(startCatalogServer()))
  /** Starts a program that uploads its sorties to the server. */
  .extend('start', async ({ open, server }) => async (options: Partial<HttpCatalogOptions> = {}) => {
    const settings = { ...httpCatalogDefaults, url: server.url, token: 'secret', ...options };
    const application = await open(startTestApplication({}, { catalog: { name: 'http', settings } }));
    await addSorties(application, ROWS);
    return application;
  });

/** Makes the server go down at this upload. @returns when it is down. */
function failFrom(server: CatalogServer, ordinal: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.answerWith((upload) => {
      if (upload.ordinal === ordinal) server.goDown().then(resolve, reject);
      return upload.ordinal >= ordinal ? 'RESET' : null;
    });
  });
}

test('a sync counts items that its catalog refused or was down for, and they can be retried', async ({
  server,
  start,
}) => {
  const application = await start({ backoffMs: 5, maxBackoffMs: 20, maxOutageMs: 100 });
  const { client, database, warehouseFolder, log } = application;
  let uploads = 0;
  let down: Promise<void> | undefined;
  server.answerWith(() => {
    uploads++;
    if (uploads === 1_500) down = server.goDown();
    return uploads % 50 === 7 ? { status: 400, body: '{"message":"the mission is closed"}' } : null;
  });

  const job = await client.startSync({ syncType: 'FULL' });
  const end = await client.waitForEnd(job.id);
  await down;
  const { successCount, errorCount } = end.progress;
  expect(end).toMatchObject({ state: 'COMPLETED', progress: { totalItems: ROWS, processedItems: ROWS } });
  expect(successCount + errorCount).toBe(ROWS);
  expect(successCount).toBeGreaterThan(1_000);
  expect(errorCount).toBeGreaterThan(1_000);
  const { rows: errors } = await database.pool.query(
    'select stage, item_id as "itemId", message from job_error',
  );
  expect(errors).toHaveLength(errorCount);
  expect(new Set(errors.map(({ stage }) => stage))).toEqual(new Set(['UPLOAD']));
  const reasons = new Set(errors.map(({ message }) => message.replace(/for \d+ seconds|\(E\w+\)/g, '…')));
  expect(reasons).toContain('The catalog answered 400 (Bad Request): the mission is closed');
  expect(reasons).toContain('The catalog has been unavailable …: it could not be reached …');
  const page = await client.send(JobErrors, { id: job.id, first: 1, stages: ['UPLOAD'] });
  expect(page.job?.errors.totalCount).toBe(errorCount);

  await rm(join(warehouseFolder, 'blade'), { recursive: true });
  server.answerWith(() => null);
  await server.comeBack();
  const before = server.requests.length;
  const { retryJob } = await client.send(RetryJob, { input: { id: job.id, mode: 'FAILED_ITEMS' } });
  if (retryJob.__typename !== 'RetryJobSuccess') throw new Error(JSON.stringify(retryJob));
  expect(await client.waitForEnd(retryJob.job.id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: errorCount, successCount: errorCount, errorCount: 0 },
  });
  const uploaded = server.requests.slice(before).map(({ itemId }) => itemId);
  expect(uploaded.toSorted()).toEqual(errors.map(({ itemId }) => itemId).toSorted());
  expect(server.items.size).toBe(ROWS);
  const { rows } = await database.pool.query(
    'select count(*)::int as count from blade_item left join upload_batch on id = upload_batch_id where uploaded_at is null',
  );
  expect(rows[0].count).toBe(0);
  expect(log.join('\n')).not.toContain('secret');
});

test('a short outage of the catalog fails no item', async ({ server, start }) => {
  const { client } = await start({ backoffMs: 5, maxBackoffMs: 20 });
  const down = failFrom(server, 1_000);
  const job = await client.startSync({ syncType: 'FULL' });
  await down;
  server.answerWith(() => null);
  await server.comeBack();
  expect(await client.waitForEnd(job.id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: ROWS, successCount: ROWS, errorCount: 0 },
  });
  expect(server.items.size).toBe(ROWS);
});

test('a job shows that it waits for its catalog, and its log says how long', async ({ server, start }) => {
  const { client } = await start({ backoffMs: 5, maxBackoffMs: 20 });
  const down = failFrom(server, 1_000);
  const { id } = await client.startSync({ syncType: 'FULL' });
  await down;
  const WAITING = 'Waiting for the catalog, which cannot be reached';
  for await (const { jobProgress } of client.watch(JobProgress, { id }))
    if (jobProgress.progress.currentOperation === WAITING) break;
  server.answerWith(() => null);
  await server.comeBack();
  await client.waitForEnd(id);
  const events = (await readLog(client, id)).map(({ __typename, message }) => [__typename, message]);
  const waiting = events.findIndex(([, message]) => message === WAITING);
  expect(events.slice(waiting)).toContainEqual(['JobContinuedEvent', 'Continued']);
});

test('a sync can be cancelled while its catalog is down', async ({ server, start }) => {
  const { client } = await start({ backoffMs: 5, maxBackoffMs: 20, maxOutageMs: 3_600_000 });
  const down = failFrom(server, 1_000);
  const job = await client.startSync({ syncType: 'FULL' });
  await down;
  await client.cancelJob(job.id);
  const end = await client.waitForEnd(job.id);
  expect(end.state).toBe('CANCELLED');
  expect(end.progress.errorCount).toBe(0);
  expect(end.progress.successCount).toBe(end.progress.processedItems);
});
