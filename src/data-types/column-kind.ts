import { z } from 'zod';

/** The kind of values in a column, independent of the type names of a warehouse. */
export type ColumnKind = 'text' | 'integer' | 'number' | 'date' | 'timestamp';

export type ColumnSchema = z.ZodType<unknown>;

// Above the schemas, because each of them is added while this file loads.
const kinds = new WeakMap<ColumnSchema, ColumnKind>();

/** Text. Numbers and booleans are valid, too, because tables have codes and ids in such columns. */
export const text = columnSchema('text', 'text', (value) => {
  return typeof value === 'string' || typeof value === 'boolean' || isFiniteNumber(value);
});

/** A whole number, or one as text: 12, "12" and "12.00". */
export const integer = columnSchema('integer', 'a whole number', (value) => {
  return typeof value === 'string' ? integerText.test(value.trim()) : Number.isInteger(value);
});

/** A finite number, or one as text: 1.5, "1.5" and "15e-1". */
export const number = columnSchema('number', 'a number', (value) => {
  return typeof value === 'string' ? numberText.test(value.trim()) : isFiniteNumber(value);
});

/** A calendar date, or a date-time at midnight, because tables often store dates as timestamps. */
export const date = columnSchema('date', 'a date such as 2024-03-31', (value) => {
  return typeof value === 'string' && isDateOrTime(value.trim(), midnightText);
});

/** A date-time with or without a zone, or a calendar date. */
export const timestamp = columnSchema(
  'timestamp',
  'a date and time such as 2024-03-31T08:30:00Z',
  (value) => typeof value === 'string' && isDateOrTime(value.trim(), timestampText),
);

/** Finds the kind of a column whose schema is one of this file. */
export function columnKindOf(schema: ColumnSchema): ColumnKind {
  const kind = kinds.get(schema);
  if (kind === undefined) {
    throw new TypeError('The schema of a column must be one of text, integer, number, date and timestamp.');
  }
  return kind;
}

/** Whether a column has no value: it is missing, null or blank text. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

/** @param expected the end of the sentence "… must be". */
function columnSchema(
  kind: ColumnKind,
  expected: string,
  accepts: (value: unknown) => boolean,
): ColumnSchema {
  const schema = z
    .custom<unknown>((value) => accepts(value) || isAbsent(value), { error: expected })
    .optional();
  kinds.set(schema, kind);
  return schema;
}

function isFiniteNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

const integerText = /^[+-]?\d+(?:\.0*)?$/;
const numberText = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

const calendarDate = '(?!0000)\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01])';
const timeOfDay = '(?:[01]\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d(?:\\.\\d{1,9})?)?';
const midnight = '00:00(?::00(?:\\.0{1,9})?)?';
const zone = ' ?(?:Z|[+-](?:0\\d|1[0-5])(?::?[0-5]\\d)?)';
const timestampText = new RegExp(`^${calendarDate}(?:[T ]${timeOfDay}(?:${zone})?)?$`);
const midnightText = new RegExp(`^${calendarDate}(?:[T ]${midnight}(?:${zone})?)?$`);

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
