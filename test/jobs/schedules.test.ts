import type { PgBoss } from 'pg-boss';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { localPrincipal } from '../../src/access/principal.ts';
import type { PrismaClient } from '../../src/database/generated/prisma/client.ts';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { cancelJob } from '../../src/jobs/cancel-job.ts';
import type { JobStarter } from '../../src/jobs/create-job.ts';
import { startBoss } from '../../src/jobs/queue/boss.ts';
import { openPartitionQueue } from '../../src/jobs/queue/partition-queue.ts';
import { openSchedules, runScheduledSync, type Schedules } from '../../src/jobs/schedules.ts';
import { deleteDataSource } from '../../src/sources/delete-source.ts';
import { saveDataSource } from '../../src/sources/save-source.ts';
import type { Schedule } from '../../src/sources/schedule.ts';
import { test } from '../support/on-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let prisma: PrismaClient;
let boss: PgBoss;
let starter: JobStarter;
let schedules: Schedules;

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.connectionString, { maxConnections: 4 });
  boss = await startBoss({
    connectionString: database.connectionString,
    useNotifications: false,
    runsSchedules: false,
    onError: () => {},
  });
  starter = { prisma, queue: await openPartitionQueue(boss) };
  schedules = await openSchedules(boss, starter);
});

afterAll(async () => {
  await boss.stop({ graceful: false });
  await prisma.$disconnect();
  await database.close();
});

function source(name: string, schedule: Schedule | null, enabled = true) {
  const table = {
    catalogName: 'blade',
    schemaName: 'field',
    tableName: 'sortie',
    cursorColumn: 'updated_at',
  };
  return { name, dataType: 'sortie', ...table, enabled, schedule };
}

test('the next runs of a schedule are shown in its own time zone, including daylight saving', () => {
  vi.useFakeTimers({ now: new Date('2026-03-28T12:00:00Z'), toFake: ['Date'] });
  try {
    const runs = schedules.nextRuns({ cron: '30 8 * * *', timeZone: 'Europe/Berlin' }, 2);
    expect(runs.map((run) => run.toISOString())).toEqual([
      '2026-03-29T06:30:00.000Z',
      '2026-03-30T06:30:00.000Z',
    ]);
  } finally {
    vi.useRealTimers();
  }
});

test.each([
  ['61 * * * *', 'UTC', 'input.schedule.cron'],
  ['every night', 'UTC', 'input.schedule.cron'],
  ['* * * * * *', 'UTC', 'input.schedule.cron'],
  ['30 2 * * *', 'Mars/Olympus', 'input.schedule.timeZone'],
])(
  'the schedule %j in %j is refused with an error for %s, and nothing is saved',
  async (cron, timeZone, field) => {
    const saving = saveDataSource(
      prisma,
      schedules,
      localPrincipal,
      null,
      source('Refused', { cron, timeZone }),
    );
    await expect(saving).rejects.toMatchObject({ name: 'InvalidInputError', issues: [{ field }] });
    expect(await prisma.dataSource.count({ where: { name: 'Refused' } })).toBe(0);
  },
);

test('a saved schedule takes effect immediately, and ends when it is removed, disabled or deleted', async () => {
  const inForce = async (id: string) => (await boss.getSchedule('scheduled-syncs', id)) !== null;
  const schedule = { cron: '30 2 * * *', timeZone: 'America/New_York' };
  const { id } = await saveDataSource(prisma, schedules, localPrincipal, null, source('Nightly', schedule));
  expect(await boss.getSchedule('scheduled-syncs', id)).toMatchObject({
    cron: '30 2 * * *',
    timezone: 'America/New_York',
  });
  await saveDataSource(prisma, schedules, localPrincipal, id, source('Nightly', schedule, false));
  expect(await inForce(id)).toBe(false);
  await saveDataSource(prisma, schedules, localPrincipal, id, source('Nightly', schedule));
  expect(await inForce(id)).toBe(true);
  await saveDataSource(prisma, schedules, localPrincipal, id, source('Nightly', null));
  expect(await inForce(id)).toBe(false);
  await saveDataSource(prisma, schedules, localPrincipal, id, source('Nightly', schedule));
  await deleteDataSource(prisma, schedules, localPrincipal, id);
  expect(await inForce(id)).toBe(false);
});

test('a tick starts an incremental sync of its source only, and a tick while a sync is active is recorded as skipped', async () => {
  const first = await saveDataSource(prisma, schedules, localPrincipal, null, source('First', null));
  const second = await saveDataSource(prisma, schedules, localPrincipal, null, source('Second', null));
  await runScheduledSync(starter, first.id);
  const [run] = await prisma.scheduledRun.findMany({
    where: { dataSourceId: first.id },
    include: { job: { include: { partitions: true } } },
  });
  expect(run?.job).toMatchObject({ kind: 'SYNC', syncType: 'INCREMENTAL', state: 'QUEUED' });
  expect(run?.job?.partitions.map(({ dataSourceId }) => dataSourceId)).toEqual([first.id]);
  expect(run?.job).toMatchObject({ startedById: 'scheduler', startedByName: 'Scheduler' });
  expect(await prisma.auditEntry.findMany({ where: { jobId: run?.jobId ?? '' } })).toMatchObject([
    { principalId: 'scheduler', operation: 'startSync', outcome: 'DONE', dataSourceId: first.id },
  ]);

  await runScheduledSync(starter, second.id);
  const [skipped] = await prisma.scheduledRun.findMany({ where: { dataSourceId: second.id } });
  expect(skipped).toMatchObject({ jobId: null, skippedBecause: `a sync was active: job ${run?.jobId}` });

  await cancelJob(prisma, localPrincipal, run?.jobId ?? '');
});

test('a tick of a source that was disabled is recorded as skipped, and one of a deleted source does nothing', async () => {
  const disabled = await saveDataSource(
    prisma,
    schedules,
    localPrincipal,
    null,
    source('Disabled', null, false),
  );
  await runScheduledSync(starter, disabled.id);
  const runs = await prisma.scheduledRun.findMany({ where: { dataSourceId: disabled.id } });
  expect(runs).toMatchObject([{ jobId: null, skippedBecause: 'the source is disabled' }]);

  const before = await prisma.scheduledRun.count();
  await runScheduledSync(starter, '01997f3e-8c1a-7000-8000-000000000000');
  expect(await prisma.scheduledRun.count()).toBe(before);
});

test('the message of pg-boss for a tick starts the sync', async () => {
  const { id } = await saveDataSource(prisma, schedules, localPrincipal, null, source('Sent', null));
  await schedules.work();
  await boss.send('scheduled-syncs', { dataSourceId: id });
  const recorded = () => prisma.scheduledRun.findFirstOrThrow({ where: { dataSourceId: id } });
  const { jobId } = await vi.waitFor(recorded, 10_000);
  expect(await prisma.job.findUnique({ where: { id: jobId ?? '' } })).toMatchObject({ state: 'QUEUED' });
  await cancelJob(prisma, localPrincipal, jobId ?? '');
  await schedules.stop();
});
