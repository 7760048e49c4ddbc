import { findUnreadableReason } from '../warehouse/value.ts';

/** Describes a value in a message for people: on one line, at most about 80 characters, safe to store. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(clip(value));
    case 'object':
      if (findUnreadableReason(value) !== null)
        return `a value that cannot be read (${clip(findUnreadableReason(value) ?? '')})`;
      return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
    default:
      return clip(String(value));
  }
}

/** Describes the name of a column in a message: unchanged if it is plain, otherwise quoted and clipped. */
export function describeName(name: string): string {
  return /^[\w$.-]{1,80}$/.test(name) ? name : describeValue(name);
}

const MAX_LENGTH = 80;

// Clips by code points, so that no character is cut in half.
function clip(text: string): string {
  if (text.length <= MAX_LENGTH) return text;
  const characters = [...text.slice(0, 2 * MAX_LENGTH)].slice(0, MAX_LENGTH);
  return `${characters.join('')}…`;
}
