import { accessSync, closeSync, constants, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** A file or folder in the data folder of PostgreSQL. Its path is relative to that, with forward slashes. */
export type DataFile =
  | { readonly kind: 'folder'; readonly path: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly size: number;
      /** When it was last written, in milliseconds since 1970. */
      readonly writtenAt: number;
    }
  | { readonly kind: 'other'; readonly path: string };

/**
 * Lists the content of a data folder, except what PostgreSQL creates at each start.
 * @throws the error of the file system if something cannot be read or written.
 */
export function listDataFiles(dataFolder: string): DataFile[] {
  const files: DataFile[] = [];
  const list = (folder: string, prefix: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = `${prefix}${entry.name}`;
      if (isTransient(path)) continue;
      const location = join(folder, entry.name);
      if (entry.isDirectory()) {
        accessSync(location, constants.R_OK | constants.W_OK | constants.X_OK);
        files.push({ kind: 'folder', path });
        list(location, `${path}/`);
      } else if (entry.isFile()) {
        accessSync(location, constants.R_OK | constants.W_OK);
        const { size, mtimeMs } = lstatSync(location);
        files.push({ kind: 'file', path, size, writtenAt: mtimeMs });
      } else {
        files.push({ kind: 'other', path });
      }
    }
  };
  list(dataFolder, '');
  return files;
}

/** Whether PostgreSQL creates a file at each start; pg_basebackup leaves the same files out. */
export function isTransient(path: string): boolean {
  return (
    /^(pg_dynshmem|pg_notify|pg_replslot|pg_serial|pg_snapshots|pg_stat_tmp|pg_subtrans)\/./.test(path) ||
    /^postmaster\.(pid|opts)$|(^|\/)(pg_internal\.init|pgsql_tmp)/.test(path)
  );
}

/** Whether people may edit a file. */
export function isEditable(path: string): boolean {
  return path.endsWith('.conf');
}

/** Whether PostgreSQL could have named a file: it is a relation, or a part of a log. */
export function hasDatabaseName(path: string): boolean {
  return /\/(t?\d+(_\d+)?(_(fsm|vm|init))?(\.\d+)?|[0-9A-F]{4,24})$/.test(path);
}

/** Computes the checksum of a file's content. */
export function checksumFile(dataFolder: string, path: string): number {
  const file = openSync(join(dataFolder, path), 'r');
  try {
    const part = Buffer.allocUnsafe(PART_BYTES);
    let checksum = 0;
    for (;;) {
      const length = readSync(file, part);
      if (length === 0) return checksum;
      checksum = crc32(part.subarray(0, length), checksum);
    }
  } finally {
    closeSync(file);
  }
}

/** A file of a table may have a gigabyte. */
const PART_BYTES = 1_048_576;
