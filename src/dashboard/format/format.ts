/** Numbers and times as the browser's language writes them. */

const whole = new Intl.NumberFormat();
const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const duration = new Intl.DurationFormat(undefined, { style: 'narrow' });
const zeroDuration = new Intl.DurationFormat(undefined, { style: 'narrow', secondsDisplay: 'always' });

/** Stands where there is no value yet. */
export const NO_VALUE = '–';

export function formatCount(count: number | null | undefined): string {
  return count === null || count === undefined ? NO_VALUE : whole.format(Math.round(count));
}

export function formatCompact(count: number): string {
  return compact.format(count);
}

/** @param value from 0 to 100. Never rounded up to the end. */
export function formatPercent(value: number | null | undefined): string {
  if (value === null || value === undefined) return NO_VALUE;
  const step = value < 10 ? 0.1 : 1;
  return percent.format((Math.floor(value / step) * step) / 100);
}

export function formatMoment(at: string | null | undefined): string {
  return at === null || at === undefined ? NO_VALUE : moment.format(new Date(at));
}

/** The time alone where it is today, and with its date where it is not. */
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

/** Such as `in 5 minutes` or `yesterday`. */
export function formatRelative(at: string, now = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return relative.format(Math.round(seconds / size), unit);
}

/** How long until then, such as `2m 5s`. */
export function formatTimeLeft(at: string, now = Date.now()): string {
  return formatDuration((Date.parse(at) - now) / 1000);
}

/** Such as `2h 5m`; of long times only the two greatest parts. */
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
