import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { registerRoom } from './room.ts';
import { quoteText } from './text.ts';

export interface LockedInstanceOptions {
  /** The folder that can be read, without links in its path. */
  readonly folder: string;
  /** The folder for what does not fit in memory and what is there for a moment; made when it is needed, gone when the instance is closed. */
  readonly overflow: string;
}

/**
 * A private instance of DuckDB that cannot reach anything outside the two folders. Within them it could still write,
 * so that only statements known to be one SELECT may run in it.
 */
export async function openLockedInstance(options: LockedInstanceOptions): Promise<DuckDBInstance> {
  const { folder, overflow } = options;
  const instance = await DuckDBInstance.create(':memory:', {
    // One thread gives the rows of a statement in the same order each time, which resuming relies on.
    threads: '1',
    memory_limit: '512MB',
    temp_directory: overflow,
    max_temp_directory_size: '8GB',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    allow_community_extensions: 'false',
    // It would keep content of files that have changed since.
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
