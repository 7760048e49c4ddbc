import { columnSchemas } from '../data-types/column-kind.ts';
import {
  bindParameter,
  compose,
  composeName,
  composeText,
  composeType,
} from '../sql-check/checked-statement.ts';
import type { CheckedSql, TableColumn } from '../warehouse/warehouse.ts';

/** The greatest value of a cursor column that a source was read up to. */
export interface Watermark {
  /** The value as text. */
  readonly value: string;
  /** The type that it was compared in; null for one that an earlier version of the program has stored. */
  readonly type: string | null;
}

/** A cursor column whose rows are checked one by one, because some of its cells have no value of its type. */
export interface CheckedCursor {
  readonly column: string;
  readonly type: string;
}

/** How a cursor column is compared. */
export interface Cursor {
  /** The column as the table has it. */
  readonly name: string;
  readonly type: string;
  /** The value of a row; null for a cell without a value of the type. */
  readonly column: CheckedSql;
  /** Whether a row has a cell without a value of the type; null if none can. */
  readonly isBad: CheckedSql | null;
  from(value: string, parameter: BoundParameter): CheckedSql;
  above(value: string, parameter: BoundParameter): CheckedSql;
  below(value: string, parameter: BoundParameter): CheckedSql;
  atMost(value: string, parameter: BoundParameter): CheckedSql;
}

type BoundParameter = Parameters<typeof bindParameter>[0];

/** Types of columns that can be cursors. */
export const CURSOR_TYPES =
  /^(TINYINT|SMALLINT|INT|BIGINT|DECIMAL(\(\d+(, ?\d+)?\))?|FLOAT|DOUBLE|DATE|TIMESTAMP|TIMESTAMP_NTZ|STRING( COLLATE \w+)?|(VAR)?CHAR\(\d+\))$/;

/** Whether a column holds texts, which can be those of numbers or times. */
export function isTextColumn({ type }: TableColumn): boolean {
  return isTextType(type);
}

/** Whether a type is one of texts; a STRING may have a collation. */
function isTextType(type: string): boolean {
  return /^STRING\b/.test(type) || type.includes('CHAR(');
}

/** What the texts of a cursor column can be compared as, the narrowest first. */
export const TEXT_CURSORS = [
  { type: 'BIGINT', pattern: '^[+-]?[0-9]{1,18}$' },
  // Such as nanoseconds since 1970, which have 19 digits.
  { type: 'DECIMAL(38, 0)', pattern: '^[+-]?[0-9]{1,38}$' },
  { type: 'DECIMAL(38, 18)', pattern: '^[+-]?[0-9]{1,20}([.][0-9]{1,18})?$' },
  {
    type: 'TIMESTAMP',
    pattern:
      '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?$',
  },
] as const;

/** An offset behind minutes, which not every warehouse reads. */
const WITHOUT_SECONDS = '^[0-9-]{10}[T ][0-9]{2}:[0-9]{2}(Z|[+-].*)$';

/** Creates the cursor of a column. @param type what to compare its values as. */
export function createCursor(column: TableColumn, type: string): Cursor {
  const name = composeName(column.name);
  const valueType = composeType(type);
  const value = isTextColumn(column) ? composeTextValue(name, type) : composeValue(name, type);
  const compare = (operator: CheckedSql) => (text: string, parameter: BoundParameter) =>
    compose`${value} ${operator} CAST(${bindParameter(parameter, text)} AS ${valueType})`;
  return {
    name: column.name,
    type,
    column: value,
    isBad: composeBad(column, type, value),
    from: compare(compose`>=`),
    above: compare(compose`>`),
    below: compare(compose`<`),
    atMost: compare(compose`<=`),
  };
}

function composeBad(column: TableColumn, type: string, value: CheckedSql): CheckedSql | null {
  const name = composeName(column.name);
  if (isTextColumn(column)) return compose`(${value} IS NULL AND TRIM(CAST(${name} AS STRING)) <> '')`;
  return isFloat(type) ? compose`(${value} IS NULL AND ${name} IS NOT NULL)` : null;
}

function composeValue(name: CheckedSql, type: string): CheckedSql {
  // A column may hold more digits than its described type, but a watermark has only those of the type.
  const value = compose`CAST(${name} AS ${composeType(type)})`;
  if (!isFloat(type)) return value;
  // NaN would be the greatest of all numbers.
  const least = compose`CAST('-1.7976931348623157E308' AS DOUBLE)`;
  const greatest = compose`CAST('1.7976931348623157E308' AS DOUBLE)`;
  return compose`CASE WHEN ${value} BETWEEN ${least} AND ${greatest} THEN ${value} END`;
}

function composeTextValue(name: CheckedSql, type: string): CheckedSql {
  const text = compose`CAST(${name} AS STRING)`;
  const found = TEXT_CURSORS.find((known) => known.type === type);
  // No text of a watermark can have NUL.
  if (found === undefined) return compose`CASE WHEN LOCATE(CHR(0), ${text}) = 0 THEN ${text} END`;
  const trimmed = compose`TRIM(${text})`;
  const fits = compose`${trimmed} RLIKE ${composeText(found.pattern)}`;
  if (type !== 'TIMESTAMP')
    return compose`CASE WHEN ${fits} THEN TRY_CAST(${trimmed} AS ${composeType(type)}) END`;
  const completed = compose`CONCAT(SUBSTRING(${trimmed}, 1, 16), ':00', SUBSTRING(${trimmed}, 17))`;
  return compose`CASE WHEN ${trimmed} RLIKE ${composeText(WITHOUT_SECONDS)} THEN TRY_CAST(${completed} AS TIMESTAMP) WHEN ${fits} THEN TRY_CAST(${trimmed} AS TIMESTAMP) END`;
}

/**
 * Returns the value that lies a distance before another.
 * @param lookback seconds for times, otherwise a difference of numbers; texts have none.
 */
export function stepBack(value: string, type: string, lookback: number): string {
  if (lookback === 0) return value;
  if (type.startsWith('TIMESTAMP') || type === 'DATE') return stepBackTime(value, type, lookback);
  if (isFloat(type)) return String(Number(value) - lookback);
  const whole = /^-?\d+/.exec(value)?.[0];
  if (whole === undefined || isTextType(type)) return value;
  // Rounded down: to read a little more is no harm.
  const earlier = BigInt(whole) - BigInt(Math.ceil(lookback)) - (whole === value ? 0n : 1n);
  const least = findLeast(type);
  return earlier < BigInt(least.replace(/\..*/, '')) ? least : String(earlier);
}

/** Finds the least number of a type that is exact. */
function findLeast(type: string): string {
  const bits = INTEGER_BITS.get(type);
  if (bits !== undefined) return String(-(2n ** BigInt(bits - 1)));
  const [, precision = '10', scale = '0'] = /^DECIMAL(?:\((\d+)(?:, ?(\d+))?\))?$/.exec(type) ?? [];
  return `-${'9'.repeat(+precision - +scale) || '0'}${+scale > 0 ? `.${'9'.repeat(+scale)}` : ''}`;
}

function stepBackTime(value: string, type: string, lookback: number): string {
  const [, date = '', time = '00:00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[T ]([\d:.]+)(Z|[+-].*)?)?$/.exec(value) ?? [];
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone;
  const earlier = Date.parse(`${date}T${time.slice(0, 12)}${offset}`) - lookback * 1_000;
  if (Number.isNaN(earlier) || Math.abs(earlier) > 8.64e15) return value;
  // The years before are written in several ways.
  const text = new Date(Math.max(earlier, FIRST_YEAR)).toISOString();
  return type === 'DATE' ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 23)}`;
}

const FIRST_YEAR = Date.parse('0001-01-01T00:00:00Z');

/** Describes why the cell of a cursor column has no value of its type; null if it has one, or is empty. */
export function findCursorProblem(value: unknown, type: string): string | null {
  if (value === null || value === undefined) return null;
  const text = String(value).trim();
  const known = TEXT_CURSORS.find((cursor) => cursor.type === type);
  if (known === undefined)
    return /^-?(nan|inf(inity)?)$/i.test(text) && isFloat(type) ? 'a finite number' : null;
  const isValid = text === '' || new RegExp(known.pattern).test(text);
  if (type !== 'TIMESTAMP') return isValid ? null : 'a number';
  return isValid && columnSchemas.timestamp.safeParse(text).success ? null : 'a date and time';
}

/** Whether a text is a value of a watermark's type, one of `CURSOR_TYPES`. */
export function isValueOfType(text: string, type: string): boolean {
  if (isTextType(type)) return true;
  if (/^(DATE|TIMESTAMP)/.test(type))
    return columnSchemas.timestamp.safeParse(text).success && text.trim() !== '';
  if (isFloat(type)) return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text));
  const [, precision = '10', scale = '0'] = /^DECIMAL(?:\((\d+)(?:, ?(\d+))?\))?$/.exec(type) ?? [];
  if (type.startsWith('DECIMAL')) {
    const [, whole = '', fraction = ''] = /^-?0*(\d+?)(?:\.(\d+?)0*)?$/.exec(text) ?? [];
    return whole !== '' && whole.length <= Math.max(1, +precision - +scale) && fraction.length <= +scale;
  }
  const bits = INTEGER_BITS.get(type);
  return (
    bits !== undefined && /^-?\d{1,19}$/.test(text) && BigInt.asIntN(bits, BigInt(text)) === BigInt(text)
  );
}

/** The sizes of the types of whole numbers. */
const INTEGER_BITS: ReadonlyMap<string, number> = new Map([
  ['TINYINT', 8],
  ['SMALLINT', 16],
  ['INT', 32],
  ['BIGINT', 64],
]);

/** Whether values of two types are in the same order when they are converted. @param one null for any. */
export function haveOneOrder(one: string | null, other: string): boolean {
  return one === null || findOrder(one) === findOrder(other);
}

function findOrder(type: string): 'TEXT' | 'TIME' | 'NUMBER' {
  if (isTextType(type)) return 'TEXT';
  return /^(DATE|TIMESTAMP)/.test(type) ? 'TIME' : 'NUMBER';
}

function isFloat(type: string): boolean {
  return type === 'DOUBLE' || type === 'FLOAT';
}

/**
 * Writes the latest time that a watermark may have, as a value of a type.
 * @returns null if values of the type are no times.
 */
export function toLatest(latest: Date, type: string): string | null {
  const text = latest.toISOString().replace('T', ' ');
  if (type === 'DATE') return text.slice(0, 10);
  return type === 'TIMESTAMP' || type === 'TIMESTAMP_NTZ' ? text.slice(0, 19) : null;
}
