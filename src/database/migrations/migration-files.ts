import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationList, SchemaFilter } from '@prisma/schema-engine-wasm/schema_engine_bg';

/** Where the migrations are, in Prisma's own layout: a folder each, named by its time and what it does. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** The file of a migration's folder that is its script. */
export const MIGRATION_SCRIPT = 'migration.sql';

/** Every table and enum is ours. */
export const NO_FILTER: SchemaFilter = { externalTables: [], externalEnums: [] };

/** Reads all migrations of a folder, in the order in which they apply, as the schema engine takes them. */
export async function readMigrations(folder: string): Promise<MigrationList> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const lockFile = 'migration_lock.toml';
  return {
    baseDir: folder,
    lockfile: { path: lockFile, content: await readFile(join(folder, lockFile), 'utf8') },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(names.sort().map((name) => readMigration(folder, name))),
  };
}

async function readMigration(
  folder: string,
  name: string,
): Promise<MigrationList['migrationDirectories'][number]> {
  const value = await readFile(join(folder, name, MIGRATION_SCRIPT), 'utf8');
  return { path: name, migrationFile: { path: MIGRATION_SCRIPT, content: { tag: 'ok', value } } };
}
