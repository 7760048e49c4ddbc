import { expect, test } from 'vitest';
import { createTextStore } from '../../src/api/http/text-store.ts';

const find = (store: ReturnType<typeof createTextStore>, keys: string) =>
  [...keys].map((key) => store.find(key));

test('a full store drops the text that was used least recently', () => {
  const store = createTextStore(2, 100);
  store.keep('a', 'A');
  store.keep('b', 'B');
  store.find('a');
  store.keep('c', 'C');
  expect(find(store, 'abc')).toEqual(['A', undefined, 'C']);
});

test('a store keeps no more characters than it may, however often a text is kept', () => {
  const store = createTextStore(10, 5);
  for (let time = 0; time < 3; time++) store.keep('a', 'AA');
  store.keep('b', 'BB');
  expect(find(store, 'ab')).toEqual(['AA', 'BB']);
  store.keep('c', 'CCC');
  expect(find(store, 'abc')).toEqual([undefined, 'BB', 'CCC']);
  store.keep('d', 'DDDDDD');
  expect(find(store, 'abcd')).toEqual([undefined, undefined, undefined, undefined]);
});
