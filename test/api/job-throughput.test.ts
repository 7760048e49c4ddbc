import { expect } from 'vitest';
import { thin } from '../../src/api/schema/job-throughput.ts';
import { insertJob, moveJob } from '../support/job-rows.ts';
import { test } from '../support/on-server.ts';

test('a job that is opened after its end shows how fast it was', async ({ application }) => {
  const { client, database } = application;
  const id = await insertJob(database, { state: 'QUEUED' });
  await moveJob(database, id, 'RUNNING');
  for (const [elapsedMs, rows] of [
    [5_000, 1_000],
    [10_000, 3_000],
  ])
    await database.pool.query(
      `select blade_add_job_event($1, 'CHECKPOINT', data => jsonb_build_object(
         'elapsedMs', $2::int, 'success', array[$3::int, 0, 0, 0, 0], 'errors', array[0, 0, 0, 0, 0],
         'duplicates', array[0, 0, 0, 0, 0]))`,
      [id, elapsedMs, rows],
    );
  const { data } = await client.sendRaw(
    'query ($id: ID!) { job(id: $id) { throughput { elapsedSeconds processedItems itemsPerSecond } } }',
    { id },
  );
  expect(data?.job).toHaveProperty('throughput', [
    { elapsedSeconds: 5, processedItems: 1_000, itemsPerSecond: 200 },
    { elapsedSeconds: 10, processedItems: 3_000, itemsPerSecond: 400 },
  ]);
});

test('a long job has at most 200 points, the last among them', () => {
  const points = thin(Array.from({ length: 1_000 }, (_none, index) => index));
  expect(points.length).toBeLessThanOrEqual(200);
  expect(points.at(-1)).toBe(999);
});
