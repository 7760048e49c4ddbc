import { asciiLowerCase } from './ascii-case.ts';

/** An object or a list that a scan is in. */
interface Level {
  /** The keys of an object so far; null for a list. */
  readonly keys: Set<string> | null;
  /** The last key of an object. */
  key: string;
  /** The place of the present item of a list. */
  index: number;
}

/**
 * Finds a key that an object of JSON has twice, at any depth, because only the last of its values would be kept. Works without
 * recursion, so that no nesting is too deep.
 * @param text valid JSON.
 * @param isRow whether the keys of the outermost object are names of columns, which are equal in any case.
 * @returns where the key is, such as `crew[2].name`; null if there is none.
 */
export function findRepeatedKey(text: string, isRow = false): string | null {
  if (!text.includes('{')) return null;
  const levels: Level[] = [];
  let level: Level | undefined;
  let isKey = false;
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case QUOTE: {
        const end = findEnd(text, index + 1);
        if (isKey && level?.keys) {
          level.key = parseKey(text.slice(index + 1, end));
          const name = isRow && levels.length === 1 ? asciiLowerCase(level.key) : level.key;
          if (level.keys.has(name)) return formatPath(levels);
          level.keys.add(name);
          isKey = false;
        }
        index = end;
        break;
      }
      case OPEN_OBJECT:
      case OPEN_LIST:
        isKey = text.charCodeAt(index) === OPEN_OBJECT;
        level = { keys: isKey ? new Set() : null, key: '', index: 0 };
        levels.push(level);
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        levels.pop();
        level = levels.at(-1);
        isKey = false;
        break;
      case COMMA:
        isKey = level?.keys != null;
        if (level !== undefined) level.index += 1;
        break;
    }
  }
  return null;
}

/** Finds the quote that ends a text. */
function findEnd(text: string, start: number): number {
  let end = text.indexOf('"', start);
  while (end >= 0 && isEscaped(text, end, start)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

function isEscaped(text: string, place: number, start: number): boolean {
  let first = place;
  while (first > start && text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (place - first) % 2 === 1;
}

function parseKey(written: string): string {
  if (!written.includes('\\')) return written;
  try {
    return String(JSON.parse(`"${written}"`));
  } catch {
    // Not JSON, which others find out.
    return written;
  }
}

function formatPath(levels: readonly Level[]): string {
  const parts = levels.map(({ keys, key, index }) => (keys === null ? `[${index}]` : `.${formatKey(key)}`));
  const path = parts.join('').replace(/^\./, '');
  return path.length <= MAX_PATH ? path : `…${path.slice(-MAX_PATH).toWellFormed()}`;
}

function formatKey(key: string): string {
  return /^[\w$-]+$/.test(key) ? key : JSON.stringify(key);
}

/** The end of a long path says which object it is about. */
const MAX_PATH = 200;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
