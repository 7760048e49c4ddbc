/** A hash of 64 bits, as two words without a sign. */
export interface TextHash {
  readonly high: number;
  readonly low: number;
}

/**
 * Hashes a text like PostgreSQL's `hashtextextended(text, 0)`, so that stored ids can be compared with the hashes of those that
 * were read: Bob Jenkins' lookup3 over the bytes in UTF-8.
 */
export function hashText(text: string): TextHash {
  const length = writeBytes(text);
  let a = (0x9e3779b9 + length + 3_923_095) | 0;
  let b = a;
  let c = a;
  let at = 0;
  for (; length - at >= 12; at += 12) {
    a = (a + readWord(at, 4)) | 0;
    b = (b + readWord(at + 4, 4)) | 0;
    c = (c + readWord(at + 8, 4)) | 0;
    a = ((a - c) | 0) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = ((a - c) | 0) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 4);
    b = (b + a) | 0;
  }
  const rest = length - at;
  a = (a + readWord(at, Math.min(rest, 4))) | 0;
  b = (b + readWord(at + 4, Math.min(rest - 4, 4))) | 0;
  // The lowest byte belongs to the length.
  c = (c + (readWord(at + 8, rest - 8) << 8)) | 0;
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  c = ((c ^ b) - rotate(b, 24)) | 0;
  return { high: b >>> 0, low: c >>> 0 };
}

/** Ids have at most 512 UTF-16 code units, of up to 3 bytes each; longer texts replace it. */
let bytes = Buffer.allocUnsafe(2_048);

function writeBytes(text: string): number {
  if (text.length * 3 > bytes.length) bytes = Buffer.allocUnsafe(text.length * 3);
  return bytes.write(text);
}

/** Reads up to 4 bytes as one word, the lowest first; 0 for none. */
function readWord(at: number, count: number): number {
  if (count >= 4) return bytes.readInt32LE(at);
  let word = 0;
  for (let index = 0; index < count; index += 1) word |= (bytes[at + index] ?? 0) << (index * 8);
  return word;
}

function rotate(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count));
}
