import { type Dirent, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isFileError } from '../../shared/file-error.ts';
import {
  type ConfiguredFolder,
  checkWritable,
  readNames,
  toFolderError,
} from '../../shared/folder-access.ts';
import { DamagedFolderError, nameSome, removeClutter } from '../../shared/folder-error.ts';
import { isForeign, readPresentUploads, toSegmentPath, toUploadsPath } from './files.ts';

/**
 * Checks that a folder may be used as a catalog before anything is written there: it must be empty, or a catalog.
 * @returns the files that its uploads name and that are missing. The next sync, or a repair, uploads their items again.
 * @throws DamagedFolderError if it is neither; FolderError if it cannot be read and written.
 */
export async function checkCatalogFolder(folder: string): Promise<readonly string[]> {
  const configured: ConfiguredFolder = { path: folder, setting: 'BLADE_CATALOG_FOLDER' };
  const names = readNames(configured);
  if (names === null) return [];
  checkWritable(configured);
  if (isForeign(names)) throw refuse(folder, `it holds no catalog, but ${nameSome(names)}`);
  try {
    for (const name of removeClutter(names)) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) checkWritable({ ...configured, path });
    }
    const missing = await findMissingSegments(folder);
    // Another process may have replaced an upload in the meantime.
    return missing.length === 0 ? missing : await findMissingSegments(folder);
  } catch (error) {
    throw toFolderError(configured, error);
  }
}

/** Whether something was ever uploaded to a catalog. */
export async function hasUploads(folder: string): Promise<boolean> {
  return await stat(toUploadsPath(folder)).then(
    ({ size }) => size > 0,
    () => false,
  );
}

/** Finds the files that uploads name and that do not exist. */
export async function findMissingSegments(folder: string): Promise<string[]> {
  const expected = (await readPresentUploads(folder)).flatMap(({ key, dataTypes }) =>
    dataTypes.map((dataType) => toSegmentPath(folder, dataType, key)),
  );
  const present = new Set<string>();
  for (const directory of new Set(expected.map(dirname))) {
    for (const entry of await readdir(directory, { withFileTypes: true }).catch(emptyIfMissing)) {
      if (!entry.isDirectory()) present.add(join(directory, entry.name));
    }
  }
  return expected.filter((path) => !present.has(path)).map((path) => relative(folder, path));
}

function emptyIfMissing(error: unknown): Dirent[] {
  if (isFileError(error) && error.code === 'ENOENT') return [];
  throw error;
}

function refuse(folder: string, found: string): DamagedFolderError {
  return new DamagedFolderError(folder, found, {
    restore:
      'move it away and put a whole backup of it in its place. docs/operations.md says how, under "Back up and restore".',
    startOver: `move or delete ${folder}. docs/operations.md says how to have all items uploaded again.`,
  });
}
