import { existsSync } from 'node:fs';
import { link, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { explainFileError } from './file-error.ts';
import { syncFolder } from './sync-folder.ts';

/** @throws an error of the file system if a file exists. */
export function refuseExisting(file: string): void {
  if (existsSync(file)) throw createExistsError(file);
}

/** Gives a whole file its final name, unless that is taken. */
export async function keepFile(temporaryFile: string, file: string): Promise<void> {
  try {
    await link(temporaryFile, file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw createExistsError(file);
    // Not every file system has links.
    refuseExisting(file);
    await rename(temporaryFile, file);
  }
  await removeFile(temporaryFile);
  syncFolder(dirname(file));
}

export async function removeFile(file: string): Promise<void> {
  await rm(file, { force: true });
}

/** Describes an error about a file that somebody named. */
export function describeFileError(error: Error & { readonly code: string }): string {
  const path = 'path' in error ? String(error.path) : 'The file';
  if (error.code === 'EEXIST') return `${path} exists already: name another file, or move it away.`;
  if (error.code === 'ENOENT') return `${path} does not exist.`;
  return `${path} cannot be used: ${explainFileError(error.code)}.`;
}

function createExistsError(file: string): Error {
  return Object.assign(new Error(`${file} exists`), { code: 'EEXIST', syscall: 'open', path: file });
}
