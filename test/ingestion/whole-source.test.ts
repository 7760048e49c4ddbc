import { copyFile, mkdir, open, rename, stat, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, vi } from 'vitest';
import type { JobFactsFragment, StartQueryJobInput, StartSyncInput } from '../generated/graphql.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';
import { test } from '../support/on-server.ts';
import { JobById, JobErrors, PauseJob, ResumeJob } from '../support/operations.ts';
import { addSource, catalogContent, forgetAll, storedItems, uploadedContent } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
  // For the queries, which ingest rows of no table.
  await write('sortie.parquet', flights(1));
});

afterEach(() => forgetAll(application));

afterAll(() => application.close());

const path = (file: string) => join(application.warehouseFolder, 'blade', 'field', file);

/** Writes the rows of a query of DuckDB to a file, over what it holds. */
async function write(file: string, query: string): Promise<void> {
  await mkdir(dirname(path(file)), { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  // In small groups of rows, so that one that is damaged leaves those before it.
  const format = file.endsWith('.parquet')
    ? 'FORMAT parquet, ROW_GROUP_SIZE 4096'
    : `FORMAT ${file.endsWith('.csv') ? 'csv' : 'json'}`;
  await connection.run(`COPY (${query}) TO '${path(file)}' (${format})`);
  connection.closeSync();
  instance.closeSync();
}

/** Rows wide enough that the engine reads them in many parts. */
function flights(rows: number, prefix = 'S', from = 0): string {
  return `SELECT '${prefix}-' || lpad(i::VARCHAR, 7, '0') AS item_id, md5(i::VARCHAR) || md5(i::VARCHAR || 'x') || md5(i::VARCHAR || 'y') AS mission_id,
    TIMESTAMP '2026-01-01' + to_seconds(i) AS updated_at FROM range(${from}, ${from + rows}) t(i)`;
}

async function addSorties(): Promise<void> {
  await addSource(application, {
    ...{ name: 'Sorties', dataType: 'sortie', tableName: 'sortie', cursorColumn: 'updated_at' },
  });
}

async function startSync(input: Partial<StartSyncInput> = {}): Promise<string> {
  return (await application.client.startSync({ syncType: 'FULL', ...input })).id;
}

async function sync(input: Partial<StartSyncInput> = {}): Promise<JobFactsFragment> {
  return application.client.waitForEnd(await startSync(input));
}

async function query(sqlQuery: string, input: Partial<StartQueryJobInput> = {}): Promise<JobFactsFragment> {
  const { id } = await application.client.startQueryJob({ dataType: 'sortie', sqlQuery, ...input });
  return application.client.waitForEnd(id);
}

async function watermark(): Promise<string | null> {
  const { rows } = await application.database.pool.query('select watermark from data_source');
  return rows[0].watermark;
}

async function storedCount(): Promise<number> {
  const { rows } = await application.database.pool.query('select count(*)::int as count from blade_item');
  return rows[0].count;
}

/** Waits until a job has stored some items, and is far from its end. */
async function someStored(): Promise<void> {
  await vi.waitFor(async () => expect(await storedCount()).toBeGreaterThan(0), {
    timeout: 30_000,
    interval: 5,
  });
}

function expectUnread(job: JobFactsFragment, total: number): void {
  const { percent, totalItems, processedItems, successCount, errorCount } = job.progress;
  expect(job.state).toBe('FAILED');
  expect(totalItems).toBe(total);
  expect(percent).toBeGreaterThan(0);
  expect(percent).toBeLessThan(100);
  expect(processedItems).toBe(successCount + errorCount);
  expect(processedItems).toBeLessThan(total);
  const unread = (total - processedItems).toLocaleString('en-US');
  expect(job.failureReason).toContain(`. ${unread} of ${total.toLocaleString('en-US')} rows were not read.`);
}

async function damage(file: string): Promise<void> {
  const handle = await open(path(file), 'r+');
  const { size } = await handle.stat();
  await handle.write(Buffer.alloc(4_000, 0xff), 0, 4_000, Math.floor(size * 0.9));
  await handle.close();
}

describe('a query job whose statement fails behind its first rows', () => {
  test('is FAILED with the reason, keeps what it read, and says how many rows it did not', async () => {
    await addSorties();
    const job = await query(
      `SELECT 'S-' || CAST(id AS STRING) AS item_id,
         CAST(CASE WHEN id = 90000 THEN 'x' ELSE '1' END AS INT) AS flight_hours
       FROM range(100000) AS flights`,
      { options: { batchSize: 5_000 } },
    );
    expectUnread(job, 100_000);
    expect(job.failureReason).toMatch(
      /^a query without tables: Conversion Error: Could not convert string '…' to INT32\. /,
    );
    expect(await storedCount()).toBe(job.progress.successCount);
    expect(await catalogContent(application)).toEqual(uploadedContent(await storedItems(application)));
  });

  const shapes: readonly ((rows: string) => string)[] = [
    (rows) => rows,
    (rows) => `SELECT * FROM (${rows}) AS r ORDER BY item_id`,
    (rows) => `SELECT * FROM (${rows}) AS r LIMIT 60000`,
    (rows) => `WITH w${rows.length} AS (${rows}) SELECT * FROM w${rows.length}`,
    (rows) => `SELECT item_id, MAX(flight_hours) AS flight_hours FROM (${rows}) AS r GROUP BY item_id`,
    (rows) => `SELECT item_id, named_struct('hours', array(flight_hours)) AS nested FROM (${rows}) AS r`,
    (rows) => `SELECT * FROM (${rows}) AS r UNION ALL SELECT 'S-more', 'm', 1`,
  ];

  test('never ends COMPLETED with fewer rows, wherever the bad row is and whatever the statement', async () => {
    await addSorties();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...shapes.slice(0, 4)), { maxLength: 2 }),
        fc.constantFrom(...shapes),
        fc.nat(89_999),
        async (inner, outer, bad) => {
          const rows = (at: number) =>
            [...inner, outer].reduce(
              (sql, shape) => shape(sql),
              `SELECT 'S-' || CAST(id AS STRING) AS item_id, mission_id,
                 CAST(CASE WHEN id = ${at} THEN 'x' ELSE '1' END AS INT) AS flight_hours
               FROM (SELECT id, repeat('m', 200) AS mission_id FROM range(90000)) AS flights`,
            );
          const whole = await query(rows(-1), { options: { batchSize: 10_000 } });
          expect(whole.state).toBe('COMPLETED');
          const job = await query(rows(bad), { options: { batchSize: 10_000 } });
          if (job.state === 'COMPLETED') expect(job.progress.successCount).toBe(whole.progress.successCount);
          else expect(job.failureReason).toContain('Could not convert');
        },
      ),
      fuzzParameters(0.01, 'bad row of a job'),
    );
  }, 600_000);
});

describe('a Parquet file that is damaged in its middle', () => {
  // The engine reads tens of thousands of rows ahead, and drops these where it fails.
  const ROWS = 100_000;
  const options = { batchSize: 5_000 };

  test('fails its sync and leaves the watermark; once it is repaired, an INCREMENTAL sync reads all of it', async () => {
    await write('sortie.parquet', flights(ROWS));
    await addSorties();
    await copyFile(path('sortie.parquet'), path('sortie.whole'));
    await damage('sortie.parquet');
    const job = await sync({ options });
    expectUnread(job, ROWS);
    expect(job.failureReason).toMatch(/^Sorties: The Parquet file is damaged/);
    expect(job.recentErrors.at(-1)).toMatch(
      /^Failed to query sortie from Sorties: The Parquet file is damaged/,
    );
    expect(await watermark()).toBeNull();

    await copyFile(path('sortie.whole'), path('sortie.parquet'));
    expect(await sync({ syncType: 'INCREMENTAL' })).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: ROWS, successCount: ROWS, percent: 100 },
    });
    expect(await storedCount()).toBe(ROWS);
    expect(await watermark()).toBe('2026-01-02 03:46:39');
  });

  test('does not move a watermark that is set past what it holds', async () => {
    await write('sortie.parquet', flights(100));
    await addSorties();
    await sync();
    const before = await watermark();
    await write('sortie.parquet', flights(ROWS));
    await copyFile(path('sortie.parquet'), path('sortie.whole'));
    await damage('sortie.parquet');
    // With the row at the watermark.
    expectUnread(await sync({ syncType: 'INCREMENTAL', options }), ROWS - 99);
    expect(await watermark()).toBe(before);
    await copyFile(path('sortie.whole'), path('sortie.parquet'));
    expect(await sync({ syncType: 'INCREMENTAL' })).toMatchObject({ progress: { successCount: ROWS - 99 } });
    expect(await storedCount()).toBe(ROWS);
  });

  test('fails the sync of its source alone: the others are read, and the job says what is missing', async () => {
    await write('sortie.parquet', flights(ROWS));
    await damage('sortie.parquet');
    await write('shipment.parquet', `SELECT 'L-' || i AS item_id, i AS quantity FROM range(50) t(i)`);
    await addSorties();
    await addSource(application, { name: 'Shipments', dataType: 'logistics', tableName: 'shipment' });
    const job = await sync({ options });
    expectUnread(job, ROWS + 50);
    expect(job.progress.byType).toMatchObject([
      { dataType: 'logistics', totalItems: 50, processedItems: 50 },
      { dataType: 'sortie', totalItems: ROWS, errorCount: 0 },
    ]);
    const { job: withErrors } = await application.client.send(JobErrors, { id: job.id });
    expect(withErrors?.errors).toMatchObject({ totalCount: 1, edges: [{ node: { stage: 'READ' } }] });
  });
});

describe('a table that changes while it is read is planned again', () => {
  const ROWS = 20_000;
  const inSmallBatches = { options: { batchSize: 250 } };

  const findPartitions = async (id: string) =>
    (await application.client.send(JobById, { id })).job?.partitions.nodes ?? [];

  /** Waits until some partitions of a job have been read, and others wait. */
  async function someRead(jobId: string): Promise<void> {
    await vi.waitFor(
      async () => {
        const states = (await findPartitions(jobId)).map(({ state }) => state);
        expect(states).toContain('COMPLETED');
        expect(states).toContain('PENDING');
      },
      { timeout: 30_000, interval: 5 },
    );
  }

  test('a Parquet file that is replaced: the sync has every row of the new one, and its watermark', async () => {
    await write('sortie.parquet', flights(ROWS));
    await write('next.parquet', flights(3_000, 'N', 500));
    await addSorties();
    const id = await startSync(inSmallBatches);
    await someStored();
    await rename(path('next.parquet'), path('sortie.parquet'));
    expect(await application.client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 3_000, successCount: 3_000, errorCount: 0, percent: 100 },
    });
    const items = await storedItems(application);
    expect(items.filter(({ itemId }) => itemId.startsWith('N-'))).toHaveLength(3_000);
    expect(await watermark()).toBe('2026-01-01 00:58:19');
    expect(await catalogContent(application)).toEqual(uploadedContent(items));
    expect(items.every(({ uploadedAt }) => uploadedAt !== null)).toBe(true);
  });

  test('also in the midst of its partitions, all of which are read anew', async () => {
    await write('sortie.parquet', flights(20_000));
    await write('next.parquet', flights(9_000, 'N'));
    await addSorties();
    const id = await startSync({ options: { batchSize: 200, partitionRows: 2_000 } });
    await someRead(id);
    await rename(path('next.parquet'), path('sortie.parquet'));
    expect(await application.client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 9_000, successCount: 9_000, errorCount: 0 },
    });
    const items = await storedItems(application);
    expect(items.filter(({ itemId }) => itemId.startsWith('N-'))).toHaveLength(9_000);
    expect(items.every(({ uploadedAt }) => uploadedAt !== null)).toBe(true);
    expect((await findPartitions(id)).reduce((sum, { readItems }) => sum + readItems, 0)).toBe(9_000);
  });

  test.each(['parquet', 'csv', 'ndjson'])(
    'a %s file replaced between its partitions by one with the same ids: every item is of the new file',
    async (format) => {
      const file = `sortie.${format}`;
      await unlink(path('sortie.parquet')).catch(() => {});
      await write(file, flights(20_000));
      await write(`next.${format}`, `SELECT * REPLACE ('new' AS mission_id) FROM (${flights(20_000)})`);
      const { atime, mtime } = await stat(path(file));
      await utimes(path(`next.${format}`), atime, mtime);
      await addSorties();
      const id = await startSync({ options: { batchSize: 200, partitionRows: 2_000 } });
      await someRead(id);
      await rename(path(`next.${format}`), path(file));
      expect(await application.client.waitForEnd(id)).toMatchObject({
        state: 'COMPLETED',
        progress: { totalItems: 20_000, successCount: 20_000, errorCount: 0 },
      });
      const items = await storedItems(application);
      expect(items.filter(({ data }) => data.mission_id === 'new')).toHaveLength(20_000);
      expect(await catalogContent(application)).toEqual(uploadedContent(items));
      await unlink(path(file));
    },
  );

  test.each(['csv', 'ndjson'])(
    'a cut %s file: once it is whole again, an INCREMENTAL sync reads the rest',
    async (format) => {
      const file = `sortie.${format}`;
      await unlink(path('sortie.parquet')).catch(() => {});
      await write(file, flights(ROWS));
      await copyFile(path(file), path('sortie.whole'));
      await addSorties();
      const id = await startSync(inSmallBatches);
      await someStored();
      // Behind a whole line: what a torn one does is another matter.
      const head = (await stat(path(file))).size / 2;
      const handle = await open(path(file), 'r');
      const { buffer } = await handle.read(Buffer.alloc(300), 0, 300, Math.floor(head));
      await handle.close();
      await truncate(path(file), Math.floor(head) + buffer.indexOf('\n') + 1);
      const job = await application.client.waitForEnd(id);
      expect(job.state).toBe('COMPLETED');
      expect(job.progress.totalItems).toBeLessThan(ROWS);
      expect(job.progress.totalItems).toBeGreaterThan(ROWS / 3);
      await copyFile(path('sortie.whole'), path(file));
      expect(await sync({ syncType: 'INCREMENTAL' })).toMatchObject({
        state: 'COMPLETED',
        // With the row at the watermark.
        progress: { successCount: ROWS - (job.progress.totalItems ?? 0) + 1 },
      });
      expect(await storedCount()).toBe(ROWS);
      await unlink(path(file));
    },
  );

  test.each([
    ['emptied', () => truncate(path('sortie.parquet'), 0)],
    ['cut', () => truncate(path('sortie.parquet'), 500_000)],
    ['overwritten with something else', () => writeFile(path('sortie.parquet'), 'no Parquet')],
    ['deleted', () => unlink(path('sortie.parquet'))],
  ])('a Parquet file that is %s fails its source, and the watermark stays', async (_name, change) => {
    await write('sortie.parquet', flights(ROWS));
    await copyFile(path('sortie.parquet'), path('sortie.whole'));
    await addSorties();
    const id = await startSync(inSmallBatches);
    await someStored();
    await change();
    const job = await application.client.waitForEnd(id);
    // Planned again, its rows could not be counted any more; what it stored before counts.
    expect(job).toMatchObject({ state: 'FAILED', outcome: 'SOURCES_FAILED', progress: { percent: null } });
    expect(job.progress.successCount).toBeGreaterThan(0);
    expect(job.progress.processedItems).toBe(job.progress.successCount);
    expect(await watermark()).toBeNull();
    await copyFile(path('sortie.whole'), path('sortie.parquet'));
    expect(await sync({ syncType: 'INCREMENTAL' })).toMatchObject({ progress: { successCount: ROWS } });
    expect(await storedCount()).toBe(ROWS);
  });

  test('one that changes each time is FAILED after the third, with the reason', async () => {
    await write('sortie.ndjson', flights(ROWS));
    await unlink(path('sortie.parquet')).catch(() => {});
    await addSorties();
    const id = await startSync(inSmallBatches);
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        await writeFile(path('sortie.ndjson'), '{"item_id":"more","updated_at":"2026-01-02 00:00:00"}\n', {
          flag: 'a',
        });
        await setImmediate();
      }
    })();
    const job = await application.client.waitForEnd(id);
    isOver = true;
    await writing;
    await unlink(path('sortie.ndjson'));
    expect(job).toMatchObject({
      state: 'FAILED',
      failureReason: expect.stringContaining(
        'blade/field/sortie.ndjson was changed while it was read. The table changed each of the 3 times it was read.',
      ),
    });
    expect(await watermark()).toBeNull();
  });

  test('a file of a query job, too: it has every row of the new one', async () => {
    await write('sortie.parquet', flights(ROWS));
    await write('next.parquet', flights(2_000, 'N'));
    await addSorties();
    const { id } = await application.client.startQueryJob({
      dataType: 'sortie',
      sqlQuery: 'SELECT * FROM blade.field.sortie',
      ...inSmallBatches,
    });
    await someStored();
    await rename(path('next.parquet'), path('sortie.parquet'));
    expect(await application.client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 2_000, successCount: 2_000 },
    });
  });

  test('one that changes while its job is paused', async () => {
    await write('sortie.parquet', flights(ROWS));
    await write('next.parquet', flights(2_000, 'N'));
    await addSorties();
    const id = await startSync(inSmallBatches);
    await someStored();
    await application.client.send(PauseJob, { input: { id } });
    await vi.waitFor(async () =>
      expect((await application.client.send(JobById, { id })).job?.state).toBe('PAUSED'),
    );
    await rename(path('next.parquet'), path('sortie.parquet'));
    await application.client.send(ResumeJob, { input: { id } });
    expect(await application.client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 2_000, successCount: 2_000 },
    });
  });

  test('and cancelling it meanwhile cancels it', async () => {
    await write('sortie.parquet', flights(ROWS));
    await write('next.parquet', flights(ROWS, 'N'));
    await addSorties();
    const id = await startSync(inSmallBatches);
    await someStored();
    await rename(path('next.parquet'), path('sortie.parquet'));
    await application.client.cancelJob(id);
    expect(await application.client.waitForEnd(id)).toMatchObject({ state: 'CANCELLED' });
  });
});

test('a job that goes on at its checkpoint counts the rows before it, and ends COMPLETED', async () => {
  await write('sortie.parquet', flights(30_000));
  await addSorties();
  const id = await startSync({ options: { batchSize: 250 } });
  await someStored();
  await application.client.send(PauseJob, { input: { id } });
  await vi.waitFor(async () =>
    expect((await application.client.send(JobById, { id })).job?.state).toBe('PAUSED'),
  );
  await application.client.send(ResumeJob, { input: { id } });
  const job = await application.client.waitForEnd(id);
  expect(job).toMatchObject({ state: 'COMPLETED', progress: { totalItems: 30_000, successCount: 30_000 } });
  expect((await application.client.send(JobById, { id })).job?.partitions.nodes).toMatchObject([
    { attempt: 2 },
  ]);
});

test('a full sync leaves rows that arrive past its plan to the next one', async () => {
  await write('sortie.parquet', flights(30_000));
  await addSorties();
  const id = await startSync({ options: { batchSize: 250 } });
  await vi.waitFor(async () => {
    const { rows } = await application.database.pool.query('select plan from job_partition');
    expect(rows[0].plan).not.toBeNull();
  });
  const { rows } = await application.database.pool.query('select plan from job_partition');
  expect(rows[0].plan).toMatchObject({
    rowCount: 30_000,
    watermark: { value: '2026-01-01 08:19:59', type: 'TIMESTAMP_NTZ' },
    statement: { parameters: { high: '2026-01-01 08:19:59' } },
  });
  expect(await application.client.waitForEnd(id)).toMatchObject({ progress: { successCount: 30_000 } });
});
