import { expect } from 'vitest';
import { describeUnexpected, isIncurable } from '../../src/ingestion/unexpected-error.ts';
import { test } from '../support/without-database.ts';

const withCode = (message: string, code: string) => Object.assign(new Error(message), { code });

test.each([
  [
    new TypeError('x is not a function'),
    true,
    'an error of the program ended it: TypeError: x is not a function',
  ],
  [
    new TypeError('fetch failed', { cause: withCode('read', 'ECONNRESET') }),
    false,
    'an error of the program ended it: TypeError: fetch failed',
  ],
  [
    withCode('invalid byte sequence', '22021'),
    true,
    'the database refused it: invalid byte sequence (22021).',
  ],
  [withCode('deadlock detected', '40P01'), false, 'the database refused it: deadlock detected (40P01).'],
  [withCode('write EPIPE', 'EPIPE'), false, 'an error of the program ended it: write EPIPE'],
  ['thrown', false, 'an error of the program ended it.'],
])('%s is incurable: %s, and described as what it is', (error, incurable, description) => {
  expect(isIncurable(error)).toBe(incurable);
  expect(describeUnexpected(error)).toBe(description);
});
