import { closeSync, cpSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { isFileError } from '../../shared/file-error.ts';
import { findMissingRelations } from './data-essentials.ts';
import { DataFileSystem } from './data-file-system.ts';
import { type DataFile, listDataFiles } from './data-files.ts';
import { formatManifest, type Journal, openJournal, writeManifest } from './manifest.ts';

/** Where an embedded database is, and what was found there. */
export interface DataOptions {
  /** What is in the data folder; null if it never held data. */
  readonly found: FoundData | null;
  readonly dataFolder: string;
  readonly manifestPath: string;
  /** Marks a folder whose first start has not come to its end. */
  readonly unfinishedPath: string;
  /** A data folder to begin with a copy of where there is no data yet. */
  readonly prepared: string | null;
}

/** What is in a data folder that may be opened. */
export interface FoundData {
  readonly files: readonly DataFile[];
  /** Whether a manifest says that these are all of them. */
  readonly isComplete: boolean;
}

/** An open database. */
export interface OpenData {
  readonly database: PGlite;
  close(): Promise<void>;
}

/** Why a database cannot be opened. */
export type DataProblem =
  /** The disk or permissions do not allow it; the code is that of the file system. */
  | { readonly kind: 'file-system'; readonly code: string }
  | { readonly kind: 'damaged'; readonly found: string; readonly isUnchanged: boolean };

/** A database cannot be opened. */
export class DataError extends Error {
  override readonly name = 'DataError';
  readonly problem: DataProblem;

  constructor(problem: DataProblem, options?: ErrorOptions) {
    super('The database cannot be opened', options);
    this.problem = problem;
  }
}

/**
 * Opens a database, or makes it where there is none.
 * @throws DataError if it is damaged, or if the file system does not allow it.
 */
export async function openData(options: DataOptions): Promise<OpenData> {
  return options.found === null ? await makeDatabase(options) : await openDatabase(options, options.found);
}

async function makeDatabase(options: DataOptions): Promise<OpenData> {
  const { dataFolder, manifestPath, unfinishedPath, prepared } = options;
  let fileSystem: DataFileSystem | undefined;
  try {
    // What a first start left behind that was cut short.
    rmSync(dataFolder, { recursive: true, force: true });
    mkdirSync(dataFolder);
    // Several times as fast as its asynchronous twin, and this thread has nothing else to do.
    if (prepared !== null) cpSync(prepared, dataFolder, { recursive: true });
    fileSystem = new DataFileSystem(dataFolder);
    fileSystem.keep();
    const database = await PGlite.create({ fs: fileSystem });
    await database.exec('checkpoint');
    const journal = beginManifest(manifestPath, listDataFiles(dataFolder), fileSystem);
    syncFolder(dirname(manifestPath));
    rmSync(unfinishedPath);
    return serve(database, journal, options);
  } catch (error) {
    const code = findFailure(error, fileSystem);
    throw code === null ? error : new DataError({ kind: 'file-system', code }, { cause: error });
  }
}

async function openDatabase(options: DataOptions, { files, isComplete }: FoundData): Promise<OpenData> {
  const { dataFolder, manifestPath, unfinishedPath } = options;
  const manifestBefore = readFileSync(manifestPath);
  const fileSystem = new DataFileSystem(dataFolder);
  let messages: string[] | null = [];
  let journal: Journal | undefined;
  try {
    journal = beginManifest(manifestPath, files, fileSystem);
    const onStderr = (line: string) => messages !== null && messages.push(line) > 0;
    const database = await PGlite.create({ fs: fileSystem, onStderr });
    const missing = isComplete ? null : await findMissingRelations(database, files);
    if (missing !== null) throw new MissingFilesError(missing);
    messages = null;
    fileSystem.keep();
    // Left by a process that was killed just before it removed it.
    rmSync(unfinishedPath, { force: true });
    return serve(database, journal, options);
  } catch (error) {
    journal?.close();
    const isUnchanged = fileSystem.undo();
    if (isUnchanged) writeManifest(manifestPath, manifestBefore);
    const code = findFailure(error, fileSystem);
    if (code !== null) throw new DataError({ kind: 'file-system', code }, { cause: error });
    const found = findDamage(error, messages ?? []);
    throw found === null ? error : new DataError({ kind: 'damaged', found, isUnchanged }, { cause: error });
  }
}

/** Files of tables that a database has are not there. */
class MissingFilesError extends Error {
  override readonly name = 'MissingFilesError';
}

/** Finds how the file system failed when a database could not be opened; null if it did not. */
function findFailure(error: unknown, fileSystem: DataFileSystem | undefined): string | null {
  return isFileError(error) ? error.code : (fileSystem?.lastFailure ?? null);
}

/** Finds what is damaged where a database could not be opened; null if it is something else. */
function findDamage(error: unknown, messages: readonly string[]): string | null {
  if (error instanceof MissingFilesError) return error.message;
  const reasons = messages.flatMap((line) => /\b(?:ERROR|FATAL|PANIC|DETAIL): +(.*)$/.exec(line)?.[1] ?? []);
  if (reasons.length > 0) return `PostgreSQL cannot open it: ${reasons.join('; ').replace(/\.$/, '')}`;
  return error instanceof WebAssembly.RuntimeError
    ? `PostgreSQL broke when it opened it: ${error.message}`
    : null;
}

function serve(database: PGlite, journal: Journal, { dataFolder, manifestPath }: DataOptions): OpenData {
  return {
    database,
    async close() {
      if (database.isInTransaction()) await database.exec('rollback');
      await database.exec('checkpoint');
      await database.close();
      journal.close();
      try {
        const files = listDataFiles(dataFolder);
        writeManifest(manifestPath, formatManifest(files, { isClosed: true, dataFolder }));
      } catch (error) {
        // On a full disk the manifest of the open database stays, which is right for the closed one, too.
        if (!isFileError(error)) throw error;
      }
    },
  };
}

function beginManifest(
  manifestPath: string,
  files: readonly DataFile[],
  fileSystem: DataFileSystem,
): Journal {
  writeManifest(manifestPath, formatManifest(files, { isClosed: false }));
  const journal = openJournal(manifestPath);
  fileSystem.recordIn(journal);
  return journal;
}

/** A new name in a folder outlasts a power failure only once the folder itself is on the disk. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
