/** A value for a message that people read: on one line, no longer than about 80 characters, safe to store. */
export function printableValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(clip(value));
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
    default:
      return clip(String(value));
  }
}

/** The name of a column for a message: as it is where that is plain, else quoted and clipped. */
export function printableName(name: string): string {
  return /^[\w$.-]{1,80}$/.test(name) ? name : printableValue(name);
}

const maximumLength = 80;

// Cut by code points, so that no character is cut in half.
function clip(text: string): string {
  if (text.length <= maximumLength) {
    return text;
  }
  const characters = [...text.slice(0, 2 * maximumLength)].slice(0, maximumLength);
  return `${characters.join('')}…`;
}
