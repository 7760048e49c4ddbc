import { DOUBLE, FLOAT, INTEGER, VARCHAR } from '@duckdb/node-api';
import { formatDouble, formatFloat } from '../java-numbers.ts';
import { define, type ScalarFunction } from './definition.ts';

/** Functions of numbers. */
export const numbers: readonly ScalarFunction[] = [
  define('double_text', [DOUBLE], VARCHAR, formatDouble),
  define('float_text', [FLOAT], VARCHAR, formatFloat),
  define('expm1', [DOUBLE], DOUBLE, (value: number) => Math.expm1(value)),
  define('log1p', [DOUBLE], DOUBLE, (value: number) => Math.log1p(value)),
  define('log2', [DOUBLE], DOUBLE, (value: number) => Math.log(value) / Math.log(2)),
  define('hypot', [DOUBLE, DOUBLE], DOUBLE, (one: number, other: number) => Math.hypot(one, other)),
  define('round', [DOUBLE, INTEGER], DOUBLE, (value: number, digits: number) =>
    roundDouble(value, digits, false),
  ),
  define('bround', [DOUBLE, INTEGER], DOUBLE, (value: number, digits: number) =>
    roundDouble(value, digits, true),
  ),
  define('fixed', [VARCHAR, INTEGER], VARCHAR, (number: string, digits: number) =>
    /[NI]/.test(number) ? number : roundText(number, digits, 'half-up'),
  ),
  define('round_even', [VARCHAR, INTEGER], VARCHAR, (number: string, digits: number) =>
    roundText(number, digits, 'half-even'),
  ),
  define('format_number', [VARCHAR, INTEGER], VARCHAR, formatNumber),
];

/** Rounds the shortest digits of a number. */
function roundDouble(value: number, digits: number, isEven: boolean): number {
  if (!Number.isFinite(value)) return value;
  const rounded = Number(roundText(plainDigits(value), digits, isEven ? 'half-even' : 'half-up'));
  return rounded === 0 ? 0 : rounded;
}

/** The shortest digits of a number without an exponent. */
function plainDigits(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  const [mantissa = '', power = '0'] = text.replace(/^-/, '').split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const shift = Number(power);
  const all = whole + fraction;
  const point = whole.length + shift;
  const sign = value < 0 ? '-' : '';
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${all}`;
  return point >= all.length
    ? `${sign}${all}${'0'.repeat(point - all.length)}`
    : `${sign}${all.slice(0, point)}.${all.slice(point)}`;
}

function roundText(number: string, digits: number, mode: 'half-up' | 'half-even'): string {
  const plain = /e/i.test(number) ? plainDigits(Number(number)) : number;
  const sign = plain.startsWith('-') ? '-' : '';
  const [whole = '0', fraction = ''] = plain.replace('-', '').split('.');
  const scale = fraction.length;
  const unscaled = BigInt(whole + fraction);
  const shift = scale - digits;
  if (shift <= 0) return formatScaled(unscaled * 10n ** BigInt(-shift), digits, sign);
  const unit = 10n ** BigInt(shift);
  const [quotient, rest] = [unscaled / unit, unscaled % unit];
  const isUp = rest * 2n > unit || (rest * 2n === unit && (mode === 'half-up' || quotient % 2n === 1n));
  return formatScaled(quotient + (isUp ? 1n : 0n), digits, sign);
}

function formatScaled(unscaled: bigint, digits: number, sign: string): string {
  if (digits <= 0) return `${sign}${unscaled * 10n ** BigInt(-digits)}`;
  const text = unscaled.toString().padStart(digits + 1, '0');
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function formatNumber(number: string, digits: number): string | null {
  if (digits < 0) return null;
  if (/[NI]/.test(number)) return number.replace('Infinity', '∞');
  const rounded = roundText(number, digits, 'half-even');
  const [whole = '', fraction] = rounded.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  const text = fraction === undefined ? grouped : `${grouped}.${fraction}`;
  return /[1-9]/.test(text) ? text : text.replace('-', number.startsWith('-') ? '-' : '');
}
