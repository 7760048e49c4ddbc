import { createClearedViews } from './cleared-views.ts';
import type { Database } from './database.ts';
import { explainDatabaseError } from './embedded/database-folder.ts';
import { startEmbeddedServer } from './embedded/server.ts';
import { applyMigrations } from './migrations/migrations.ts';
import { findPreparedDatabase } from './prepared-database.ts';
import { checkServer } from './server-check.ts';
import { connectServerNotifications } from './server-notifications.ts';

/**
 * Opens the database and brings its tables up to date.
 * @param settings.url a PostgreSQL server's; without it, an embedded database is started.
 * @param settings.folder where the embedded database keeps its data; created if it does not exist.
 * @throws FolderError if the folder of an embedded database cannot be used; UnsuitableDatabaseError if a server's cannot;
 * MigrationError if a migration fails; otherwise the server's error if it cannot be reached.
 */
export async function openDatabase({
  url,
  folder,
}: {
  readonly url?: string | undefined;
  readonly folder: string;
}): Promise<Database> {
  const database = url ? await openServer(url) : await openEmbedded(folder);
  try {
    await applyMigrations(database.connectionString);
    await createClearedViews(database.connectionString);
    return database;
  } catch (error) {
    await database.close();
    throw database.kind === 'embedded' ? explainDatabaseError(folder, error) : error;
  }
}

async function openEmbedded(folder: string): Promise<Database> {
  return await startEmbeddedServer({
    folder,
    async findPrepared() {
      const path = await findPreparedDatabase();
      return path === null ? null : { kind: 'archive', path };
    },
  });
}

async function openServer(connectionString: string): Promise<Database> {
  await checkServer(connectionString);
  const notifications = await connectServerNotifications(connectionString);
  return {
    connectionString,
    kind: 'server',
    notifications,
    lost: new Promise(() => {}),
    close: () => notifications.close(),
  };
}
