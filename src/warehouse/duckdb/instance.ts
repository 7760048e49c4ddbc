import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { registerLineFunctions } from './line-functions.ts';
import { quoteText } from './text.ts';

export interface LockedInstanceOptions {
  /** The folder that can be read; its path must not contain links. */
  readonly folder: string;
  /** The folder for temporary files and what does not fit in memory. It is created when needed and removed when the instance is closed. */
  readonly overflow: string;
  /** The most memory of the process, in bytes: the engine counts a share of it, and the rest is for what it does not count. */
  readonly memoryBytes: number;
  /** The most that the engine may write to the folder, in bytes. */
  readonly diskBytes: number;
}

/** The share of its memory that the engine may count while it sorts, joins or groups, which takes up to twice of what it counts. */
export const WORK_SHARE = 0.4;

/** The share of its memory that the engine may count while it only reads rows. */
export const SCAN_SHARE = 0.85;

/** The last limit of each instance, once it is set; null if the engine refused it. */
const limits = new WeakMap<DuckDBInstance, Promise<number | null>>();

/** Limits what the engine counts of its memory, unless it has more than that at present. */
export async function limitMemory(
  instance: DuckDBInstance,
  connection: DuckDBConnection,
  memoryBytes: number,
  share: number,
): Promise<void> {
  const wanted = Math.floor(memoryBytes * share);
  const setting = setLimit(connection, wanted, limits.get(instance));
  limits.set(instance, setting);
  await setting;
}

/** Sets the limit after the one before, or not at all if that is the same: it takes longer than a small statement. */
async function setLimit(
  connection: DuckDBConnection,
  wanted: number,
  before: Promise<number | null> | undefined,
): Promise<number | null> {
  const present = await before;
  if (present === wanted) return present;
  return connection.run(`SET GLOBAL memory_limit = '${wanted}B'`).then(
    () => wanted,
    () => null,
  );
}

/**
 * Opens a private DuckDB instance that cannot reach anything outside the two folders. It could still write within them, so
 * only run statements that are known to be one SELECT.
 */
export async function openLockedInstance(options: LockedInstanceOptions): Promise<DuckDBInstance> {
  const { folder, overflow, memoryBytes, diskBytes } = options;
  const instance = await DuckDBInstance.create(':memory:', {
    // With one thread, a statement always returns its rows in the same order, which resuming relies on.
    threads: '1',
    memory_limit: `${Math.floor(memoryBytes * WORK_SHARE)}B`,
    temp_directory: overflow,
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
    // The cache would keep content of files that have changed since.
    enable_external_file_cache: 'false',
  });
  const connection = await instance.connect();
  registerLineFunctions(connection);
  await connection.run("SET GLOBAL TimeZone = 'UTC'");
  const readable = [folder, overflow].map((path) => quoteText(join(path, '/')));
  await connection.run(`SET allowed_directories = [${readable.join(', ')}]`);
  // Given with the others, it has no effect.
  await connection.run(`SET max_temp_directory_size = '${diskBytes}B'`);
  await connection.run('SET enable_external_access = false');
  // They depend on the statement, and no statement that was checked can set them.
  await connection.run("SET allowed_configs = ['streaming_buffer_size', 'memory_limit']");
  await connection.run('SET lock_configuration = true');
  connection.closeSync();
  return instance;
}
