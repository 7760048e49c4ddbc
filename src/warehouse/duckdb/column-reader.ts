import { type DuckDBType, DuckDBTypeId, type DuckDBVector } from '@duckdb/node-api';
import dataAccessors from '@duckdb/node-api/lib/vectors/dataAccessors.js';
import type { JsonValue } from '../../shared/json.ts';
import { createUnreadableValue } from '../value.ts';
import { findConverter } from './value.ts';

/** Adds the values of a column, from the row at `first` to the one before `end`. */
export type ColumnReader = (vector: DuckDBVector, first: number, end: number, values: JsonValue[]) => void;

/**
 * Creates the reader for columns of a type, once per column, because it remembers values that occur often. A value that
 * cannot be converted costs only its row: see `createUnreadableValue`.
 */
export function createColumnReader(type: DuckDBType): ColumnReader {
  const read = createFailingReader(type);
  return (vector, first, end, values) => {
    const start = values.length;
    try {
      read(vector, first, end, values);
    } catch {
      values.length = start;
      for (let index = first; index < end; index += 1) readOne(read, vector, index, values);
    }
  };
}

function readOne(read: ColumnReader, vector: DuckDBVector, index: number, values: JsonValue[]): void {
  const start = values.length;
  try {
    read(vector, index, index + 1, values);
  } catch (error) {
    values.length = start;
    values.push(createUnreadableValue(error));
  }
}

function createFailingReader(type: DuckDBType): ColumnReader {
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

// The bindings would take U+FEFF at the start of a text, at any depth, for a mark of its encoding, and cut it off.
Reflect.set(dataAccessors, 'textDecoder', new TextDecoder('utf-8', { ignoreBOM: true }));

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
        values.push(typeof text === 'string' ? text : null);
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
