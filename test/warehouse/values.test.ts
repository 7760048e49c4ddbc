import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJsonValue } from '../../src/warehouse/value.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';
import { folderWarehouse } from './folder-warehouse.ts';

test('a timestamp without end is carried as its name', async () => {
  const { rows, write } = await folderWarehouse();
  await write('value.parquet', "SELECT 'infinity'::TIMESTAMP AS value");
  expect(await rows('SELECT * FROM blade.field.value')).toEqual([{ value: 'infinity' }]);
});

test.each([
  ['{"a": 1.5, "b": [true, null]}', { a: 1.5, b: [true, null] }],
  [
    '[12345678901234567890, 1e400, 1e3, 1.7e300, 0.1234567890123456]',
    ['12345678901234567890', '1e400', 1000, 1.7e300, 0.1234567890123456],
  ],
  [
    '{"a": 9007199254740993.5, "b": 12345678.1234567890123, "c": 1e-400, "d": 2.50, "e": 10000000000000000}',
    { a: '9007199254740993.5', b: '12345678.1234567890123', c: '1e-400', d: 2.5, e: '10000000000000000' },
  ],
])('JSON %s keeps its numbers', (text, expected) => {
  expect(parseJsonValue(text)).toEqual(expected);
});

test('a number of JSON is one of JavaScript only where both are the same decimal', () => {
  const digits = (maxLength: number) => fc.stringMatching(/^[0-9]*$/, { maxLength });
  const number = fc
    .tuple(
      ...[fc.constantFrom('', '-'), fc.constantFrom('0', '7', '90071992'), digits(20)],
      ...[fc.option(digits(20)), fc.option(fc.integer({ min: -420, max: 420 }))],
    )
    .map(([sign, first, whole, fraction, power]) => {
      const start = `${sign}${first === '0' ? first : `${first}${whole}`}`;
      return `${start}${fraction === null ? '' : `.${fraction}0`}${power === null ? '' : `e${power}`}`;
    });
  fc.assert(
    fc.property(number, (text) => {
      const value = parseJsonValue(text);
      if (typeof value === 'number') expect(isSameDecimal(text, String(value))).toBe(true);
      else {
        expect(value).toBe(text);
        const isWhole = /^-?\d+$/.test(text);
        expect(isWhole ? Number.isSafeInteger(Number(text)) : isSameDecimal(text, String(Number(text)))).toBe(
          false,
        );
      }
    }),
    fuzzParameters(5, 'exact numbers'),
  );
});

/** Compares decimals as whole numbers of the smaller of their units. */
function isSameDecimal(one: string, other: string): boolean {
  if (/Infinity/.test(other)) return false;
  const [left, right] = [one, other].map((text) => {
    const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
    const [whole = '', fraction = ''] = mantissa.split('.');
    return { units: BigInt(`${whole}${fraction}`), power: Number(power) - fraction.length };
  });
  if (left === undefined || right === undefined) return false;
  const least = Math.min(left.power, right.power);
  const scale = ({ units, power }: typeof left) => units * 10n ** BigInt(power - least);
  return scale(left) === scale(right);
}
