import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Whether an error, or one that caused it, says that a disk or a disk quota is full. */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && isFullCode(cause.code)) return true;
    // What a catalog answered may be about its own disk.
    if (cause.name !== 'CatalogError' && FULL_MESSAGE.test(cause.message)) return true;
  }
  return false;
}

/** Whether the code of an error is one for a full disk. */
export function isFullCode(code: unknown): boolean {
  return FULL_CODES.has(code);
}

/** Returns how many bytes this user can write to the disk of a folder, which may not exist yet; null if that is unknown. */
export async function findFreeBytes(folder: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    const parent = dirname(folder);
    return parent === folder ? null : findFreeBytes(parent);
  }
}

/** The codes of the file system, and that of PostgreSQL. */
const FULL_CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', '53100']);
/** Errors of threads, DuckDB and Prisma have no code, or another one. */
const FULL_MESSAGE = /: (No space left on device|Disk quota exceeded)`?$/im;
