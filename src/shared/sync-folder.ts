import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Syncs a folder: a new name in it survives a power failure only once the folder itself is on the disk. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
