import { v7 as newUuid } from 'uuid';
import type { DataSource, Prisma, ScheduledRunState } from '../database/generated/prisma/client.ts';
import {
  countDueTimes,
  findLastDueTime,
  findNextDueTime,
  isUsable,
  type Schedule,
  toSchedule,
} from './schedule.ts';

/** What became of due times of a source. */
export interface DueRecord {
  readonly source: Pick<DataSource, 'id' | 'name'>;
  readonly state: Exclude<ScheduledRunState, 'STARTED'>;
  /** The first and the last of them, and how many they are. */
  readonly firstDueAt: Date;
  readonly dueAt: Date;
  readonly dueTimes: number;
  /** Why no sync is started for them; null if they wait for one. */
  readonly skippedBecause: string | null;
}

/**
 * Records what has come due of a source, and moves its next due time. The last due time waits for a sync, alone or with
 * what waits already; those before it were missed.
 * @param source is locked by the transaction.
 * @returns nothing if it is not due.
 */
export async function recordDueTimes(
  transaction: Prisma.TransactionClient,
  source: DataSource,
  now: Date,
): Promise<DueRecord[]> {
  const schedule = toSchedule(source);
  const first = source.nextDueAt;
  if (schedule === null || first === null || first > now) return [];
  if (!isUsable(schedule)) return stopUnusable(transaction, source, first);

  const records: DueRecord[] = [];
  const last = findLastDueTime(schedule, first, now) ?? first;
  // A clock that went back and on again: what is between them was accounted for the first time.
  const isRepeated = last > first && (await hasRun(transaction, source, last));
  if (last > first && !isRepeated) {
    const lastMissed = findLastDueTime(schedule, first, justBefore(last)) ?? first;
    records.push(await recordUnstarted(transaction, source, 'MISSED', [first, lastMissed], MISSED));
  }
  records.push(await recordWaiting(transaction, source, isRepeated ? first : last));
  await setNextDueAt(transaction, source, await findNextToRun(transaction, source, schedule, now));
  return records;
}

/**
 * Finds anew when a source comes due next, unless it is due: the clock may have gone back, and another version of the
 * program may have other rules of time zones. Due times that the clock repeats are recorded as skipped.
 * @param source is locked by the transaction.
 */
export async function findDueTimeAnew(
  transaction: Prisma.TransactionClient,
  source: DataSource,
  now: Date,
): Promise<DueRecord[]> {
  const schedule = toSchedule(source);
  if (schedule === null || (source.nextDueAt !== null && source.nextDueAt <= now)) return [];
  if (!isUsable(schedule)) return stopUnusable(transaction, source, now);

  const records: DueRecord[] = [];
  const byClock = findNextDueTime(schedule, now);
  const next = await findNextToRun(transaction, source, schedule, now);
  if (byClock !== null && next !== null && byClock < next) {
    const last = findLastDueTime(schedule, byClock, justBefore(next)) ?? byClock;
    if (!(await isRecorded(transaction, source, { dueAt: last, skippedBecause: REPEATED })))
      records.push(await recordUnstarted(transaction, source, 'SKIPPED', [byClock, last], REPEATED));
  }
  if (next?.getTime() !== source.nextDueAt?.getTime()) await setNextDueAt(transaction, source, next);
  return records;
}

/** Finds when a source with a new schedule, or one that was disabled, comes due first. */
export async function findFirstDueTime(
  transaction: Prisma.TransactionClient,
  source: DataSource,
  now: Date,
): Promise<Date | null> {
  const schedule = toSchedule(source);
  return schedule === null || !isUsable(schedule) ? null : findNextToRun(transaction, source, schedule, now);
}

const MISSED =
  'no worker looked at the schedules then: all were stopped or without the database, or the clock went forward';

const REPEATED = 'the clock went back, and a sync was started for them before';

const UNUSABLE = 'this version of the program cannot use the schedule: save another one';

/** More are not counted: a schedule of every minute misses half a million in a year. */
const MAX_COUNTED = 1_000;

type SourceName = Pick<DataSource, 'id' | 'name'>;

/** Finds the next due time for which no sync was started yet, which the clock can make differ from the next one. */
async function findNextToRun(
  transaction: Prisma.TransactionClient,
  { id }: SourceName,
  schedule: Schedule,
  now: Date,
): Promise<Date | null> {
  const runs = await transaction.scheduledRun.findMany({
    where: { dataSourceId: id, dueAt: { gt: now }, state: { in: ['WAITING', 'STARTED'] } },
    select: { firstDueAt: true, dueAt: true },
    orderBy: { firstDueAt: 'asc' },
  });
  let next = findNextDueTime(schedule, now);
  for (const { firstDueAt, dueAt } of runs) {
    if (next === null || next < firstDueAt) break;
    if (next <= dueAt) next = findNextDueTime(schedule, dueAt);
  }
  return next;
}

async function hasRun(
  transaction: Prisma.TransactionClient,
  { id }: SourceName,
  dueAt: Date,
): Promise<boolean> {
  const run = await transaction.scheduledRun.findFirst({
    where: {
      dataSourceId: id,
      firstDueAt: { lte: dueAt },
      dueAt: { gte: dueAt },
      state: { in: ['WAITING', 'STARTED'] },
    },
    select: { id: true },
  });
  return run !== null;
}

async function isRecorded(
  transaction: Prisma.TransactionClient,
  { id }: SourceName,
  what: { readonly dueAt?: Date; readonly skippedBecause: string },
): Promise<boolean> {
  const run = await transaction.scheduledRun.findFirst({
    where: { dataSourceId: id, ...what },
    select: { id: true },
  });
  return run !== null;
}

async function recordUnstarted(
  transaction: Prisma.TransactionClient,
  source: DataSource,
  state: 'SKIPPED' | 'MISSED',
  [firstDueAt, dueAt]: readonly [first: Date, last: Date],
  skippedBecause: string,
): Promise<DueRecord> {
  const schedule = toSchedule(source);
  const dueTimes =
    schedule === null || firstDueAt >= dueAt ? 1 : countDueTimes(schedule, firstDueAt, dueAt, MAX_COUNTED);
  const run = { state, firstDueAt, dueAt, dueTimes, skippedBecause };
  await transaction.scheduledRun.create({ data: { id: newUuid(), dataSourceId: source.id, ...run } });
  return { source, ...run };
}

async function recordWaiting(
  transaction: Prisma.TransactionClient,
  source: SourceName,
  dueAt: Date,
): Promise<DueRecord> {
  await transaction.$executeRaw`
    insert into scheduled_run as waiting (id, data_source_id, state, first_due_at, due_at)
    values (${newUuid()}::uuid, ${source.id}::uuid, 'WAITING', ${dueAt}, ${dueAt})
    on conflict (data_source_id) where state = 'WAITING' do update set due_times = waiting.due_times + 1,
      first_due_at = least(waiting.first_due_at, excluded.first_due_at), due_at = greatest(waiting.due_at, excluded.due_at)`;
  return { source, state: 'WAITING', firstDueAt: dueAt, dueAt, dueTimes: 1, skippedBecause: null };
}

/** A schedule that cannot be used is off, and says so once. */
async function stopUnusable(
  transaction: Prisma.TransactionClient,
  source: DataSource,
  dueAt: Date,
): Promise<DueRecord[]> {
  if (source.nextDueAt !== null) await setNextDueAt(transaction, source, null);
  const skippedBecause = `${UNUSABLE} than ${JSON.stringify(source.scheduleCron)} in ${source.scheduleTimeZone}`;
  if (await isRecorded(transaction, source, { skippedBecause })) return [];
  const run = { state: 'SKIPPED' as const, firstDueAt: dueAt, dueAt, dueTimes: 1, skippedBecause };
  await transaction.scheduledRun.create({ data: { id: newUuid(), dataSourceId: source.id, ...run } });
  return [{ source, ...run }];
}

/** Leaves the time of the source's last change as it is. */
async function setNextDueAt(
  transaction: Prisma.TransactionClient,
  { id }: SourceName,
  dueAt: Date | null,
): Promise<void> {
  await transaction.$executeRaw`update data_source set next_due_at = ${dueAt} where id = ${id}::uuid`;
}

function justBefore(time: Date): Date {
  return new Date(time.getTime() - 1);
}
