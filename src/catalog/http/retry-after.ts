/**
 * How long the header `retry-after` asks to wait, in milliseconds; 0 for a time that has passed, null where there is
 * no header or nothing that can be read.
 * @param now milliseconds since 1970, which an HTTP date counts from.
 */
export function retryAfterOf(header: string | readonly string[] | undefined, now: number): number | null {
  const value = (typeof header === 'string' ? header : header?.[0])?.trim() ?? '';
  if (/^\d+$/.test(value)) {
    return Number(value) * 1_000;
  }
  if (!httpDate.test(value)) {
    return null;
  }
  // The oldest of the three forms of a date does not name its zone.
  const time = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(time) ? null : Math.max(0, time - now);
}

const httpDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;
