import { stripVTControlCharacters } from 'node:util';

/** How numbers, times and texts are written for people. */

const wholeNumber = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Stands where there is no value. */
export const NO_VALUE = '–';

/** Such as `1,204,000`. */
export function formatCount(count: number | null): string {
  return count === null ? NO_VALUE : wholeNumber.format(count);
}

/** Such as `1 error` or `2,000 errors`. */
export function formatCounted(count: number, singular: string): string {
  return `${wholeNumber.format(count)} ${count === 1 ? singular : `${singular}s`}`;
}

/** @param percent from 0 to 100; rounded down, so that only what is done is 100%. */
export function formatPercent(percent: number | null): string {
  return percent === null ? NO_VALUE : `${Math.floor(percent)}%`;
}

/** Such as `2h 5m`: the two largest units. @param seconds not negative. */
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

/** In UTC, to the second: `2026-11-24 05:30:00Z`. @param time as the API writes it. */
export function formatTime(time: string | null): string {
  return time === null ? NO_VALUE : new Date(time).toISOString().replace('T', ' ').replace(/\.\d+/, '');
}

/**
 * Puts a text from the server on one line. Rows and people may have written anything into it: what is left can neither
 * move the cursor nor change a terminal.
 */
export function toPrintable(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

const segmenter = new Intl.Segmenter();

/** Counts the characters that people see. */
export function countCharacters(text: string): number {
  return [...segmenter.segment(text)].length;
}

/** Shortens a text to at most `width` characters, the last of them `…`. */
export function truncate(text: string, width: number): string {
  const characters = [...segmenter.segment(text)];
  if (characters.length <= width) return text;
  if (width < 1) return '';
  return `${characters
    .slice(0, width - 1)
    .map(({ segment }) => segment)
    .join('')}…`;
}
