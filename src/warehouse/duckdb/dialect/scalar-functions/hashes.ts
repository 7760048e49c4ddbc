import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { BIGINT, BLOB, DOUBLE, type DuckDBBlobValue, INTEGER, VARCHAR } from '@duckdb/node-api';
import { define, type ScalarFunction } from './definition.ts';

/** Functions that hash; Murmur3 and xxHash64 as Spark calculates them. */
export const hashes: readonly ScalarFunction[] = [
  define('crc32', [BLOB], BIGINT, (value: DuckDBBlobValue) => BigInt(crc32(value.bytes))),
  define('sha2', [BLOB, INTEGER], VARCHAR, ({ bytes }: DuckDBBlobValue, bits: number) => {
    const size = bits === 0 ? 256 : bits;
    return [224, 256, 384, 512].includes(size) ? createHash(`sha${size}`).update(bytes).digest('hex') : null;
  }),
  define('murmur_int', [INTEGER, INTEGER], INTEGER, (value: number, seed: number) =>
    mixLast(mixOne(seed, value), 4),
  ),
  define('murmur_long', [BIGINT, INTEGER], INTEGER, murmurLong),
  define('murmur_double', [DOUBLE, INTEGER], INTEGER, (value: number, seed: number) =>
    murmurLong(doubleBits(value), seed),
  ),
  define('murmur_text', [VARCHAR, INTEGER], INTEGER, (text: string, seed: number) =>
    murmurBytes(Buffer.from(text), seed),
  ),
  define('murmur_bytes', [BLOB, INTEGER], INTEGER, ({ bytes }: DuckDBBlobValue, seed: number) =>
    murmurBytes(bytes, seed),
  ),
  define('xxhash_int', [INTEGER, BIGINT], BIGINT, (value: number, seed: bigint) => xxInt(value, seed)),
  define('xxhash_long', [BIGINT, BIGINT], BIGINT, (value: bigint, seed: bigint) => xxLong(value, seed)),
  define('xxhash_double', [DOUBLE, BIGINT], BIGINT, (value: number, seed: bigint) =>
    xxLong(doubleBits(value), seed),
  ),
  define('xxhash_text', [VARCHAR, BIGINT], BIGINT, (text: string, seed: bigint) =>
    xxBytes(Buffer.from(text), seed),
  ),
  define('xxhash_bytes', [BLOB, BIGINT], BIGINT, ({ bytes }: DuckDBBlobValue, seed: bigint) =>
    xxBytes(bytes, seed),
  ),
];

const rotate = (value: number, count: number) => (value << count) | (value >>> (32 - count));

function mixOne(hash: number, value: number): number {
  const mixed = Math.imul(rotate(Math.imul(value, 0xcc9e2d51), 15), 0x1b873593);
  return (Math.imul(rotate(hash ^ mixed, 13), 5) + 0xe6546b64) | 0;
}

function mixLast(hash: number, length: number): number {
  let value = hash ^ length;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) | 0;
}

function murmurLong(value: bigint, seed: number): number {
  const low = Number(BigInt.asIntN(32, value));
  const high = Number(BigInt.asIntN(32, value >> 32n));
  return mixLast(mixOne(mixOne(seed, low), high), 8);
}

function murmurBytes(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let hash = seed;
  let index = 0;
  for (; index + 4 <= bytes.length; index += 4) hash = mixOne(hash, view.getInt32(index, true));
  for (; index < bytes.length; index += 1) hash = mixOne(hash, view.getInt8(index));
  return mixLast(hash, bytes.length);
}

function doubleBits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value === 0 ? 0 : value);
  return view.getBigInt64(0);
}

const [P1, P2, P3, P4, P5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;

const u64 = (value: bigint) => BigInt.asUintN(64, value);

const rotate64 = (value: bigint, count: bigint) => u64((value << count) | (value >> (64n - count)));

function xxFinish(start: bigint): bigint {
  let hash = start;
  hash = u64((hash ^ (hash >> 33n)) * P2);
  hash = u64((hash ^ (hash >> 29n)) * P3);
  return BigInt.asIntN(64, hash ^ (hash >> 32n));
}

function xxInt(value: number, seed: bigint): bigint {
  let hash = u64(u64(seed) + P5 + 4n);
  hash = u64(hash ^ (BigInt.asUintN(32, BigInt(value)) * P1));
  return xxFinish(u64(rotate64(hash, 23n) * P2 + P3));
}

function xxLong(value: bigint, seed: bigint): bigint {
  let hash = u64(u64(seed) + P5 + 8n);
  hash = u64(hash ^ u64(rotate64(u64(u64(value) * P2), 31n) * P1));
  return xxFinish(u64(rotate64(hash, 27n) * P1 + P4));
}

function xxBytes(bytes: Uint8Array, given: bigint): bigint {
  const seed = u64(given);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length;
  let index = 0;
  let hash: bigint;
  if (length >= 32) {
    let lanes = [u64(seed + P1 + P2), u64(seed + P2), seed, u64(seed - P1)];
    for (; index + 32 <= length; index += 32)
      lanes = lanes.map((lane, place) =>
        u64(rotate64(u64(lane + u64(view.getBigUint64(index + place * 8, true) * P2)), 31n) * P1),
      );
    const [a = 0n, b = 0n, c = 0n, d = 0n] = lanes;
    hash = u64(rotate64(a, 1n) + rotate64(b, 7n) + rotate64(c, 12n) + rotate64(d, 18n));
    for (const lane of lanes) hash = u64((hash ^ u64(rotate64(u64(lane * P2), 31n) * P1)) * P1 + P4);
  } else hash = u64(seed + P5);
  hash = u64(hash + BigInt(length));
  for (; index + 8 <= length; index += 8) {
    hash = u64(hash ^ u64(rotate64(u64(view.getBigUint64(index, true) * P2), 31n) * P1));
    hash = u64(rotate64(hash, 27n) * P1 + P4);
  }
  if (index + 4 <= length) {
    hash = u64(hash ^ u64(BigInt(view.getUint32(index, true)) * P1));
    hash = u64(rotate64(hash, 23n) * P2 + P3);
    index += 4;
  }
  for (; index < length; index += 1) {
    hash = u64(hash ^ u64(BigInt(bytes[index] ?? 0) * P5));
    hash = u64(rotate64(hash, 11n) * P1);
  }
  return xxFinish(hash);
}
