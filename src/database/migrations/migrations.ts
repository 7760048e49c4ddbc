import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { MigrationList } from '@prisma/schema-engine-wasm/schema_engine_bg';
import type { Client } from 'pg';
import { DROP_CLEARED_VIEWS } from '../cleared-views.ts';
import { createClient } from '../connection.ts';
import { MIGRATIONS_FOLDER, NO_FILTER, readMigrations } from './migration-files.ts';
import { withSchemaEngine } from './schema-engine.ts';

/** A migration could not be applied. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/**
 * Applies the migrations that the database does not have yet. Processes that start at once wait for each other. A migration
 * is one transaction, and is tried again after it failed or was interrupted.
 * @param folder the folder of the migrations, in Prisma's layout.
 * @returns the names of the migrations applied now, in order.
 * @throws MigrationError naming the migration.
 */
export async function applyMigrations(
  connectionString: string,
  folder = MIGRATIONS_FOLDER,
): Promise<string[]> {
  const lock = createClient(connectionString);
  lock.on('error', () => {}); // A pending query rejects by itself.
  await lock.connect();
  try {
    await lock.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      return await applyLocked(connectionString, folder, lock);
    } finally {
      await lock.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await lock.end();
  }
}

// Any number that no other lock of the database uses.
const MIGRATION_LOCK = 7_462_113_905;

async function applyLocked(connectionString: string, folder: string, client: Client): Promise<string[]> {
  const migrationsList = await readMigrations(folder);
  if (await hasExactly(migrationsList, client)) return [];
  const input = { migrationsList, filters: NO_FILTER };
  try {
    return await withSchemaEngine({ connectionString, throwAway: false }, async (engine) => {
      const state = await engine.diagnoseMigrationHistory({ ...input, optInToShadowDatabase: false });
      // We hold the lock, so the process that applied these has ended or has reported why they failed.
      for (const migrationName of state.failedMigrationNames) {
        await engine.markMigrationRolledBack({ migrationName });
      }
      if (state.history !== null && 'unappliedMigrationNames' in state.history) {
        await client.query(DROP_CLEARED_VIEWS);
      }
      return (await engine.applyMigrations(input)).appliedMigrationNames;
    });
  } catch (error) {
    throw toMigrationError(error);
  }
}

/** Whether the database has exactly these migrations: most starts find it so, and need no schema engine, which takes long to load. */
async function hasExactly({ migrationDirectories }: MigrationList, client: Client): Promise<boolean> {
  const { rows: tables } = await client.query("select to_regclass('_prisma_migrations') as found");
  if (tables[0]?.found === null) return false;
  const { rows } = await client.query<{ name: string; checksum: string; isFinished: boolean }>(
    `select migration_name as name, checksum, finished_at is not null as "isFinished"
     from _prisma_migrations where rolled_back_at is null order by migration_name collate "C"`,
  );
  const found = rows.map(({ name, checksum, isFinished }) => (isFinished ? `${name} ${checksum}` : name));
  const expected = migrationDirectories.map(({ path, migrationFile: { content } }) =>
    content.tag === 'ok' ? `${path} ${createHash('sha256').update(content.value).digest('hex')}` : path,
  );
  return isDeepStrictEqual(found, expected);
}

/** The engine names the migration only in the trace after its message. */
function toMigrationError(error: unknown): MigrationError {
  const text = error instanceof Error ? error.message : String(error);
  const name = /migration_name="([^"]+)"/.exec(text)?.[1];
  const [message = text] = text.split(/\n +0: /);
  return new MigrationError(`${name ? `Migration ${name}` : 'The migrations'} did not apply: ${message}`, {
    cause: error,
  });
}
