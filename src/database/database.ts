import type { Notifications } from './notifications.ts';

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
