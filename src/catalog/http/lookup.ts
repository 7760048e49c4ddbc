import { isDeepStrictEqual } from 'node:util';
import type { BladeItem } from '../../data-types/blade-item.ts';
import { isObject } from '../../shared/json.ts';
import type { HeldState, ItemKey } from '../catalog.ts';
import { CatalogError } from '../catalog-error.ts';

/** The most bytes of an answer that are read. */
export const MAX_LOOKUP_BYTES = 64 * 1_048_576;

/** Splits items into requests: about as many as an answer may hold. */
export function* splitLookup(items: readonly BladeItem[]): Generator<readonly BladeItem[]> {
  let part: BladeItem[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(item.data) + Buffer.byteLength(item.metadata);
    if (part.length === MAX_ITEMS || (part.length > 0 && bytes + size > MAX_PART_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(item);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

/** Creates the body of a request that looks items up. */
export function createLookupBody(items: readonly ItemKey[]): string {
  return JSON.stringify({
    items: items.map(({ dataType, itemId }) => ({ dataSource: `BLADE:${dataType}`, itemId })),
  });
}

/**
 * Compares items with the answer of the service.
 * @throws CatalogError if it is not an answer for these items.
 */
export function compareAnswer(text: string, items: readonly BladeItem[]): readonly HeldState[] {
  const held = parseAnswer(text);
  if (held?.length !== items.length) {
    throw new CatalogError('The catalog gave no answer for each item that it was asked for.');
  }
  return items.map((item, index) => compare(item, held[index]));
}

/**
 * Reads from the answer of the service which items it holds.
 * @returns null if it is not an answer for that many items.
 */
export function readHeld(text: string, count: number): readonly boolean[] | null {
  const held = parseAnswer(text);
  return held?.length === count ? held.map((item) => item !== null) : null;
}

/** Whether a text is an answer, and not a page that a service sends for whatever it does not know. */
export function isLookupAnswer(text: string): boolean {
  return parseAnswer(text) !== null;
}

function parseAnswer(text: string): readonly unknown[] | null {
  const answer = parseJson(text);
  return isObject(answer) && Array.isArray(answer.items) ? answer.items : null;
}

/** The most items of a request. */
export const MAX_ITEMS = 100;
const MAX_PART_BYTES = 4 * 1_048_576;

function compare(item: BladeItem, held: unknown): HeldState {
  if (held === null) return 'MISSING';
  if (!isObject(held)) return 'DIFFERENT';
  const isSame =
    held.classificationMarking === item.classificationMarking &&
    isSameJson(held.data, item.data) &&
    isSameJson(held.metadata, item.metadata);
  return isSame ? 'HELD' : 'DIFFERENT';
}

/** @param held JSON, or the text that was uploaded. */
function isSameJson(held: unknown, expected: string): boolean {
  const value = typeof held === 'string' ? parseJson(held) : held;
  return isDeepStrictEqual(value, JSON.parse(expected));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
