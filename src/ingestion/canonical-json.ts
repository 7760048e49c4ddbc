import type { JsonObject, JsonValue } from '../shared/json.ts';
import { findUnreadableReason } from '../warehouse/value.ts';

/** How deeply arrays and objects may be nested. */
export const MAX_DEPTH = 100;

/** Why a value cannot be stored. The message completes a sentence that starts with its name: "holds a NUL character". */
export class UnstorableValueError extends Error {
  override readonly name = 'UnstorableValueError';
}

/**
 * Writes a value as JSON text with sorted keys, so equal values give equal text.
 * @throws UnstorableValueError if JSON or PostgreSQL's jsonb cannot hold the value: NUL characters and lone surrogates in
 * texts and keys, numbers that are not finite, objects that are not JSON, and deep nesting.
 */
export function toCanonicalJson(value: JsonValue | undefined): string {
  return write(value, MAX_DEPTH);
}

/** Writes a row as canonical JSON, in which each column may be nested as deeply as a value. Throws as `toCanonicalJson`. */
export function toCanonicalRowJson(row: JsonObject): string {
  return write(row, MAX_DEPTH + 1);
}

/** Writes any row as JSON text that jsonb can hold, with U+FFFD for whatever it cannot. */
export function toApproximateRowJson(row: JsonObject): string {
  return approximate(row, MAX_DEPTH + 1);
}

/** Writes a text as JSON. Throws as `toCanonicalJson`. */
export function toCanonicalText(value: string): string {
  if (!UNUSUAL_CHARACTER.test(value)) return `"${value}"`;
  if (value.includes('\0')) throw new UnstorableValueError('holds a NUL character, which cannot be stored');
  if (!value.isWellFormed()) {
    if (UNREADABLE_BYTE.test(value))
      throw new UnstorableValueError('holds bytes that are not UTF-8, which cannot be stored as text');
    throw new UnstorableValueError(
      'holds half a surrogate pair, which cannot be stored: it must be valid Unicode',
    );
  }
  return JSON.stringify(value);
}

// Characters that JSON escapes, and surrogates, paired or not. All others are written as they are.
// biome-ignore lint/suspicious/noControlCharactersInRegex: it searches for control characters
const UNUSUAL_CHARACTER = /["\\\u0000-\u001f\ud800-\udfff]/;

// What a warehouse gives for a byte that is not UTF-8.
const UNREADABLE_BYTE = /(?<![\ud800-\udbff])[\udc80-\udcff]/;

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return toCanonicalText(value);
    case 'number':
      if (!Number.isFinite(value))
        throw new UnstorableValueError(`is ${value}, which is not a number that can be stored`);
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return 'null';
    case 'object':
      return value === null ? 'null' : writeNested(value, depth);
    default:
      throw new UnstorableValueError(`is a ${typeof value}, which is not a JSON value`);
  }
}

function writeNested(value: object, depth: number): string {
  const unreadable = findUnreadableReason(value);
  if (unreadable !== null) throw new UnstorableValueError(`cannot be read: ${unreadable}`);
  if (depth === 0) throw new UnstorableValueError(`is nested more than ${MAX_DEPTH} levels deep`);
  if (Array.isArray(value)) return `[${value.map((element) => write(element, depth - 1)).join(',')}]`;
  if (!isPlainObject(value)) throw new UnstorableValueError('holds an object that is not a JSON value');
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, member]) => `${toCanonicalText(key)}:${write(member, depth - 1)}`).join(',')}}`;
}

// Object.prototype of any realm is recognised by having no prototype.
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function approximate(value: unknown, depth: number): string {
  if (typeof value === 'string') return toStorableText(value);
  if (typeof value === 'boolean' || Number.isFinite(value)) return String(value);
  if (value === null || value === undefined) return 'null';
  if (typeof value !== 'object' || depth === 0) return REPLACEMENT;
  if (Array.isArray(value)) return `[${value.map((element) => approximate(element, depth - 1)).join(',')}]`;
  if (!isPlainObject(value)) return REPLACEMENT;
  const members = Object.entries(value);
  return `{${members.map(([key, member]) => `${toStorableText(key)}:${approximate(member, depth - 1)}`).join(',')}}`;
}

const REPLACEMENT = '"\ufffd"';

function toStorableText(text: string): string {
  return JSON.stringify(text.replaceAll('\0', '\ufffd').toWellFormed());
}
