import type { JsonValue } from '../shared/json.ts';

/**
 * How the value of each SQL type is carried to JSON, so that nothing of it is lost. Every warehouse follows this table.
 *
 * | type                             | JSON                                                                        |
 * | -------------------------------- | --------------------------------------------------------------------------- |
 * | NULL of any type                 | null                                                                        |
 * | BOOLEAN                          | true, false                                                                 |
 * | TINYINT, SMALLINT, INT           | number                                                                      |
 * | BIGINT and wider                 | number while it is a safe integer of JavaScript, else its digits as text    |
 * | FLOAT, DOUBLE                    | number; "NaN", "Infinity" and "-Infinity" as text                           |
 * | DECIMAL(p,s)                     | text with all s fraction digits: "12.50"                                    |
 * | STRING                           | text, unchanged but for a byte order mark at its beginning, which is no part |
 * |                                  | of a text to the engines' drivers                                           |
 * | DATE                             | text: "2024-03-31"                                                          |
 * | TIMESTAMP_NTZ                    | text: "2024-03-31T08:30:00.25", fraction digits as many as needed           |
 * | TIMESTAMP                        | the same in UTC: "2024-03-31T08:30:00.25Z"                                  |
 * | TIME                             | text: "08:30:00.25"                                                         |
 * | INTERVAL                         | text, as the warehouse writes it                                            |
 * | BINARY                           | text in Base64                                                              |
 * | UUID, ENUM, BIT                  | text                                                                        |
 * | ARRAY                            | array                                                                       |
 * | STRUCT                           | object                                                                      |
 * | MAP with keys of text            | object                                                                      |
 * | MAP with other keys              | array of { key, value }                                                     |
 * | VARIANT, JSON                    | what it holds, whole numbers that are no safe integers as text              |
 */
export type CarriedValue = JsonValue;

/** A whole number of any size. */
export function integerValue(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** A floating-point number; JSON has no way to write the three that are not finite. */
export function numberValue(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** The exact text of a decimal: `unscaled` divided by ten to the power of `scale`. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString();
  const negative = unscaled < 0n;
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** A calendar date by its days since 1970-01-01; null beyond the years that JavaScript can count. */
export function dateText(days: number): string | null {
  const known = dates.get(days);
  if (known !== undefined) return known;
  const milliseconds = days * 86_400_000;
  if (Math.abs(milliseconds) > 8.64e15) return null;
  const iso = new Date(milliseconds).toISOString();
  const text = iso.slice(0, iso.indexOf('T'));
  // Rows of one table share few days; the bound keeps a table that does not from filling the memory.
  if (dates.size >= 20_000) dates.clear();
  dates.set(days, text);
  return text;
}

/** A date and time without its zone by its microseconds since 1970-01-01; null beyond the years that JavaScript can count. */
export function timestampText(microseconds: bigint): string | null {
  const whole = Number(microseconds);
  if (!Number.isSafeInteger(whole)) return distantTimestampText(microseconds);
  const days = Math.floor(whole / microsecondsADay);
  const date = dateText(days);
  return date === null ? null : `${date}T${timeText(whole - days * microsecondsADay)}`;
}

/** A time of day by its microseconds since midnight. */
export function timeText(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1_000_000);
  const fraction = microseconds - seconds * 1_000_000;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const clock = `${twoDigits[hours]}:${twoDigits[minutes - hours * 60]}:${twoDigits[seconds - minutes * 60]}`;
  return fraction === 0 ? clock : `${clock}.${fractionText(fraction, 6)}`;
}

/** The digits of a fraction of a second without the zeros at its end. */
export function fractionText(fraction: number, digits: number): string {
  return fraction.toString().padStart(digits, '0').replace(/0+$/, '');
}

/** What a text of JSON holds, with the numbers that JavaScript would change as text. */
export function jsonValue(text: string): JsonValue {
  if (!/\d{16}|\de/i.test(text)) return JSON.parse(text);
  try {
    return exactJsonValue(text);
  } catch (error) {
    // Nested so deep that nothing that holds it can be stored, whatever its numbers are.
    if (error instanceof RangeError) return JSON.parse(text);
    throw error;
  }
}

function exactJsonValue(text: string): JsonValue {
  return JSON.parse(text, (_key, value, context?: { source?: string }) => {
    if (typeof value !== 'number' || context?.source === undefined) return value;
    const changed = Number.isInteger(value) ? !Number.isSafeInteger(value) : !Number.isFinite(value);
    return changed ? context.source : value;
  });
}

/** Sets a key of an object whatever its name, also one that means something to JavaScript. */
export function setKey(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  else object[key] = value;
}

const microsecondsADay = 86_400_000_000;
const dates = new Map<number, string>();
const twoDigits = Array.from({ length: 100 }, (_, number) => number.toString().padStart(2, '0'));

function distantTimestampText(microseconds: bigint): string | null {
  const day = BigInt(microsecondsADay);
  const inDay = ((microseconds % day) + day) % day;
  const date = dateText(Number((microseconds - inDay) / day));
  return date === null ? null : `${date}T${timeText(Number(inDay))}`;
}
