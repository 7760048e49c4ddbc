import { hash, randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BladeItem, toCatalogId } from '../../data-types/blade-item.ts';
import { isObject } from '../../shared/json.ts';
import type { CatalogLookup, HeldState } from '../catalog.ts';
import { createDigestTable, type DigestTable } from './digest-table.ts';
import { exists, syncFolder } from './file-system.ts';
import { appendUploads, readLines, readPresentUploads, toSegmentPath, type UploadEntry } from './files.ts';

/**
 * Reads the items of one data type in a folder, to compare them with what it should hold. Memory holds some 50 bytes an item.
 * Lines that are no items are removed from their segments: they are damaged, and nobody could read past them. Uploads whose
 * segments are missing are listed as empty.
 */
export async function openFolderLookup(
  folder: string,
  dataType: string,
  signal: AbortSignal,
): Promise<CatalogLookup> {
  const digests = createDigestTable();
  const broken: UploadEntry[] = [];
  for (const entry of await readPresentUploads(folder)) {
    if (!entry.dataTypes.includes(dataType)) continue;
    signal.throwIfAborted();
    const path = toSegmentPath(folder, dataType, entry.key);
    if (await exists(path)) await readSegment(path, dataType, digests, signal);
    else broken.push({ key: entry.key, dataTypes: entry.dataTypes.filter((name) => name !== dataType) });
  }
  await appendUploads(folder, broken);
  return {
    compare: async (items) => items.map((item) => compare(item, digests)),
    close: async () => {},
  };
}

async function readSegment(
  path: string,
  dataType: string,
  digests: DigestTable,
  signal: AbortSignal,
): Promise<void> {
  let damagedLines = 0;
  for await (const line of readLines(path)) {
    signal.throwIfAborted();
    const item = parseItem(line, dataType);
    if (item === null) damagedLines++;
    else digests.set(digest(item.itemId), digestItem(item));
  }
  if (damagedLines > 0) await removeDamagedLines(path, dataType);
}

async function removeDamagedLines(path: string, dataType: string): Promise<void> {
  const temporaryPath = join(dirname(path), `.${randomUUID()}.tmp`);
  try {
    const file = await open(temporaryPath, 'wx');
    try {
      for await (const line of readLines(path)) {
        if (parseItem(line, dataType) !== null) await file.appendFile(`${line}\n`);
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporaryPath, path);
  } finally {
    await rm(temporaryPath, { force: true });
  }
  await syncFolder(dirname(path));
}

/** What a line says of its item. */
type ItemFacts = Record<(typeof FACTS)[number], unknown> & { readonly itemId: string };

const FACTS = ['classificationMarking', 'contentHash', 'data', 'metadata'] as const;

function parseItem(line: string, dataType: string): ItemFacts | null {
  try {
    const value: unknown = JSON.parse(line);
    if (!isObject(value)) return null;
    const { catalogId, dataType: stated, itemId, classificationMarking, contentHash, data, metadata } = value;
    if (typeof itemId !== 'string' || stated !== dataType || catalogId !== toCatalogId(dataType, itemId)) {
      return null;
    }
    return { itemId, classificationMarking, contentHash, data, metadata };
  } catch {
    return null;
  }
}

function compare(item: BladeItem, digests: DigestTable): HeldState {
  const held = digests.get(digest(item.itemId));
  if (held === 0n) return 'MISSING';
  const { itemId, classificationMarking, contentHash, data, metadata } = item;
  const expected = { itemId, classificationMarking, contentHash, data: JSON.parse(data) };
  return held === digestItem({ ...expected, metadata: JSON.parse(metadata) }) ? 'HELD' : 'DIFFERENT';
}

/** Digests what an item consists of, whatever the order of keys and the white space in which it is written. */
function digestItem(item: ItemFacts): bigint {
  const text = JSON.stringify(
    FACTS.map((fact) => item[fact]),
    sortKeys,
  );
  return digest(text) || 1n;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

function digest(text: string): bigint {
  return hash('sha256', text, 'buffer').readBigUInt64LE(0);
}
