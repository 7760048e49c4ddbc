import { PgBoss } from 'pg-boss';
import { connectionSettings } from '../../database/connection.ts';

export interface BossOptions {
  readonly connectionString: string;
  /** Whether LISTEN works over any connection: it does on a server, and not through the embedded one's socket. */
  readonly useNotifications: boolean;
  /** Whether this process sends what schedules have come due for; of several, one does so at a time. */
  readonly runsSchedules: boolean;
  /** Told of faults of pg-boss itself; it goes on. */
  readonly onError: (error: Error) => void;
}

/** Starts pg-boss in the database's schema `pgboss`, which it makes where it is missing. */
export async function startBoss(options: BossOptions): Promise<PgBoss> {
  const boss = new PgBoss({
    ...connectionSettings(options.connectionString),
    application_name: 'blade-queue',
    max: 4,
    useListenNotify: options.useNotifications,
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
    schedule: options.runsSchedules,
    // Its spans do nothing unless traces are on; the trace of whoever sends is kept with the message then.
    openTelemetry: { propagateContext: true },
  });
  boss.on('error', (error) => {
    // The pool hangs the connection on its errors, with all that it was made of.
    if ('client' in error) delete error.client;
    options.onError(error);
  });
  return boss.start();
}
