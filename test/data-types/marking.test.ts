import { expect, test } from 'vitest';
import { isMarking, MARKINGS, parseMarking, toLevel } from '../../src/data-types/marking.ts';

test('a marking may have any case and spaces around it', () => {
  expect(parseMarking(' top secret\n')).toBe('TOP SECRET');
  expect(parseMarking('cui')).toBe('CUI');
});

test.each(['', ' ', 'TOPSECRET', 'TOP  SECRET', 'SECRETS', 'U,C', '__proto__', 'constructor'])(
  'the text %j is not a marking',
  (text) => {
    expect(parseMarking(text)).toBeUndefined();
  },
);

test.each([
  'unclaſſified',
  'unclassıfied',
  'UNCLASSİFIED',
  'ſ',
  'ſecret',
  'ＳＥＣＲＥＴ',
  'ЅECRET',
  'TOP\u00a0SECRET',
])('the text %s only looks like a marking and is not one', (text) => {
  expect(parseMarking(text)).toBeUndefined();
});

test('only a marking exactly as stored is valid', () => {
  expect(MARKINGS.every(isMarking)).toBe(true);
  expect([' S', 's', 3, null, undefined, ['S']].some(isMarking)).toBe(false);
});

test('levels increase from unclassified to top secret, the same for both spellings of a marking', () => {
  expect(MARKINGS.map(toLevel)).toEqual([0, 0, 1, 2, 2, 3, 3, 4, 4]);
});
