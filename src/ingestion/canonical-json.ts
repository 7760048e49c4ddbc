import type { JsonObject, JsonValue } from '../shared/json.ts';

/** Arrays and objects may lie this deep in each other. */
export const maximumDepth = 100;

/** Why a value cannot be stored; the message goes on after "… " and a name, as in "holds a NUL character". */
export class UnstorableValueError extends Error {
  override readonly name = 'UnstorableValueError';
}

/**
 * The value as JSON text with the keys of every object in order: equal values give equal text.
 * @throws UnstorableValueError where JSON or PostgreSQL's jsonb cannot hold the value as it is: NUL characters and
 * lone surrogates in texts and keys, numbers that are not finite, objects that are no JSON, and deep nesting.
 */
export function canonicalJson(value: JsonValue | undefined): string {
  return write(value, maximumDepth);
}

/** A row as canonical JSON, in which each column may be as deep as a value may. Throws as `canonicalJson` does. */
export function canonicalRowJson(row: JsonObject): string {
  return write(row, maximumDepth + 1);
}

/** A row as JSON text that jsonb holds, whatever is in it: what cannot be kept shows as U+FFFD. */
export function approximateRowJson(row: JsonObject): string {
  return approximate(row, maximumDepth + 1);
}

/** A text as JSON. Throws as `canonicalJson` does. */
export function canonicalText(value: string): string {
  if (!unusualCharacter.test(value)) {
    return `"${value}"`;
  }
  if (value.includes('\0')) {
    throw new UnstorableValueError('holds a NUL character, which cannot be stored');
  }
  if (!value.isWellFormed()) {
    throw new UnstorableValueError(
      'holds half a surrogate pair, which cannot be stored: it must be valid Unicode',
    );
  }
  return JSON.stringify(value);
}

// What JSON escapes, and surrogates, paired or not: everything else is its own JSON.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const unusualCharacter = /["\\\u0000-\u001f\ud800-\udfff]/;

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return canonicalText(value);
    case 'number':
      if (!Number.isFinite(value)) {
        throw new UnstorableValueError(`is ${value}, which is not a number that can be stored`);
      }
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
  if (depth === 0) {
    throw new UnstorableValueError(`is nested more than ${maximumDepth} levels deep`);
  }
  if (Array.isArray(value)) {
    return `[${value.map((element) => write(element, depth - 1)).join(',')}]`;
  }
  if (!isPlainObject(value)) {
    throw new UnstorableValueError('holds an object that is not a JSON value');
  }
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([key, member]) => `${canonicalText(key)}:${write(member, depth - 1)}`).join(',')}}`;
}

// Object.prototype is recognised by having no prototype, whatever realm it is of.
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function approximate(value: unknown, depth: number): string {
  if (typeof value === 'string') return keptText(value);
  if (typeof value === 'boolean' || Number.isFinite(value)) return String(value);
  if (value === null || value === undefined) return 'null';
  if (typeof value !== 'object' || depth === 0) return REPLACEMENT;
  if (Array.isArray(value)) return `[${value.map((element) => approximate(element, depth - 1)).join(',')}]`;
  const members = Object.entries(value);
  return `{${members.map(([key, member]) => `${keptText(key)}:${approximate(member, depth - 1)}`).join(',')}}`;
}

const REPLACEMENT = '"\ufffd"';

function keptText(text: string): string {
  return JSON.stringify(text.replaceAll('\0', '\ufffd').toWellFormed());
}
