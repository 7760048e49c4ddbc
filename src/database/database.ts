import type { Notifications } from './notifications.ts';

/** An open database: a connection string that any thread can use, and its notifications. */
export interface Database {
  readonly connectionString: string;
  /** `embedded` is PGlite in a thread of this process; `server` is a PostgreSQL of its own. */
  readonly kind: 'embedded' | 'server';
  readonly notifications: Notifications;
  close(): Promise<void>;
}
