import { expect, test } from 'vitest';
import { clearanceOf, isMarking, markings, parseMarking } from '../../src/data-types/marking.ts';

test('a marking is understood whatever its case and the spaces around it', () => {
  expect(parseMarking(' top secret\n')).toBe('TOP SECRET');
  expect(parseMarking('cui')).toBe('CUI');
});

test.each(['', ' ', 'TOPSECRET', 'TOP  SECRET', 'SECRETS', 'U,C', '__proto__', 'constructor'])(
  'the text %j is no marking',
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
])('the text %s, which only looks like a marking, is none', (text) => {
  expect(parseMarking(text)).toBeUndefined();
});

test('only a marking as it is stored is one', () => {
  expect(markings.every(isMarking)).toBe(true);
  expect([' S', 's', 3, null, undefined, ['S']].some(isMarking)).toBe(false);
});

test('clearances rise from unclassified to top secret, the short and the long form alike', () => {
  expect(markings.map(clearanceOf)).toEqual([0, 0, 1, 2, 2, 3, 3, 4, 4]);
});
