import { afterAll, beforeAll, beforeEach, expect, vi } from 'vitest';
import type { JobFactsFragment } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import { JobById, JobProgress, PauseJob, ResumeJob } from '../support/operations.ts';
import { createSortieTable } from '../support/sortie-table.ts';
import { addSource, catalogContent } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const ROWS = 20_000;

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
  const table = { catalog: 'blade', schema: 'field', table: 'sortie' };
  await createSortieTable({ folder: application.warehouseFolder, table, rows: ROWS });
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
});

afterAll(() => application.close());

beforeEach(async () => {
  await application.database.pool.query('truncate blade_item');
});

async function pause(id: string) {
  return (await application.client.send(PauseJob, { input: { id } })).pauseJob;
}

async function resume(id: string) {
  return (await application.client.send(ResumeJob, { input: { id } })).resumeJob;
}

async function loadState(id: string): Promise<JobFactsFragment> {
  const { job } = await application.client.send(JobById, { id });
  if (job == null) throw new Error(`there is no job ${id}`);
  return job;
}

/** Starts a sync in small batches, and waits until some of its items are done. */
async function startedSync(): Promise<string> {
  const { id } = await application.client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
  for await (const { jobProgress } of application.client.watch(JobProgress, { id })) {
    if (jobProgress.progress.processedItems > 0) return id;
  }
  throw new Error('the sync ended before anything was processed');
}

test('a running sync pauses at its checkpoint, stays active, and resumes from there to the end', async () => {
  const id = await startedSync();
  expect(await pause(id)).toMatchObject({ __typename: 'PauseJobSuccess' });
  const paused = await vi.waitFor(async () => {
    const job = await loadState(id);
    expect(job.state).toBe('PAUSED');
    return job;
  }, 10_000);
  const { processedItems, successCount, totalItems } = paused.progress;
  expect(paused.progress.currentOperation).toBe('Paused');
  expect(processedItems).toBeGreaterThan(0);
  expect(processedItems).toBeLessThan(ROWS);
  expect({ successCount, totalItems }).toEqual({ successCount: processedItems, totalItems: ROWS });
  await expect(application.client.startSync({ syncType: 'FULL' })).rejects.toThrow('SyncAlreadyRunningError');

  const { rows } = await application.database.pool.query(
    'select count(*)::int as stored from blade_item join upload_batch on id = upload_batch_id and uploaded_at is not null',
  );
  expect(rows[0].stored).toBe(processedItems);

  expect(await resume(id)).toMatchObject({ __typename: 'ResumeJobSuccess', job: { state: 'QUEUED' } });
  expect(await application.client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: ROWS, processedItems: ROWS, successCount: ROWS, errorCount: 0 },
  });
  const { job } = await application.client.send(JobById, { id });
  expect(job?.partitions.nodes).toMatchObject([{ attempt: 2, readItems: ROWS }]);
  expect((await catalogContent(application)).size).toBe(ROWS);
});

test('a paused sync can be cancelled', async () => {
  const id = await startedSync();
  await pause(id);
  await vi.waitFor(async () => expect((await loadState(id)).state).toBe('PAUSED'), 10_000);
  expect(await application.client.cancelJob(id)).toMatchObject({ state: 'CANCELLED' });
});

test('pausing twice is not an error, and jobs that cannot be paused or resumed say why', async () => {
  const id = await startedSync();
  await pause(id);
  expect(await pause(id)).toMatchObject({ __typename: 'PauseJobSuccess' });
  await vi.waitFor(async () => expect((await loadState(id)).state).toBe('PAUSED'), 10_000);
  expect(await pause(id)).toMatchObject({ __typename: 'PauseJobSuccess', job: { state: 'PAUSED' } });
  await application.client.cancelJob(id);
  expect(await pause(id)).toMatchObject({ __typename: 'JobNotPausableError', jobId: id, state: 'CANCELLED' });
  expect(await resume(id)).toMatchObject({ __typename: 'JobNotPausedError', jobId: id, state: 'CANCELLED' });
  const unknown = 'Job:01997f3e-8c1a-7000-8000-000000000000';
  expect(await pause(unknown)).toMatchObject({ __typename: 'JobNotFoundError' });
  expect(await resume(unknown)).toMatchObject({ __typename: 'JobNotFoundError' });
});

test('a queued job pauses immediately, and runs when it is resumed', async () => {
  const api = await startTestApplication({ BLADE_ROLES: 'api' });
  try {
    await addSource(api, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const { id } = await api.client.startSync({ syncType: 'FULL' });
    const { pauseJob } = await api.client.send(PauseJob, { input: { id } });
    expect(pauseJob).toMatchObject({ __typename: 'PauseJobSuccess', job: { state: 'PAUSED' } });
    const { resumeJob } = await api.client.send(ResumeJob, { input: { id } });
    expect(resumeJob).toMatchObject({ __typename: 'ResumeJobSuccess', job: { state: 'QUEUED' } });
  } finally {
    await api.close();
  }
});
