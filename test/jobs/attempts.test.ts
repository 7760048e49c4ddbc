import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, vi } from 'vitest';
import { test } from '../support/on-server.ts';
import { JobById } from '../support/operations.ts';
import {
  addSource,
  catalogContent,
  forgetAll,
  storedItems,
  uploadedContent,
  writeQuery,
} from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

describe('while the catalog accepts no items', () => {
  let application: TestApplication;

  beforeAll(async () => {
    application = await startTestApplication();
    await writeQuery(
      application.warehouseFolder,
      'sortie',
      `SELECT 'S-' || i AS item_id, 'M-' || i AS mission_id FROM range(500) AS t(i)`,
    );
  });

  afterEach(async () => {
    await mendCatalog();
    await forgetAll(application);
  });

  afterAll(() => application.close());

  /** Puts a file where the catalog keeps its segments of sorties. */
  async function breakCatalog(): Promise<void> {
    await rm(join(application.catalogFolder, 'sortie'), { recursive: true, force: true });
    await mkdir(application.catalogFolder, { recursive: true });
    // A thread that opens the catalog only now must find one.
    await writeFile(join(application.catalogFolder, 'uploads.ndjson'), '', { flag: 'a' });
    await writeFile(join(application.catalogFolder, 'sortie'), '');
  }

  async function mendCatalog(): Promise<void> {
    await rm(join(application.catalogFolder, 'sortie'), { recursive: true, force: true });
  }

  const reason = "The catalog's folder could not be written: it is not a folder.";

  /** Starts a sync and waits until it waits for its next attempt. */
  async function syncThatWaits(): Promise<string> {
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
    await vi.waitFor(async () => {
      expect((await client.send(JobById, { id })).job).toMatchObject({
        state: 'RUNNING',
        progress: { currentOperation: `Waiting to try again: ${reason}`, estimatedCompletion: null },
        partitions: { nodes: [{ state: 'PENDING', message: reason }] },
      });
    }, 30_000);
    return id;
  }

  test('a job waits and says why, and resumes from its checkpoint on its own', async () => {
    await breakCatalog();
    const id = await syncThatWaits();
    const before = (await application.client.send(JobById, { id })).job?.partitions.nodes[0];
    expect(before?.readItems).toBeGreaterThan(0);
    await mendCatalog();
    expect(await application.client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 500, processedItems: 500, successCount: 500, errorCount: 0 },
    });
    const { job } = await application.client.send(JobById, { id });
    expect(job?.partitions.nodes).toMatchObject([{ state: 'COMPLETED', readItems: 500, message: null }]);
    expect(job?.partitions.nodes[0]?.attempt).toBeGreaterThan(1);
    const items = await storedItems(application);
    expect(items).toHaveLength(500);
    expect(items.every(({ uploadedAt }) => uploadedAt !== null)).toBe(true);
    expect(await catalogContent(application)).toEqual(uploadedContent(items));
  });

  test('a waiting job is cancelled immediately', async () => {
    await breakCatalog();
    const id = await syncThatWaits();
    expect(await application.client.cancelJob(id)).toMatchObject({ state: 'CANCELLED' });
  });

  test('a job that has used up its attempts is FAILED with the reason, and the next job uploads what it saved', async () => {
    await breakCatalog();
    const { client } = application;
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const { id } = await client.startSync({ syncType: 'FULL', options: { maxAttempts: 1 } });
    const failed = await client.waitForEnd(id);
    expect(failed).toMatchObject({
      state: 'FAILED',
      failureReason: expect.stringContaining(`Sorties: ${reason}`),
    });
    const { totalItems, processedItems, successCount, errorCount } = failed.progress;
    expect(processedItems).toBe(successCount + errorCount);
    expect(totalItems).toBe(500);
    expect(await storedItems(application)).toHaveLength(500);
    await mendCatalog();
    const next = await client.startSync({ syncType: 'FULL' });
    expect(await client.waitForEnd(next.id)).toMatchObject({
      state: 'COMPLETED',
      progress: { successCount: 500 },
    });
    const items = await storedItems(application);
    expect(await catalogContent(application)).toEqual(uploadedContent(items));
    expect(items.every(({ uploadedAt }) => uploadedAt !== null)).toBe(true);
  });
});

test('if the folder of the warehouse is missing, a sync fails immediately and says so', async () => {
  const application = await startTestApplication();
  try {
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const { id } = await application.client.startSync({ syncType: 'FULL' });
    expect(await application.client.waitForEnd(id)).toMatchObject({
      state: 'FAILED',
      failureReason: expect.stringContaining('folder of the warehouse does not exist'),
    });
    // Once it is there, the same program reads it.
    await writeQuery(application.warehouseFolder, 'sortie', `SELECT 'S-1' AS item_id`);
    const next = await application.client.startSync({ syncType: 'FULL' });
    expect(await application.client.waitForEnd(next.id)).toMatchObject({ state: 'COMPLETED' });
  } finally {
    await application.close();
  }
});
