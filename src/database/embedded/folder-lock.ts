import { accessSync, constants, existsSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { explainFileError, isFileError } from '../../shared/file-error.ts';
import { FolderError } from '../../shared/folder-error.ts';

const holderSchema = z.object({
  processId: z.number(),
  host: z.string(),
  /** When the lock was taken, as an ISO 8601 time. */
  since: z.string(),
  /** A temporary folder of the holder, to be removed once the holder has ended. */
  temporaryFolder: z.string().optional(),
});

/** Who holds a folder, as written by the holder. */
export type LockHolder = z.infer<typeof holderSchema>;

/** A lock on a folder, held until it is released or the process ends, however it ends. */
export interface FolderLock {
  /** The last holder, if it did not release the folder; otherwise null. */
  readonly previousHolder: LockHolder | null;
  /** Writes who holds the lock, for processes that are refused. */
  describe(temporaryFolder: string): Promise<void>;
  release(): Promise<void>;
  /** Releases the lock, and restores the files that locking changed. */
  abandon(): Promise<void>;
}

/** The folder is held by a process, this one or another. */
export class FolderLockedError extends FolderError {
  override readonly name = 'FolderLockedError';
  readonly folder: string;
  readonly holder: LockHolder | null;

  constructor(folder: string, holder: LockHolder | null) {
    const who = holder
      ? `process ${holder.processId} on ${holder.host} has had it open since ${holder.since}`
      : 'another process is opening it now';
    super(`The data folder ${folder} is in use: ${who}. Stop that process, or choose another folder.`);
    this.folder = folder;
    this.holder = holder;
  }
}

/** The file that is locked. It stays empty. */
export const LOCK_FILE = 'lock';
/** Says who holds the lock. It exists while the lock is held. */
export const HOLDER_FILE = 'holder.json';

/**
 * Locks a folder.
 * @throws FolderLockedError if a process holds it; FolderError if its file cannot be locked.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const holderPath = join(folder, HOLDER_FILE);
  // SQLite removes the second one, which a killed process of an older version may have left.
  const before = await readFiles([holderPath, join(folder, `${LOCK_FILE}-journal`)]);
  const lock = await takeSystemLock(join(folder, LOCK_FILE));
  if (!lock) throw new FolderLockedError(folder, await readHolder(holderPath));

  return {
    previousHolder: await readHolder(holderPath),
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
    async abandon() {
      // The reason why the folder was not opened is more important than an error here.
      await rm(holderPath, { force: true }).catch(() => {});
      for (const [path, content] of before) await writeFile(path, content).catch(() => {});
      lock.close();
    },
  };
}

async function readFiles(paths: readonly string[]): Promise<[path: string, content: Buffer][]> {
  const files: [string, Buffer][] = [];
  for (const path of paths) {
    const content = await readFile(path).catch(() => null);
    if (content !== null) files.push([path, content]);
  }
  return files;
}

/**
 * Locks an empty file with SQLite. Node itself has no file locks, and only a lock of the operating system always ends with its
 * process and does not depend on process ids, which are reused.
 */
async function takeSystemLock(path: string): Promise<DatabaseSync | null> {
  let database: DatabaseSync | undefined;
  try {
    // SQLite would open a file that it cannot write, and its lock would then keep nobody out.
    if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK);
    database = new DatabaseSync(path);
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if (findResultCode(error) === SQLITE_BUSY) return null;
    if (findResultCode(error) === SQLITE_NOT_A_DATABASE) {
      const { size } = await stat(path);
      throw new FolderError(
        `The lock file ${path} has ${size} bytes and should be empty. It contains no data and no process holds it: delete this file and start again.`,
        { cause: error },
      );
    }
    const reason = describeReason(error);
    throw new FolderError(
      `The lock file ${path} cannot be locked: ${reason}. It must be a file that this user can read and write; it contains no data.`,
      { cause: error },
    );
  }
}

function describeReason(error: unknown): string {
  if (isFileError(error)) return explainFileError(error.code);
  return error instanceof Error ? error.message : String(error);
}

const SQLITE_BUSY = 5;
const SQLITE_NOT_A_DATABASE = 26;

function findResultCode(error: unknown): unknown {
  return error instanceof Error && 'errcode' in error ? error.errcode : undefined;
}

async function readHolder(path: string): Promise<LockHolder | null> {
  try {
    return holderSchema.safeParse(JSON.parse(await readFile(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}
