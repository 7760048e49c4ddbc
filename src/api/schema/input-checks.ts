import { dataTypeNames, findDataType } from '../../data-types/registry.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { isStorableText, UNSTORABLE_TEXT } from '../../shared/storable-text.ts';

/** Whether the text is a UUID, in either case. */
export function isUuid(text: unknown): boolean {
  return typeof text === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** Whether the value is two texts: the key of an item, its data type and its id. */
export function isItemKey(key: unknown): boolean {
  return (
    Array.isArray(key) &&
    key.length === 2 &&
    key.every((part) => typeof part === 'string' && isStorableText(part))
  );
}

/**
 * @param field the input field that the names came in, for the error.
 * @throws InvalidInputError for a name that is no data type.
 */
export function checkDataTypes(names: readonly string[] | null | undefined, field: string): void {
  for (const name of names ?? []) {
    if (findDataType(name) !== undefined) continue;
    throw new InvalidInputError([
      {
        field,
        message: `there is no data type ${JSON.stringify(name)}; known are ${dataTypeNames.join(', ')}`,
      },
    ]);
  }
}

/** How many different values a filter may give for one thing: a statement of the database holds only so many. */
const MOST_VALUES = 100;

/**
 * The values of a list without those that it has again.
 * @throws InvalidInputError for more of them than a filter may give.
 */
export function distinct<Value>(values: readonly Value[], field: string): Value[] {
  const kept = [...new Set(values)];
  if (kept.length > MOST_VALUES)
    throw new InvalidInputError([{ field, message: `must be at most ${MOST_VALUES} different ones` }]);
  return kept;
}

/** @throws InvalidInputError for a text that the database cannot compare with what it holds. */
export function checkText(text: string, field: string): void {
  if (!isStorableText(text)) throw new InvalidInputError([{ field, message: UNSTORABLE_TEXT }]);
}
