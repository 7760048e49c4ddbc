import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { throwIfAborted } from '../abort.ts';
import { WarehouseError } from '../warehouse.ts';
import type { FoundTable } from './table-files.ts';

/**
 * Hashes what files hold. Their sizes and times would not prove that it is the same: both can be set back, and a clock can
 * show the same time twice.
 * @throws WarehouseError CHANGED if a file was deleted meanwhile; AbortError after the signal.
 */
export async function hashContents(tables: readonly FoundTable[], signal: AbortSignal): Promise<string> {
  const hashes: unknown[] = [];
  for (const { path, label } of tables.flatMap(({ files }) => files))
    hashes.push([label, await hashFile(path, label, signal)]);
  return JSON.stringify(hashes);
}

async function hashFile(path: string, label: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES, signal }))
      hash.update(chunk);
  } catch (error) {
    throwIfAborted(signal);
    throw new WarehouseError('CHANGED', `${label} was deleted while it was read.`, { cause: error });
  }
  return hash.digest('base64url');
}

const CHUNK_BYTES = 1_048_576;
