import type { JsonValue } from '../../shared/json.ts';
import {
  formatDate,
  formatDecimal,
  formatTimestamp,
  isExactNumber,
  setKey,
  toFloatValue,
  toIntegerValue,
  toNumberValue,
} from '../value.ts';

/**
 * Converts a VARIANT from its binary form (the specification is in the Parquet format's VariantEncoding.md) to what its JSON
 * text says, as Databricks sends it.
 * @throws RangeError if the bytes are cut off; Error for a kind of value that Spark 4 does not write.
 */
export function parseVariant(value: Buffer, metadata: Buffer): JsonValue {
  return readValue(value, 0, readKeys(metadata));
}

/** The kinds of values, in the lowest two bits. */
const SHORT_TEXT = 1;
const OBJECT = 2;
const ARRAY = 3;

function readKeys(metadata: Buffer): readonly string[] {
  const size = (metadata.readUInt8(0) >> 6) + 1;
  const count = metadata.readUIntLE(1, size);
  const offsets = 1 + size;
  const start = offsets + (count + 1) * size;
  const at = (index: number) => start + metadata.readUIntLE(offsets + index * size, size);
  return Array.from({ length: count }, (_none, index) => metadata.toString('utf8', at(index), at(index + 1)));
}

function readValue(bytes: Buffer, position: number, keys: readonly string[]): JsonValue {
  const head = bytes.readUInt8(position);
  const info = head >> 2;
  switch (head & 3) {
    case SHORT_TEXT:
      return readText(bytes, position + 1, info);
    case OBJECT:
      return readObject(bytes, position + 1, info, keys);
    case ARRAY:
      return readArray(bytes, position + 1, info, keys);
    default:
      return readPrimitive(bytes, position + 1, info);
  }
}

function readObject(bytes: Buffer, position: number, info: number, keys: readonly string[]): JsonValue {
  const offsetSize = (info & 3) + 1;
  const idSize = ((info >> 2) & 3) + 1;
  const countSize = (info & 16) === 0 ? 1 : 4;
  const count = bytes.readUIntLE(position, countSize);
  const ids = position + countSize;
  const offsets = ids + count * idSize;
  const values = offsets + (count + 1) * offsetSize;
  const object: Record<string, JsonValue> = {};
  for (let index = 0; index < count; index += 1) {
    const key = keys[bytes.readUIntLE(ids + index * idSize, idSize)];
    if (key === undefined) throw new RangeError('the VARIANT has a key that it does not name');
    const offset = bytes.readUIntLE(offsets + index * offsetSize, offsetSize);
    setKey(object, key, readValue(bytes, values + offset, keys));
  }
  return object;
}

function readArray(bytes: Buffer, position: number, info: number, keys: readonly string[]): JsonValue {
  const offsetSize = (info & 3) + 1;
  const countSize = (info & 4) === 0 ? 1 : 4;
  const count = bytes.readUIntLE(position, countSize);
  const offsets = position + countSize;
  const values = offsets + (count + 1) * offsetSize;
  return Array.from({ length: count }, (_none, index) =>
    readValue(bytes, values + bytes.readUIntLE(offsets + index * offsetSize, offsetSize), keys),
  );
}

function readText(bytes: Buffer, start: number, length: number): string {
  return bytes.subarray(start, start + length).toString('utf8');
}

function readPrimitive(bytes: Buffer, position: number, type: number): JsonValue {
  switch (type) {
    case 0:
      return null;
    case 1:
      return true;
    case 2:
      return false;
    case 3:
      return bytes.readInt8(position);
    case 4:
      return bytes.readInt16LE(position);
    case 5:
      return bytes.readInt32LE(position);
    case 6:
      return toIntegerValue(bytes.readBigInt64LE(position));
    case 7:
      return toNumberValue(bytes.readDoubleLE(position));
    case 8:
      return toDecimal(BigInt(bytes.readInt32LE(position + 1)), bytes.readUInt8(position));
    case 9:
      return toDecimal(bytes.readBigInt64LE(position + 1), bytes.readUInt8(position));
    case 10: {
      const low = bytes.readBigUInt64LE(position + 1);
      const high = bytes.readBigInt64LE(position + 9);
      return toDecimal((high << 64n) | low, bytes.readUInt8(position));
    }
    case 11:
      return formatDate(bytes.readInt32LE(position)) ?? String(bytes.readInt32LE(position));
    case 12:
      return `${toTime(bytes.readBigInt64LE(position))}+00:00`;
    case 13:
      return toTime(bytes.readBigInt64LE(position));
    case 14:
      return toFloatValue(bytes.readFloatLE(position));
    case 15: {
      const start = position + 4;
      return bytes.toString('base64', start, start + bytes.readUInt32LE(position));
    }
    case 16:
      return readText(bytes, position + 4, bytes.readUInt32LE(position));
    default:
      throw new Error(`a VARIANT of type ${type} cannot be read: read it as TO_JSON(…)`);
  }
}

/** JSON has no trailing zeros of a decimal, and a number only if JavaScript holds it. */
function toDecimal(unscaled: bigint, scale: number): number | string {
  const text = formatDecimal(unscaled, scale);
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return isExactNumber(short) ? Number(short) : short;
}

/** A time as it is written in the JSON of a VARIANT. */
function toTime(microseconds: bigint): string {
  return formatTimestamp(microseconds)?.replace('T', ' ') ?? microseconds.toString();
}
