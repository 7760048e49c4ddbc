import type { Notifications } from './notifications.ts';

/** An open database: a connection string that every thread can use, and its notifications. */
export interface Database {
  readonly connectionString: string;
  /** `embedded` is PGlite in a thread of this process; `server` is a PostgreSQL server. */
  readonly kind: 'embedded' | 'server';
  readonly notifications: Notifications;
  /**
   * Resolves with the reason if the database is lost for good while it is open; otherwise never. A server that is away for
   * a while is not lost.
   */
  readonly lost: Promise<Error>;
  close(): Promise<void>;
}
