import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { explainFileError, isFileError } from './file-error.ts';
import { FolderError, FullDiskError } from './folder-error.ts';
import { isFullCode } from './full-disk.ts';

/** A folder that a setting names, or one in it. */
export interface ConfiguredFolder {
  readonly path: string;
  readonly setting: 'BLADE_DATA_FOLDER' | 'BLADE_CATALOG_FOLDER';
}

/**
 * Reads the names in a folder.
 * @returns null if the folder does not exist.
 * @throws FolderError if it is not a folder, or cannot be read.
 */
export function readNames(folder: ConfiguredFolder): string[] | null {
  return explainFileErrors(folder, () => {
    const found = statSync(folder.path, { throwIfNoEntry: false });
    if (found === undefined) return null;
    if (!found.isDirectory()) throw refuseAccess(folder, 'it is not a folder');
    return readdirSync(folder.path);
  });
}

/** @throws FolderError if the folder cannot be written to. */
export function checkWritable(folder: ConfiguredFolder): void {
  explainFileErrors(folder, () => accessSync(folder.path, constants.R_OK | constants.W_OK | constants.X_OK));
}

/** Converts errors of the file system that work throws to errors of a folder. */
export function explainFileErrors<Result>(folder: ConfiguredFolder, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw toFolderError(folder, error);
  }
}

/** Converts errors of the file system to errors of a folder, and returns others unchanged. */
export function toFolderError(folder: ConfiguredFolder, error: unknown): unknown {
  if (!isFileError(error)) return error;
  const path = 'path' in error ? String(error.path) : folder.path;
  return explainFailure(folder, error.code, path);
}

/** @param code the code of the error, such as ENOSPC. */
export function explainFailure(folder: ConfiguredFolder, code: string, path = folder.path): FolderError {
  const where = path === folder.path ? '' : ` (${path})`;
  return refuseAccess(folder, `${explainFileError(code)}${where}`, code);
}

function refuseAccess({ path, setting }: ConfiguredFolder, reason: string, code?: string): FolderError {
  const problem = `The folder ${path} cannot be used: ${reason}.`;
  if (isFullCode(code)) return new FullDiskError(`${problem} Free some space and start again.`);
  return new FolderError(
    `${problem} It must be a folder that this user can read and write, with everything in it. Set ${setting} to use another one.`,
  );
}
