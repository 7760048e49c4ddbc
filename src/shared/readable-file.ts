import { accessSync, constants, statSync } from 'node:fs';

/** Whether a path names a file that this process may read. */
export function isReadableFile(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return !statSync(path).isDirectory();
  } catch {
    return false;
  }
}
