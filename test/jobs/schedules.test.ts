import type { PgBoss } from 'pg-boss';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, vi } from 'vitest';
import { localPrincipal } from '../../src/access/principal.ts';
import type { PrismaClient } from '../../src/database/generated/prisma/client.ts';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { cancelJob } from '../../src/jobs/cancel-job.ts';
import type { JobStarter } from '../../src/jobs/create-job.ts';
import { startBoss } from '../../src/jobs/queue/boss.ts';
import { openPartitionQueue } from '../../src/jobs/queue/partition-queue.ts';
import { createScheduleLook, createSchedules, type ScheduleLook } from '../../src/jobs/schedules.ts';
import { deleteDataSource } from '../../src/sources/delete-source.ts';
import { createDataSource, type SavingParts, updateDataSource } from '../../src/sources/save-source.ts';
import { listNextDueTimes, type Schedule } from '../../src/sources/schedule.ts';
import { ANY_SCHEMA } from '../../src/sql-check/allowed-schemas.ts';
import { test } from '../support/on-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let prisma: PrismaClient;
let boss: PgBoss;
let starter: JobStarter;
let saving: SavingParts;

/** The time by the clock of the database. */
let now: Date;
const clock = async () => now;

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient(database.connectionString, { maxConnections: 6 });
  boss = await startBoss({
    connectionString: database.connectionString,
    useNotifications: false,
    runsSchedules: false,
    onError: () => {},
  });
  starter = { prisma, queue: await openPartitionQueue(boss) };
  saving = { prisma, clock, allowedSchemas: ANY_SCHEMA };
});

afterAll(async () => {
  await boss.stop({ graceful: false });
  await prisma.$disconnect();
  await database.close();
});

beforeEach(() => setTime('10:00:30'));

afterEach(async () => {
  await endSync();
  await prisma.dataSource.deleteMany();
});

const DAY = '2026-11-27';

function at(time: string): Date {
  return new Date(`${DAY}T${time.length === 5 ? `${time}:00` : time}Z`);
}

function setTime(time: string): void {
  now = at(time);
}

const EVERY_MINUTE = { cron: '* * * * *', timeZone: 'UTC' };
const EVERY_HOUR = { cron: '0 * * * *', timeZone: 'UTC' };

async function addSource(name: string, schedule: Schedule | null, enabled = true): Promise<string> {
  const table = {
    catalogName: 'blade',
    schemaName: 'field',
    tableName: 'sortie',
    cursorColumn: 'updated_at',
  };
  const source = {
    name,
    dataType: 'sortie',
    ...table,
    enabled,
    lookback: 0,
    deletePolicy: 'KEEP' as const,
    readMode: 'AUTO' as const,
    onSchemaChange: 'CONTINUE' as const,
    maxDeletePercent: 20,
    schedule,
  };
  return (await createDataSource(saving, localPrincipal, source)).id;
}

/** Cancels the active sync. */
async function endSync(): Promise<void> {
  const active = await prisma.job.findFirst({ where: { state: 'QUEUED' } });
  if (active !== null) await cancelJob(prisma, localPrincipal, active.id);
}

/** A process that has looked at the schedules before. */
async function startProcess(): Promise<() => Promise<ScheduleLook>> {
  const look = createScheduleLook(starter, clock);
  await look();
  return look;
}

/** Lists what became of the due times of a source, in the order of the records. */
async function listRuns(dataSourceId: string) {
  const runs = await prisma.scheduledRun.findMany({ where: { dataSourceId }, orderBy: { id: 'asc' } });
  return runs.map(({ state, firstDueAt, dueAt, dueTimes, skippedBecause }) => {
    const [first, last] = [firstDueAt, dueAt].map((time) => time.toISOString().slice(11, 16));
    const period = first === last ? last : `${first} to ${last}, ${dueTimes}`;
    return `${state} ${period}${skippedBecause === null ? '' : `: ${skippedBecause}`}`;
  });
}

async function readNextDueAt(id: string): Promise<string | undefined> {
  return (await prisma.dataSource.findUniqueOrThrow({ where: { id } })).nextDueAt?.toISOString();
}

const MISSED = expect.stringContaining('no worker looked');

describe('a schedule', () => {
  test.each([
    ['61 * * * *', 'UTC', 'input.schedule.cron'],
    ['every night', 'UTC', 'input.schedule.cron'],
    ['* * * * * *', 'UTC', 'input.schedule.cron'],
    ['H * * * *', 'UTC', 'input.schedule.cron'],
    ['0 0 30 2 *', 'UTC', 'input.schedule.cron'],
    ['30 2 * * *', 'Mars/Olympus', 'input.schedule.timeZone'],
  ])('%j in %j is refused with an error for %s, and nothing is saved', async (cron, timeZone, field) => {
    await expect(addSource('Refused', { cron, timeZone })).rejects.toMatchObject({
      name: 'InvalidInputError',
      issues: [{ path: field.split('.') }],
    });
    expect(await prisma.dataSource.count({ where: { name: 'Refused' } })).toBe(0);
  });

  test('takes effect with the change that saves it, and ends when it is removed, disabled or deleted', async () => {
    const schedule = { cron: '30 2 * * *', timeZone: 'America/New_York' };
    const id = await addSource('Nightly', schedule);
    expect(await readNextDueAt(id)).toBe('2026-11-28T07:30:00.000Z');
    const change = (changes: object) => updateDataSource(saving, localPrincipal, id, changes);
    await change({ schedule: { ...schedule, timeZone: 'Europe/Berlin' } });
    expect(await readNextDueAt(id)).toBe('2026-11-28T01:30:00.000Z');
    await change({ enabled: false });
    expect(await readNextDueAt(id)).toBeUndefined();
    await change({ enabled: true });
    expect(await readNextDueAt(id)).toBe('2026-11-28T01:30:00.000Z');
    await change({ schedule: { cron: '0 12 * * *', timeZone: 'UTC' } });
    expect(await readNextDueAt(id)).toBe('2026-11-27T12:00:00.000Z');
    await change({ schedule: null });
    expect(await readNextDueAt(id)).toBeUndefined();
    await change({ schedule });
    await deleteDataSource(prisma, localPrincipal, id);
    setTime('23:00');
    expect(await (await startProcess())()).toEqual({ records: [], started: null, awaitedJobId: null });
  });

  test.each([
    ['America/New_York', '30 2 * * *', '2026-03-07T12:00Z'],
    ['America/New_York', '30 1 * * *', '2026-10-31T12:00Z'],
    ['Australia/Lord_Howe', '15 2 * * *', '2026-10-03T12:00Z'],
    ['America/Havana', '30 0 * * *', '2026-10-31T12:00Z'],
    ['Africa/Cairo', '30 0 * * *', '2026-04-23T12:00Z'],
    ['Asia/Beirut', '0 0 * * *', '2026-03-28T12:00Z'],
    ['Europe/Berlin', '30 2 * * *', '2026-03-28T12:00Z'],
  ])('where the clocks of %s change, `%s` starts when it says, and once', async (timeZone, cron, from) => {
    now = new Date(from);
    const id = await addSource('Changing', { cron, timeZone });
    const announced = await listNextDueTimes(await prisma.dataSource.findUniqueOrThrow({ where: { id } }), 3);
    const look = await startProcess();
    const started: string[] = [];
    for (const end = now.getTime() + 60 * 3_600_000; now.getTime() < end; ) {
      now = new Date(now.getTime() + 15 * 60_000);
      if ((await look()).started === null) continue;
      started.push(now.toISOString());
      await endSync();
    }
    expect(started).toEqual(announced.slice(0, started.length).map((time) => time.toISOString()));
    expect(started.length).toBeGreaterThanOrEqual(2);
    const runs = await prisma.scheduledRun.findMany({ where: { dataSourceId: id } });
    expect(runs.map(({ state }) => state)).toEqual(started.map(() => 'STARTED'));
  });

  test('is followed also by a change that comes between a due time and its start', async () => {
    const id = await addSource('Changed', EVERY_MINUTE);
    const look = await startProcess();
    setTime('10:01:01');
    await updateDataSource(saving, localPrincipal, id, { schedule: EVERY_HOUR });
    expect(await listRuns(id)).toEqual(['WAITING 10:01']);
    expect(await readNextDueAt(id)).toBe(at('11:00').toISOString());
    await look();
    expect(await listRuns(id)).toEqual(['STARTED 10:01']);
  });

  test('that only an earlier version could use is off, and says so once', async () => {
    const id = await addSource('Old', EVERY_MINUTE);
    await prisma.dataSource.update({ where: { id }, data: { scheduleCron: 'H * * * *', nextDueAt: null } });
    await startProcess();
    await startProcess();
    expect(await listRuns(id)).toEqual([
      expect.stringMatching(
        /^SKIPPED 10:00: this version .* cannot use the schedule.* "H \* \* \* \*" in UTC/,
      ),
    ]);
    expect(await readNextDueAt(id)).toBeUndefined();
  });

  test('of an earlier version comes due by its line from the first start on', async () => {
    const id = await addSource('Old', EVERY_MINUTE);
    await prisma.dataSource.update({ where: { id }, data: { nextDueAt: null } });
    await startProcess();
    expect(await readNextDueAt(id)).toBe(at('10:01').toISOString());
  });
});

describe('sources that come due', () => {
  test('together are read by one incremental sync, which names the scheduler', async () => {
    const ids = [await addSource('A', EVERY_MINUTE), await addSource('B', EVERY_MINUTE)];
    ids.push(await addSource('C', EVERY_MINUTE));
    await addSource('Manual', null);
    await addSource('Disabled', EVERY_MINUTE, false);
    const look = await startProcess();
    setTime('10:01');
    const { started } = await look();
    expect(started).toMatchObject({ sources: ['A', 'B', 'C'], dueTimes: 3 });
    const job = await prisma.job.findUniqueOrThrow({
      where: { id: started?.jobId ?? '' },
      include: { partitions: { orderBy: { ordinal: 'asc' } }, scheduledRuns: true },
    });
    expect(job).toMatchObject({
      ...{ kind: 'SYNC', syncType: 'INCREMENTAL', dataType: 'sortie', state: 'QUEUED' },
      ...{ startedById: 'scheduler', startedByName: 'Scheduler' },
    });
    expect(job.partitions.map(({ dataSourceId }) => dataSourceId)).toEqual(ids);
    expect(job.scheduledRuns.map(({ dataSourceId }) => dataSourceId).sort()).toEqual(ids.toSorted());
    for (const id of ids) expect(await listRuns(id)).toEqual(['STARTED 10:01']);
    expect(await prisma.auditEntry.findMany({ where: { jobId: job.id } })).toMatchObject([
      {
        ...{ principalId: 'scheduler', operation: 'startSync', outcome: 'DONE', dataSourceId: null },
        details: { sourceNames: ['A', 'B', 'C'] },
      },
    ]);
  });

  test('while another sync is active wait for its end, and then start once for all they waited for', async () => {
    await addSource('Early', { cron: '1 * * * *', timeZone: 'UTC' });
    const id = await addSource('Late', { cron: '2-59 * * * *', timeZone: 'UTC' });
    const look = await startProcess();
    setTime('10:01');
    const first = (await look()).started?.jobId;
    for (const time of ['10:02', '10:03', '10:04']) {
      setTime(time);
      expect(await look()).toMatchObject({ started: null, awaitedJobId: first });
    }
    expect(await listRuns(id)).toEqual(['WAITING 10:02 to 10:04, 3']);
    await endSync();
    setTime('10:04:20');
    expect((await look()).started).toMatchObject({ sources: ['Late'], dueTimes: 3 });
    expect(await listRuns(id)).toEqual(['STARTED 10:02 to 10:04, 3']);
    await endSync();
    setTime('10:04:40');
    expect((await look()).started).toBeNull();
  });

  test('and are disabled, or lose their schedule, while they wait are skipped with the reason', async () => {
    const first = await addSource('First', EVERY_MINUTE);
    const look = await startProcess();
    setTime('10:01');
    await look();
    const [disabled, manual] = [
      await addSource('Disabled', EVERY_MINUTE),
      await addSource('Manual', EVERY_MINUTE),
    ];
    setTime('10:02');
    await look();
    await updateDataSource(saving, localPrincipal, disabled, { enabled: false });
    await updateDataSource(saving, localPrincipal, manual, { schedule: null });
    await endSync();
    expect((await look()).started).toMatchObject({ sources: ['First'] });
    expect(await listRuns(first)).toEqual(['STARTED 10:01', 'STARTED 10:02']);
    expect(await listRuns(disabled)).toEqual(['SKIPPED 10:02: the data source was disabled while it waited']);
    expect(await listRuns(manual)).toEqual(['SKIPPED 10:02: the schedule was removed while it waited']);
  });

  test('are started by one of several processes that look at the same moment', async () => {
    const ids = [await addSource('A', EVERY_MINUTE), await addSource('B', EVERY_MINUTE)];
    const processes = [await startProcess(), await startProcess(), await startProcess()];
    for (const time of ['10:01', '10:02', '10:03']) {
      setTime(time);
      await Promise.all(processes.map((look) => look()));
      await endSync();
    }
    // What a process had locked may have come too late for the first sync of a minute, and waited for its end.
    await processes[0]?.();
    for (const id of ids) {
      const runs = await prisma.scheduledRun.findMany({ where: { dataSourceId: id } });
      expect(runs.map(({ state }) => state)).toEqual(runs.map(() => 'STARTED'));
      expect(runs.reduce((sum, { dueTimes }) => sum + dueTimes, 0)).toBe(3);
    }
  });

  test('while everything was down start once, and their earlier due times are recorded as missed', async () => {
    const minute = await addSource('Minute', EVERY_MINUTE);
    const hour = await addSource('Hour', { cron: '30 * * * *', timeZone: 'UTC' });
    setTime('14:10:20');
    const { records, started } = await createScheduleLook(starter, clock)();
    expect(started).toMatchObject({ sources: ['Hour', 'Minute'] });
    expect(records.filter(({ state }) => state === 'MISSED')).toHaveLength(2);
    expect(await listRuns(minute)).toEqual([
      expect.stringMatching(/^MISSED 10:01 to 14:09, 249: no worker/),
      'STARTED 14:10',
    ]);
    expect(await listRuns(hour)).toEqual([
      expect.stringMatching(/^MISSED 10:30 to 12:30, 3: no worker/),
      'STARTED 13:30',
    ]);
    expect(await readNextDueAt(minute)).toBe(at('14:11').toISOString());
    expect(await readNextDueAt(hour)).toBe(at('14:30').toISOString());
  });

  test('in a year without a worker are counted up to a thousand', async () => {
    const id = await addSource('Minute', EVERY_MINUTE);
    now = new Date('2027-11-27T10:00:30Z');
    await startProcess();
    expect(
      await prisma.scheduledRun.findFirst({ where: { dataSourceId: id, state: 'MISSED' } }),
    ).toMatchObject({
      firstDueAt: at('10:01'),
      dueAt: new Date('2027-11-27T09:59Z'),
      ...{ dueTimes: 1_000, skippedBecause: MISSED },
    });
  });
});

describe('when the clock goes back', () => {
  test.each([
    ['a process that runs on', false],
    ['a process that starts', true],
  ])(
    'an hour, %s starts no due time again, records those it repeats, and goes on after them',
    async (_process, isRestarted) => {
      const id = await addSource('Minute', EVERY_MINUTE);
      const before = await startProcess();
      for (const time of ['10:01', '10:02', '10:03']) {
        setTime(time);
        await before();
        await endSync();
      }
      setTime('09:03:10');
      const look = isRestarted ? createScheduleLook(starter, clock) : before;
      await look();
      // What nothing was started for comes due.
      expect(await readNextDueAt(id)).toBe(at('09:04').toISOString());
      setTime('10:00:30');
      await look();
      await endSync();
      setTime('10:00:20');
      await look();
      expect((await listRuns(id)).slice(3)).toEqual([
        expect.stringMatching(/^MISSED 09:04 to 09:59, 56/),
        'STARTED 10:00',
        expect.stringMatching(/^SKIPPED 10:01 to 10:03, 3: the clock went back/),
      ]);
      for (const time of ['10:01', '10:02', '10:03:30']) {
        setTime(time);
        expect((await look()).started).toBeNull();
      }
      expect(await readNextDueAt(id)).toBe(at('10:04').toISOString());
      setTime('10:04');
      expect((await look()).started).not.toBeNull();
    },
  );

  test('from a time that was far ahead, what was jumped over comes due again', async () => {
    const id = await addSource('Hourly', EVERY_HOUR);
    const look = await startProcess();
    now = new Date('2036-01-01T00:00:10Z');
    await look();
    await endSync();
    expect(await readNextDueAt(id)).toBe('2036-01-01T01:00:00.000Z');
    setTime('10:20');
    await look();
    expect(await readNextDueAt(id)).toBe(at('11:00').toISOString());
    setTime('11:00:01');
    expect((await look()).started).not.toBeNull();
    expect(await listRuns(id)).toEqual([expect.stringMatching(/^MISSED/), 'STARTED 00:00', 'STARTED 11:00']);
  });

  test('and on again, what came due in between starts once', async () => {
    const id = await addSource('Third', { cron: '*/20 * * * *', timeZone: 'UTC' });
    const look = await startProcess();
    setTime('10:20');
    await look();
    await endSync();
    setTime('09:30');
    await look();
    expect(await readNextDueAt(id)).toBe(at('09:40').toISOString());
    setTime('10:30');
    expect((await look()).started).toMatchObject({ dueTimes: 1 });
    expect(await listRuns(id)).toEqual(['STARTED 10:20', 'STARTED 09:40']);
    expect(await readNextDueAt(id)).toBe(at('10:40').toISOString());
  });
});

test('a worker looks until it is stopped, also after a look that failed, and writes what it did to the log and the metrics', async () => {
  const id = await addSource('Minute', EVERY_MINUTE);
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const recordDueTimes = vi.fn();
  let looks = 0;
  const schedules = createSchedules(boss, starter, async () => {
    if (looks++ === 0) throw new Error('the database is away');
    return now;
  });
  setTime('10:05:02');
  await schedules.work({ log, metrics: { recordDueTimes } });
  await vi.waitFor(() => expect(lines.join('')).toMatch(/a scheduled sync was started/));
  await schedules.stop();
  expect(lines.join('')).toMatch(/could not be looked at[\s\S]*due times of a schedule were missed/);
  expect(recordDueTimes.mock.calls).toEqual([
    ['MISSED', 4],
    ['STARTED', 1],
  ]);
  expect(await listRuns(id)).toEqual([expect.stringMatching(/^MISSED 10:01 to 10:04, 4/), 'STARTED 10:05']);
});

test('the messages of earlier versions of the program are removed', async () => {
  await boss.createQueue('scheduled-syncs');
  await boss.schedule('scheduled-syncs', '* * * * *', {}, { key: 'source' });
  const schedules = createSchedules(boss, starter, clock);
  await schedules.work({ log: pino({ level: 'silent' }), metrics: { recordDueTimes: () => {} } });
  await schedules.stop();
  expect(await boss.getSchedules()).toEqual([]);
});
