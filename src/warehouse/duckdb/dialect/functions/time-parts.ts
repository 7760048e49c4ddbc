import { toArgument } from '../arguments.ts';
import { type Call, readPair, showCall, writeResult } from '../call.ts';
import { refuseOnFolder } from '../refused.ts';
import { named, type Written } from '../written.ts';
import { type Family, scalars } from './family.ts';

/** Functions that read a part of a time, or cut off what is smaller. */
export const timeParts: Family = {
  ...scalars([
    ['day dayofmonth', 'CAST(day($D1) AS INTEGER)', 'INT'],
    ['dayname', "strftime($D1, '%a')", 'STRING'],
    ['dayofweek', 'CAST(dayofweek($D1) + 1 AS INTEGER)', 'INT'],
    ['dayofyear', 'CAST(dayofyear($D1) AS INTEGER)', 'INT'],
    ['weekday', 'CAST(isodow($D1) - 1 AS INTEGER)', 'INT'],
    ['weekofyear', 'CAST(week($D1) AS INTEGER)', 'INT'],
    ['month', 'CAST(month($D1) AS INTEGER)', 'INT'],
    ['monthname', "strftime($D1, '%b')", 'STRING'],
    ['quarter', 'CAST(quarter($D1) AS INTEGER)', 'INT'],
    ['year', 'CAST(year($D1) AS INTEGER)', 'INT'],
    ['hour', 'CAST(hour($T1) AS INTEGER)', 'INT'],
    ['minute', 'CAST(minute($T1) AS INTEGER)', 'INT'],
    ['second', 'CAST(second($T1) AS INTEGER)', 'INT'],
  ]),
  date_part: writeDatePart,
  extract: writeDatePart,
  datepart: writeDatePart,
  date_trunc: (call) => {
    const [unit, time] = call.args;
    const word = readUnit(unit, TRUNCATED_UNITS, 'date_trunc()');
    return writeResult(call, 'TIMESTAMP', `date_trunc('${word}', ${toArgument(call, time, 'T')})`);
  },
  trunc: (call) => {
    const [date, unit] = call.args;
    const word = readUnit(unit, DATE_UNITS, 'trunc()');
    return writeResult(call, 'DATE', `CAST(date_trunc('${word}', ${toArgument(call, date, 'D')}) AS DATE)`);
  },
};

function writeDatePart(call: Call): Written {
  const [part, time] = readPair(call);
  const word =
    typeof part.literal === 'string'
      ? part.literal
      : refuseOnFolder(`${call.name}() with a part that is not in the statement`);
  const lower = word.toLowerCase();
  const name = call.name === 'extract' ? named`extract(${word} FROM ${time})` : showCall(call, 'date_part');
  if (['second', 's', 'sec', 'seconds', 'secs'].includes(lower))
    return {
      sql: `CAST((epoch_us(${toArgument(call, time, 'T')}) % 60000000 + 60000000) % 60000000 / 1000000 AS DECIMAL(8, 6))`,
      type: 'DECIMAL(8,6)',
      name,
    };
  const found = PARTS.get(lower) ?? refuseOnFolder(`${call.name}() of ${word}`);
  const sql = found.replace(/\$([DT])/, (_match, kind: string) => toArgument(call, time, kind));
  return { sql: `CAST(${sql} AS INTEGER)`, type: 'INT', name };
}

/** What a part of a time is called, and how it is read. */
const PARTS: ReadonlyMap<string, string> = new Map(
  (
    [
      ['year y years yr yrs', 'year($D)'],
      ['yearofweek', 'isoyear($D)'],
      ['quarter qtr', 'quarter($D)'],
      ['month mon mons months', 'month($D)'],
      ['week w weeks', 'week($D)'],
      ['day d days', 'day($D)'],
      ['dayofweek dow', 'dayofweek($D) + 1'],
      ['dayofweek_iso dow_iso', 'isodow($D)'],
      ['doy', 'dayofyear($D)'],
      ['hour h hours hr hrs', 'hour($T)'],
      ['minute m min mins minutes', 'minute($T)'],
    ] as const
  ).flatMap(([names, template]) => names.split(' ').map((name) => [name, template] as const)),
);

const DATE_UNITS: ReadonlyMap<string, string> = new Map([
  ...(['year', 'yyyy', 'yy'] as const).map((unit) => [unit, 'year'] as const),
  ['quarter', 'quarter'],
  ...(['month', 'mon', 'mm'] as const).map((unit) => [unit, 'month'] as const),
  ['week', 'week'],
]);

const TRUNCATED_UNITS: ReadonlyMap<string, string> = new Map([
  ...DATE_UNITS,
  ['day', 'day'],
  ['dd', 'day'],
  ['hour', 'hour'],
  ['minute', 'minute'],
  ['second', 'second'],
  ['millisecond', 'millisecond'],
  ['microsecond', 'microsecond'],
]);

function readUnit(unit: Written | undefined, known: ReadonlyMap<string, string>, what: string): string {
  const word = typeof unit?.literal === 'string' ? known.get(unit.literal.toLowerCase()) : undefined;
  return word ?? refuseOnFolder(`${what} with this unit`);
}
