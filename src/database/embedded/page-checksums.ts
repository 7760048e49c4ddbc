import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFile } from './data-files.ts';

/**
 * Finds a page of a table or an index whose checksum is wrong, in a database that PostgreSQL has recovered and that nobody uses.
 * PostgreSQL itself checks a page when it reads it, which may be long after it has changed the folder.
 * @param relations the files of tables and indexes; others may be of a transaction that was not committed.
 * @returns the file and the number of the page; null if there is none.
 */
export function findDamagedPage(
  dataFolder: string,
  files: readonly DataFile[],
  relations: ReadonlySet<string>,
): string | null {
  const pages = new Uint32Array((PAGES_PER_READ * PAGE_BYTES) / 4);
  const bytes = new Uint8Array(pages.buffer);
  for (const { kind, path } of files) {
    const segment = kind === 'file' ? RELATION.exec(path) : null;
    if (segment === null || !relations.has(path.replace(/\.\d+$/, ''))) continue;
    const file = openSync(join(dataFolder, path), 'r');
    try {
      let block = Number(segment[1] ?? 0) * PAGES_PER_SEGMENT;
      for (;;) {
        const count = Math.floor(readSync(file, bytes) / PAGE_BYTES);
        if (count === 0) break;
        for (let page = 0; page < count; page++, block++) {
          if (!isIntact(pages.subarray((page * PAGE_BYTES) / 4, ((page + 1) * PAGE_BYTES) / 4), block))
            return `page ${block} of ${path} is damaged`;
        }
      }
    } finally {
      closeSync(file);
    }
  }
  return null;
}

/** A file of a table or an index, and its number if there are several. The maps of free and visible pages repair themselves. */
const RELATION = /^(?:base\/\d+|global)\/\d+(?:\.(\d+))?$/;

const PAGE_BYTES = 8192;
const PAGES_PER_READ = 128;
const PAGES_PER_SEGMENT = 131_072;

/** Compares a page with its checksum. A page of zeros is a new one. */
function isIntact(page: Uint32Array, block: number): boolean {
  const header = page[CHECKSUM_WORD] ?? 0;
  const expected = header & 0xffff;
  if (expected === 0 && page.every((word) => word === 0)) return true;
  page[CHECKSUM_WORD] = header & 0xffff0000;
  return ((hash(page) ^ block) >>> 0) % 65_535 === expected - 1;
}

/** The checksum is the lower half of this word: the program runs on little-endian machines alone. */
const CHECKSUM_WORD = 2;

/** The hash of src/include/storage/checksum_impl.h in PostgreSQL: 32 of FNV-1a side by side. */
function hash(page: Uint32Array): number {
  const sums = Int32Array.from(BASE_OFFSETS);
  for (let at = 0; at < page.length + 2 * SUMS; at++) {
    const lane = at % SUMS;
    const mixed = (sums[lane] ?? 0) ^ (page[at] ?? 0);
    sums[lane] = Math.imul(mixed, FNV_PRIME) ^ (mixed >>> 17);
  }
  return sums.reduce((folded, sum) => folded ^ sum, 0);
}

const SUMS = 32;
const FNV_PRIME = 16_777_619;
const BASE_OFFSETS = [
  ...[0x5b1f36e9, 0xb8525960, 0x02ab50aa, 0x1de66d2a, 0x79ff467a, 0x9bb9f8a3, 0x217e7cd2, 0x83e13d2c],
  ...[0xf8d4474f, 0xe39eb970, 0x42c6ae16, 0x993216fa, 0x7b093b5d, 0x98daff3c, 0xf718902a, 0x0b1c9cdb],
  ...[0xe58f764b, 0x187636bc, 0x5d7b3bb1, 0xe73de7de, 0x92bec979, 0xcca6c0b2, 0x304a0979, 0x85aa43d4],
  ...[0x783125bb, 0x6ca8eaa2, 0xe407eac6, 0x4b5cfc3e, 0x9fbf8c76, 0x15ca20be, 0xf2ca9fd3, 0x959bd756],
];
