import { isUtf8 } from 'node:buffer';

/**
 * Creates a decoder for the texts of a column. A byte that is not UTF-8 becomes half a surrogate pair (U+DC00 and the byte),
 * which nothing stores: its row is refused, where U+FFFD would make two texts one.
 * @param offsets where each text starts, and where the last one ends.
 */
export function createTextDecoder(bytes: Buffer, offsets: ArrayLike<number>): (index: number) => string {
  const last = offsets.length - 1;
  const isWhole = isUtf8(bytes.subarray(offsets[0] ?? 0, offsets[last] ?? 0));
  // A column can be valid although its texts are not, if one ends within a character.
  const isBoundary = (offset: number) => ((bytes[offset] ?? 0) & 0xc0) !== 0x80;
  return (index) => {
    const start = offsets[index] ?? 0;
    const end = offsets[index + 1] ?? 0;
    const isValid =
      start === end || (isWhole ? isBoundary(start) && isBoundary(end) : isUtf8(bytes.subarray(start, end)));
    return isValid ? bytes.toString('utf8', start, end) : decodeInvalid(bytes.subarray(start, end));
  };
}

function decodeInvalid(bytes: Buffer): string {
  let text = '';
  for (let start = 0; start < bytes.length; ) {
    const length = CHARACTER_LENGTHS.find((count) => isUtf8(bytes.subarray(start, start + count)));
    text +=
      length === undefined
        ? String.fromCharCode(0xdc00 + (bytes[start] ?? 0))
        : bytes.toString('utf8', start, start + length);
    start += length ?? 1;
  }
  return text;
}

const CHARACTER_LENGTHS = [1, 2, 3, 4];
