import type { PoolConfig } from 'pg';

/**
 * What every pool of connections to the database has in common: a process that hangs, or that the network has lost,
 * keeps nobody waiting for the locks of a transaction that it left open. Shorter than the time after which its work is
 * given to another process, so that this one finds them free.
 */
export function connectionSettings(connectionString: string) {
  return {
    connectionString,
    application_name: process.env.PGAPPNAME ?? 'blade-ingestion',
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  } satisfies PoolConfig;
}
