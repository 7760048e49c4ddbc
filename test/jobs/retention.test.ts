import { v7 as newUuid } from 'uuid';
import { afterAll, beforeAll, expect } from 'vitest';
import type { PrismaClient } from '../../src/database/generated/prisma/client.ts';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { prune } from '../../src/jobs/retention.ts';
import { test } from '../support/on-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const now = new Date('2026-06-30T00:00:00Z');

let database: TestDatabase;
let prisma: PrismaClient;

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.connectionString, { maxConnections: 2 });
});

afterAll(async () => {
  await prisma.$disconnect();
  await database.close();
});

function daysAgo(days: number): Date {
  return new Date(now.getTime() - days * 24 * 60 * 60 * 1000);
}

/** A sync with three errors: one that ended, or one that still waits. */
async function makeJob(finishedDaysAgo: number | null, retryOfId: string | null = null): Promise<string> {
  const id = newUuid();
  const end =
    finishedDaysAgo === null
      ? {}
      : {
          state: 'COMPLETED' as const,
          outcome: 'SUCCEEDED' as const,
          totalItems: 0,
          finishedAt: daysAgo(finishedDaysAgo),
        };
  await prisma.job.create({
    data: { id, kind: 'SYNC', syncType: 'FULL', createdAt: daysAgo(400), retryOfId, ...end },
  });
  const partition = await prisma.jobPartition.create({
    data: { id: newUuid(), jobId: id, ordinal: 0, dataType: 'sortie', sourceName: 'Sorties' },
  });
  const error = { jobId: id, partitionId: partition.id, stage: 'TRANSFORM' as const, dataType: 'sortie' };
  await prisma.jobError.createMany({ data: Array.from({ length: 3 }, () => ({ ...error, message: 'bad' })) });
  return id;
}

async function makeItem(itemId: string, changedDaysAgo: number): Promise<void> {
  await prisma.bladeItem.create({
    data: {
      dataType: 'sortie',
      itemId,
      classificationMarking: 'U',
      data: {},
      metadata: {},
      contentHash: itemId,
      jobId: newUuid(),
      updatedAt: daysAgo(changedDaysAgo),
    },
  });
}

test('jobs that ended before their retention are deleted with their errors, and active ones never', async () => {
  const old = await makeJob(91);
  const recent = await makeJob(89);
  const active = await makeJob(null);
  const pruned = await prune(prisma, { historyDays: 90, itemDays: null, auditDays: null }, now);
  expect(pruned).toMatchObject({ jobs: 1, items: 0 });
  const left = await prisma.job.findMany({ select: { id: true } });
  expect(left.map(({ id }) => id).sort()).toEqual([recent, active].sort());
  expect(await prisma.jobError.count({ where: { jobId: old } })).toBe(0);
  expect(await prisma.jobError.count({ where: { jobId: recent } })).toBe(3);
});

test('a retry stays when the job that it retried is deleted, and no longer names it', async () => {
  const retry = await makeJob(10, await makeJob(200));
  await prune(prisma, { historyDays: 90, itemDays: null, auditDays: null }, now);
  const left = await prisma.job.findUnique({ where: { id: retry }, select: { retryOfId: true } });
  expect(left).toEqual({ retryOfId: null });
});

test('history is kept for ever if it has no retention', async () => {
  const ancient = await makeJob(10_000);
  expect((await prune(prisma, { historyDays: null, itemDays: null, auditDays: null }, now)).jobs).toBe(0);
  expect(await prisma.job.count({ where: { id: ancient } })).toBe(1);
});

test('items are kept for ever unless they have a retention', async () => {
  await makeItem('OLD', 400);
  await makeItem('NEW', 1);
  expect((await prune(prisma, { historyDays: 90, itemDays: null, auditDays: null }, now)).items).toBe(0);
  expect((await prune(prisma, { historyDays: null, itemDays: 365, auditDays: null }, now)).items).toBe(1);
  expect((await prisma.bladeItem.findMany()).map(({ itemId }) => itemId)).toEqual(['NEW']);
});

test('an item with a raised marking is kept until that is lowered', async () => {
  await makeItem('RAISED', 400);
  await makeItem('OLD', 400);
  await database.pool.query(
    `update blade_item set classification_marking = 'TS', row_marking = 'U', floor_marking = 'TS', floor_at = now(),
       floor_reason = 'exercise' where item_id = 'RAISED'`,
  );
  const retention = { historyDays: null, itemDays: 365, auditDays: null };
  expect((await prune(prisma, retention, now)).items).toBe(1);
  expect(await prisma.bladeItem.count({ where: { itemId: 'OLD' } })).toBe(0);
  expect(await prisma.bladeItem.count({ where: { itemId: 'RAISED' } })).toBe(1);
});

test('thousands of jobs are deleted at once', async () => {
  await database.pool.query(
    `insert into job (id, kind, sync_type, state, outcome, total_items, finished_at, created_at)
     select gen_random_uuid(), 'SYNC', 'FULL', 'COMPLETED', 'SUCCEEDED', 0, $1::timestamptz, $1 from generate_series(1, 2500)`,
    [daysAgo(100)],
  );
  expect((await prune(prisma, { historyDays: 90, itemDays: null, auditDays: null }, now)).jobs).toBe(2500);
});

test('upload batches are deleted once they have no items', async () => {
  const [used, unused] = await Promise.all(
    [1, 2].map(() => prisma.uploadBatch.create({ data: { uploadedAt: daysAgo(1) } })),
  );
  await makeItem('UPLOADED', 1);
  await prisma.bladeItem.updateMany({
    where: { itemId: 'UPLOADED' },
    data: { uploadBatchId: used?.id ?? null },
  });
  await prune(prisma, { historyDays: null, itemDays: null, auditDays: null }, now);
  const left = await prisma.uploadBatch.findMany();
  expect(left).toEqual([used]);
  expect(left).not.toContainEqual(unused);
});

test('a start is recognized for 24 hours of the database, whatever the clock of the process says', async () => {
  const jobId = await makeJob(1);
  const start = { principalId: 'ann', operation: 'startSync', inputHash: 'x', jobId };
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 60 * 60 * 1000);
  await prisma.startRequest.createMany({
    data: [
      { ...start, idempotencyKey: 'recent', createdAt: hoursAgo(23) },
      { ...start, idempotencyKey: 'old', createdAt: hoursAgo(25) },
    ],
  });
  const settings = { historyDays: null, itemDays: null, auditDays: null };
  await prune(prisma, settings, new Date('2100-01-01T00:00:00Z'));
  const left = await prisma.startRequest.findMany({ where: { jobId } });
  expect(left.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['recent']);
});

test('the latest thousand runs of the schedule of each source are kept, and what waits', async () => {
  const addSource = async (name: string) => {
    const table = { catalogName: 'blade', schemaName: 'field', tableName: 'sortie' };
    return (await prisma.dataSource.create({ data: { name, dataType: 'sortie', ...table } })).id;
  };
  const [busy, quiet] = [await addSource('Busy'), await addSource('Quiet')];
  const toRun = (dataSourceId: string, minutes: number) => {
    const dueAt = new Date(daysAgo(1).getTime() + minutes * 60_000);
    const times = { firstDueAt: dueAt, dueAt, createdAt: dueAt };
    const state = dataSourceId === busy && minutes === 0 ? ('WAITING' as const) : ('STARTED' as const);
    return { id: newUuid(), dataSourceId, state, ...times };
  };
  const counted = (length: number, id: string) =>
    Array.from({ length }, (_none, minute) => toRun(id, minute));
  await prisma.scheduledRun.createMany({ data: [...counted(1_010, busy), ...counted(3, quiet)] });
  const pruned = await prune(prisma, { historyDays: null, itemDays: null, auditDays: null }, now);
  expect(pruned.scheduledRuns).toBe(9);
  expect(await prisma.scheduledRun.count({ where: { dataSourceId: quiet } })).toBe(3);
  const left = await prisma.scheduledRun.findMany({ where: { dataSourceId: busy }, orderBy: { id: 'asc' } });
  expect(left.map(({ state }) => state).indexOf('WAITING')).toBe(0);
  expect(left).toHaveLength(1_001);
  expect(left[1]?.dueAt).toEqual(toRun(busy, 10).dueAt);
});
