import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationList, SchemaFilter } from '@prisma/schema-engine-wasm/schema_engine_bg';

/** The folder of the migrations, in Prisma's layout: a folder each, named after its time and purpose. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** The script in a migration's folder. */
export const MIGRATION_SCRIPT = 'migration.sql';

/** All tables and enums are ours. */
export const NO_FILTER: SchemaFilter = { externalTables: [], externalEnums: [] };

/** Reads the migrations of a folder in order, as the schema engine takes them. */
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
