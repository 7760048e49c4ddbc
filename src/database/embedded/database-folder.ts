import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ConfiguredFolder,
  checkWritable,
  explainFailure,
  explainFileErrors,
  readNames,
} from '../../shared/folder-access.ts';
import { DamagedFolderError, nameSome, removeClutter } from '../../shared/folder-error.ts';
import { findMissingEssentials, POSTGRESQL_VERSION } from './data-essentials.ts';
import { type DataFile, listDataFiles } from './data-files.ts';
import { type FolderLock, HOLDER_FILE, LOCK_FILE, lockFolder } from './folder-lock.ts';
import { compareWithManifest, parseManifest } from './manifest.ts';
import type { FoundData } from './open-data.ts';

// What lies in the folder of an embedded database:
//
//   data/                what PostgreSQL keeps
//   data-is-whole        the manifest of `data`, from when that was made as a whole; empty where an older version made it
//   data-is-unfinished   a first start has begun and not ended: what is there never held anything
//   lock, holder.json    the lock, and who has it
//
// A folder with anything in it and neither of the two marks is damaged, or belongs to something else.

const DATA_FOLDER = 'data';
const MANIFEST_FILE = 'data-is-whole';
const UNFINISHED_FILE = 'data-is-unfinished';

/** Where the parts of the folder of a database are. */
export function databasePaths(folder: string) {
  return {
    dataFolder: join(folder, DATA_FOLDER),
    manifestPath: join(folder, MANIFEST_FILE),
    unfinishedPath: join(folder, UNFINISHED_FILE),
  };
}

/**
 * Takes the folder of a database, which is made when it does not exist. One that is neither empty nor intact stays as it is.
 * @throws DamagedFolderError when it is damaged or belongs to something else; FolderLockedError when a process has it open;
 * FolderError when it cannot be read, written or locked.
 */
export async function takeFolder(folder: string): Promise<{ lock: FolderLock; found: FoundData | null }> {
  const names = readNames(configuredFolder(folder));
  if (names !== null) checkWritable(configuredFolder(folder));
  if (names === null || removeClutter(names).length === 0) beginFolder(folder);
  // A lock file would be one more file in a folder that may not be ours.
  else if (!names.includes(LOCK_FILE)) inspectFolder(folder);
  const lock = await lockFolder(folder);
  try {
    return { lock, found: inspectFolder(folder) };
  } catch (error) {
    await lock.abandon();
    throw error;
  }
}

/** Refuses a folder in which something was found that must not be there, or not found that must. */
export function refuseFolder(folder: string, found: string, isUnchanged = true): DamagedFolderError {
  return new DamagedFolderError(
    folder,
    found,
    { restore: RESTORE, startOver: startOver(folder) },
    isUnchanged,
  );
}

/** @returns errors of an open database that come of its folder as those of the folder, and others as they are. */
export function explainDatabaseError(folder: string, error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error);
  if (/No space left on device/.test(text)) return explainFailure(configuredFolder(folder), 'ENOSPC');
  // Each page has a checksum, which PostgreSQL looks at when it reads the page.
  const isDamaged = /invalid page in block|could not (open|read) file|could not access status of/.test(text);
  return isDamaged ? refuseFolder(folder, `PostgreSQL cannot read it: ${text.trim()}`, false) : error;
}

/** The folder of a database as people know it. */
export function configuredFolder(folder: string): ConfiguredFolder {
  return { path: folder, setting: 'BLADE_DATA_FOLDER' };
}

const RESTORE =
  'move it away and put a whole backup of it in its place. docs/operations.md says how, under "Back up and restore".';

const startOver = (folder: string) =>
  `move or delete ${folder} and, if there is one, the folder "catalog" beside it. Jobs and items are gone then.`;

function beginFolder(folder: string): void {
  explainFileErrors(configuredFolder(folder), () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, UNFINISHED_FILE), '');
  });
}

/** @returns what is in it; null if it never held data. */
function inspectFolder(folder: string): FoundData | null {
  return explainFileErrors(configuredFolder(folder), () => {
    const names = readdirSync(folder);
    if (names.includes(MANIFEST_FILE)) return inspectData(folder);
    if (names.includes(UNFINISHED_FILE)) return null;
    throw refuseFolder(folder, describeUnmarked(names));
  });
}

function describeUnmarked(names: readonly string[]): string {
  if (names.includes(DATA_FOLDER)) return `${MANIFEST_FILE} is missing`;
  const foreign = removeClutter(names).filter((name) => name !== LOCK_FILE && name !== HOLDER_FILE);
  if (foreign.length === 0) return `${DATA_FOLDER} and ${MANIFEST_FILE} are missing`;
  return `it holds no database of this program, but ${nameSome(foreign)}`;
}

function inspectData(folder: string): FoundData {
  const { dataFolder, manifestPath } = databasePaths(folder);
  if (!statSync(dataFolder, { throwIfNoEntry: false })?.isDirectory()) {
    throw refuseFolder(folder, `${DATA_FOLDER} is missing`);
  }
  const manifest = parseManifest(readFileSync(manifestPath, 'utf8'));
  if (manifest === null) throw refuseFolder(folder, `${MANIFEST_FILE} is damaged`);
  const files = listDataFiles(dataFolder);
  checkVersion(folder, files);
  const isComplete = manifest.kind === 'known';
  const problem = isComplete
    ? compareWithManifest(manifest, dataFolder, files)
    : findMissingEssentials(files);
  if (problem !== null) throw refuseFolder(folder, `in ${dataFolder}, ${problem}`);
  return { files, isComplete };
}

function checkVersion(folder: string, files: readonly DataFile[]): void {
  if (!files.some(({ kind, path }) => kind === 'file' && path === 'PG_VERSION')) return;
  const version = readFileSync(join(databasePaths(folder).dataFolder, 'PG_VERSION'), 'utf8').trim();
  if (version === POSTGRESQL_VERSION || !/^\d+$/.test(version)) return;
  throw new DamagedFolderError(
    folder,
    `PostgreSQL ${version} made it, and this version of the program has PostgreSQL ${POSTGRESQL_VERSION}`,
    {
      restore: 'start the version of the program that made it, or put back a backup that this version made.',
      startOver: startOver(folder),
    },
  );
}
