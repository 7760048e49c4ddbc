import { expect, test } from 'vitest';
import { createRedact, findUrlSecrets } from '../../src/shared/secrets.ts';

test.each([
  ['as it is', 'it said: hunter2!', 'it said: [redacted]!'],
  ['more than once', 'hunter2hunter2', '[redacted][redacted]'],
  ['as JSON writes it', JSON.stringify({ secret: 'a"b\\c' }), '{"secret":"[redacted]"}'],
  ['in a URL', 'postgresql://user:p%40ss%2Fword@host', 'postgresql://user:[redacted]@host'],
  ['in Base64', `Basic ${btoa('client:hunter2')}`, 'Basic [redacted]'],
  ['as a part of another', 'hunter2-longer', '[redacted]'],
])('a secret is taken out of a text %s', (_how, text, shown) => {
  const redact = createRedact(['hunter2', 'a"b\\c', 'p@ss/word', 'client:hunter2', 'hunter2-longer']);
  expect(redact(text)).toBe(shown);
});

test('signs that mean something in patterns are taken as they are', () => {
  expect(createRedact(['a.c$'])('abc$ a.c$')).toBe('abc$ [redacted]');
});

test('without secrets, and of ones too short to be any, nothing is taken out', () => {
  expect(createRedact([])('text')).toBe('text');
  expect(createRedact(['', 'ext'])('text')).toBe('text');
});

test.each([
  ['postgresql://user:p%40ss@host/db', ['p%40ss', 'p@ss']],
  ['postgresql://user@host/db?password=hunter2', ['hunter2', 'hunter2']],
  ['postgresql://user@host/db', []],
  ['nonsense', []],
])('what is secret in %s is its password', (url, secrets) => {
  expect(findUrlSecrets(url)).toEqual(secrets);
});
