/** Whether PostgreSQL can store the text, also within JSON: it has no NUL and no half of a surrogate pair. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Why a text that is not storable is refused, as the end of a sentence that starts with its name. */
export const UNSTORABLE_TEXT =
  'holds a NUL character or half a surrogate pair, which cannot be stored: remove it';
