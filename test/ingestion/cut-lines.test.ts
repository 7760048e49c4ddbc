import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { JobFactsFragment, StartSyncInput } from '../generated/graphql.ts';
import { catalogItems } from '../support/catalog-items.ts';
import { test } from '../support/on-server.ts';
import { JobById, JobErrors, RetryJob } from '../support/operations.ts';
import { addSource, forgetAll, storedItems } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterEach(async () => {
  await forgetAll(application);
  await rm(join(application.warehouseFolder, 'blade'), { recursive: true, force: true });
});

afterAll(() => application.close());

async function write(file: string, text: string): Promise<void> {
  const path = join(application.warehouseFolder, 'blade', 'field', file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

const addSorties = (cursorColumn: string | null = null) =>
  addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie', cursorColumn });

async function sync(input: Partial<StartSyncInput> = {}): Promise<JobFactsFragment> {
  const { id } = await application.client.startSync({ syncType: 'FULL', ...input });
  return application.client.waitForEnd(id);
}

async function findErrors({ id }: JobFactsFragment) {
  const { job } = await application.client.send(JobErrors, { id, first: 100 });
  return job?.errors.edges.map(({ node }) => node) ?? [];
}

async function findSource() {
  const { rows } = await application.database.pool.query(
    'select watermark, last_sync_message as message from data_source',
  );
  return rows[0];
}

async function markings(): Promise<Record<string, string>> {
  const items = await storedItems(application);
  return Object.fromEntries(items.map(({ itemId, marking }) => [itemId, marking]));
}

const HEAD = 'item_id,mission_status,classification_marking';
const LINES = ['M1,first,TOP SECRET', 'M2,"second, of two",SECRET', 'M20,third,TOP SECRET'];
const whole = `${[HEAD, ...LINES].join('\n')}\n`;
const MARKED = { M1: 'TOP SECRET', M2: 'SECRET', M20: 'TOP SECRET' };

describe('a CSV file that was cut in its last line', () => {
  const last = LINES[2] ?? '';
  const begin = whole.lastIndexOf(last);
  const places = [1, 2, 3, 4, 7, 9, 10, 11, 13, 14, last.length - 1, last.length];

  test('leaves every item its marking, and its text unless the line is whole', async () => {
    await write('sortie.csv', whole);
    await addSorties();
    await sync();
    const before = await storedItems(application);
    for (const place of places) {
      const kept = last.slice(0, place);
      await write('sortie.csv', whole.slice(0, begin) + kept);
      const job = await sync();
      expect(await markings(), kept).toEqual(MARKED);
      const cells = kept.split(',');
      const isWhole = cells[2] === 'TOP SECRET';
      expect(job, kept).toMatchObject({
        state: 'COMPLETED',
        progress: { successCount: isWhole ? 3 : 2, errorCount: isWhole ? 0 : 1 },
      });
      const reason = [
        'has 1 cell, and the header 3',
        'has 2 cells, and the header 3',
        'ends in an empty cell without a line end and may be truncated',
      ][cells.length - 1];
      // A marking that is cut within itself is no marking, which is an error of the row.
      if (isWhole || cells[2]) continue;
      const message = `Line 4 ${reason}: nothing of it was read (blade.field.sortie).`;
      expect(await findErrors(job)).toMatchObject([{ stage: 'READ', itemId: null, row: null, message }]);
      expect(await storedItems(application)).toEqual(before);
    }
  });

  test('within a quoted cell changes nothing', async () => {
    const quoted = `${[HEAD, ...LINES.slice(0, 2), 'M20,"third, of three",TOP SECRET'].join('\n')}\n`;
    await write('sortie.csv', quoted);
    await addSorties();
    await sync();
    const before = await storedItems(application);
    await write('sortie.csv', quoted.slice(0, quoted.indexOf(' of three')));
    const job = await sync();
    expect(job).toMatchObject({ state: 'COMPLETED', progress: { successCount: 2, errorCount: 1 } });
    expect((await findErrors(job))[0]?.message).toContain('Line 4 ends within a quoted cell');
    expect(await storedItems(application)).toEqual(before);
    expect((await catalogItems(application)).get('M20')).toMatchObject({
      classificationMarking: 'TOP SECRET',
      data: { mission_status: 'third, of three' },
    });
  });
});

describe('a line of CSV with another number of cells than the header', () => {
  test('is an error each time, until it is mended', async () => {
    await write('sortie.csv', `${HEAD}\nM1,first\nM2,"second",SECRET,x\nM3,third,U\n`);
    await addSorties();
    for (const input of [
      {},
      {},
      { options: { batchSize: 1 } },
      { filter: "item_id = 'M3'" },
      { maxItems: 1 },
    ]) {
      const job = await sync(input);
      expect(job).toMatchObject({
        state: 'COMPLETED',
        progress: { totalItems: 3, successCount: 1, errorCount: 2 },
      });
      expect(await markings()).toEqual({ M3: 'U' });
      expect((await findErrors(job)).map(({ message }) => message.slice(0, 6))).toEqual(['Line 2', 'Line 3']);
    }
    await write('sortie.csv', `${HEAD}\nM1,first,TS\nM2,"second",SECRET\nM3,third,U\n`);
    expect(await sync()).toMatchObject({ progress: { successCount: 3, errorCount: 0 } });
  });

  test('does not come with a retry of the failed items: there is nothing of it to retry', async () => {
    await write('sortie.csv', `${HEAD}\nM1,first\nM3,third,U\n`);
    await addSorties();
    const { id } = await sync();
    const { retryJob } = await application.client.send(RetryJob, { input: { id, mode: 'FAILED_ITEMS' } });
    expect(retryJob.__typename).toBe('NothingToRetryError');
  });

  test('counts once where the source is read in several partitions', async () => {
    const lines = Array.from({ length: 2_500 }, (_, index) => `M${index},flown,U`);
    await write('sortie.csv', `${[HEAD, ...lines, 'M1', 'M2'].join('\n')}\n`);
    await addSorties();
    const job = await sync({ options: { partitionRows: 1_000 } });
    expect(job).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 2_502, successCount: 2_500, errorCount: 2 },
    });
    const { job: withPartitions } = await application.client.send(JobById, { id: job.id });
    expect(withPartitions?.partitions.nodes.length).toBeGreaterThan(1);
  });

  test('stays in an INCREMENTAL sync, whose watermark does not pass it', async () => {
    const head = `${HEAD},seq`;
    await write('sortie.csv', `${head}\nM1,first,U,1\n`);
    await addSorties('seq');
    await sync({ syncType: 'INCREMENTAL' });
    await write('sortie.csv', `${head}\nM1,first,U,1\nM2,second\nM3,third,U,3\n`);
    for (const _ of [1, 2]) {
      expect(await sync({ syncType: 'INCREMENTAL' })).toMatchObject({
        state: 'COMPLETED',
        // With the row at the watermark.
        progress: { totalItems: 3, successCount: 2, errorCount: 1 },
      });
    }
    await write('sortie.csv', `${head}\nM1,first,U,1\nM2,second,TS,2\nM3,third,U,3\n`);
    await sync({ syncType: 'INCREMENTAL' });
    expect(await markings()).toEqual({ M1: 'U', M2: 'TS', M3: 'U' });
    // The file is whole and has not changed, so there is nothing to read.
    expect(await sync({ syncType: 'INCREMENTAL' })).toMatchObject({ progress: { totalItems: 0 } });
  });

  test('keeps a limited INCREMENTAL sync from moving its watermark, and the source says why, until the line is repaired', async () => {
    const file = (line: string) =>
      `${HEAD},seq\nM1,first,U,1\n${line}\nM2,second,U,2\nM3,third,U,3\nM4,fourth,U,4\n`;
    await write('sortie.csv', file('M0,broken'));
    await addSorties('seq');
    const limited = { syncType: 'INCREMENTAL', maxItems: 2 } as const;
    for (const _ of [1, 2]) {
      const job = await sync(limited);
      // The line counts beyond the limit, and is reported by each sync.
      expect(job).toMatchObject({
        outcome: 'ITEMS_FAILED',
        progress: { totalItems: 3, successCount: 2, errorCount: 1 },
      });
      expect((await findErrors(job)).map(({ stage }) => stage)).toEqual(['READ']);
      expect(Object.keys(await markings())).toEqual(['M1', 'M2']);
      expect(await findSource()).toMatchObject({
        watermark: null,
        message:
          'Lines of the table cannot be read, so the watermark did not move, and the next sync with a limit reads the same rows: repair the lines, or sync without a limit',
      });
    }
    await sync({ syncType: 'INCREMENTAL' });
    expect(Object.keys(await markings())).toEqual(['M1', 'M2', 'M3', 'M4']);
    expect(await findSource()).toMatchObject({ watermark: null, message: null });
    await write('sortie.csv', file('M0,repaired,U,0'));
    for (const watermark of ['1', '3', '4']) {
      await sync(limited);
      expect(await findSource()).toMatchObject({ watermark, message: null });
    }
    expect(Object.keys(await markings()).sort()).toEqual(['M0', 'M1', 'M2', 'M3', 'M4']);
  });

  test('is an error of a query job that names the table, whatever the query makes of it', async () => {
    await write('sortie.csv', `${HEAD}\nM1,first\nM3,third,U\n`);
    await addSorties();
    const { id } = await application.client.startQueryJob({
      dataType: 'sortie',
      sqlQuery: `SELECT coalesce(item_id, 'none') AS item_id FROM blade.field.sortie WHERE mission_status <> 'first'`,
    });
    const job = await application.client.waitForEnd(id);
    expect(job).toMatchObject({
      state: 'COMPLETED',
      progress: { totalItems: 2, successCount: 1, errorCount: 1 },
    });
    expect((await findErrors(job))[0]?.message).toContain('Line 2 has 2 cells');
    expect((await storedItems(application)).map(({ itemId }) => itemId)).toEqual(['M3']);
  });

  test('ends a job that may not have so many errors', async () => {
    await write('sortie.csv', `${HEAD}\nM1\nM2\nM3,third,U\n`);
    await addSorties();
    expect(await sync({ options: { maxErrors: 1 } })).toMatchObject({ state: 'FAILED' });
  });
});

describe('a line of NDJSON', () => {
  test('that was cut refuses the file by its line, and changes nothing', async () => {
    const line = (id: string) =>
      `${JSON.stringify({ item_id: id, classification_marking: 'TOP SECRET', mission_status: 'flown' })}\n`;
    await write('sortie.ndjson', line('M1') + line('M20'));
    await addSorties();
    await sync();
    const before = await storedItems(application);
    for (const cut of [1, 2, 10, 30, 45, 60]) {
      await write('sortie.ndjson', line('M1') + line('M20').slice(0, -1 - cut));
      const job = await sync();
      expect(job).toMatchObject({
        state: 'FAILED',
        failureReason: expect.stringContaining('Line 2 of the file'),
      });
      expect(await storedItems(application)).toEqual(before);
    }
  });

  test('without a marking leaves the item the one that it has', async () => {
    await write('sortie.ndjson', `{"item_id":"M1","classification_marking":"TS"}\n{"item_id":"M2"}\n`);
    await addSorties();
    await sync();
    await write('sortie.ndjson', `{"item_id":"M1","mission_status":"flown"}\n{"item_id":"M2"}\n`);
    await sync();
    expect(await markings()).toEqual({ M1: 'TS', M2: 'CONFIDENTIAL' });
  });
});
