import { isObject } from '../../../../shared/json.ts';
import { getContent, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { refuseOnFolder } from '../refused.ts';
import type { Written } from '../written.ts';

/** An interval of a literal, which other expressions may add to a time. */
export function writeInterval(content: SyntaxNode): Written {
  const literal = getContent(content.this, 'literal');
  const unit = isObject(content.unit) ? content.unit : {};
  if (content.this === undefined || literal.value === undefined)
    return refuseOnFolder('INTERVAL of an expression', 'write a number, or use dateadd()');
  const value = String(literal.value).trim();
  if (unit.type === 'span')
    return writeSpan(value, String(unit.this).toLowerCase(), String(unit.expression).toLowerCase());
  const word = UNITS.get(String(unit.unit).toLowerCase().replace(/s$/, ''));
  if (word === undefined || !/^-?\d+(\.\d+)?$/.test(value)) return refuseOnFolder(`INTERVAL '${value}'`);
  if (value.includes('.') && word !== 'SECOND') return refuseOnFolder(`INTERVAL '${value}' ${word}`);
  const sql = `(INTERVAL '${value}' ${word})`;
  const isLong = /YEAR|QUARTER|MONTH/.test(word);
  return {
    sql,
    type: isLong ? 'INTERVAL MONTH' : /DAY|WEEK/.test(word) ? 'INTERVAL DAY' : 'INTERVAL SECOND',
    name: null,
  };
}

function writeSpan(value: string, start: string, end: string): Written {
  const [, months] = /^([+-]?\d+-\d+)$/.exec(value) ?? [];
  if (start === 'year' && end === 'month' && months !== undefined) {
    const sign = months.startsWith('-') ? -1 : 1;
    const [years = '0', rest = '0'] = months.replace(/^[+-]/, '').split('-');
    return {
      sql: `(INTERVAL '${sign * (Number(years) * 12 + Number(rest))}' MONTH)`,
      type: 'INTERVAL MONTH',
      name: null,
    };
  }
  const parts = /^([+-]?)(?:(\d+) )?(?:(\d+):)?(\d+)(?::(\d+(?:\.\d{1,6})?))?$/.exec(value);
  if (
    parts === null ||
    !(start === 'day' || start === 'hour') ||
    end !== 'second' ||
    (start === 'day') !== (parts[2] !== undefined)
  )
    return refuseOnFolder(`INTERVAL '${value}' ${start} TO ${end}`.toUpperCase());
  const [, sign = '', days = '0', hours = '0', minutes = '0', seconds = '0'] = parts;
  const [whole = '0', fraction = ''] = seconds.split('.');
  const total = BigInt(days) * 86_400n + BigInt(hours) * 3_600n + BigInt(minutes) * 60n + BigInt(whole);
  const micros = total * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return { sql: `to_microseconds(${sign === '-' ? '-' : ''}${micros})`, type: 'INTERVAL SECOND', name: null };
}

const UNITS: ReadonlyMap<string, string> = new Map([
  ['year', 'YEAR'],
  ['quarter', 'QUARTER'],
  ['month', 'MONTH'],
  ['week', 'WEEK'],
  ['day', 'DAY'],
  ['hour', 'HOUR'],
  ['minute', 'MINUTE'],
  ['second', 'SECOND'],
  ['millisecond', 'MILLISECOND'],
  ['microsecond', 'MICROSECOND'],
]);
