import { createIssue, InvalidInputError } from '../../shared/invalid-input.ts';
import { isStorableText, UNSTORABLE_TEXT } from '../../shared/storable-text.ts';

/** Whether the text is a UUID, in either case. */
export function isUuid(text: unknown): boolean {
  return typeof text === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** Whether the value is the key of an item: its data type and its id. */
export function isItemKey(key: unknown): boolean {
  return (
    Array.isArray(key) &&
    key.length === 2 &&
    key.every((part) => typeof part === 'string' && isStorableText(part))
  );
}

/** How many distinct values a condition of a filter may have: a statement can hold only so many. */
const MAX_FILTER_VALUES = 100;

/**
 * Returns the distinct values of a list.
 * @throws InvalidInputError if there are more than a filter may have.
 */
export function removeDuplicates<Value>(values: readonly Value[], field: string): Value[] {
  const kept = [...new Set(values)];
  if (kept.length > MAX_FILTER_VALUES)
    throw new InvalidInputError([
      createIssue(field, 'OUT_OF_RANGE', `must have at most ${MAX_FILTER_VALUES} distinct values`),
    ]);
  return kept;
}

/** @throws InvalidInputError if the database cannot store, and so cannot compare, the text. */
export function checkText(text: string, field: string): void {
  if (!isStorableText(text)) throw new InvalidInputError([createIssue(field, 'INVALID', UNSTORABLE_TEXT)]);
}
