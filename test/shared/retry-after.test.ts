import { expect, test } from 'vitest';
import { parseRetryAfter } from '../../src/shared/retry-after.ts';

const now = Date.UTC(1994, 10, 6, 8, 49, 0);

test.each([
  ['120', 120_000],
  ['0', 0],
  [' 7 ', 7_000],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 37_000],
  ['Sun Nov  6 08:49:37 1994', 37_000],
  ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
  ['', null],
  ['soon', null],
  ['-5', null],
  ['1.5', null],
  ['Sunday', null],
  ['Mon, 99 Nov 1994 08:49:37 GMT', null],
])('the header "%s" asks to wait %s milliseconds', (header, milliseconds) => {
  expect(parseRetryAfter(header, now)).toBe(milliseconds);
});

test('a missing header asks for no wait, and the first of several headers counts', () => {
  for (const header of [undefined, null]) expect(parseRetryAfter(header, now)).toBeNull();
  expect(parseRetryAfter(['2', '9'], now)).toBe(2_000);
});
