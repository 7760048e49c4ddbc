import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Who holds a folder, as they wrote it down themselves. */
export interface LockHolder {
  readonly processId: number;
  readonly host: string;
  /** When the lock was taken, as an ISO 8601 time. */
  readonly since: string;
  /** A temporary folder of the holder's, which is to be removed with it. */
  readonly temporaryFolder?: string;
}

/** A lock on a folder, held until it is released or the process ends, however it ends. */
export interface FolderLock {
  /** Who held the folder before and did not release it; null when the last holder did. */
  readonly previousHolder: LockHolder | null;
  /** Writes down who holds the lock, for those who are refused. */
  describe(temporaryFolder: string): Promise<void>;
  release(): Promise<void>;
}

/** The folder is held by a process, this one or another. */
export class FolderLockedError extends Error {
  override readonly name = 'FolderLockedError';
  readonly folder: string;
  readonly holder: LockHolder | null;

  constructor(folder: string, holder: LockHolder | null) {
    const who = holder
      ? `process ${holder.processId} on ${holder.host} has had it open since ${holder.since}`
      : 'another process is just opening it';
    super(`The data folder ${folder} is in use: ${who}. Stop that process, or choose another folder.`);
    this.folder = folder;
    this.holder = holder;
  }
}

/**
 * Takes the lock of a folder, which is made when it does not exist.
 * @throws FolderLockedError when somebody has it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const holderPath = join(folder, 'holder.json');
  const lock = takeSystemLock(join(folder, 'lock'));
  if (!lock) throw new FolderLockedError(folder, await readHolder(holderPath));
  const previousHolder = await readHolder(holderPath);

  return {
    previousHolder,
    async describe(temporaryFolder) {
      const holder: LockHolder = {
        processId: process.pid,
        host: hostname(),
        since: new Date().toISOString(),
        temporaryFolder,
      };
      await writeFile(holderPath, JSON.stringify(holder));
    },
    async release() {
      await rm(holderPath, { force: true });
      lock.close();
    },
  };
}

/**
 * SQLite's own file lock, of an otherwise empty file: Node offers no lock of the operating system by itself, and only such
 * a lock ends with its process, whatever becomes of it, and cannot be mistaken about a process id that is used again.
 */
function takeSystemLock(path: string): DatabaseSync | null {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if (isBusy(error)) return null;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  const sqliteBusy = 5;
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy;
}

async function readHolder(path: string): Promise<LockHolder | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return null;
  }
}
