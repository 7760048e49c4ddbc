import { expect } from 'vitest';
import { stepBack } from '../../src/ingestion/cursor.ts';
import { test } from '../support/without-database.ts';

test.for([
  ['7', 'TINYINT', 300, '-128'],
  ['7', 'SMALLINT', 86_400, '-32768'],
  ['-9223372036854775808', 'BIGINT', 1, '-9223372036854775808'],
  ['0.50', 'DECIMAL(3,2)', 60, '-9.99'],
  ['-9.99', 'DECIMAL(3, 2)', 1, '-9.99'],
  ['0.50', 'DECIMAL(2,2)', 60, '-0.99'],
  ['5', 'DECIMAL(3,0)', 86_400, '-999'],
  ['5', 'DECIMAL', 86_400, '-86395'],
  ['0001-02-01', 'DATE', 86_400 * 400, '0001-01-01'],
  ['0001-02-01 00:00:00', 'TIMESTAMP', 86_400 * 400, '0001-01-01 00:00:00.000'],
  ['7', 'SMALLINT', 10, '-3'],
  ['b', 'STRING COLLATE UTF8_LCASE', 10, 'b'],
] as const)('a lookback from %s of type %s by %s reads from %s', ([value, type, lookback, expected]) => {
  expect(stepBack(value, type, lookback)).toBe(expected);
});
