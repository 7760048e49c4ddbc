import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { isFileError } from '../../shared/file-error.ts';
import { isFullCode } from '../../shared/full-disk.ts';
import { syncFolder } from '../../shared/sync-folder.ts';
import { unpackFolder } from '../../shared/unpack-folder.ts';
import { findMissingRelations, findRelations } from './data-essentials.ts';
import { DataFileSystem } from './data-file-system.ts';
import { type DataFile, listDataFiles } from './data-files.ts';
import {
  formatManifest,
  type Journal,
  type Manifest,
  openJournal,
  parseManifest,
  writeManifest,
} from './manifest.ts';
import { findDamagedPage } from './page-checksums.ts';

/** Files of the log of 1 MB instead of 16 MB, so that a new database is small. */
const CREATE_PARAMETERS = ['--wal-segsize=1'];

const START_PARAMETERS = [
  ...PGlite.defaultStartParams,
  // A cache that the process holds for ever, beside that of the operating system: 128 MB by default.
  ...['-c', 'shared_buffers=32MB'],
  // As many files of the log in reserve as the last checkpoints needed, instead of five at least.
  ...['-c', 'min_wal_size=2MB'],
];

/** The paths of an embedded database, and its files. */
export interface DataOptions {
  /** The content of the data folder; null if it never had data. */
  readonly found: FoundData | null;
  readonly dataFolder: string;
  readonly manifestPath: string;
  /** The mark of a folder whose first start has not ended. */
  readonly unfinishedPath: string;
  /** What to begin with if there is no data yet; null to create a new database. */
  readonly prepared: PreparedData | null;
}

/** The data of a database that was closed: a folder, or an archive of one, in tar compressed with Zstandard. */
export interface PreparedData {
  readonly kind: 'folder' | 'archive';
  readonly path: string;
}

/** The content of a data folder that may be opened. */
export interface FoundData {
  readonly files: readonly DataFile[];
  /** Whether they are all the files of a manifest. */
  readonly isComplete: boolean;
  /** Whether the database was closed, so that the manifest has its checksums. */
  readonly isClosed: boolean;
}

/** An open database. */
export interface OpenData {
  readonly database: PGlite;
  /** Whether the last failure of the file system was a full disk. */
  isDiskFull(): boolean;
  close(): Promise<void>;
}

/** Why a database cannot be opened. */
export type DataProblem =
  /** The disk or permissions do not allow it; the code is that of the file system, such as ENOSPC. */
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
 * Opens a database, or creates it if there is none.
 * @throws DataError if it is damaged, or if the file system does not allow it.
 */
export async function openData(options: DataOptions): Promise<OpenData> {
  return options.found === null ? await createDatabase(options) : await openDatabase(options, options.found);
}

async function createDatabase(options: DataOptions): Promise<OpenData> {
  const { dataFolder, manifestPath, unfinishedPath, prepared } = options;
  let fileSystem: DataFileSystem | undefined;
  try {
    // A first start that was killed may have left files.
    rmSync(dataFolder, { recursive: true, force: true });
    mkdirSync(dataFolder);
    if (prepared !== null) await copyPrepared(prepared, dataFolder);
    fileSystem = new DataFileSystem(dataFolder);
    fileSystem.keep();
    const database = await PGlite.create({
      fs: fileSystem,
      startParams: START_PARAMETERS,
      initDbStartParams: CREATE_PARAMETERS,
    });
    if (prepared === null) await dropTemplates(database);
    await database.exec('checkpoint');
    const journal = beginManifest(manifestPath, listDataFiles(dataFolder), fileSystem);
    syncFolder(dirname(manifestPath));
    rmSync(unfinishedPath);
    return serve(database, journal, fileSystem, null, options);
  } catch (error) {
    const code = findFailure(error, fileSystem);
    throw code === null ? error : new DataError({ kind: 'file-system', code }, { cause: error });
  }
}

/** Drops the databases that only CREATE DATABASE needs: half of the files of a new data folder. */
async function dropTemplates(database: PGlite): Promise<void> {
  await database.exec('update pg_database set datistemplate = false');
  for (const name of ['template0', 'template1']) await database.exec(`drop database ${name}`);
}

async function copyPrepared({ kind, path }: PreparedData, dataFolder: string): Promise<void> {
  // Several times as fast as the asynchronous function, and this thread has nothing else to do.
  if (kind === 'folder') cpSync(path, dataFolder, { recursive: true });
  else await unpackFolder(path, dataFolder);
}

async function openDatabase(
  options: DataOptions,
  { files, isComplete, isClosed }: FoundData,
): Promise<OpenData> {
  const { dataFolder, manifestPath, unfinishedPath } = options;
  const manifestBefore = readFileSync(manifestPath);
  const fileSystem = new DataFileSystem(dataFolder);
  let messages: string[] | null = [];
  let journal: Journal | undefined;
  try {
    journal = beginManifest(manifestPath, files, fileSystem);
    const onStderr = (line: string) => messages !== null && messages.push(line) > 0;
    const database = await PGlite.create({ fs: fileSystem, startParams: START_PARAMETERS, onStderr });
    const missing = isComplete ? null : await findMissingRelations(database, files);
    if (missing !== null) throw new DamageError(missing);
    const page = isClosed
      ? null
      : findDamagedPage(dataFolder, listDataFiles(dataFolder), await findRelations(database));
    if (page !== null) throw new DamageError(page);
    messages = null;
    fileSystem.keep();
    // A process that was killed just before removing it may have left it.
    rmSync(unfinishedPath, { force: true });
    return serve(database, journal, fileSystem, parseManifest(manifestBefore.toString('utf8')), options);
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

/** Files of tables are missing or damaged. */
class DamageError extends Error {
  override readonly name = 'DamageError';
}

/** Finds the code with which the file system failed when a database was opened; null if it did not. */
function findFailure(error: unknown, fileSystem: DataFileSystem | undefined): string | null {
  return isFileError(error) ? error.code : (fileSystem?.lastFailure ?? null);
}

/** Describes the damage of a database that could not be opened; null if that has another reason. */
function findDamage(error: unknown, messages: readonly string[]): string | null {
  if (error instanceof DamageError) return error.message;
  const reasons = messages.flatMap((line) => /\b(?:ERROR|FATAL|PANIC|DETAIL): +(.*)$/.exec(line)?.[1] ?? []);
  if (reasons.length > 0) return `PostgreSQL cannot open it: ${reasons.join('; ').replace(/\.$/, '')}`;
  return error instanceof WebAssembly.RuntimeError
    ? `PostgreSQL crashed when it opened it: ${error.message}`
    : null;
}

function serve(
  database: PGlite,
  journal: Journal,
  fileSystem: DataFileSystem,
  before: Manifest | null,
  { dataFolder, manifestPath }: DataOptions,
): OpenData {
  return {
    database,
    isDiskFull: () => isFullCode(fileSystem.lastFailure),
    async close() {
      if (database.isInTransaction()) await database.exec('rollback');
      await database.exec('checkpoint');
      await database.close();
      journal.close();
      try {
        const files = listDataFiles(dataFolder);
        writeManifest(manifestPath, formatManifest(files, { isClosed: true, dataFolder, before }));
      } catch (error) {
        // On a full disk, the manifest of the open database stays. It is right for the closed one, too.
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
