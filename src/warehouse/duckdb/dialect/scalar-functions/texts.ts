import { isUtf8 } from 'node:buffer';
import { BLOB, BOOLEAN, type DuckDBBlobValue, DuckDBMapValue, INTEGER, MAP, VARCHAR } from '@duckdb/node-api';
import { define, type ScalarFunction } from './definition.ts';

/** Functions of texts. */
export const texts: readonly ScalarFunction[] = [
  define('initcap', [VARCHAR], VARCHAR, (text: string) =>
    text
      .toLowerCase()
      .replace(/(^| )([^ ])/gu, (_match, space: string, letter: string) => space + letter.toUpperCase()),
  ),
  define('luhn_check', [VARCHAR], BOOLEAN, checkLuhn),
  define('soundex', [VARCHAR], VARCHAR, toSoundex),
  define('reverse', [VARCHAR], VARCHAR, (text: string) => Array.from(text).reverse().join('')),
  define(
    'substring_index',
    [VARCHAR, VARCHAR, INTEGER],
    VARCHAR,
    (text: string, separator: string, count: number) => {
      if (separator === '' || count === 0) return '';
      const parts = text.split(separator);
      return (count > 0 ? parts.slice(0, count) : parts.slice(count)).join(separator);
    },
  ),
  define('translate', [VARCHAR, VARCHAR, VARCHAR], VARCHAR, (text: string, from: string, to: string) => {
    const targets = Array.from(to);
    const map = new Map<string, string>();
    for (const [index, character] of Array.from(from).entries())
      if (!map.has(character)) map.set(character, targets[index] ?? '');
    return Array.from(text, (character) => map.get(character) ?? character).join('');
  }),
  define('quote', [VARCHAR], VARCHAR, (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`),
  define('mask', [VARCHAR, VARCHAR, VARCHAR, VARCHAR, VARCHAR], VARCHAR, mask),
  define('is_valid_utf8', [BLOB], BOOLEAN, ({ bytes }: DuckDBBlobValue) => isUtf8(bytes)),
  define('make_valid_utf8', [BLOB], VARCHAR, ({ bytes }: DuckDBBlobValue) =>
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
  ),
  define('str_to_map', [VARCHAR, VARCHAR, VARCHAR], MAP(VARCHAR, VARCHAR), splitToMap),
];

function checkLuhn(text: string): boolean {
  if (!/^\d+$/.test(text)) return false;
  let sum = 0;
  Array.from(text)
    .reverse()
    .forEach((character, index) => {
      const digit = Number(character) * (index % 2 === 1 ? 2 : 1);
      sum += digit > 9 ? digit - 9 : digit;
    });
  return sum % 10 === 0;
}

const SOUNDEX = '01230127022455012623017202';

function toSoundex(text: string): string {
  const first = text[0] ?? '';
  if (!/^[A-Za-z]/.test(text)) return text;
  const codeOf = (letter: string) => SOUNDEX[letter.toUpperCase().charCodeAt(0) - 65] ?? '';
  let code = first.toUpperCase();
  let last = codeOf(first);
  for (const letter of text.slice(1)) {
    if (!/[A-Za-z]/.test(letter)) {
      last = '0';
      continue;
    }
    const next = codeOf(letter);
    if (next === '7') continue;
    if (next !== '0' && next !== last) code += next;
    last = next;
    if (code.length === 4) break;
  }
  return code.padEnd(4, '0');
}

function mask(text: string, upper: string, lower: string, digit: string, other: string): string {
  return Array.from(text, (character) => {
    const replacement = /\p{Lu}/u.test(character)
      ? upper
      : /\p{Ll}/u.test(character)
        ? lower
        : /\p{Nd}/u.test(character)
          ? digit
          : other;
    return replacement === '' ? character : replacement;
  }).join('');
}

function splitToMap(text: string, pairs: string, keys: string): DuckDBMapValue {
  if (pairs === '' || keys === '')
    throw new Error('str_to_map() with an empty separator is not available on the folder warehouse.');
  const entries = text.split(pairs).map((pair) => {
    const place = pair.indexOf(keys);
    return place < 0
      ? { key: pair, value: null }
      : { key: pair.slice(0, place), value: pair.slice(place + keys.length) };
  });
  if (new Set(entries.map(({ key }) => key)).size < entries.length) throw new Error('DUPLICATED_MAP_KEY');
  return new DuckDBMapValue(entries);
}
