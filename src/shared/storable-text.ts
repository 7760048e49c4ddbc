/** Whether PostgreSQL stores the text as it is, as a text and in JSON: it has neither a NUL nor half a surrogate pair. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** Why a text that is not storable is refused; goes on after the name of what holds it. */
export const UNSTORABLE_TEXT =
  'holds a NUL character or half a surrogate pair, which cannot be stored: remove it';
