import { stripVTControlCharacters } from 'node:util';

/** How the command writes numbers, times and texts for people. */

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Stands where there is no value. */
export const NO_VALUE = '–';

/** Such as `1,204,000`. */
export function formatCount(count: number | null): string {
  return count === null ? NO_VALUE : whole.format(count);
}

/** Such as `1 error` or `2,000 errors`. */
export function formatCounted(count: number, one: string): string {
  return `${whole.format(count)} ${count === 1 ? one : `${one}s`}`;
}

/** @param percent from 0 to 100. Never rounded up to the end. */
export function formatPercent(percent: number | null): string {
  return percent === null ? NO_VALUE : `${Math.floor(percent)}%`;
}

/** Such as `2h 5m`: the two greatest parts. @param seconds not negative. */
export function formatDuration(seconds: number): string {
  const total = Math.round(seconds);
  const parts = [
    [Math.floor(total / 86_400), 'd'],
    [Math.floor(total / 3_600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'm'],
    [total % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  if (first === -1) return seconds > 0 ? '<1s' : '0s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value}${unit}`)
    .join(' ');
}

/** In UTC, to the second: `2026-11-24 05:30:00Z`. @param time as the API gives it; null for none. */
export function formatTime(time: string | null): string {
  return time === null ? NO_VALUE : new Date(time).toISOString().replace('T', ' ').replace(/\.\d+/, '');
}

/**
 * A text of the server's on one line: what rows and people have put into it can neither move the cursor nor change a
 * terminal.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

const segments = new Intl.Segmenter();

/** How many characters people see. */
export function lengthOf(text: string): number {
  return [...segments.segment(text)].length;
}

/** Cuts a text that has more than `width` characters. */
export function cut(text: string, width: number): string {
  const characters = [...segments.segment(text)];
  if (characters.length <= width) return text;
  if (width < 1) return '';
  return `${characters
    .slice(0, width - 1)
    .map(({ segment }) => segment)
    .join('')}…`;
}
