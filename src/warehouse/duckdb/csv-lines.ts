import { createReadStream } from 'node:fs';

/** What the lines of a CSV file are like, as far as it decides which of them can be read. */
export interface CsvLines {
  /** How many cells the header has. */
  readonly columns: number;
  /** How many lines behind it have as many. */
  readonly rows: number;
  /** The others, in their order; no more than are asked for. */
  readonly uneven: readonly UnevenLine[];
  /** How many others there are. */
  readonly unevenCount: number;
  /** A quote that is opened and never closed, so that all behind it would be one cell; null where there is none. */
  readonly openQuote: OpenQuote | null;
}

/** A line that is no row: it has more cells than the header, or fewer. */
export interface UnevenLine {
  /** From 1, as an editor counts them. */
  readonly line: number;
  readonly cells: number;
}

export interface OpenQuote {
  readonly line: number;
  /** Where the row that it is in begins, in bytes. */
  readonly offset: number;
  /** Whether it is in the last line, so that no other is swallowed: the file may have been cut there. */
  readonly isInLastLine: boolean;
}

export interface CsvShape {
  /** What parts the cells: one character of ASCII. */
  readonly delimiter: string;
  /** Lines before the one that names the columns. */
  readonly skip: number;
}

/**
 * Looks through a CSV file byte by byte. The engine fills rows up that are too short, leaves out the rest of those that are
 * too long, and drops without a word what an open quote swallows.
 * @param mostUneven how many uneven lines to tell.
 */
export async function readCsvLines(
  path: string,
  { delimiter, skip }: CsvShape,
  mostUneven: number,
  signal: AbortSignal,
): Promise<CsvLines> {
  const separator = delimiter.charCodeAt(0);
  const uneven: UnevenLine[] = [];
  let unevenCount = 0;
  let columns = 0;
  let rows = 0;

  let place: 'start of a cell' | 'cell' | 'quotes' | 'behind a quote' = 'start of a cell';
  let position = -1;
  let line = 1;
  let linesToSkip = skip;
  let wasCarriageReturn = false;
  let lineOfQuote = 1;
  let quoteSpansLines = false;
  // The row under way.
  let lineOfRow = 1;
  let offsetOfRow = 0;
  let cells = 1;
  let filledCells = 0;
  let isEmpty = true;

  function endRow(): void {
    if (linesToSkip > 0) linesToSkip -= 1;
    // A row of one cell may be empty.
    else if (isEmpty && columns !== 1) return;
    else if (columns === 0) columns = cells;
    // A delimiter at the end of a line parts nothing.
    else if (cells === columns || (cells > columns && filledCells <= columns)) rows += 1;
    else {
      unevenCount += 1;
      if (uneven.length < mostUneven) uneven.push({ line: lineOfRow, cells });
    }
  }

  const chunks: AsyncIterable<Buffer> = createReadStream(path, { signal, highWaterMark: CHUNK_BYTES });
  for await (const chunk of chunks) {
    for (const byte of chunk) {
      position += 1;
      if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
        const endsLine = !(byte === LINE_FEED && wasCarriageReturn);
        wasCarriageReturn = byte === CARRIAGE_RETURN;
        if (endsLine) line += 1;
        if (place === 'quotes') continue;
        if (endsLine) endRow();
        place = 'start of a cell';
        lineOfRow = line;
        offsetOfRow = position + 1;
        cells = 1;
        filledCells = 0;
        isEmpty = true;
        continue;
      }
      wasCarriageReturn = false;
      if (place === 'quotes') {
        if (byte === QUOTE) place = 'behind a quote';
        else if (line > lineOfQuote) quoteSpansLines = true;
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
        lineOfQuote = line;
        quoteSpansLines = false;
      } else if (byte === QUOTE && place === 'behind a quote') place = 'quotes';
      else if (!(place === 'start of a cell' && LEFT_OUT.includes(byte))) place = 'cell';
    }
  }
  if (place === 'quotes') {
    const openQuote = { line: lineOfQuote, offset: offsetOfRow, isInLastLine: !quoteSpansLines };
    return { columns, rows, uneven, unevenCount, openQuote };
  }
  if (!isEmpty) endRow();
  return { columns, rows, uneven, unevenCount, openQuote: null };
}

const CHUNK_BYTES = 1 << 18;

const [LINE_FEED, CARRIAGE_RETURN, QUOTE] = [0x0a, 0x0d, 0x22];

/** What may stand before a quote: spaces, and at the beginning of a file the mark of UTF-8. */
const LEFT_OUT: readonly number[] = [0x20, 0xef, 0xbb, 0xbf];
