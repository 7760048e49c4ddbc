// Parameters in PostgreSQL's binary format for arrays (array_recv in src/backend/utils/adt/arrayfuncs.c). In the text format,
// escaping and unescaping every quote in the JSON of a batch cost as much as everything else done with a row.

/** Encodes a `text[]` parameter. */
export function encodeTextArray(values: readonly (string | null)[]): Buffer {
  return encodeArray(values, TEXT, NO_PREFIX);
}

/** Encodes a `jsonb[]` parameter from JSON texts. */
export function encodeJsonbArray(texts: readonly (string | null)[]): Buffer {
  return encodeArray(texts, JSONB, JSONB_VERSION);
}

// Object ids of PostgreSQL's built-in types never change.
const TEXT = 25;
const JSONB = 3802;

const NO_PREFIX = Buffer.alloc(0);
const JSONB_VERSION = Buffer.from([1]);

function encodeArray(values: readonly (string | null)[], elementType: number, prefix: Buffer): Buffer {
  const dimensions = values.length === 0 ? 0 : 1;
  let size = 12 + dimensions * 8;
  for (const value of values) size += 4 + (value === null ? 0 : prefix.length + Buffer.byteLength(value));
  const array = Buffer.allocUnsafe(size);
  let end = array.writeInt32BE(dimensions, 0);
  end = array.writeInt32BE(values.includes(null) ? 1 : 0, end);
  end = array.writeInt32BE(elementType, end);
  if (dimensions === 0) return array;
  end = array.writeInt32BE(values.length, end);
  end = array.writeInt32BE(FIRST_INDEX, end);
  for (const value of values) {
    const start = end + 4;
    if (value === null) {
      end = array.writeInt32BE(-1, end);
      continue;
    }
    end = start + prefix.copy(array, start);
    end += array.write(value, end);
    array.writeInt32BE(end - start, start - 4);
  }
  return array;
}

const FIRST_INDEX = 1;
