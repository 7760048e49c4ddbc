import { accessSync, constants, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** Something in the data folder of PostgreSQL, by its path in there, with forward slashes. */
export type DataFile =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly size: number }
  | { readonly kind: 'other'; readonly path: string };

/**
 * Lists what is in a data folder, without what PostgreSQL makes anew whenever it starts.
 * @throws the error of the file system, where something cannot be read or written.
 */
export function listDataFiles(dataFolder: string): DataFile[] {
  const files: DataFile[] = [];
  const list = (folder: string, prefix: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = `${prefix}${entry.name}`;
      if (isTransient(path)) continue;
      const location = join(folder, entry.name);
      if (entry.isDirectory()) {
        files.push({ kind: 'folder', path });
        list(location, `${path}/`);
      } else if (entry.isFile()) {
        accessSync(location, constants.R_OK | constants.W_OK);
        files.push({ kind: 'file', path, size: lstatSync(location).size });
      } else {
        files.push({ kind: 'other', path });
      }
    }
  };
  list(dataFolder, '');
  return files;
}

/** Whether PostgreSQL makes a file anew whenever it starts: what pg_basebackup leaves out. */
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

/** Whether PostgreSQL itself could have given a file its name: that of a relation, or of a part of a log. */
export function hasDatabaseName(path: string): boolean {
  return /\/(t?\d+(_\d+)?(_(fsm|vm|init))?(\.\d+)?|[0-9A-F]{4,24})$/.test(path);
}

/**
 * Whether a file needs a checksum of its own: it says which transactions were committed, and PostgreSQL, which checks all
 * other files that it needs, believes what is in it.
 */
export function needsChecksum(path: string): boolean {
  return /^pg_(xact|multixact)\//.test(path);
}

/** A number that changes with nearly every change of a file's content. */
export function checksumFile(dataFolder: string, path: string): number {
  return crc32(readFileSync(join(dataFolder, path)));
}
