import { constants, type Stats } from 'node:fs';
import { copyFile, link, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findMissingSegments } from '../catalog/folder/folder-check.ts';
import { createClient } from '../database/connection.ts';
import { type DataFile, listDataFiles } from '../database/embedded/data-files.ts';
import { resolvePaths } from '../database/embedded/database-folder.ts';
import { isFileError } from '../shared/file-error.ts';
import { findFreeBytes } from '../shared/full-disk.ts';
import { BackupError } from './backup-error.ts';

/** The folders that a backup holds. */
export interface BackedUpFolders {
  /** The folder of the embedded database. */
  readonly database: string;
  /** The folder of the catalog; null for a catalog service, which keeps its own backups. */
  readonly catalog: string | null;
}

/** Copies of the data folder of PostgreSQL and of the catalog, at one moment. */
export interface Snapshot {
  readonly dataFolder: string;
  readonly catalogFolder: string | null;
  discard(): Promise<void>;
}

/** The name of a copy, in the folder that it is made of; with a dot, so that no catalog takes it for a data type. */
export const COPY_NAME = '.backup-in-progress';

/**
 * Copies the folders of a running program. Most is copied while the database works. It waits only while what has changed
 * meanwhile is copied, and the catalog is linked: then nothing can be marked as uploaded that the copy of the catalog lacks.
 * @throws BackupError if there is not enough space.
 */
export async function takeSnapshot(connectionString: string, folders: BackedUpFolders): Promise<Snapshot> {
  const { dataFolder } = resolvePaths(folders.database);
  const copy = join(folders.database, COPY_NAME);
  const catalogCopy = folders.catalog === null ? null : join(folders.catalog, COPY_NAME);
  await discardCopies(folders);
  await checkSpace(folders.database, dataFolder);
  try {
    const copied = await copyData(dataFolder, copy, new Map());
    await withIdleDatabase(connectionString, async () => {
      await copyData(dataFolder, copy, copied);
      if (folders.catalog !== null && catalogCopy !== null) await copyCatalog(folders.catalog, catalogCopy);
    });
  } catch (error) {
    await discardCopies(folders);
    throw error;
  }
  return { dataFolder: copy, catalogFolder: catalogCopy, discard: () => discardCopies(folders) };
}

/** Removes copies, which a killed program may have left. */
export async function discardCopies({ database, catalog }: BackedUpFolders): Promise<void> {
  for (const folder of catalog === null ? [database] : [database, catalog]) {
    await rm(join(folder, COPY_NAME), { recursive: true, force: true });
  }
}

async function checkSpace(folder: string, dataFolder: string): Promise<void> {
  const needed = (await listLiveFiles(dataFolder)).reduce(
    (sum, file) => sum + (file.kind === 'file' ? file.size : 0),
    SPARE_BYTES,
  );
  const free = await findFreeBytes(folder);
  if (free !== null && free < needed) {
    throw new BackupError(
      `the database is copied first, which needs ${toMegabytes(needed)} MB on its disk, and that has ${toMegabytes(free)} MB left: free some space, or stop the server and back up then`,
    );
  }
}

const toMegabytes = (bytes: number) => Math.ceil(bytes / 1_000_000);

/** What the program may write in the meantime. */
const SPARE_BYTES = 64 * 1_048_576;

/** Keeps all other clients of the embedded database waiting while work runs: they share one session with this transaction. */
async function withIdleDatabase(connectionString: string, work: () => Promise<void>): Promise<void> {
  const client = createClient(connectionString);
  client.on('error', () => {}); // A pending query rejects by itself.
  await client.connect();
  try {
    await client.query('begin');
    // All changes are in the files of tables then, so that opening the copy has nothing to recover.
    await client.query('checkpoint');
    await work();
  } finally {
    await client.query('rollback').catch(() => {});
    await client.end();
  }
}

/** How a file was when it was copied. */
type CopiedFile = Pick<Stats, 'size' | 'mtimeMs'>;

/**
 * Makes a copy equal to the data folder.
 * @param copied what an earlier call has copied; files that are still the same are left out.
 */
async function copyData(
  from: string,
  to: string,
  copied: ReadonlyMap<string, CopiedFile>,
): Promise<Map<string, CopiedFile>> {
  const startedAt = Date.now();
  const isFirst = copied.size === 0;
  const current = new Map<string, CopiedFile>();
  await mkdir(to, { recursive: true, mode: 0o700 });
  const files = isFirst ? await listLiveFiles(from) : listDataFiles(from);
  if (!isFirst) {
    const present = new Set(files.map(({ path }) => path));
    for (const path of copied.keys()) if (!present.has(path)) await rm(join(to, path), { force: true });
  }
  for (const { kind, path } of files) {
    if (kind === 'folder') await mkdir(join(to, path), { recursive: true, mode: 0o700 });
    if (kind !== 'file') continue;
    try {
      const { size, mtimeMs } = await stat(join(from, path));
      const before = copied.get(path);
      if (before === undefined || before.size !== size || before.mtimeMs !== mtimeMs) {
        await mkdir(dirname(join(to, path)), { recursive: true, mode: 0o700 });
        await copyFile(join(from, path), join(to, path), constants.COPYFILE_FICLONE);
      }
      // Within the resolution of the clock, a later write leaves the same time.
      if (mtimeMs < startedAt - CLOCK_RESOLUTION_MS) current.set(path, { size, mtimeMs });
      else current.set(path, { size: -1, mtimeMs });
    } catch (error) {
      // While the database works, it removes files.
      if (!isFirst || !isFileError(error) || error.code !== 'ENOENT') throw error;
    }
  }
  return current;
}

/** Lists the files of a database that may remove some meanwhile. */
async function listLiveFiles(folder: string): Promise<readonly DataFile[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return listDataFiles(folder);
    } catch (error) {
      const isGone = isFileError(error) && error.code === 'ENOENT';
      if (!isGone || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

const CLOCK_RESOLUTION_MS = 2_000;

/** Copies a catalog by links to its segments, which are only ever replaced. Another process may upload meanwhile. */
async function copyCatalog(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await rm(to, { recursive: true, force: true });
    await copyTree(from, to, true);
    const missing = await findMissingSegments(to);
    if (missing.length === 0) return;
    if (attempt === MAX_ATTEMPTS)
      throw new BackupError('files of the catalog are missing, or change too fast');
  }
}

const MAX_ATTEMPTS = 5;

async function copyTree(from: string, to: string, isTop: boolean): Promise<void> {
  const entries = await readdir(from, { withFileTypes: true }).catch((error: unknown) => {
    if (isTop && isFileError(error) && error.code === 'ENOENT') return [];
    throw error;
  });
  await mkdir(to, { recursive: true, mode: 0o700 });
  // Files at the top are written in place. They come first, because they name segments, which are written before.
  entries.sort((one, other) => Number(one.isDirectory()) - Number(other.isDirectory()));
  for (const entry of entries) {
    if (entry.name === COPY_NAME || isTemporary(entry.name)) continue;
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    try {
      if (entry.isDirectory()) await copyTree(source, target, false);
      else if (isTop) await copyFile(source, target);
      else await link(source, target).catch(() => copyFile(source, target));
    } catch (error) {
      // Replaced by a later upload; what is missing then is noticed.
      if (!isFileError(error) || error.code !== 'ENOENT') throw error;
    }
  }
}

/** Whether a file is a segment that is being written, or that a killed process left. */
export function isTemporary(name: string): boolean {
  return /^\..*\.tmp$/.test(name);
}
