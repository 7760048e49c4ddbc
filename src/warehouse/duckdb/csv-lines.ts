import { readTextFile } from './text-file.ts';

/** Facts about the lines of a CSV file that decide which of them can be read. */
export interface CsvLines {
  /** The number of cells in the header. */
  readonly columns: number;
  /** Where the header is, in bytes. */
  readonly header: { readonly start: number; readonly end: number };
  /** The number of lines after the header with as many cells. */
  readonly rows: number;
  /** The other lines, in order, up to the requested number. */
  readonly uneven: readonly UnevenLine[];
  /** The number of all other lines. */
  readonly unevenCount: number;
  /** A quote that is never closed, so that everything after it would be one cell; null if there is none. */
  readonly openQuote: OpenQuote | null;
  /**
   * The last row if it ends in an empty cell without a line end, so that the file may have been truncated there; null if
   * not. It counts as one of the rows.
   */
  readonly lineWithoutEnd: number | null;
  /** The first line with text after a closed quote, which no engine can split; null if there is none. */
  readonly textAfterQuote: number | null;
  /** Whether a quoted cell has a line end. */
  readonly hasLineEndsInCells: boolean;
  /** The size of the text. */
  readonly bytes: number;
}

/** A line with more or fewer cells than the header, which is not a row. */
export interface UnevenLine {
  /** Counted from 1, as in an editor. */
  readonly line: number;
  readonly cells: number;
}

export interface OpenQuote {
  readonly line: number;
  /** The offset of its row, in bytes. */
  readonly offset: number;
  /** Whether it is in the last line, so that it hides no other; the file may have been truncated there. */
  readonly isInLastLine: boolean;
}

export interface CsvShape {
  /** The separator of cells: one ASCII character. */
  readonly delimiter: string;
  /** The number of lines before the header. */
  readonly skip: number;
}

/**
 * Scans a CSV file byte by byte. The engine pads rows that are too short, cuts off those that are too long, and silently
 * drops everything after an open quote.
 * @param maxUneven how many uneven lines to return.
 */
export async function readCsvLines(
  path: string,
  { delimiter, skip }: CsvShape,
  maxUneven: number,
  signal: AbortSignal,
): Promise<CsvLines> {
  const separator = delimiter.charCodeAt(0);
  const uneven: UnevenLine[] = [];
  let unevenCount = 0;
  let columns = 0;
  let rows = 0;

  let place: 'start of a cell' | 'cell' | 'quotes' | 'after a quote' = 'start of a cell';
  let position = -1;
  let line = 1;
  let linesToSkip = skip;
  let wasCarriageReturn = false;
  let quoteLine = 1;
  let quoteSpansLines = false;
  let textAfterQuote: number | null = null;
  let hasLineEndsInCells = false;
  let header = { start: 0, end: 0 };
  // The current row.
  let rowLine = 1;
  let rowOffset = 0;
  let cells = 1;
  let filledCells = 0;
  let isEmpty = true;

  function endRow(): void {
    if (linesToSkip > 0) linesToSkip -= 1;
    // A row with a single cell may be empty.
    else if (isEmpty && columns !== 1) return;
    else if (columns === 0) {
      columns = cells;
      header = { start: rowOffset, end: position };
    }
    // A delimiter at the end of a line separates nothing.
    else if (cells === columns || (cells > columns && filledCells <= columns)) rows += 1;
    else {
      unevenCount += 1;
      if (uneven.length < maxUneven) uneven.push({ line: rowLine, cells });
    }
  }

  for await (const chunk of readTextFile(path, { signal })) {
    for (const byte of chunk) {
      position += 1;
      if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
        const endsLine = !(byte === LINE_FEED && wasCarriageReturn);
        wasCarriageReturn = byte === CARRIAGE_RETURN;
        if (endsLine) line += 1;
        if (place === 'quotes') {
          hasLineEndsInCells = true;
          continue;
        }
        if (endsLine) endRow();
        place = 'start of a cell';
        rowLine = line;
        rowOffset = position + 1;
        cells = 1;
        filledCells = 0;
        isEmpty = true;
        continue;
      }
      wasCarriageReturn = false;
      if (place === 'quotes') {
        if (byte === QUOTE) place = 'after a quote';
        else if (line > quoteLine) quoteSpansLines = true;
        continue;
      }
      isEmpty = false;
      if (byte === separator) {
        cells += 1;
        place = 'start of a cell';
        continue;
      }
      filledCells = cells;
      if (byte === QUOTE && place === 'start of a cell') {
        place = 'quotes';
        quoteLine = line;
        quoteSpansLines = false;
      } else if (byte === QUOTE && place === 'after a quote') place = 'quotes';
      else if (!(place === 'start of a cell' && IGNORED_BEFORE_QUOTE.includes(byte))) {
        if (place === 'after a quote') textAfterQuote ??= line;
        place = 'cell';
      }
    }
  }
  const bytes = position + 1;
  if (place === 'quotes') {
    const openQuote = { line: quoteLine, offset: rowOffset, isInLastLine: !quoteSpansLines };
    const whole = { columns, header, uneven, hasLineEndsInCells, bytes };
    return { ...whole, rows, unevenCount, openQuote, lineWithoutEnd: null, textAfterQuote };
  }
  const rowsBefore = rows;
  position = bytes;
  if (!isEmpty) endRow();
  const lineWithoutEnd = rows > rowsBefore && filledCells < cells ? rowLine : null;
  const whole = { columns, header, uneven, hasLineEndsInCells, bytes };
  return { ...whole, rows, unevenCount, openQuote: null, lineWithoutEnd, textAfterQuote };
}

/** Splits the header of a CSV file into the names of its columns. */
export async function readCsvHeader(
  path: string,
  { delimiter }: CsvShape,
  { start, end }: CsvLines['header'],
): Promise<readonly string[]> {
  const chunks = await Array.fromAsync(readTextFile(path, { start, end }));
  const text = Buffer.concat(chunks)
    .toString()
    .replace(/^\ufeff/, '');
  const names: string[] = [];
  let name = '';
  let isQuoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (isQuoted) {
      if (character !== '"') name += character;
      else if (text.charAt(index + 1) === '"') {
        name += '"';
        index += 1;
      } else isQuoted = false;
    } else if (character === '"' && name.trim() === '') {
      isQuoted = true;
      name = '';
    } else if (character === delimiter) {
      names.push(name);
      name = '';
    } else name += character;
  }
  return [...names, name].map((each) => each.trim());
}

const [LINE_FEED, CARRIAGE_RETURN, QUOTE] = [0x0a, 0x0d, 0x22];

/** Bytes ignored before a quote: spaces, and the byte order mark at the start of a file. */
const IGNORED_BEFORE_QUOTE: readonly number[] = [0x20, 0xef, 0xbb, 0xbf];
