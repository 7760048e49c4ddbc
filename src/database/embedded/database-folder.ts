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

// The folder of an embedded database contains:
//
//   data/                the data folder of PostgreSQL
//   data-is-whole        the manifest of `data`, once that is complete; empty if an older version created it
//   data-is-unfinished   a first start has begun but not ended, so there is no data yet
//   lock, holder.json    the lock, and who holds it
//
// A folder that is not empty and has neither of the two marks is damaged, or belongs to something else.

const DATA_FOLDER = 'data';
const MANIFEST_FILE = 'data-is-whole';
const UNFINISHED_FILE = 'data-is-unfinished';

/** Resolves the paths of the parts of a database folder. */
export function resolvePaths(folder: string) {
  return {
    dataFolder: join(folder, DATA_FOLDER),
    manifestPath: join(folder, MANIFEST_FILE),
    unfinishedPath: join(folder, UNFINISHED_FILE),
  };
}

/**
 * Locks the folder of a database, and creates it if it does not exist. A folder that is neither empty nor intact is not changed.
 * @throws DamagedFolderError if it is damaged or belongs to something else; FolderLockedError if a process has it open;
 * FolderError if it cannot be read, written or locked.
 */
export async function takeFolder(folder: string): Promise<{ lock: FolderLock; found: FoundData | null }> {
  const names = readNames(toConfiguredFolder(folder));
  if (names !== null) checkWritable(toConfiguredFolder(folder));
  if (names === null || removeClutter(names).length === 0) beginFolder(folder);
  // The folder may not be ours, so no lock file is added before it is inspected.
  else if (!names.includes(LOCK_FILE)) inspectFolder(folder);
  const lock = await lockFolder(folder);
  try {
    return { lock, found: inspectFolder(folder) };
  } catch (error) {
    await lock.abandon();
    throw error;
  }
}

/** Creates the error for a folder that has something unexpected, or lacks something. */
export function refuseFolder(folder: string, found: string, isUnchanged = true): DamagedFolderError {
  return new DamagedFolderError(
    folder,
    found,
    { restore: RESTORE, startOver: describeStartOver(folder) },
    isUnchanged,
  );
}

/** Converts errors of an open database that its folder causes to errors of the folder, and returns others unchanged. */
export function explainDatabaseError(folder: string, error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error);
  if (/No space left on device/.test(text)) return explainFailure(toConfiguredFolder(folder), 'ENOSPC');
  // Each page has a checksum, which PostgreSQL checks when it reads the page.
  const isDamaged =
    /invalid page in block|could not (open|read) file|could not access status of|contains unexpected zero page/.test(
      text,
    );
  return isDamaged
    ? refuseFolder(folder, `PostgreSQL cannot read it: ${text.trim().replace(/\s*\n\s*/g, ' ')}`, false)
    : error;
}

/** Names the setting of a database folder, for messages. */
export function toConfiguredFolder(folder: string): ConfiguredFolder {
  return { path: folder, setting: 'BLADE_DATA_FOLDER' };
}

const RESTORE =
  'move it away and put a whole backup of it in its place. docs/operations.md says how, under "Back up and restore".';

const describeStartOver = (folder: string) =>
  `move or delete ${folder} and, if there is one, the folder "catalog" next to it. All jobs and items are then lost.`;

function beginFolder(folder: string): void {
  explainFileErrors(toConfiguredFolder(folder), () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, UNFINISHED_FILE), '');
  });
}

/**
 * Inspects a folder that this process has locked.
 * @returns its files; null if it never had data.
 * @throws as `takeFolder` does.
 */
export function inspectFolder(folder: string): FoundData | null {
  return explainFileErrors(toConfiguredFolder(folder), () => {
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
  const { dataFolder, manifestPath } = resolvePaths(folder);
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
  return { files, isComplete, isClosed: isComplete && manifest.isClosed };
}

function checkVersion(folder: string, files: readonly DataFile[]): void {
  if (!files.some(({ kind, path }) => kind === 'file' && path === 'PG_VERSION')) return;
  const version = readFileSync(join(resolvePaths(folder).dataFolder, 'PG_VERSION'), 'utf8').trim();
  if (version === POSTGRESQL_VERSION || !/^\d+$/.test(version)) return;
  throw new DamagedFolderError(
    folder,
    `PostgreSQL ${version} created it, and this version of the program has PostgreSQL ${POSTGRESQL_VERSION}`,
    {
      restore: 'start the version of the program that created it, or restore a backup of this version.',
      startOver: describeStartOver(folder),
    },
  );
}
