import { Client } from 'pg';
import { DROP_CLEARED_VIEWS } from '../cleared-views.ts';
import { MIGRATIONS_FOLDER, NO_FILTER, readMigrations } from './migration-files.ts';
import { withSchemaEngine } from './schema-engine.ts';

/** A migration does not apply. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/**
 * Applies the migrations that the database does not have yet. Processes that start at once wait for each other; a migration
 * that failed or was cut short is tried again, as each is one transaction.
 * @param folder where the migrations are, in Prisma's layout.
 * @returns the names of those that were applied now, in order.
 * @throws MigrationError, whose message names the migration.
 */
export async function applyMigrations(
  connectionString: string,
  folder = MIGRATIONS_FOLDER,
): Promise<string[]> {
  const lock = new Client({ connectionString });
  lock.on('error', () => {}); // A query that is under way rejects by itself.
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

// Any number will do that is not used for another lock of the database.
const MIGRATION_LOCK = 7_462_113_905;

async function applyLocked(connectionString: string, folder: string, client: Client): Promise<string[]> {
  const input = { migrationsList: await readMigrations(folder), filters: NO_FILTER };
  try {
    return await withSchemaEngine({ connectionString, throwAway: false }, async (engine) => {
      const state = await engine.diagnoseMigrationHistory({ ...input, optInToShadowDatabase: false });
      // Nobody is at it, since we have the lock: the process that was has ended, or it reported why it failed.
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

/** The engine says which migration in the trace that follows its message. */
function toMigrationError(error: unknown): MigrationError {
  const text = error instanceof Error ? error.message : String(error);
  const name = /migration_name="([^"]+)"/.exec(text)?.[1];
  const [message = text] = text.split(/\n +0: /);
  return new MigrationError(`${name ? `Migration ${name}` : 'The migrations'} did not apply: ${message}`, {
    cause: error,
  });
}
