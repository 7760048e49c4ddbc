// npm run db:migration -- NAME: writes the next migration after a change of prisma/schema.prisma.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmbeddedServer } from '../src/database/embedded/server.ts';
import {
  MIGRATION_SCRIPT,
  MIGRATIONS_FOLDER,
  NO_FILTER,
  readMigrations,
} from '../src/database/migrations/migration-files.ts';
import { withSchemaEngine } from '../src/database/migrations/schema-engine.ts';

/**
 * Writes the migration that leads from the present migrations to prisma/schema.prisma. What a schema cannot say (checks,
 * triggers, partial indexes) is then added to it by hand.
 * @param name says what it changes, in small letters and underscores.
 * @returns the path of the script; null if nothing changed, and nothing was written.
 */
async function writeMigration(name: string): Promise<string | null> {
  if (!/^[a-z0-9]+(_[a-z0-9]+)*$/.test(name)) {
    throw new Error(`"${name}" does not name a migration: use small letters, digits and single underscores`);
  }
  const script = await diffMigrations();
  if (script === null) return null;
  const time = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14);
  const folder = join(MIGRATIONS_FOLDER, `${time}_${name}`);
  await mkdir(folder);
  const path = join(folder, MIGRATION_SCRIPT);
  await writeFile(path, script);
  return path;
}

/**
 * Compares the migrations with prisma/schema.prisma, by applying them to a throw-away database.
 * @returns the script that leads from the migrations to the schema; null if they agree.
 */
export async function diffMigrations(): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-migration-'));
  try {
    const database = await startEmbeddedServer({ folder });
    try {
      return await diffIn(database.connectionString);
    } finally {
      await database.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function diffIn(connectionString: string): Promise<string | null> {
  const path = fileURLToPath(new URL('../prisma/schema.prisma', import.meta.url));
  const schema = { path, content: await readFile(path, 'utf8') };
  const migrations = await readMigrations(MIGRATIONS_FOLDER);
  const { stdout, exitCode } = await withSchemaEngine({ connectionString, throwAway: true }, (engine) =>
    engine.diff({
      from: { tag: 'migrations', ...migrations },
      to: { tag: 'schemaDatamodel', files: [schema] },
      script: true,
      exitCode: true,
      filters: NO_FILTER,
    }),
  );
  const changed = 2;
  return exitCode === changed ? stdout : null;
}

if (import.meta.main) {
  const [name] = process.argv.slice(2);
  if (name) {
    const path = await writeMigration(name);
    process.stdout.write(
      path ? `Wrote ${path}\n` : 'Nothing changed: the migrations already lead to the schema\n',
    );
  } else {
    process.stderr.write('Say what the migration changes: npm run db:migration -- NAME\n');
    process.exitCode = 1;
  }
}
