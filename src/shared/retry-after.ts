/**
 * Parses the header `Retry-After`.
 * @param now the current time in epoch milliseconds, for a header with a date.
 * @returns the wait in milliseconds, 0 for a time that has passed; null if the header is missing or cannot be read.
 */
export function parseRetryAfter(
  header: string | readonly string[] | null | undefined,
  now: number,
): number | null {
  const value = (typeof header === 'string' ? header : header?.[0])?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  if (!HTTP_DATE.test(value)) return null;
  // The oldest of the three forms of a date does not name its zone.
  const time = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(time) ? null : Math.max(0, time - now);
}

const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;
