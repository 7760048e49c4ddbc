import { createWriteStream } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { POSTGRESQL_VERSION } from '../database/embedded/data-essentials.ts';
import { type ArchiveDescription, ArchiveError, readArchive } from '../shared/archive.ts';
import { type ConfiguredFolder, checkWritable, readNames, toFolderError } from '../shared/folder-access.ts';
import { nameSome, removeClutter } from '../shared/folder-error.ts';
import { syncFolder } from '../shared/sync-folder.ts';
import { CATALOG_PATH } from './backup.ts';
import { BackupError } from './backup-error.ts';

/** In the folder that a backup is restored into: what has been written so far. */
export const RESTORE_FOLDER = 'restore-is-unfinished';

/** Where a backup is restored to. */
export interface RestoreTargets {
  readonly dataFolder: ConfiguredFolder;
  /** The folder of the embedded database, in the data folder. */
  readonly databaseFolder: string;
  /** Null if the configuration names a catalog service. */
  readonly catalogFolder: ConfiguredFolder | null;
}

/**
 * Restores a backup into folders that are empty or do not exist. Everything is written beside its place and checked first,
 * and the database takes its place last. Until then, the program refuses to start there.
 * @throws an error of the file system if the file cannot be opened; BackupError if the folders are not empty, or the file is not a whole backup; FolderError if a folder cannot be
 * written. Nothing is left behind then.
 */
export async function restoreBackup(
  file: string,
  { dataFolder, databaseFolder, catalogFolder }: RestoreTargets,
): Promise<ArchiveDescription> {
  const folders = catalogFolder === null ? [dataFolder] : [dataFolder, catalogFolder];
  for (const folder of folders) checkEmpty(folder);
  const archive = await open(file);
  const written: string[] = [];
  const created: string[] = [];
  const databaseStage = join(dataFolder.path, RESTORE_FOLDER);
  const catalogStage = catalogFolder === null ? null : join(catalogFolder.path, RESTORE_FOLDER);
  try {
    for (const { path } of folders) {
      const first = await mkdir(path, { recursive: true, mode: 0o700 });
      if (first !== undefined) created.push(...listPaths(first, path));
    }
    for (const stage of new Set([databaseStage, catalogStage ?? databaseStage])) {
      // Fails if another process restores here.
      await mkdir(stage, { mode: 0o700 });
      written.push(stage);
    }
    const description = await extract(archive.createReadStream(), {
      database: databaseStage,
      catalog: catalogStage,
    });
    if (catalogFolder !== null && catalogStage !== null) {
      await moveContent(join(catalogStage, CATALOG_PATH), catalogFolder.path, written);
      if (catalogStage !== databaseStage) await rm(catalogStage, { recursive: true });
    }
    await rename(join(databaseStage, 'database'), databaseFolder);
    await rm(databaseStage, { recursive: true });
    syncFolder(dataFolder.path);
    return description;
  } catch (error) {
    for (const path of written) await rm(path, { recursive: true, force: true }).catch(() => {});
    for (const path of created.toReversed()) await rmdir(path).catch(() => {});
    if (error instanceof ArchiveError) throw new BackupError(`${file} was not restored: ${error.message}`);
    throw toFolderError(dataFolder, error);
  } finally {
    await archive.close().catch(() => {});
  }
}

function checkEmpty(folder: ConfiguredFolder): void {
  const names = readNames(folder);
  if (names === null) return;
  checkWritable(folder);
  const found = removeClutter(names);
  if (found.length === 0) return;
  throw new BackupError(
    found.includes(RESTORE_FOLDER)
      ? `a restore into ${folder.path} runs, or has not ended: delete what is in that folder and restore again`
      : `${folder.path} is not empty: it holds ${nameSome(found)}. Move that away, or set ${folder.setting} to an empty folder`,
  );
}

/** Lists the folders from one to another one in it. */
function listPaths(first: string, last: string): string[] {
  const paths = [last];
  for (let path = last; path !== first && relative(first, path) !== ''; ) {
    path = dirname(path);
    paths.unshift(path);
  }
  return paths;
}

/** Writes what is in an archive into the stages of its parts. */
async function extract(
  archive: Readable,
  stages: { readonly database: string; readonly catalog: string | null },
): Promise<ArchiveDescription> {
  const toLocation = (path: string) => {
    const isCatalog = path === CATALOG_PATH || path.startsWith(`${CATALOG_PATH}/`);
    const stage = isCatalog ? stages.catalog : stages.database;
    if (stage === null || !(isCatalog || /^database\/data(-is-whole$|$|\/)/.test(path))) {
      throw new ArchiveError('it holds something that no backup holds');
    }
    return join(stage, path);
  };
  const modes = new Map<string, number>();
  const description = await readArchive(archive, {
    describe({ postgresql, hasCatalog }) {
      if (postgresql !== POSTGRESQL_VERSION) {
        throw new ArchiveError(
          `PostgreSQL ${postgresql} wrote it, and this version of the program has PostgreSQL ${POSTGRESQL_VERSION}. Restore it with the version of the program that wrote it`,
        );
      }
      if (hasCatalog && stages.catalog === null) {
        throw new ArchiveError('it holds the folder of a catalog, and CATALOG_URL is set. Unset that');
      }
    },
    async folder(path, mode) {
      const location = toLocation(path);
      await mkdir(location, { recursive: true, mode: 0o700 });
      modes.set(location, mode);
    },
    async file(path, mode, content: Readable) {
      const location = toLocation(path);
      await mkdir(dirname(location), { recursive: true, mode: 0o700 });
      await pipeline(content, createWriteStream(location, { flags: 'wx', mode, flush: true }));
    },
  });
  for (const [location, mode] of modes) {
    syncFolder(location);
    await chmod(location, mode);
  }
  return description;
}

/** Moves what is in a folder into an empty one, which may be a mount point. */
async function moveContent(from: string, to: string, written: string[]): Promise<void> {
  const names = await readdir(from).catch(() => []);
  // Files come last: without the one that lists its uploads, a catalog is refused.
  const entries = names.sort((one, other) => Number(one.includes('.')) - Number(other.includes('.')));
  for (const name of entries) {
    written.push(join(to, name));
    await rename(join(from, name), join(to, name));
  }
  syncFolder(to);
}
