import { createReadStream } from 'node:fs';

/**
 * Finds a quote that is opened and never closed, behind which the engine takes all the rest of a file for one cell, and
 * then leaves that out without a word.
 * @returns the line that it stands in, from 1; null where every quote is closed.
 */
export async function findOpenQuote(
  path: string,
  delimiter: string,
  signal: AbortSignal,
): Promise<number | null> {
  const separator = delimiter.charCodeAt(0);
  let place: 'start of a cell' | 'cell' | 'quotes' | 'behind a quote' = 'start of a cell';
  let line = 1;
  let lineOfQuote = 1;
  const chunks: AsyncIterable<Buffer> = createReadStream(path, { signal, highWaterMark: CHUNK_BYTES });
  for await (const chunk of chunks) {
    for (const byte of chunk) {
      if (byte === LINE_FEED) line += 1;
      if (place === 'quotes') {
        if (byte === QUOTE) place = 'behind a quote';
      } else if (byte === QUOTE && place === 'start of a cell') {
        place = 'quotes';
        lineOfQuote = line;
      } else if (byte === QUOTE && place === 'behind a quote') place = 'quotes';
      else if (byte === separator || byte === LINE_FEED || byte === CARRIAGE_RETURN)
        place = 'start of a cell';
      else if (!(place === 'start of a cell' && LEFT_OUT.includes(byte))) place = 'cell';
    }
  }
  return place === 'quotes' ? lineOfQuote : null;
}

const CHUNK_BYTES = 1 << 18;

const [LINE_FEED, CARRIAGE_RETURN, QUOTE] = [0x0a, 0x0d, 0x22];

/** What may stand before a quote: spaces, and at the beginning of a file the mark of UTF-8. */
const LEFT_OUT: readonly number[] = [0x20, 0xef, 0xbb, 0xbf];
