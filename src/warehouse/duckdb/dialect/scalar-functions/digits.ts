import { VARCHAR } from '@duckdb/node-api';
import { type DigitFormat, parseDigitFormat } from '../digit-format.ts';
import { define, type ScalarFunction } from './definition.ts';

/** Functions that read and write numbers in a format of digits. */
export const digits: readonly ScalarFunction[] = [
  define('read_digits', [VARCHAR, VARCHAR], VARCHAR, readDigits),
  define('write_digits', [VARCHAR, VARCHAR], VARCHAR, writeDigits),
];

/** Reads a number in a format of Databricks, such as `99,999.9S`. */
function readDigits(text: string, format: string): string {
  const { sign, hasDollar, whole, fraction, isSignFirst } = readFormat(format);
  const fail = (): never => {
    throw new Error('INVALID_FORMAT.MISMATCH_INPUT');
  };
  let rest = text.trim();
  let isNegative = false;
  if (sign === 'PR' && /^<.*>$/.test(rest)) {
    isNegative = true;
    rest = rest.slice(1, -1);
  } else if (sign !== '' && sign !== 'PR') {
    const found = (isSignFirst ? /^[+-]/ : /[+-]$/).exec(rest)?.[0];
    isNegative = found === '-';
    if (found !== undefined) rest = isSignFirst ? rest.slice(1) : rest.slice(0, -1);
  }
  if (hasDollar) rest = rest.startsWith('$') ? rest.slice(1) : fail();
  const [head = '', tail] = rest.split('.');
  if (!/^[\d,]*$/.test(head) || (tail !== undefined && !/^\d*$/.test(tail))) return fail();
  const groups = whole.split(',').reverse();
  const given = head.split(',').reverse();
  if (given.length > groups.length || (tail?.length ?? 0) > fraction.length) return fail();
  given.forEach((group, index) => {
    const wanted = groups[index] ?? '';
    const isLast = index === given.length - 1;
    if (group.length > wanted.length || (!isLast && group.length !== wanted.length)) fail();
  });
  const digits = head.replaceAll(',', '');
  const least = whole.replaceAll(',', '').replace(/^9*/, '').length;
  if (digits.length < least || digits + (tail ?? '') === '') return fail();
  return `${isNegative ? '-' : ''}${digits === '' ? '0' : digits}${tail === undefined || tail === '' ? '' : `.${tail}`}`;
}

/** Writes a number in a format of Databricks. */
function writeDigits(number: string, format: string): string {
  const { sign, hasDollar, whole, fraction, isSignFirst } = readFormat(format);
  const isNegative = number.startsWith('-');
  const [head = '', tail = ''] = number.replace('-', '').split('.');
  const digits = head.replace(/^0+/, '');
  const places = whole.replaceAll(',', '').length;
  const isPlain =
    digits.length === places && tail.length <= fraction.length && sign !== 'PR' && sign !== 'MI';
  if (!isPlain || (sign === '' && isNegative))
    throw new Error('to_char() of this number with this format is not available on the folder warehouse.');
  let next = 0;
  const shown = Array.from(whole, (character) => {
    if (character === ',') return ',';
    next += 1;
    return digits[next - 1] ?? '';
  }).join('');
  const mark = sign === '' ? '' : isNegative ? '-' : '+';
  const text = `${hasDollar ? '$' : ''}${shown}${fraction === '' ? '' : `.${tail.padEnd(fraction.length, '0')}`}`;
  return isSignFirst ? mark + text : text + mark;
}

function readFormat(format: string): DigitFormat {
  const parsed = parseDigitFormat(format);
  if (parsed === null) throw new Error('INVALID_FORMAT');
  return parsed;
}
