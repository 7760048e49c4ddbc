import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { findRepeatedKey } from '../../shared/repeated-key.ts';
import { isExactNumber } from '../value.ts';
import { readTextFile } from './text-file.ts';

/** What the cells of a column are, as bits that are added up. */
export const CELL = {
  TEXT: 1,
  BOOLEAN: 2,
  /** A whole number that JavaScript can hold. */
  INTEGER: 4,
  /** Another number that JavaScript can hold. */
  NUMBER: 8,
  /** A whole number of at most 38 digits that JavaScript would change. */
  LONG_INTEGER: 16,
  /** Another number that JavaScript would change, or one that is not finite. */
  LONG_NUMBER: 32,
  /** An object or a list. */
  NESTED: 64,
} as const;

/** A key of the objects of a file. Keys that differ only in case are one column, as names are everywhere. */
export interface KeyColumn {
  /** How it is spelled, the first spelling first. */
  readonly spellings: readonly string[];
  /** The sum of the kinds of its cells; 0 if it is always null. */
  readonly kinds: number;
}

/** Facts about the lines of an NDJSON file that decide how they can be read. */
export interface LineShapes {
  /** The deepest nesting of lists and objects in any line. */
  readonly depth: number;
  /** In the order in which they come first; without empty keys and those with NUL. */
  readonly columns: readonly KeyColumn[];
  /** Whether every line that is not empty is an object with different keys that can all name columns. */
  readonly areRows: boolean;
  /** Whether an object, at any depth, has a key twice. */
  readonly hasRepeatedKeys: boolean;
  /** Whether a number, at any depth, would be changed by JavaScript. */
  readonly hasLongNumbers: boolean;
  /** The lines of each file with nothing in them, which are not counted as rows, by the path of the file. */
  readonly emptyLines: ReadonlyMap<string, readonly number[]>;
  /** The size of the text of each file, by its path. */
  readonly bytes: ReadonlyMap<string, number>;
  /** How often the watched keys are there, by the path of the file. */
  readonly keyCounts: ReadonlyMap<string, KeyCounts>;
}

/** How many lines of a file are objects, and how many of those have a key, by its name in lower case. */
export interface KeyCounts {
  readonly rows: number;
  readonly counts: ReadonlyMap<string, number>;
}

/**
 * Scans the files of a table line by line, without recursion, so that no nesting is too deep.
 * @param watched keys to count in each file, in any case.
 */
export async function readLineShapes(
  paths: readonly string[],
  signal: AbortSignal,
  watched: readonly string[],
): Promise<LineShapes> {
  const found = createCollector(watched.map(asciiLowerCase));
  for (const path of paths) {
    found.startFile(path);
    let pieces: Buffer[] = [];
    for await (const chunk of readTextFile(path, { signal })) {
      found.addBytes(path, chunk.length);
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
        const line = chunk.subarray(start, end);
        found.addLine(pieces.length === 0 ? line : Buffer.concat([...pieces, line]));
        pieces = [];
        start = end + 1;
      }
      if (start < chunk.length) pieces.push(chunk.subarray(start));
    }
    if (pieces.length > 0) found.addLine(Buffer.concat(pieces));
  }
  return found.shapes();
}

interface CollectedColumn extends KeyColumn {
  readonly spellings: string[];
  kinds: number;
  lastRow: number;
}

function createCollector(watched: readonly string[]) {
  const keys = new Map<string, CollectedColumn>();
  const columns = new Map<string, CollectedColumn>();
  const emptyLines = new Map<string, number[]>();
  const bytes = new Map<string, number>();
  const keyCounts = new Map<string, { rows: number; counts: Map<string, number> }>();
  let emptyInFile: number[] = [];
  let inFile = { rows: 0, counts: new Map<string, number>() };
  let depth = 0;
  let areRows = true;
  let hasLongNumbers = false;
  let hasRepeatedKeys = false;
  let hasInnerObject = false;
  /** The line within its file, and among those of all files. */
  let line = 0;
  let row = 0;
  let current: CollectedColumn | undefined;

  function addKey(name: string): CollectedColumn | undefined {
    const known = keys.get(name);
    if (known !== undefined) return known;
    if (name === '' || name.includes('\0')) {
      areRows = false;
      return undefined;
    }
    const folded = asciiLowerCase(name);
    const column = columns.get(folded) ?? { spellings: [], kinds: 0, lastRow: 0 };
    column.spellings.push(name);
    columns.set(folded, column);
    keys.set(name, column);
    return column;
  }

  function countKey(key: string): void {
    if (watched.includes(key)) inFile.counts.set(key, (inFile.counts.get(key) ?? 0) + 1);
  }

  const handler: LineHandler = {
    onRoot(isObject) {
      areRows &&= isObject;
      if (isObject) inFile.rows += 1;
    },
    onKey(name) {
      current = addKey(name);
      if (current === undefined) return;
      if (current.lastRow === row) hasRepeatedKeys = true;
      else if (watched.length > 0) countKey(asciiLowerCase(name));
      current.lastRow = row;
    },
    onCell(kind) {
      if (current !== undefined) current.kinds |= kind;
    },
    onLongNumber() {
      hasLongNumbers = true;
    },
    onInnerObject() {
      hasInnerObject = true;
    },
    onDepth(reached) {
      depth = Math.max(depth, reached);
    },
  };

  return {
    startFile(path: string) {
      line = 0;
      emptyInFile = [];
      emptyLines.set(path, emptyInFile);
      inFile = { rows: 0, counts: new Map() };
      keyCounts.set(path, inFile);
    },
    addBytes(path: string, count: number) {
      bytes.set(path, (bytes.get(path) ?? 0) + count);
    },
    addLine(text: Buffer) {
      line += 1;
      row += 1;
      hasInnerObject = false;
      const isFilled = scanLine(text, handler);
      if (hasInnerObject && !hasRepeatedKeys) hasRepeatedKeys = findRepeatedKey(text.toString()) !== null;
      if (!isFilled && emptyInFile.length < MAX_EMPTY_LINES) emptyInFile.push(line);
    },
    shapes(): LineShapes {
      return {
        ...{ depth, columns: [...columns.values()], areRows: areRows && !hasRepeatedKeys },
        ...{ hasRepeatedKeys, hasLongNumbers, emptyLines, bytes, keyCounts },
      };
    },
  };
}

/** Writes a line with each number as a text that JavaScript would change. */
export function quoteLongNumbers(line: string): string {
  const bytes = Buffer.from(line);
  const pieces: Buffer[] = [];
  let written = 0;
  scanLine(bytes, {
    onLongNumber(start, end) {
      pieces.push(bytes.subarray(written, start), MARK, bytes.subarray(start, end), MARK);
      written = end;
    },
  });
  return pieces.length === 0 ? line : Buffer.concat([...pieces, bytes.subarray(written)]).toString();
}

/** What is reported of a line while it is scanned. */
interface LineHandler {
  onRoot?(isObject: boolean): void;
  /** A key of the object that the line is. */
  onKey?(name: string): void;
  /** The value of the key before it; not called for null. */
  onCell?(kind: number): void;
  /** A number at any depth that JavaScript would change, with its place in bytes. */
  onLongNumber?(start: number, end: number): void;
  /** An object within the object that the line is. */
  onInnerObject?(): void;
  onDepth?(depth: number): void;
}

/** @returns whether there is anything in the line. */
function scanLine(bytes: Buffer, handler: LineHandler): boolean {
  const { length } = bytes;
  let depth = 0;
  let isKey = false;
  let isRoot = true;
  let index = 0;
  while (index < length) {
    const byte = bytes[index] ?? 0;
    const start = index;
    index += 1;
    // Beside texts, only a byte order mark is not ASCII.
    if (byte <= SPACE || byte === COLON || byte > LAST_ASCII) continue;
    if (isRoot) {
      isRoot = false;
      handler.onRoot?.(byte === OPEN_OBJECT);
    }
    const isCell = depth === 1 && !isKey;
    if (byte === QUOTE) {
      let hasEscapes = false;
      while (index < length && bytes[index] !== QUOTE) {
        if (bytes[index] === BACKSLASH) {
          hasEscapes = true;
          index += 1;
        }
        index += 1;
      }
      index += 1;
      if (isKey) {
        isKey = false;
        handler.onKey?.(readKey(bytes, start, index, hasEscapes));
      } else if (isCell) handler.onCell?.(CELL.TEXT);
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (isCell) handler.onCell?.(CELL.NESTED);
      depth += 1;
      isKey = depth === 1 && byte === OPEN_OBJECT;
      if (depth > 1 && byte === OPEN_OBJECT) handler.onInnerObject?.();
      handler.onDepth?.(depth);
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1;
      isKey = false;
    } else if (byte === COMMA) isKey = depth === 1;
    else if (byte === MINUS || isLetter(byte) || (byte >= ZERO && byte <= NINE)) {
      while (index < length && (isInNumber(bytes[index] ?? 0) || isLetter(bytes[index] ?? 0))) index += 1;
      const kind = isLetter(bytes[start + (byte === MINUS ? 1 : 0)] ?? 0)
        ? findWordKind(bytes.toString('latin1', start, index))
        : findNumberKind(bytes, start, index);
      if (isCell && kind !== 0) handler.onCell?.(kind);
      if (kind >= CELL.LONG_INTEGER) handler.onLongNumber?.(start, index);
    }
  }
  return !isRoot;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= LETTER_A && lower <= LETTER_Z;
}

/** Finds the kind of a value without quotes that is no number: those that are not finite, as Python writes them, are no JSON. */
function findWordKind(word: string): number {
  if (/^-?(?:nan|inf|infinity)$/i.test(word)) return CELL.LONG_NUMBER;
  return word === 'true' || word === 'false' ? CELL.BOOLEAN : 0;
}

function readKey(bytes: Buffer, start: number, end: number, hasEscapes: boolean): string {
  const text = bytes.toString('utf8', start + 1, end - 1);
  if (!hasEscapes) return text;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    // Not JSON: the engine refuses the line.
    return text;
  }
}

function isInNumber(byte: number): boolean {
  return (
    (byte >= ZERO && byte <= NINE) ||
    byte === POINT ||
    byte === MINUS ||
    byte === PLUS ||
    byte === LETTER_E ||
    byte === CAPITAL_E
  );
}

/**
 * Finds the kind of a number. One with zeros at the end of its fraction, such as 19.90, is a decimal whose digits all count,
 * as they do from other warehouses; 1.0 is how many programs write a whole number.
 */
function findNumberKind(bytes: Buffer, start: number, end: number): number {
  let point = -1;
  let isPower = false;
  for (let index = start; index < end; index += 1) {
    const byte = bytes[index];
    if (byte === POINT) point = index;
    else if (byte === LETTER_E || byte === CAPITAL_E) isPower = true;
  }
  const isWhole = point < 0 && !isPower;
  const isShort = end - start <= SHORT_DIGITS;
  if (isWhole && isShort) return CELL.INTEGER;
  const hasFinalZero = point >= 0 && !isPower && end - point > 2 && bytes[end - 1] === ZERO;
  if (hasFinalZero) return CELL.LONG_NUMBER;
  if (isShort && !isPower) return CELL.NUMBER;
  const text = bytes.toString('latin1', start, end);
  if (isExactNumber(text)) return isWhole ? CELL.INTEGER : CELL.NUMBER;
  return isWhole && text.length <= LARGEST_DIGITS ? CELL.LONG_INTEGER : CELL.LONG_NUMBER;
}

/** Any number with as many digits is kept by JavaScript. */
const SHORT_DIGITS = 15;

/** The engine has whole numbers of as many digits. */
const LARGEST_DIGITS = 38;

/** After more of them, lines are numbered without the further ones. */
const MAX_EMPTY_LINES = 1_000_000;

const MARK = Buffer.from('"');

const [LINE_FEED, SPACE, QUOTE, BACKSLASH, COMMA, COLON] = [0x0a, 0x20, 0x22, 0x5c, 0x2c, 0x3a];
const LAST_ASCII = 0x7f;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const [MINUS, PLUS, POINT, ZERO, NINE] = [0x2d, 0x2b, 0x2e, 0x30, 0x39];
const [LETTER_E, CAPITAL_E, LETTER_A, LETTER_Z] = [0x65, 0x45, 0x61, 0x7a];
