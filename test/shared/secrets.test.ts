import { expect, test } from 'vitest';
import { createRedact, findUrlSecrets } from '../../src/shared/secrets.ts';

test.each([
  ['as it is', 'it said: hunter2!', 'it said: [redacted]!'],
  ['more than once', 'hunter2hunter2', '[redacted][redacted]'],
  ['as JSON writes it', JSON.stringify({ secret: 'a"b\\c' }), '{"secret":"[redacted]"}'],
  ['in a URL', 'postgresql://user:p%40ss%2Fword@host', 'postgresql://user:[redacted]@host'],
  ['in Base64', `Basic ${btoa('client:hunter2')}`, 'Basic [redacted]'],
  ['as a part of another', 'hunter2-longer', '[redacted]'],
])('a secret is redacted %s', (_how, text, shown) => {
  const redact = createRedact(['hunter2', 'a"b\\c', 'p@ss/word', 'client:hunter2', 'hunter2-longer']);
  expect(redact(text)).toBe(shown);
});

test('characters with a meaning in patterns are matched literally', () => {
  expect(createRedact(['a.c$'])('abc$ a.c$')).toBe('abc$ [redacted]');
});

test('without secrets, or with too short ones, nothing is redacted', () => {
  expect(createRedact([])('text')).toBe('text');
  expect(createRedact(['', 'ext'])('text')).toBe('text');
});

test.each([
  ['postgresql://user:p%40ss@host/db', ['p%40ss', 'p@ss']],
  ['postgresql://user@host/db?password=hunter2', ['hunter2', 'hunter2']],
  ['postgresql://user@host/db', []],
  ['nonsense', []],
])('the secrets in %s are its passwords', (url, secrets) => {
  expect(findUrlSecrets(url)).toEqual(secrets);
});
