import { type DuckDBType, DuckDBTypeId, type DuckDBVector } from '@duckdb/node-api';
import type { JsonValue } from '../../shared/json.ts';
import { findConverter } from './value.ts';

/** Adds the values of a column, from the row at `first` to the one before `end`. */
export type ColumnReader = (vector: DuckDBVector, first: number, end: number, values: JsonValue[]) => void;

/** Creates the reader for columns of a type, once per column, because it remembers values that occur often. */
export function createColumnReader(type: DuckDBType): ColumnReader {
  const convert = findConverter(type);
  const readEach: ColumnReader = (vector, first, end, values) => {
    for (let index = first; index < end; index += 1) {
      const value = vector.getItem(index);
      values.push(value === null ? null : convert(value));
    }
  };
  const isPlainText = type.typeId === DuckDBTypeId.VARCHAR && type.alias !== 'JSON';
  return isPlainText ? createTextReader(readEach) : readEach;
}

/** Texts of at most this many bytes stand in the vector itself, as a length of four bytes and the text. */
const INLINE_BYTES = 12;

/** Short texts that are remembered for a column; a power of two. */
const REMEMBERED = 1_024;

/** The bindings take one at the start of a text for a mark of its encoding, and cut it off. */
const BYTE_ORDER_MARK = '\u{feff}';

/** Its bytes, as the lowest ones of a word. */
const BYTE_ORDER_MARK_WORD = 0xbf_bb_ef;

/** Reads texts several times faster than the engine's bindings, which make two objects for each. */
function createTextReader(readEach: ColumnReader): ColumnReader {
  const texts: string[] = Array.from({ length: REMEMBERED }, () => '');
  const keys = new Int32Array(REMEMBERED * 4);

  return (vector, first, end, values) => {
    const data: unknown = Reflect.get(vector, 'dataView');
    if (!(data instanceof DataView) || data.byteOffset % 4 !== 0) return readEach(vector, first, end, values);
    const words = new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4);
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const valid = findValidity(vector);
    for (let index = first; index < end; index += 1) {
      if (valid !== null && ((valid[index >> 5] ?? 0) & (1 << (index & 31))) === 0) {
        values.push(null);
        continue;
      }
      const word = index * 4;
      const length = words[word] ?? 0;
      if (length > INLINE_BYTES) {
        const text = vector.getItem(index);
        const isCut = ((words[word + 1] ?? 0) & 0xff_ff_ff) === BYTE_ORDER_MARK_WORD;
        values.push(typeof text !== 'string' ? null : isCut ? `${BYTE_ORDER_MARK}${text}` : text);
        continue;
      }
      const one = words[word + 1] ?? 0;
      const two = words[word + 2] ?? 0;
      const three = words[word + 3] ?? 0;
      const hash = Math.imul(one ^ Math.imul(two, 31) ^ Math.imul(three, 961) ^ length, 0x9e3779b1) >>> 22;
      const key = hash * 4;
      if (keys[key] !== length || keys[key + 1] !== one || keys[key + 2] !== two || keys[key + 3] !== three) {
        const start = word * 4 + 4;
        texts[hash] = bytes.toString('utf8', start, start + length);
        keys[key] = length;
        keys[key + 1] = one;
        keys[key + 2] = two;
        keys[key + 3] = three;
      }
      values.push(texts[hash] ?? '');
    }
  };
}

/** Whether values of a type are lengths with bytes, as texts are. */
export function isTextType(type: DuckDBType | undefined): boolean {
  return type?.typeId === DuckDBTypeId.VARCHAR || type?.typeId === DuckDBTypeId.BLOB;
}

/** Adds the lengths of the texts of a column to the bytes of their rows. */
export function addTextBytes(vector: DuckDBVector, bytes: Float64Array): void {
  const data: unknown = Reflect.get(vector, 'dataView');
  if (!(data instanceof DataView)) throw new Error('the lengths of texts cannot be read');
  const valid = findValidity(vector);
  for (let index = 0; index < bytes.length; index += 1) {
    const isNull = valid !== null && ((valid[index >> 5] ?? 0) & (1 << (index & 31))) === 0;
    if (!isNull) bytes[index] = (bytes[index] ?? 0) + data.getUint32(index * 16, true);
  }
}

/** Returns a bit for each row, which is 0 for null; null if no row is null. */
function findValidity(vector: DuckDBVector): Int32Array | null {
  const data: unknown = Reflect.get(Object(Reflect.get(vector, 'validity')), 'data');
  return data instanceof BigUint64Array
    ? new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4)
    : null;
}
