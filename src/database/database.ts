import { createClearedViews } from './cleared-views.ts';
import { explainDatabaseError } from './embedded/database-folder.ts';
import { startEmbeddedServer } from './embedded/server.ts';
import { applyMigrations } from './migrations/migrations.ts';
import type { Notifications } from './notifications.ts';
import { connectServerNotifications } from './server-notifications.ts';

/** An open database: a connection string that any thread can use, and its notifications. */
export interface Database {
  readonly connectionString: string;
  /** `embedded` is PGlite in a thread of this process; `server` is a PostgreSQL of its own. */
  readonly kind: 'embedded' | 'server';
  readonly notifications: Notifications;
  /**
   * Resolves with the reason when the database is lost for good while it is open, and otherwise never. A server that is
   * away for a while is not lost: connections to it come back.
   */
  readonly lost: Promise<Error>;
  close(): Promise<void>;
}

/**
 * Opens the database and brings its tables up to date.
 * @param options.databaseUrl a PostgreSQL server's; without it, an embedded database is started.
 * @param options.folder where the embedded database keeps its data; it is made when it does not exist.
 * @throws FolderError when the folder of an embedded database cannot be used; MigrationError when a migration does not apply;
 * otherwise what the server said when it could not be reached.
 */
export async function openDatabase(options: { databaseUrl?: string; folder: string }): Promise<Database> {
  const database = options.databaseUrl
    ? await openServer(options.databaseUrl)
    : await startEmbeddedServer({ folder: options.folder });
  try {
    await applyMigrations(database.connectionString);
    await createClearedViews(database.connectionString);
    return database;
  } catch (error) {
    await database.close();
    throw database.kind === 'embedded' ? explainDatabaseError(options.folder, error) : error;
  }
}

async function openServer(connectionString: string): Promise<Database> {
  const notifications = await connectServerNotifications(connectionString);
  return {
    connectionString,
    kind: 'server',
    notifications,
    lost: new Promise(() => {}),
    close: () => notifications.close(),
  };
}
