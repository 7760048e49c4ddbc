import { createReadStream } from 'node:fs';

/** Facts about the lines of an NDJSON file that decide how they can be read. */
export interface LineShapes {
  /** The deepest nesting of lists and objects in any line. */
  readonly depth: number;
  /** Whether every line that is not empty starts like an object. */
  readonly areObjects: boolean;
}

/** Scans a file byte by byte, without recursion, so that no nesting is too deep. */
export async function readLineShapes(path: string, signal: AbortSignal): Promise<LineShapes> {
  let deepest = 0;
  let areObjects = true;
  let depth = 0;
  let isInText = false;
  let isEscaped = false;
  let isAtStart = true;
  const chunks: AsyncIterable<Buffer> = createReadStream(path, { signal, highWaterMark: CHUNK_BYTES });
  for await (const chunk of chunks) {
    for (const byte of chunk) {
      if (byte === LINE_FEED) {
        depth = 0;
        isInText = false;
        isEscaped = false;
        isAtStart = true;
      } else if (isInText) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) isInText = false;
      } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
        if (isAtStart && byte === OPEN_LIST) areObjects = false;
        isAtStart = false;
        depth += 1;
        if (depth > deepest) deepest = depth;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth -= 1;
      else if (byte > SPACE) {
        if (byte === QUOTE) isInText = true;
        if (isAtStart) areObjects = false;
        isAtStart = false;
      }
    }
  }
  return { depth: deepest, areObjects };
}

const CHUNK_BYTES = 1 << 18;

const [LINE_FEED, SPACE, QUOTE, BACKSLASH] = [0x0a, 0x20, 0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
