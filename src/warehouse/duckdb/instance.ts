import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { registerRoom } from './room.ts';
import { quoteText } from './text.ts';

/** How much a statement may write to temporary files. */
export const MAX_OVERFLOW_GIB = 8;

export interface LockedInstanceOptions {
  /** The folder that can be read; its path must not contain links. */
  readonly folder: string;
  /** The folder for temporary files and what does not fit in memory. It is created when needed and removed when the instance is closed. */
  readonly overflow: string;
}

/**
 * Opens a private DuckDB instance that cannot reach anything outside the two folders. It could still write within them, so
 * only run statements that are known to be one SELECT.
 */
export async function openLockedInstance(options: LockedInstanceOptions): Promise<DuckDBInstance> {
  const { folder, overflow } = options;
  const instance = await DuckDBInstance.create(':memory:', {
    // With one thread, a statement always returns its rows in the same order, which resuming relies on.
    threads: '1',
    memory_limit: '512MB',
    temp_directory: overflow,
    max_temp_directory_size: `${MAX_OVERFLOW_GIB}GiB`,
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
    // The cache would keep content of files that have changed since.
    enable_external_file_cache: 'false',
  });
  const connection = await instance.connect();
  registerRoom(connection);
  await connection.run("SET GLOBAL TimeZone = 'UTC'");
  const readable = [folder, overflow].map((path) => quoteText(join(path, '/')));
  await connection.run(`SET allowed_directories = [${readable.join(', ')}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  connection.closeSync();
  return instance;
}
