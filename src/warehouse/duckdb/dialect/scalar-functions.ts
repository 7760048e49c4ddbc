import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DOUBLE,
  type DuckDBBlobValue,
  type DuckDBConnection,
  DuckDBMapValue,
  DuckDBScalarFunction,
  type DuckDBType,
  type DuckDBValue,
  FLOAT,
  INTEGER,
  MAP,
  VARCHAR,
} from '@duckdb/node-api';
import { readJsonBySchema, readJsonField, readJsonPath } from './json-values.ts';

/** A function for which DuckDB has no equal, of values that are not null. */
interface ScalarFunction {
  readonly name: string;
  readonly takes: readonly DuckDBType[];
  readonly gives: DuckDBType;
  readonly run: (...values: never[]) => DuckDBValue;
}

const define = (
  name: string,
  takes: readonly DuckDBType[],
  gives: DuckDBType,
  run: ScalarFunction['run'],
): ScalarFunction => ({ name: `spark_js_${name}`, takes, gives, run });

const TEXT_TO_TEXT = [[VARCHAR], VARCHAR] as const;

const SCALAR_FUNCTIONS: readonly ScalarFunction[] = [
  define('double_text', [DOUBLE], VARCHAR, (value: number) =>
    formatJavaNumber(value, String(Math.abs(value))),
  ),
  define('float_text', [FLOAT], VARCHAR, (value: number) =>
    formatJavaNumber(value, shortestFloat(Math.abs(value))),
  ),
  define('bin', [BIGINT], VARCHAR, (value: bigint) => BigInt.asUintN(64, value).toString(2)),
  define('hex', [BIGINT], VARCHAR, (value: bigint) => BigInt.asUintN(64, value).toString(16).toUpperCase()),
  define('conv', [VARCHAR, INTEGER, INTEGER], VARCHAR, convertBase),
  define('shift_left', [INTEGER, INTEGER], INTEGER, (value: number, count: number) => value << count),
  define('shift_right', [INTEGER, INTEGER], INTEGER, (value: number, count: number) => value >> count),
  define(
    'shift_right_unsigned',
    [INTEGER, INTEGER],
    INTEGER,
    (value: number, count: number) => (value >>> count) | 0,
  ),
  define('shift_left_long', [BIGINT, INTEGER], BIGINT, (value: bigint, count: number) =>
    BigInt.asIntN(64, value << BigInt(count & 63)),
  ),
  define(
    'shift_right_long',
    [BIGINT, INTEGER],
    BIGINT,
    (value: bigint, count: number) => value >> BigInt(count & 63),
  ),
  define('shift_right_unsigned_long', [BIGINT, INTEGER], BIGINT, (value: bigint, count: number) =>
    BigInt.asIntN(64, BigInt.asUintN(64, value) >> BigInt(count & 63)),
  ),
  define('expm1', [DOUBLE], DOUBLE, (value: number) => Math.expm1(value)),
  define('log1p', [DOUBLE], DOUBLE, (value: number) => Math.log1p(value)),
  define('log2', [DOUBLE], DOUBLE, (value: number) => Math.log(value) / Math.log(2)),
  define('hypot', [DOUBLE, DOUBLE], DOUBLE, (one: number, other: number) => Math.hypot(one, other)),
  define('round', [DOUBLE, INTEGER], DOUBLE, (value: number, digits: number) =>
    roundDouble(value, digits, false),
  ),
  define('bround', [DOUBLE, INTEGER], DOUBLE, (value: number, digits: number) =>
    roundDouble(value, digits, true),
  ),
  define('crc32', [BLOB], BIGINT, (value: DuckDBBlobValue) => BigInt(crc32(value.bytes))),
  define('initcap', ...TEXT_TO_TEXT, (text: string) =>
    text
      .toLowerCase()
      .replace(/(^| )([^ ])/gu, (_match, space: string, letter: string) => space + letter.toUpperCase()),
  ),
  define('luhn_check', [VARCHAR], BOOLEAN, checkLuhn),
  define('soundex', ...TEXT_TO_TEXT, toSoundex),
  define('reverse', ...TEXT_TO_TEXT, (text: string) => Array.from(text).reverse().join('')),
  define('sha2', [BLOB, INTEGER], VARCHAR, ({ bytes }: DuckDBBlobValue, bits: number) => {
    const size = bits === 0 ? 256 : bits;
    return [224, 256, 384, 512].includes(size) ? createHash(`sha${size}`).update(bytes).digest('hex') : null;
  }),
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
  define('quote', ...TEXT_TO_TEXT, (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`),
  define('mask', [VARCHAR, VARCHAR, VARCHAR, VARCHAR, VARCHAR], VARCHAR, mask),
  define('is_valid_utf8', [BLOB], BOOLEAN, ({ bytes }: DuckDBBlobValue) => isUtf8(bytes)),
  define('make_valid_utf8', [BLOB], VARCHAR, ({ bytes }: DuckDBBlobValue) =>
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
  ),
  define('url_encode', ...TEXT_TO_TEXT, (text: string) =>
    encodeURIComponent(text)
      .replace(/%20/g, '+')
      .replace(/[!'()~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`),
  ),
  define('url_decode', ...TEXT_TO_TEXT, (text: string) => decodeURIComponent(text.replaceAll('+', ' '))),
  define('try_url_decode', ...TEXT_TO_TEXT, (text: string) =>
    orNull(() => decodeURIComponent(text.replaceAll('+', ' '))),
  ),
  define('parse_url', [VARCHAR, VARCHAR], VARCHAR, (url: string, part: string) => parseUrl(url, part, null)),
  define('parse_url_key', [VARCHAR, VARCHAR, VARCHAR], VARCHAR, (url: string, part: string, key: string) =>
    parseUrl(url, part, key),
  ),
  define('try_parse_url', [VARCHAR, VARCHAR], VARCHAR, (url: string, part: string) =>
    orNull(() => parseUrl(url, part, null)),
  ),
  define(
    'try_parse_url_key',
    [VARCHAR, VARCHAR, VARCHAR],
    VARCHAR,
    (url: string, part: string, key: string) => orNull(() => parseUrl(url, part, key)),
  ),
  define('format_number', [VARCHAR, INTEGER], VARCHAR, formatNumber),
  define('fixed', [VARCHAR, INTEGER], VARCHAR, (number: string, digits: number) =>
    /[NI]/.test(number) ? number : roundText(number, digits, 'half-up'),
  ),
  define('read_digits', [VARCHAR, VARCHAR], VARCHAR, readDigits),
  define('write_digits', [VARCHAR, VARCHAR], VARCHAR, writeDigits),
  define('str_to_map', [VARCHAR, VARCHAR, VARCHAR], MAP(VARCHAR, VARCHAR), splitToMap),
  define('get_json_object', [VARCHAR, VARCHAR], VARCHAR, readJsonPath),
  define('json_field', [VARCHAR, VARCHAR], VARCHAR, readJsonField),
  define('read_json', [VARCHAR, VARCHAR], VARCHAR, readJsonBySchema),
  define('murmur_int', [INTEGER, INTEGER], INTEGER, (value: number, seed: number) =>
    mixLast(mixOne(seed, value), 4),
  ),
  define('murmur_long', [BIGINT, INTEGER], INTEGER, murmurLong),
  define('murmur_double', [DOUBLE, INTEGER], INTEGER, (value: number, seed: number) =>
    murmurLong(doubleBits(value), seed),
  ),
  define('murmur_text', [VARCHAR, INTEGER], INTEGER, (text: string, seed: number) =>
    murmurBytes(Buffer.from(text), seed),
  ),
  define('murmur_bytes', [BLOB, INTEGER], INTEGER, ({ bytes }: DuckDBBlobValue, seed: number) =>
    murmurBytes(bytes, seed),
  ),
  define('xxhash_int', [INTEGER, BIGINT], BIGINT, (value: number, seed: bigint) => xxInt(value, seed)),
  define('xxhash_long', [BIGINT, BIGINT], BIGINT, (value: bigint, seed: bigint) => xxLong(value, seed)),
  define('xxhash_double', [DOUBLE, BIGINT], BIGINT, (value: number, seed: bigint) =>
    xxLong(doubleBits(value), seed),
  ),
  define('xxhash_text', [VARCHAR, BIGINT], BIGINT, (text: string, seed: bigint) =>
    xxBytes(Buffer.from(text), seed),
  ),
  define('xxhash_bytes', [BLOB, BIGINT], BIGINT, ({ bytes }: DuckDBBlobValue, seed: bigint) =>
    xxBytes(bytes, seed),
  ),
];

const BY_NAME: ReadonlyMap<string, ScalarFunction> = new Map(
  SCALAR_FUNCTIONS.map((definition) => [definition.name, definition]),
);

/** The names of the functions below, which translated statements call. */
export const SCALAR_NAMES: readonly string[] = [...BY_NAME.keys()];

/** Creates one of the functions for which DuckDB has no equal; nothing where there is none of that name. */
export function registerScalarFunction(connection: DuckDBConnection, wanted: string): void {
  const definition = BY_NAME.get(wanted);
  if (definition === undefined) return;
  const { name, takes, gives, run } = definition;
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name,
      parameterTypes: takes,
      returnType: gives,
      mainFunction(_info, input, output) {
        const columns = takes.map((_, index) => input.getColumnVector(index));
        for (let row = 0; row < input.rowCount; row += 1) {
          const values = columns.map((column) => column.getItem(row));
          output.setItem(row, values.includes(null) ? null : run(...(values as never[])));
        }
        output.flush();
      },
    }),
  );
}

function orNull<Value>(work: () => Value): Value | null {
  try {
    return work();
  } catch {
    return null;
  }
}

/** Writes a number as Java does. @param digits its shortest digits, as JavaScript writes them. */
function formatJavaNumber(value: number, digits: string): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (size === 0) return `${sign}0.0`;
  if (size >= 1e-3 && size < 1e7) return `${sign}${digits.includes('.') ? digits : `${digits}.0`}`;
  const [mantissa = '', power = ''] = toExponential(digits).split('e');
  return `${sign}${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(power)}`;
}

function toExponential(digits: string): string {
  return digits.includes('e') ? digits : Number(digits).toExponential();
}

/** The fewest digits that are this number of 32 bits. */
function shortestFloat(value: number): string {
  for (let digits = 1; digits <= 9; digits += 1) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}

/** Reads a number in one base, with as many digits as are valid, and writes it in another. */
function convertBase(text: string, from: number, to: number): string | null {
  if (Math.abs(from) < 2 || from > 36 || from < 2 || Math.abs(to) < 2 || Math.abs(to) > 36 || text === '')
    return null;
  const isNegative = text.startsWith('-');
  let value = 0n;
  for (const character of isNegative ? text.slice(1) : text) {
    const digit = Number.parseInt(character, 36);
    if (Number.isNaN(digit) || digit >= from) break;
    value = value * BigInt(from) + BigInt(digit);
    if (value >= 2n ** 64n) value = 2n ** 64n - 1n;
  }
  const signed = isNegative
    ? to > 0
      ? BigInt.asUintN(64, -value)
      : -value
    : to < 0
      ? BigInt.asIntN(64, value)
      : value;
  return signed.toString(Math.abs(to)).toUpperCase();
}

/** Rounds the shortest digits of a number. */
function roundDouble(value: number, digits: number, isEven: boolean): number {
  if (!Number.isFinite(value)) return value;
  const rounded = Number(roundText(plainDigits(value), digits, isEven ? 'half-even' : 'half-up'));
  return rounded === 0 ? 0 : rounded;
}

/** The shortest digits of a number without an exponent. */
function plainDigits(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  const [mantissa = '', power = '0'] = text.replace('-', '').split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const shift = Number(power);
  const all = whole + fraction;
  const point = whole.length + shift;
  const sign = value < 0 ? '-' : '';
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${all}`;
  return point >= all.length
    ? `${sign}${all}${'0'.repeat(point - all.length)}`
    : `${sign}${all.slice(0, point)}.${all.slice(point)}`;
}

function roundText(number: string, digits: number, mode: 'half-up' | 'half-even'): string {
  const plain = /e/i.test(number) ? plainDigits(Number(number)) : number;
  const sign = plain.startsWith('-') ? '-' : '';
  const [whole = '0', fraction = ''] = plain.replace('-', '').split('.');
  const scale = fraction.length;
  const unscaled = BigInt(whole + fraction);
  const shift = scale - digits;
  if (shift <= 0) return formatScaled(unscaled * 10n ** BigInt(-shift), digits, sign);
  const unit = 10n ** BigInt(shift);
  const [quotient, rest] = [unscaled / unit, unscaled % unit];
  const isUp = rest * 2n > unit || (rest * 2n === unit && (mode === 'half-up' || quotient % 2n === 1n));
  return formatScaled(quotient + (isUp ? 1n : 0n), digits, sign);
}

function formatScaled(unscaled: bigint, digits: number, sign: string): string {
  if (digits <= 0) return `${sign}${unscaled * 10n ** BigInt(-digits)}`;
  const text = unscaled.toString().padStart(digits + 1, '0');
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function formatNumber(number: string, digits: number): string | null {
  if (digits < 0) return null;
  if (/[NI]/.test(number)) return number.replace('Infinity', '∞');
  const rounded = roundText(number, digits, 'half-even');
  const [whole = '', fraction] = rounded.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  const text = fraction === undefined ? grouped : `${grouped}.${fraction}`;
  return /[1-9]/.test(text) ? text : text.replace('-', number.startsWith('-') ? '-' : '');
}

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

function isUtf8(bytes: Uint8Array): boolean {
  return orNull(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes)) !== null;
}

const URL_PARTS = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

function parseUrl(url: string, part: string, key: string | null): string | null {
  if (/[\s"<>\\^`{|}]/.test(url)) throw new Error('INVALID_URL');
  const [, scheme, authority, path = '', query, fragment] = URL_PARTS.exec(url) ?? [];
  if (key !== null) {
    if (part !== 'QUERY' || query === undefined) return null;
    const found = query.split('&').find((pair) => pair.startsWith(`${key}=`));
    return found === undefined ? null : found.slice(key.length + 1);
  }
  const user = authority?.includes('@') ? authority.slice(0, authority.lastIndexOf('@')) : null;
  const host = authority?.slice((user?.length ?? -1) + 1).replace(/:\d*$/, '');
  switch (part) {
    case 'HOST':
      return host === undefined || host === '' ? null : host;
    case 'PATH':
      return path;
    case 'QUERY':
      return query ?? null;
    case 'REF':
      return fragment ?? null;
    case 'PROTOCOL':
      return scheme ?? null;
    case 'FILE':
      return query === undefined ? path : `${path}?${query}`;
    case 'AUTHORITY':
      return authority ?? null;
    case 'USERINFO':
      return user;
    default:
      return null;
  }
}

function splitToMap(text: string, pairs: string, keys: string): DuckDBMapValue {
  const toPattern = (separator: string) => separator.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (pairs === '' || keys === '')
    throw new Error('str_to_map() with an empty separator is not available on the folder warehouse.');
  const entries = text.split(new RegExp(toPattern(pairs))).map((pair) => {
    const place = pair.indexOf(keys);
    return place < 0 || keys === ''
      ? { key: pair, value: null }
      : { key: pair.slice(0, place), value: pair.slice(place + keys.length) };
  });
  if (new Set(entries.map(({ key }) => key)).size < entries.length) throw new Error('DUPLICATED_MAP_KEY');
  return new DuckDBMapValue(entries);
}

interface DigitFormat {
  readonly sign: string;
  readonly hasDollar: boolean;
  readonly whole: string;
  readonly fraction: string;
  readonly isSignFirst: boolean;
}

function parseDigitFormat(format: string): DigitFormat {
  const [, first = '', dollar = '', whole = '', fraction = '', last = '', end = ''] =
    /^(S|MI)?(\$)?([09,G]*[09])(?:[.D]([09]+))?(\$)?(S|MI|PR)?$/.exec(format) ?? [];
  return {
    sign: first || end,
    hasDollar: dollar + last !== '',
    whole: whole.replaceAll('G', ','),
    fraction,
    isSignFirst: first !== '',
  };
}

/** Reads a number in a format of Databricks, such as `99,999.9S`. */
function readDigits(text: string, format: string): string {
  const { sign, hasDollar, whole, fraction, isSignFirst } = parseDigitFormat(format);
  const fail = (): never => {
    throw new Error('INVALID_FORMAT.MISMATCH_INPUT');
  };
  let rest = text.trim();
  let isNegative = false;
  if (sign === 'PR' && /^<.*>$/.test(rest)) {
    isNegative = true;
    rest = rest.slice(1, -1);
  } else if (sign !== '' && sign !== 'PR') {
    const found = (isSignFirst ? /^[+-]/ : /[+-]$/).exec(rest)?.[0];
    isNegative = found === '-';
    if (found !== undefined) rest = isSignFirst ? rest.slice(1) : rest.slice(0, -1);
  }
  if (hasDollar) rest = rest.startsWith('$') ? rest.slice(1) : fail();
  const [head = '', tail] = rest.split('.');
  if (!/^[\d,]*$/.test(head) || (tail !== undefined && !/^\d*$/.test(tail))) return fail();
  const groups = whole.split(',').reverse();
  const given = head.split(',').reverse();
  if (given.length > groups.length || (tail?.length ?? 0) > fraction.length) return fail();
  given.forEach((group, index) => {
    const wanted = groups[index] ?? '';
    const isLast = index === given.length - 1;
    if (group.length > wanted.length || (!isLast && group.length !== wanted.length)) fail();
  });
  const digits = head.replaceAll(',', '');
  const least = whole.replaceAll(',', '').replace(/^9*/, '').length;
  if (digits.length < least || digits + (tail ?? '') === '') return fail();
  return `${isNegative ? '-' : ''}${digits === '' ? '0' : digits}${tail === undefined || tail === '' ? '' : `.${tail}`}`;
}

/** Writes a number in a format of Databricks. */
function writeDigits(number: string, format: string): string {
  const { sign, hasDollar, whole, fraction, isSignFirst } = parseDigitFormat(format);
  const isNegative = number.startsWith('-');
  const [head = '', tail = ''] = number.replace('-', '').split('.');
  const digits = head.replace(/^0+/, '');
  const places = whole.replaceAll(',', '').length;
  const isPlain =
    digits.length === places && tail.length <= fraction.length && sign !== 'PR' && sign !== 'MI';
  if (!isPlain || (sign === '' && isNegative))
    throw new Error('to_char() of this number with this format is not available on the folder warehouse.');
  let next = 0;
  const shown = Array.from(whole, (character) => {
    if (character === ',') return ',';
    next += 1;
    return digits[next - 1] ?? '';
  }).join('');
  const mark = sign === '' ? '' : isNegative ? '-' : '+';
  const text = `${hasDollar ? '$' : ''}${shown}${fraction === '' ? '' : `.${tail.padEnd(fraction.length, '0')}`}`;
  return isSignFirst ? mark + text : text + mark;
}

// Murmur3 and xxHash64, as Spark calculates them.

const rotate = (value: number, count: number) => (value << count) | (value >>> (32 - count));

function mixOne(hash: number, value: number): number {
  const mixed = Math.imul(rotate(Math.imul(value, 0xcc9e2d51), 15), 0x1b873593);
  return (Math.imul(rotate(hash ^ mixed, 13), 5) + 0xe6546b64) | 0;
}

function mixLast(hash: number, length: number): number {
  let value = hash ^ length;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) | 0;
}

function murmurLong(value: bigint, seed: number): number {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return mixLast(mixOne(mixOne(seed, low), high), 8);
}

function murmurBytes(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = seed;
  let index = 0;
  for (; index + 4 <= bytes.length; index += 4) hash = mixOne(hash, view.getInt32(index, true));
  for (; index < bytes.length; index += 1) hash = mixOne(hash, view.getInt8(index));
  return mixLast(hash, bytes.length);
}

function doubleBits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value === 0 ? 0 : value);
  return view.getBigInt64(0);
}

const [P1, P2, P3, P4, P5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;

const u64 = (value: bigint) => BigInt.asUintN(64, value);
const rotate64 = (value: bigint, count: bigint) => u64((value << count) | (value >> (64n - count)));

function xxFinish(start: bigint): bigint {
  let hash = start;
  hash = u64((hash ^ (hash >> 33n)) * P2);
  hash = u64((hash ^ (hash >> 29n)) * P3);
  return BigInt.asIntN(64, hash ^ (hash >> 32n));
}

function xxInt(value: number, seed: bigint): bigint {
  let hash = u64(u64(seed) + P5 + 4n);
  hash = u64(hash ^ (BigInt.asUintN(32, BigInt(value)) * P1));
  return xxFinish(u64(rotate64(hash, 23n) * P2 + P3));
}

function xxLong(value: bigint, seed: bigint): bigint {
  let hash = u64(u64(seed) + P5 + 8n);
  hash = u64(hash ^ u64(rotate64(u64(u64(value) * P2), 31n) * P1));
  return xxFinish(u64(rotate64(hash, 27n) * P1 + P4));
}

function xxBytes(bytes: Uint8Array, given: bigint): bigint {
  const seed = u64(given);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length;
  let index = 0;
  let hash: bigint;
  if (length >= 32) {
    let lanes = [u64(seed + P1 + P2), u64(seed + P2), seed, u64(seed - P1)];
    for (; index + 32 <= length; index += 32)
      lanes = lanes.map((lane, place) =>
        u64(rotate64(u64(lane + u64(view.getBigUint64(index + place * 8, true) * P2)), 31n) * P1),
      );
    const [a = 0n, b = 0n, c = 0n, d = 0n] = lanes;
    hash = u64(rotate64(a, 1n) + rotate64(b, 7n) + rotate64(c, 12n) + rotate64(d, 18n));
    for (const lane of lanes) hash = u64((hash ^ u64(rotate64(u64(lane * P2), 31n) * P1)) * P1 + P4);
  } else hash = u64(seed + P5);
  hash = u64(hash + BigInt(length));
  for (; index + 8 <= length; index += 8) {
    hash = u64(hash ^ u64(rotate64(u64(view.getBigUint64(index, true) * P2), 31n) * P1));
    hash = u64(rotate64(hash, 27n) * P1 + P4);
  }
  if (index + 4 <= length) {
    hash = u64(hash ^ u64(BigInt(view.getUint32(index, true)) * P1));
    hash = u64(rotate64(hash, 23n) * P2 + P3);
    index += 4;
  }
  for (; index < length; index += 1) {
    hash = u64(hash ^ u64(BigInt(bytes[index] ?? 0) * P5));
    hash = u64(rotate64(hash, 11n) * P1);
  }
  return xxFinish(hash);
}
