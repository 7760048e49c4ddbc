import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { POSTGRESQL_VERSION } from '../database/embedded/data-essentials.ts';
import { listDataFiles } from '../database/embedded/data-files.ts';
import { resolvePaths } from '../database/embedded/database-folder.ts';
import { formatManifest } from '../database/embedded/manifest.ts';
import { type ArchiveDescription, type ArchiveEntry, writeArchive } from '../shared/archive.ts';
import { version } from '../shared/version.ts';
import { type BackedUpFolders, COPY_NAME, isTemporary, takeSnapshot } from './snapshot.ts';

/** The folders of an archive. */
export const DATA_PATH = 'database/data';
export const MANIFEST_PATH = 'database/data-is-whole';
export const CATALOG_PATH = 'catalog';

/** An archive that is being written. */
export interface Backup {
  readonly archive: Readable;
  /** Removes what was copied for it. */
  discard(): Promise<void>;
}

/**
 * Backs up a running program.
 * @throws BackupError if there is not enough space.
 */
export async function backUpRunning(connectionString: string, folders: BackedUpFolders): Promise<Backup> {
  const snapshot = await takeSnapshot(connectionString, folders);
  const { dataFolder, catalogFolder, discard } = snapshot;
  const manifest = formatManifest(listDataFiles(dataFolder), { isClosed: false });
  return {
    archive: writeArchive(
      describe(folders),
      listEntries({ dataFolder, manifest: Buffer.from(manifest), catalogFolder }),
    ),
    discard,
  };
}

/** Backs up folders that no program has open. The caller holds the lock of the database. */
export function backUpStopped(folders: BackedUpFolders): Readable {
  const { dataFolder, manifestPath } = resolvePaths(folders.database);
  return writeArchive(
    describe(folders),
    listEntries({ dataFolder, manifest: readFileSync(manifestPath), catalogFolder: folders.catalog }),
  );
}

function describe({ catalog }: BackedUpFolders): ArchiveDescription {
  return {
    kind: 'blade-ingestion backup',
    format: 1,
    version,
    createdAt: new Date().toISOString(),
    postgresql: POSTGRESQL_VERSION,
    hasCatalog: catalog !== null,
  };
}

async function* listEntries(parts: {
  readonly dataFolder: string;
  readonly manifest: Buffer;
  readonly catalogFolder: string | null;
}): AsyncGenerator<ArchiveEntry> {
  const { dataFolder, manifest, catalogFolder } = parts;
  yield { kind: 'folder', path: DATA_PATH, mode: 0o700 };
  for (const file of listDataFiles(dataFolder)) {
    const path = `${DATA_PATH}/${file.path}`;
    if (file.kind === 'folder') yield { kind: 'folder', path, mode: 0o700 };
    if (file.kind === 'file') {
      yield {
        ...{ kind: 'file', path, mode: 0o600, size: file.size },
        content: { location: join(dataFolder, file.path) },
      };
    }
  }
  yield {
    ...{ kind: 'file', path: MANIFEST_PATH, mode: 0o600 },
    ...{ size: manifest.length, content: manifest },
  };
  if (catalogFolder !== null) yield* listTree(catalogFolder, CATALOG_PATH);
}

async function* listTree(folder: string, path: string): AsyncGenerator<ArchiveEntry> {
  const { mode } = await stat(folder);
  yield { kind: 'folder', path, mode: mode & 0o777 };
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name === COPY_NAME || isTemporary(entry.name)) continue;
    const location = join(folder, entry.name);
    const found = await stat(location);
    if (found.isDirectory()) yield* listTree(location, `${path}/${entry.name}`);
    else if (found.isFile()) {
      yield {
        ...{ kind: 'file', path: `${path}/${entry.name}`, mode: found.mode & 0o777, size: found.size },
        content: { location },
      };
    }
  }
}
