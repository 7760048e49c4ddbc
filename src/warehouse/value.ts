// Converts the values of each SQL type to JSON without loss, by the table in docs/extending.md.
import { isNativeError } from 'node:util/types';
import type { JsonValue } from '../shared/json.ts';
import { findRepeatedKey } from '../shared/repeated-key.ts';

/** Converts a whole number of any size. */
export function toIntegerValue(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** Converts a floating-point number; as text if it is not finite, because JSON cannot write that. */
export function toNumberValue(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** Converts a number of 32 bits to the shortest one that it is the nearest to: 0.1, where its exact value is 0.10000000149011612. */
export function toFloatValue(value: number): number | string {
  for (let digits = 1; digits < FLOAT_DIGITS; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return toNumberValue(short);
  }
  return toNumberValue(Number(value.toPrecision(FLOAT_DIGITS)));
}

/** As many digits tell all numbers of 32 bits apart. */
const FLOAT_DIGITS = 9;

/** Formats the exact value of a decimal: `unscaled` divided by ten to the power of `scale`. */
export function formatDecimal(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString();
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Formats a date from its days since 1970-01-01. A year of other than four digits has a sign, as in ISO 8601. */
export function formatDate(days: number): string {
  const known = dates.get(days);
  if (known !== undefined) return known;
  const milliseconds = days * 86_400_000;
  if (Math.abs(milliseconds) > 8.64e15) return formatDistantDate(days);
  const iso = new Date(milliseconds).toISOString();
  const text = iso.slice(0, iso.indexOf('T'));
  // Rows of a table usually share few days; the bound limits memory for those that do not.
  if (dates.size >= 20_000) dates.clear();
  dates.set(days, text);
  return text;
}

/** Formats a date that JavaScript does not have: the days of a calendar repeat every 400 years. */
function formatDistantDate(days: number): string {
  const cycles = Math.floor(days / DAYS_PER_CYCLE);
  const date = new Date((days - cycles * DAYS_PER_CYCLE) * 86_400_000);
  const year = date.getUTCFullYear() + cycles * 400;
  const sign = year < 0 ? '-' : '+';
  return `${sign}${String(Math.abs(year)).padStart(6, '0')}${date.toISOString().slice(4, 10)}`;
}

const DAYS_PER_CYCLE = 146_097;

/** Formats a date and time without a zone from its microseconds since 1970-01-01. */
export function formatTimestamp(microseconds: bigint): string {
  const whole = Number(microseconds);
  if (!Number.isSafeInteger(whole)) return formatDistantTimestamp(microseconds);
  const days = Math.floor(whole / MICROSECONDS_PER_DAY);
  return `${formatDate(days)}T${formatTime(whole - days * MICROSECONDS_PER_DAY)}`;
}

/**
 * Formats a time of day from its microseconds since midnight.
 * @throws RangeError if it is not within a day, as a faulty file can say.
 */
export function formatTime(microseconds: number): string {
  if (!(microseconds >= 0 && microseconds <= MICROSECONDS_PER_DAY))
    throw new RangeError(`a time of day ${microseconds} microseconds after midnight does not exist`);
  const seconds = Math.floor(microseconds / 1_000_000);
  const fraction = microseconds - seconds * 1_000_000;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const clock = `${TWO_DIGITS[hours]}:${TWO_DIGITS[minutes - hours * 60]}:${TWO_DIGITS[seconds - minutes * 60]}`;
  return fraction === 0 ? clock : `${clock}.${formatFraction(fraction, 6)}`;
}

/** Formats a fraction of a second without trailing zeros. */
export function formatFraction(fraction: number, digits: number): string {
  let shown = fraction;
  let places = digits;
  while (places > 0 && shown % 10 === 0) {
    shown /= 10;
    places -= 1;
  }
  return places === 0 ? '' : shown.toString().padStart(places, '0');
}

/** Formats an interval of whole months as Databricks writes it. */
export function formatYearMonthInterval(months: number): string {
  const whole = Math.abs(months);
  return `INTERVAL '${months < 0 ? '-' : ''}${Math.floor(whole / 12)}-${whole % 12}' YEAR TO MONTH`;
}

/** Formats an interval of microseconds as Databricks writes it. */
export function formatDayTimeInterval(microseconds: bigint): string {
  const day = BigInt(MICROSECONDS_PER_DAY);
  const whole = microseconds < 0n ? -microseconds : microseconds;
  return `INTERVAL '${microseconds < 0n ? '-' : ''}${whole / day} ${formatTime(Number(whole % day))}' DAY TO SECOND`;
}

/** Formats an interval of months, days and microseconds as Databricks writes it. None of the three can be converted to another. */
export function formatCalendarInterval(months: number, days: number, microseconds: bigint): string {
  const whole = microseconds < 0n ? -microseconds : microseconds;
  const sign = microseconds < 0n ? '-' : '';
  const fraction = formatFraction(Number(whole % 1_000_000n), 6);
  const seconds = `${(whole / 1_000_000n) % 60n}${fraction && `.${fraction}`}`;
  const parts = [
    [Math.trunc(months / 12), 'years'],
    [months % 12, 'months'],
    [days, 'days'],
    [`${sign}${whole / 3_600_000_000n}`, 'hours'],
    [`${sign}${(whole / 60_000_000n) % 60n}`, 'minutes'],
    [`${sign}${seconds}`, 'seconds'],
  ] as const;
  const filled = parts.filter(([count]) => Number(count) !== 0);
  return filled.length === 0 ? '0 seconds' : filled.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** Writes an interval in full that a service of Databricks has written without its unit: `1 02:03:04.000000000`, or `1-2`. */
export function toIntervalText(text: string): string {
  if (/^-?\d+-\d+$/.test(text)) return `INTERVAL '${text}' YEAR TO MONTH`;
  const [, whole, fraction = ''] = /^(-?\d+ \d\d:\d\d:\d\d)(\.\d+)?$/.exec(text) ?? [];
  return whole === undefined ? text : `INTERVAL '${whole}${fraction.replace(/\.?0+$/, '')}' DAY TO SECOND`;
}

/**
 * Parses JSON, with numbers that JavaScript would change as text.
 * @throws SyntaxError if it is no JSON; Error if an object in it has a key twice, one of whose values would be lost.
 */
export function parseJsonValue(text: string): JsonValue {
  const repeated = findRepeatedKey(text);
  if (repeated !== null) throw new Error(`it has the key ${repeated} twice`);
  if (!/\d[\d.]{15}|\de/i.test(text)) return JSON.parse(text);
  try {
    return parseExactJson(text);
  } catch (error) {
    // Nested so deeply that it cannot be stored anyway, whatever its numbers are.
    if (error instanceof RangeError) return JSON.parse(text);
    throw error;
  }
}

function parseExactJson(text: string): JsonValue {
  return JSON.parse(text, (_key, value, context?: { source?: string }) => {
    if (typeof value !== 'number' || context?.source === undefined) return value;
    return isExactNumber(context.source) ? value : context.source;
  });
}

/** Whether JavaScript holds a number of JSON as it is written; a whole one only if its neighbours differ from it. */
export function isExactNumber(text: string): boolean {
  const number = Number(text);
  if (/^-?\d+$/.test(text)) return Number.isSafeInteger(number);
  return Number.isFinite(number) && toDecimalKey(text) === toDecimalKey(String(number));
}

/** Returns the same for all spellings of a decimal number. */
function toDecimalKey(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  if (kept === '') return '0';
  return `${sign}${kept}e${Number(power) - fraction.length + digits.length - kept.length}`;
}

/**
 * Creates what stands in a row for a value that cannot be converted. It is no JSON, so the row becomes an item error with the
 * reason, and the other rows of its batch are read.
 */
export function createUnreadableValue(error: unknown): JsonValue {
  const unreadable = new Error(error instanceof Error ? error.message : String(error));
  // It is sent with the row, which has no use for it.
  unreadable.stack = '';
  return unreadable as unknown as JsonValue;
}

/** Returns why a value could not be converted; null for any other value. */
export function findUnreadableReason(value: unknown): string | null {
  return isNativeError(value) ? value.message : null;
}

/** Sets a key of an object, even one with a special meaning in JavaScript. */
export function setKey(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  else object[key] = value;
}

/**
 * Sets a key of an object for an entry of a map.
 * @throws Error if the map has the key twice: one of its values would be lost.
 */
export function setNewKey(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (Object.hasOwn(object, key))
    throw new Error(`a map has the key ${JSON.stringify(key.slice(0, 80))} twice`);
  setKey(object, key, value);
}

/** Measures a value in bytes, about as it takes memory. */
export function measureValue(value: JsonValue): number {
  // Without recursion, because JSON may be nested thousands of levels deep.
  const left: JsonValue[] = [value];
  let bytes = 0;
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    bytes += VALUE_BYTES;
    if (typeof next === 'string') bytes += next.length;
    else if (typeof next === 'object' && next !== null) left.push(...Object.values(next));
  }
  return bytes;
}

/** What a value takes beside its text. */
export const VALUE_BYTES = 8;

const MICROSECONDS_PER_DAY = 86_400_000_000;
const dates = new Map<number, string>();
const TWO_DIGITS = Array.from({ length: 100 }, (_, number) => number.toString().padStart(2, '0'));

function formatDistantTimestamp(microseconds: bigint): string {
  const day = BigInt(MICROSECONDS_PER_DAY);
  const inDay = ((microseconds % day) + day) % day;
  return `${formatDate(Number((microseconds - inDay) / day))}T${formatTime(Number(inDay))}`;
}
