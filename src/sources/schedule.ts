import { setImmediate } from 'node:timers/promises';
import { Cron } from 'croner';
import type { DataSource } from '../database/generated/prisma/client.ts';
import { createIssue, InvalidInputError } from '../shared/invalid-input.ts';

/** When a source is synced automatically. */
export interface Schedule {
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
}

/** What a source has of its schedule. */
export type ScheduledSource = Pick<DataSource, 'enabled' | 'scheduleCron' | 'scheduleTimeZone' | 'nextDueAt'>;

/** The schedule that is in force for a source; null if it is only synced by hand, or disabled. */
export function toSchedule({
  enabled,
  scheduleCron,
  scheduleTimeZone,
}: Omit<ScheduledSource, 'nextDueAt'>): Schedule | null {
  return enabled && scheduleCron !== null ? { cron: scheduleCron, timeZone: scheduleTimeZone } : null;
}

/**
 * Checks that a schedule can be used: that it comes due at all.
 * @throws InvalidInputError naming the part of the schedule that cannot be used.
 */
export function checkSchedule(schedule: Schedule, now: Date): void {
  if (!isTimeZone(schedule.timeZone)) {
    throw refuse(
      'timeZone',
      `${JSON.stringify(schedule.timeZone)} is no time zone: names are like UTC or Europe/Berlin`,
    );
  }
  let next: Date | null;
  try {
    // A single word would be a nickname or a date.
    if (schedule.cron.trim().split(/\s+/).length !== 5) throw new Error('it has not five fields');
    next = findNextDueTime(schedule, now);
  } catch {
    throw refuse(
      'cron',
      `${JSON.stringify(schedule.cron)} is no cron expression: it has five fields, such as \`30 2 * * *\` for half past two each night`,
    );
  }
  if (next === null) {
    throw refuse(
      'cron',
      `${JSON.stringify(schedule.cron)} never comes due: no such day exists; \`0 0 L * *\` is the last day of each month`,
    );
  }
}

/**
 * Finds the first time after another at which a schedule comes due; null if it never does again. A time that the clocks of
 * the zone skip comes due when they go on, if that is on the same day, and one that they repeat comes due once. A schedule
 * with a `*` or a step in its minutes or hours goes on through what they skip or repeat. This is nearly what Vixie cron does.
 * @throws an error if the schedule cannot be used, such as one that an earlier version of the program saved.
 */
export function findNextDueTime({ cron, timeZone }: Schedule, after: Date): Date | null {
  return new Cron(cron, {
    ...{ timezone: timeZone, mode: '5-part', paused: true },
    fixedTimeRule: 'no-wildcard',
    // Earlier versions of the program saved `5/15`.
    sloppyRanges: true,
  }).nextRun(after);
}

/**
 * Finds the last time in a period at which a schedule came due, in some forty steps however long the period is.
 * @returns null if it did not after `after`, or until `until` inclusive.
 */
export function findLastDueTime(schedule: Schedule, after: Date, until: Date): Date | null {
  let last: Date | null = null;
  let low = after.getTime();
  // Nothing comes due after it and in the period.
  let high = until.getTime();
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    const next = findNextDueTime(schedule, new Date(middle));
    if (next === null || next > until) high = middle;
    else {
      last = next;
      low = next.getTime();
    }
  }
  return last;
}

/**
 * Counts how often a schedule came due in a period, both ends included.
 * @returns at most `limit`, which stands for that or more.
 */
export function countDueTimes(schedule: Schedule, first: Date, last: Date, limit: number): number {
  let count = 1;
  for (let time: Date | null = first; count < limit; count++) {
    time = findNextDueTime(schedule, time);
    if (time === null || time > last) break;
  }
  return count;
}

/**
 * Lists when a source comes due next: at the stored time, and then by its schedule.
 * @returns an empty list without a schedule that is in force, or until a worker has read it.
 */
export async function listNextDueTimes(source: ScheduledSource, count: number): Promise<Date[]> {
  const schedule = toSchedule(source);
  if (schedule === null || source.nextDueAt === null || !isUsable(schedule)) return [];
  const times = [source.nextDueAt];
  for (let last = source.nextDueAt; times.length < count; ) {
    const next = findNextDueTime(schedule, last);
    if (next === null) break;
    times.push(next);
    last = next;
    if (times.length % TIMES_A_TURN === 0) await setImmediate();
  }
  return times;
}

/** How many due times are found in one turn of the event loop: two milliseconds' worth, if they are years apart. */
const TIMES_A_TURN = 20;

/** Whether a stored schedule is one that this version of the program, with its time zones, can use. */
export function isUsable(schedule: Schedule): boolean {
  try {
    findNextDueTime(schedule, new Date(0));
    return true;
  } catch {
    return false;
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function refuse(field: keyof Schedule, message: string): InvalidInputError {
  return new InvalidInputError([createIssue(`input.schedule.${field}`, 'INVALID', message)]);
}
