import { createReadStream } from 'node:fs';
import { pipeline, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { throwIfAborted } from '../abort.ts';
import { WarehouseError } from '../warehouse.ts';

export interface TextRange {
  readonly signal?: AbortSignal;
  /** The first byte of the text. Default: 0. */
  readonly start?: number;
  /** The byte behind the last one. Default: the end of the text. */
  readonly end?: number;
}

/**
 * Reads the bytes of a text file, decompressed if its name ends in `.gz` or `.zst`.
 * @throws WarehouseError STATEMENT_FAILED if it cannot be decompressed; AbortError after the signal.
 */
export async function* readTextFile(
  path: string,
  { signal, start = 0, end = Number.POSITIVE_INFINITY }: TextRange = {},
): AsyncGenerator<Buffer, void, undefined> {
  if (start >= end) return;
  const compression = COMPRESSIONS.find(({ ending }) => path.toLowerCase().endsWith(ending));
  if (compression === undefined) {
    yield* createReadStream(path, { start, end: end - 1, highWaterMark: CHUNK_BYTES, signal });
    return;
  }
  let offset = 0;
  try {
    for await (const chunk of decompress(path, compression, signal)) {
      const from = Math.max(start - offset, 0);
      const piece = chunk.subarray(from, Math.max(end - offset, from));
      if (piece.length > 0) yield piece;
      offset += chunk.length;
      if (offset >= end) return;
    }
  } catch (error) {
    if (signal !== undefined) throwIfAborted(signal);
    if (!isDamage(error)) throw error;
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `The file is not whole: it cannot be decompressed as ${compression.name}.`,
      { cause: error },
    );
  }
}

interface Compression {
  readonly ending: string;
  readonly name: string;
  readonly create: () => Transform;
}

const CHUNK_BYTES = 1 << 18;

const COMPRESSIONS: readonly Compression[] = [
  { ending: '.gz', name: 'gzip', create: () => createGunzip({ chunkSize: CHUNK_BYTES }) },
  { ending: '.zst', name: 'Zstandard', create: () => createZstdDecompress({ chunkSize: CHUNK_BYTES }) },
];

function decompress(
  path: string,
  { create }: Compression,
  signal: AbortSignal | undefined,
): AsyncIterable<Buffer> {
  const source = createReadStream(path, { highWaterMark: CHUNK_BYTES, signal });
  // Its errors come out of the last stream.
  return pipeline(source, create(), () => {});
}

function isDamage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^Z_|^ZSTD_/.test(String(error.code));
}
