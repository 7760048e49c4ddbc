import { z } from 'zod';

/** The kind of values in a column, independent of the type names of a warehouse. */
export type ColumnKind = 'text' | 'integer' | 'number' | 'date' | 'timestamp';

export type ColumnSchema = z.ZodType<unknown>;

/** The check of each kind; any value may be missing, null or blank. */
export const columnSchemas: Readonly<Record<ColumnKind, ColumnSchema>> = {
  /** Text. Numbers and booleans are valid, too, because tables have codes and ids in such columns. */
  text: columnSchema(
    'text',
    (value) => typeof value === 'string' || typeof value === 'boolean' || isFiniteNumber(value),
  ),
  /** A whole number, or one as text: 12, "12" and "12.00". */
  integer: columnSchema('a whole number', (value) =>
    typeof value === 'string' ? INTEGER_TEXT.test(value.trim()) : Number.isInteger(value),
  ),
  /** A finite number, or one as text: 1.5, "1.5" and "15e-1". */
  number: columnSchema('a number', (value) =>
    typeof value === 'string' ? NUMBER_TEXT.test(value.trim()) : isFiniteNumber(value),
  ),
  /** A calendar date, or a date-time at midnight, because tables often store dates as timestamps. */
  date: columnSchema(
    'a date such as 2024-03-31',
    (value) => typeof value === 'string' && isDateOrTime(value.trim(), MIDNIGHT_TEXT),
  ),
  /** A date-time with or without a zone, or a calendar date. */
  timestamp: columnSchema(
    'a date and time such as 2024-03-31T08:30:00Z',
    (value) => typeof value === 'string' && isDateOrTime(value.trim(), TIMESTAMP_TEXT),
  ),
};

/** Whether a column has no value: it is missing, null or blank text. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** Whether values of a kind are numbers. */
export function isNumeric(kind: ColumnKind): boolean {
  return kind === 'integer' || kind === 'number';
}

/**
 * Whether a text says exactly one number and is how JSON writes it, so that the number can be stored in its place: 12, -3 and
 * 12.5, but not 007, 19.90, 1e3, or a whole number that JavaScript cannot tell from its neighbours.
 */
export function isWrittenNumber(text: string): boolean {
  if (!WRITTEN_NUMBER.test(text)) return false;
  const number = Number(text);
  return String(number) === text && (!Number.isInteger(number) || Number.isSafeInteger(number));
}

/** @param expected the end of the sentence "… must be". */
function columnSchema(expected: string, accepts: (value: unknown) => boolean): ColumnSchema {
  return z.custom<unknown>((value) => accepts(value) || isAbsent(value), { error: expected }).optional();
}

function isFiniteNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

const INTEGER_TEXT = /^[+-]?\d+(?:\.0*)?$/;
const WRITTEN_NUMBER = /^-?(?:0|[1-9]\d{0,15})(?:\.\d{0,24}[1-9])?$/;
const NUMBER_TEXT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

const CALENDAR_DATE = '(?!0000)\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])';
const TIME_OF_DAY = '(?:[01]\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d(?:\\.\\d{1,9})?)?';
const MIDNIGHT = '00:00(?::00(?:\\.0{1,9})?)?';
const ZONE = ' ?(?:Z|[+-](?:0\\d|1[0-5])(?::?[0-5]\\d)?)';
const TIMESTAMP_TEXT = new RegExp(`^${CALENDAR_DATE}(?:[T ]${TIME_OF_DAY}(?:${ZONE})?)?$`);
const MIDNIGHT_TEXT = new RegExp(`^${CALENDAR_DATE}(?:[T ]${MIDNIGHT}(?:${ZONE})?)?$`);

function isDateOrTime(value: string, pattern: RegExp): boolean {
  if (!pattern.test(value)) {
    return false;
  }
  const day = Number(value.slice(8, 10));
  return day <= 28 || day <= countDays(Number(value.slice(0, 4)), Number(value.slice(5, 7)));
}

function countDays(year: number, month: number): number {
  if (month === 2) {
    return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  }
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
