import { BIGINT, INTEGER, VARCHAR } from '@duckdb/node-api';
import { define, type ScalarFunction } from './definition.ts';

/** Functions of the bits of whole numbers, and of their digits in other bases. */
export const bits: readonly ScalarFunction[] = [
  define('bin', [BIGINT], VARCHAR, (value: bigint) => BigInt.asUintN(64, value).toString(2)),
  define('hex', [BIGINT], VARCHAR, (value: bigint) => BigInt.asUintN(64, value).toString(16).toUpperCase()),
  define('conv', [VARCHAR, INTEGER, INTEGER], VARCHAR, convertBase),
  define('shift_left', [INTEGER, INTEGER], INTEGER, (value: number, count: number) => value << count),
  define('shift_right', [INTEGER, INTEGER], INTEGER, (value: number, count: number) => value >> count),
  define(
    'shift_right_unsigned',
    [INTEGER, INTEGER],
    INTEGER,
    (value: number, count: number) => (value >>> count) | 0,
  ),
  define('shift_left_long', [BIGINT, INTEGER], BIGINT, (value: bigint, count: number) =>
    BigInt.asIntN(64, value << BigInt(count & 63)),
  ),
  define(
    'shift_right_long',
    [BIGINT, INTEGER],
    BIGINT,
    (value: bigint, count: number) => value >> BigInt(count & 63),
  ),
  define('shift_right_unsigned_long', [BIGINT, INTEGER], BIGINT, (value: bigint, count: number) =>
    BigInt.asIntN(64, BigInt.asUintN(64, value) >> BigInt(count & 63)),
  ),
];

/** Reads a number in one base, with as many digits as are valid, and writes it in another. */
function convertBase(text: string, from: number, to: number): string | null {
  if (Math.abs(from) < 2 || from > 36 || from < 2 || Math.abs(to) < 2 || Math.abs(to) > 36 || text === '')
    return null;
  const isNegative = text.startsWith('-');
  let value = 0n;
  for (const character of isNegative ? text.slice(1) : text) {
    const digit = Number.parseInt(character, 36);
    if (Number.isNaN(digit) || digit >= from) break;
    value = value * BigInt(from) + BigInt(digit);
    if (value >= 2n ** 64n) throw new Error('ARITHMETIC_OVERFLOW in conv()');
  }
  const signed = isNegative
    ? to > 0
      ? BigInt.asUintN(64, -value)
      : -value
    : to < 0
      ? BigInt.asIntN(64, value)
      : value;
  return signed.toString(Math.abs(to)).toUpperCase();
}
