import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import type { PrismaClient } from '../../src/database/generated/prisma/client.ts';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { runDeleting } from '../../src/items/deleting-transaction.ts';
import { sumLevels } from '../../src/items/level-counts.ts';
import { deleteChanged } from '../../src/sources/delete-changed.ts';
import { test } from '../support/on-server.ts';
import { addSource, catalogContent, forgetAll, uuid, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
let prisma: PrismaClient;
let source: string;

const write = (from: number, to: number) =>
  writeRows(
    application.warehouseFolder,
    'sortie',
    Array.from({ length: to - from }, (_none, index) => ({ item_id: `S-${from + index}`, flight_hours: 1 })),
  );

const query = async (text: string) => (await application.database.pool.query(text)).rows;

async function sync(): Promise<string> {
  const { client } = application;
  const { id } = await client.startSync({ syncType: 'FULL' });
  expect((await client.waitForEnd(id)).state).toBe('COMPLETED');
  return uuid(id);
}

/** Deletes what the change feed of the table would say, as a job does that began to read at a time. */
async function remove(jobId: string, itemIds: readonly string[], startedAt = new Date()) {
  const read = { jobId, dataSourceId: source, dataType: 'sortie', sourceName: 'Sorties' };
  const [partition] = await query(`select id from job_partition where job_id = '${jobId}'`);
  const partitions = [{ id: partition.id, readItems: 0n, startedAt }];
  return runDeleting(prisma, (transaction) => deleteChanged(transaction, { ...read, partitions }, itemIds));
}

const change = (settings: object) => prisma.dataSource.update({ where: { id: source }, data: settings });

const listItems = async () =>
  (await query('select item_id from blade_item order by 1')).map((row) => row.item_id);

beforeAll(async () => {
  application = await startTestApplication();
  prisma = createPrismaClient(application.database.connectionString, { maxConnections: 1 });
});

beforeEach(async () => {
  await write(0, 10);
  source = await addSource(application, { deletePolicy: 'REMOVE' });
});

afterEach(() => forgetAll(application));

afterAll(async () => {
  await prisma.$disconnect();
  await application.close();
});

test('items whose rows a change feed deletes go from the catalog, too, if the source removes them', async () => {
  const { deleted, warning, isComplete } = await remove(await sync(), ['S-0', 'S-1', 'S-99']);
  expect({ deleted: sumLevels(deleted), warning, isComplete }).toEqual({
    ...{ deleted: 2, warning: null, isComplete: true },
  });
  await write(2, 10);
  await sync();
  await vi.waitFor(async () => expect(await listItems()).toHaveLength(8), { timeout: 30_000, interval: 50 });
  expect((await catalogContent(application)).size).toBe(8);
});

test('a source that marks items orders no removal of those that a change feed deletes', async () => {
  await change({ deletePolicy: 'MARK' });
  const { deleted } = await remove(await sync(), ['S-0']);
  expect(sumLevels(deleted)).toBe(1);
  expect(await query('select item_id from item_removal')).toEqual([]);
  expect(await listItems()).toHaveLength(10);
});

test('an item that another job wrote while the change feed was read is left to the next sync', async () => {
  const before = new Date();
  await sync();
  const later = await sync();
  expect(await remove(later, ['S-0'], before)).toMatchObject({
    isComplete: false,
    warning:
      '1 item without a row was kept, because another job wrote it while the table was read: the next sync decides.',
  });
  expect(await remove(later, ['S-0'])).toMatchObject({ isComplete: true, warning: null });
});

test('more deletes than a sync may make are none, and rows that came since do not allow more', async () => {
  await sync();
  await write(0, 40);
  const id = await sync();
  await change({
    maxDeletePercent: 20,
    deletesSettledAt: (await query('select min(created_at) from blade_item'))[0].min,
  });
  const refused = await remove(id, ['S-0', 'S-1', 'S-2']);
  expect({ deleted: sumLevels(refused.deleted), isComplete: refused.isComplete }).toEqual({
    ...{ deleted: 0, isComplete: false },
  });
  expect(refused.warning).toMatch(
    /deletes 3 of its 10 items, .* run a FULL sync, which lets them wait for an admin/,
  );
  expect(sumLevels((await remove(id, ['S-0', 'S-1'])).deleted)).toBe(2);
});
