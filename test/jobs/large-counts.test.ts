import { afterAll, beforeAll, expect, vi } from 'vitest';
import { test } from '../support/on-every-database.ts';
import { DataSources, JobById } from '../support/operations.ts';
import { addSource, writeQuery } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const MANY = 3_000_000_000;

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
  await writeQuery(application.warehouseFolder, 'sortie', "SELECT 'S-1' AS item_id");
});

afterAll(() => application.close());

test('a job of more rows than 2^31 has its total, and a percentage of it', async () => {
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  const { id } = await application.client.startQueryJob({
    dataType: 'sortie',
    sqlQuery: `SELECT CAST(id AS STRING) AS item_id FROM range(${MANY}) AS flights`,
    options: { batchSize: 100 },
  });
  const progress = await vi.waitFor(
    async () => {
      const { job } = await application.client.send(JobById, { id });
      expect(job?.failureReason).toBeNull();
      expect(job?.progress).toMatchObject({ totalItems: MANY, percent: expect.any(Number) });
      expect(job?.progress.successCount).toBeGreaterThan(0);
      return job?.progress;
    },
    { timeout: 60_000, interval: 50 },
  );
  expect(progress?.percent).toBeLessThan(0.1);
  await application.client.cancelJob(id);
  const { state, progress: end } = await application.client.waitForEnd(id);
  expect({ state, total: end.totalItems }).toEqual({ state: 'CANCELLED', total: MANY });
  expect(end.processedItems).toBe(end.successCount + end.errorCount);
});

test('counts beyond 2^31 add up and reach clients as numbers, up to 2^53 - 1', async () => {
  const { pool } = application.database;
  await addSource(application, { name: 'Parts', dataType: 'maintenance', tableName: 'parts' });
  await pool.query(
    `update data_source set item_count = $1::bigint, item_count_by_level = array[$1::bigint, 0, 0, 0, 0] where name = 'Parts'`,
    [Number.MAX_SAFE_INTEGER],
  );
  const { dataSources } = await application.client.send(DataSources, {});
  expect(dataSources.nodes).toContainEqual(
    expect.objectContaining({ name: 'Parts', itemCount: Number.MAX_SAFE_INTEGER }),
  );
});
