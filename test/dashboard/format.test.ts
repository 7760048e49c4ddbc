import { expect, test } from 'vitest';
import {
  formatAmount,
  formatMoment,
  formatShortMoment,
  pluralize,
} from '../../src/dashboard/format/format.ts';

test('a count agrees with its noun', () => {
  expect(formatAmount(1, 'error')).toBe('1 error');
  expect([0, 2, 1_000].map((count) => formatAmount(count, 'row'))).toEqual([
    '0 rows',
    '2 rows',
    '1,000 rows',
  ]);
  expect(pluralize('data source')).toBe('data sources');
});

test('every time has its zone', () => {
  const zone = /(UTC|GMT|[A-Z]{3,4})/;
  expect(formatMoment('2026-01-05T02:30:00Z')).toMatch(zone);
  expect(formatShortMoment('2026-01-05T02:30:00Z')).toMatch(zone);
  expect(formatShortMoment(new Date().toISOString())).toMatch(zone);
});
