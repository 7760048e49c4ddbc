import fc from 'fast-check';
import { describe, expect } from 'vitest';
import {
  checkSchedule,
  countDueTimes,
  findLastDueTime,
  findNextDueTime,
  listNextDueTimes,
  type Schedule,
} from '../../src/sources/schedule.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';
import { test } from '../support/without-database.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function listDueTimes(schedule: Schedule, from: Date, until: Date): Date[] {
  const times: Date[] = [];
  for (let time = findNextDueTime(schedule, from); time !== null && time <= until; ) {
    times.push(time);
    time = findNextDueTime(schedule, time);
  }
  return times;
}

describe('where clocks change', () => {
  test.each([
    [
      'a time that is skipped',
      '30 2 * * *',
      'America/New_York',
      '2026-03-07T12:00Z',
      ['03-08T07:00', '03-09T06:30'],
    ],
    [
      'a time that is repeated',
      '30 1 * * *',
      'America/New_York',
      '2026-10-31T12:00Z',
      ['11-01T05:30', '11-02T06:30'],
    ],
    [
      'a time that is skipped',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00Z',
      ['03-29T01:00', '03-30T00:30'],
    ],
    [
      'a time that is repeated',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00Z',
      ['10-25T00:30', '10-26T01:30'],
    ],
    [
      'a time in a gap of half an hour',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T00:00Z',
      ['10-03T15:30', '10-04T15:15'],
    ],
    [
      'a time that half an hour repeats',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-04T00:00Z',
      ['04-04T14:45', '04-05T15:15'],
    ],
    [
      'each quarter of an hour',
      '*/15 * * * *',
      'Australia/Lord_Howe',
      '2026-04-04T14:40Z',
      ['04-04T14:45', '04-04T15:00', '04-04T15:15'],
    ],
    [
      'a midnight that is skipped',
      '0 0 * * *',
      'America/Havana',
      '2026-03-07T12:00Z',
      ['03-08T05:00', '03-09T04:00'],
    ],
    [
      'half past midnight, repeated',
      '30 0 * * *',
      'America/Havana',
      '2026-10-31T12:00Z',
      ['11-01T04:30', '11-02T05:30'],
    ],
    [
      'a midnight that is skipped',
      '30 0 * * *',
      'Africa/Cairo',
      '2026-04-23T12:00Z',
      ['04-23T22:00', '04-24T21:30'],
    ],
    [
      'a time before midnight, repeated',
      '30 23 * * *',
      'Africa/Cairo',
      '2026-10-29T12:00Z',
      ['10-29T20:30', '10-30T21:30'],
    ],
    [
      'a midnight that is skipped',
      '0 0 * * *',
      'Asia/Beirut',
      '2026-03-28T12:00Z',
      ['03-28T22:00', '03-29T21:00'],
    ],
    [
      'a time before midnight, repeated',
      '30 23 * * *',
      'Asia/Beirut',
      '2026-10-24T12:00Z',
      ['10-24T20:30', '10-25T21:30'],
    ],
    [
      'one of two times that is skipped',
      '30 2,14 * * *',
      'Europe/Berlin',
      '2026-03-28T14:00Z',
      ['03-29T01:00', '03-29T12:30'],
    ],
    [
      'two times that are skipped',
      '0,30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T14:00Z',
      ['03-29T01:00', '03-30T00:00'],
    ],
    [
      'the one day of a line that is skipped',
      '30 2 29 3 *',
      'Europe/Berlin',
      '2026-03-28T14:00Z',
      ['03-29T01:00'],
    ],
  ])('%s comes due once: %s in %s', (_what, cron, timeZone, from, expected) => {
    let time = new Date(from);
    const times = expected.map(() => {
      time = findNextDueTime({ cron, timeZone }, time) ?? time;
      return time.toISOString();
    });
    expect(times).toEqual(expected.map((text) => `2026-${text}:00.000Z`));
  });
});

test('a time that is skipped up to midnight, as in Greenland, does not come due that day', () => {
  const schedule = { cron: '30 23 * * *', timeZone: 'America/Nuuk' };
  const times = listDueTimes(schedule, new Date('2026-03-27T12:00Z'), new Date('2026-03-30T12:00Z'));
  expect(times.map((time) => time.toISOString())).toEqual([
    '2026-03-28T01:30:00.000Z',
    '2026-03-30T00:30:00.000Z',
  ]);
});

/** A field of a cron line with the values that it stands for. */
interface Field {
  readonly text: string;
  readonly values: ReadonlySet<number>;
  readonly isWild: boolean;
}

const range = (first: number, last: number, step = 1): number[] =>
  Array.from({ length: Math.floor((last - first) / step) + 1 }, (_none, index) => first + index * step);

function createField(first: number, last: number): fc.Arbitrary<Field> {
  const value = fc.integer({ min: first, max: last });
  const every = fc.constant({ text: '*', values: new Set(range(first, last)), isWild: true });
  const steps = fc.integer({ min: 2, max: last }).map((step) => ({
    text: `*/${step}`,
    values: new Set(range(first, last, step)),
    isWild: true,
  }));
  const list = fc.uniqueArray(value, { minLength: 1, maxLength: 4 }).map((values) => ({
    text: values.join(','),
    values: new Set(values),
    isWild: false,
  }));
  const span = fc.tuple(value, value).map((ends) => {
    const [low = first, high = last] = ends.toSorted((one, other) => one - other);
    return { text: `${low}-${high}`, values: new Set(range(low, high)), isWild: false };
  });
  return fc.oneof({ weight: 2, arbitrary: list }, { weight: 1, arbitrary: fc.oneof(every, steps, span) });
}

interface Line {
  readonly minute: Field;
  readonly hour: Field;
  readonly day: Field;
  readonly weekday: Field;
}

const lines: fc.Arbitrary<Line> = fc.record({
  minute: createField(0, 59),
  hour: fc.oneof(
    createField(0, 23),
    fc
      .integer({ min: 0, max: 3 })
      .map((hour) => ({ text: `${hour}`, values: new Set([hour]), isWild: false })),
  ),
  day: fc.oneof(
    { weight: 3, arbitrary: fc.constant(createEvery(1, 31)) },
    { weight: 1, arbitrary: createField(1, 31) },
  ),
  weekday: fc.oneof(
    { weight: 3, arbitrary: fc.constant(createEvery(0, 6)) },
    { weight: 1, arbitrary: createField(0, 6) },
  ),
});

function createEvery(first: number, last: number): Field {
  return { text: '*', values: new Set(range(first, last)), isWild: true };
}

/** A wall clock of a zone: minutes as if its local time were UTC. */
function createWallClock(timeZone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat('en', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric' },
  });
  return (time) => {
    const parts = Object.fromEntries(
      format.formatToParts(time).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute);
  };
}

function fits({ minute, hour, day, weekday }: Line, wall: number): boolean {
  const local = new Date(wall);
  const isDay = day.values.has(local.getUTCDate());
  const isWeekday = weekday.values.has(local.getUTCDay());
  const fitsDay = day.text === '*' || weekday.text === '*' ? isDay && isWeekday : isDay || isWeekday;
  return minute.values.has(local.getUTCMinutes()) && hour.values.has(local.getUTCHours()) && fitsDay;
}

const toDay = (wall: number) => Math.floor(wall / (24 * HOUR_MS));

/** Finds due times by looking at every minute, by the rule of the documentation. */
function walk(line: Line, timeZone: string, from: number, until: number): number[] {
  const readWall = createWallClock(timeZone);
  const isInterval = line.minute.isWild || line.hour.isWild;
  const due: number[] = [];
  let latest = readWall(from - 30 * HOUR_MS);
  for (let time = from - 30 * HOUR_MS; time <= until; time += MINUTE_MS) {
    const wall = readWall(time);
    let isDue = fits(line, wall);
    if (!isInterval) {
      if (wall <= latest) isDue = false;
      for (let skipped = latest + MINUTE_MS; skipped < wall; skipped += MINUTE_MS)
        isDue ||= toDay(skipped) === toDay(wall) && fits(line, skipped);
    }
    latest = Math.max(latest, wall);
    if (isDue && time > from) due.push(time);
  }
  return due;
}

const ZONES = Intl.supportedValuesOf('timeZone');

const CHANGING_ZONES = [
  ...[
    'Australia/Lord_Howe',
    'America/Havana',
    'Africa/Cairo',
    'Asia/Beirut',
    'Europe/Berlin',
    'America/New_York',
  ],
  ...['Antarctica/Troll', 'Africa/Casablanca', 'America/Nuuk', 'Asia/Almaty', 'Pacific/Chatham', 'Asia/Gaza'],
  ...['America/St_Johns', 'Atlantic/Azores', 'America/Santiago', 'Pacific/Easter', 'Europe/Dublin'],
];

/** Finds the days on which a zone changes its clocks. */
function listChanges(timeZone: string): number[] {
  const known = changesByZone.get(timeZone);
  if (known !== undefined) return known;
  const readWall = createWallClock(timeZone);
  const offset = (day: number) => readWall(day) - day;
  const days = range(Date.UTC(2024, 0, 1), Date.UTC(2028, 0, 1), 24 * HOUR_MS);
  const changes = days.filter((day) => offset(day) !== offset(day + 24 * HOUR_MS));
  changesByZone.set(timeZone, changes);
  return changes;
}

const changesByZone = new Map<string, number[]>();

describe('fuzz', () => {
  test('a schedule comes due when its line says so by the clock of any zone, also where that changes', () => {
    const property = fc.property(
      fc.oneof(fc.constantFrom(...CHANGING_ZONES), fc.constantFrom(...ZONES)),
      lines,
      fc.nat(),
      fc.integer({ min: -40 * 60, max: 30 * 60 }),
      (timeZone, line, chosen, minutes) => {
        const changes = listChanges(timeZone);
        const day = changes[chosen % Math.max(changes.length, 1)] ?? Date.UTC(2026, 5, chosen % 28);
        const from = day + minutes * MINUTE_MS;
        const until = from + 60 * HOUR_MS;
        const { minute, hour, weekday } = line;
        const cron = `${minute.text} ${hour.text} ${line.day.text} * ${weekday.text}`;
        const schedule = { cron, timeZone };
        const expected = walk(line, timeZone, from, until).map((time) => new Date(time).toISOString());
        const times = listDueTimes(schedule, new Date(from), new Date(until));
        expect(times.map((time) => time.toISOString())).toEqual(expected);
        const last = findLastDueTime(schedule, new Date(from), new Date(until));
        expect(last?.toISOString()).toBe(expected.at(-1));
        const [first] = times;
        if (first !== undefined && last !== null)
          expect(countDueTimes(schedule, first, last, 10_000)).toBe(times.length);
      },
    );
    fc.assert(property, fuzzParameters(0.5, 'schedules'));
  });
});

const NOW = new Date('2026-11-27T12:00:00Z');

test.each([
  ['0 0 30 2 *', /never comes due/],
  ['0 0 31 4,6,9,11 *', /never comes due/],
  // Jenkins picks a minute by a hash of the job.
  ['H 2 * * *', /is no cron expression/],
  ['0 2 * *', /is no cron expression/],
  ['0 0 2 * * *', /is no cron expression/],
  ['@daily', /is no cron expression/],
  ['2026-11-28T00:00:00', /is no cron expression/],
  ['60 * * * *', /is no cron expression/],
  ['*/0 * * * *', /is no cron expression/],
  ['', /is no cron expression/],
])('the schedule %j is refused with the reason', (cron, reason) => {
  expect(() => checkSchedule({ cron, timeZone: 'UTC' }, NOW)).toThrow(
    expect.objectContaining({
      name: 'InvalidInputError',
      issues: [expect.objectContaining({ message: expect.stringMatching(reason) })],
    }),
  );
});

test.each(['0 0 29 2 *', '5/15 * * * *', '0 6 * * MON-FRI', '0 0 L * *', '0 0 * JAN 7', '*/7  *\t* * *'])(
  'the schedule %j is accepted',
  (cron) => checkSchedule({ cron, timeZone: 'America/New_York' }, NOW),
);

test('a hundred leap days are found without keeping other work waiting', async () => {
  let turns = 0;
  let isDone = false;
  const take = () => {
    turns++;
    if (!isDone) setImmediate(take);
  };
  take();
  const source = { enabled: true, scheduleCron: '0 0 29 2 *', scheduleTimeZone: 'America/New_York' };
  const times = await listNextDueTimes({ ...source, nextDueAt: new Date('2028-02-29T05:00Z') }, 100);
  isDone = true;
  expect(times[99]?.toISOString()).toBe('2436-02-29T05:00:00.000Z');
  expect(turns).toBeGreaterThanOrEqual(5);
});

test('the last of the due times of a year is found without finding each', () => {
  const schedule = { cron: '* * * * *', timeZone: 'Europe/Berlin' };
  const [from, until] = [new Date('2025-11-27T12:00:30Z'), new Date('2026-11-27T12:00:30Z')];
  expect(findLastDueTime(schedule, from, until)).toEqual(NOW);
  expect(countDueTimes(schedule, from, until, 1_000)).toBe(1_000);
  expect(findLastDueTime(schedule, until, until)).toBeNull();
});
