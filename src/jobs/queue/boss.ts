import { PgBoss } from 'pg-boss';
import { createConnectionOptions } from '../../database/connection.ts';

export interface BossOptions {
  readonly connectionString: string;
  /** Whether LISTEN and prepared statements work over any connection: on a server, not through the embedded one's socket. */
  readonly useNotifications: boolean;
  /** Whether this process sends what its own work by the clock comes due for, such as retention; of several, one does so at a time. */
  readonly runsSchedules: boolean;
  /** Called with errors of pg-boss itself, which keeps running. */
  readonly onError: (error: Error) => void;
}

/** Starts pg-boss in the database's schema `pgboss`, creating it if it is missing. */
export async function startBoss(options: BossOptions): Promise<PgBoss> {
  const boss = new PgBoss({
    ...createConnectionOptions(options.connectionString, {
      name: 'blade-queue',
      prepares: options.useNotifications,
    }),
    max: 4,
    useListenNotify: options.useNotifications,
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
    schedule: options.runsSchedules,
    // Without tracing its spans do nothing. With it, each message carries the sender's trace.
    openTelemetry: { propagateContext: true },
  });
  boss.on('error', (error) => {
    // The pool attaches the connection to its errors, secrets included.
    if ('client' in error) delete error.client;
    options.onError(error);
  });
  return boss.start();
}
