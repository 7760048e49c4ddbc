/** Numbers and times in the browser's language. */

const whole = new Intl.NumberFormat();
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const clockParts = { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' } as const;
const moment = new Intl.DateTimeFormat(undefined, {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  ...clockParts,
});
const clock = new Intl.DateTimeFormat(undefined, clockParts);
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const duration = new Intl.DurationFormat(undefined, { style: 'narrow' });
const zeroDuration = new Intl.DurationFormat(undefined, { style: 'narrow', secondsDisplay: 'always' });

/** Stands in for a missing value. */
export const NO_VALUE = '–';

const PLURALS = {
  column: 'columns',
  'data source': 'data sources',
  duplicate: 'duplicates',
  error: 'errors',
  item: 'items',
  job: 'jobs',
  partition: 'partitions',
  row: 'rows',
};

/** A thing that people count. */
export type Noun = keyof typeof PLURALS;

export function pluralize(noun: Noun, count = 2): string {
  return count === 1 ? noun : PLURALS[noun];
}

export function formatCount(count: number | null | undefined): string {
  return count === null || count === undefined ? NO_VALUE : whole.format(Math.round(count));
}

/** Formats a count with its noun: `1 error`, `2,000 rows`. */
export function formatAmount(count: number, noun: Noun): string {
  return `${formatCount(count)} ${pluralize(noun, count)}`;
}

/** Formats a count in few characters: `1.2K`. */
export function formatCompact(count: number): string {
  return compact.format(count);
}

/** @param value from 0 to 100; rounded down, so that only what is done shows 100%. */
export function formatPercent(value: number | null | undefined): string {
  if (value === null || value === undefined) return NO_VALUE;
  const step = value < 10 ? 0.1 : 1;
  return percent.format((Math.floor(value / step) * step) / 100);
}

/** Formats date, time and time zone. */
export function formatMoment(at: string | null | undefined): string {
  return at === null || at === undefined ? NO_VALUE : moment.format(new Date(at));
}

/** Formats a moment without its date if it is today. */
export function formatShortMoment(at: string, now = new Date()): string {
  const date = new Date(at);
  return date.toDateString() === now.toDateString() ? clock.format(date) : moment.format(date);
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** Formats the distance to a moment: `in 5 minutes`, `yesterday`. */
export function formatRelative(at: string, now = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return relative.format(Math.round(seconds / size), unit);
}

/** Formats the time until a moment: `2m 5s`. */
export function formatTimeLeft(at: string, now = Date.now()): string {
  return formatDuration((Date.parse(at) - now) / 1000);
}

/** Formats a duration by its two largest units: `2h 5m`. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return NO_VALUE;
  const total = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [
    Math.floor(total / 86_400),
    Math.floor(total / 3_600) % 24,
    Math.floor(total / 60) % 60,
  ];
  if (days > 0) return duration.format({ days, hours });
  if (hours > 0) return duration.format({ hours, minutes });
  if (minutes > 0) return duration.format({ minutes, seconds: total % 60 });
  return total === 0 ? zeroDuration.format({ seconds: 0 }) : duration.format({ seconds: total });
}
