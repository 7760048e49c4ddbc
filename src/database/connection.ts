import type { PoolConfig } from 'pg';

/**
 * Creates the options of every connection pool. The server ends a transaction that a hanging or unreachable process leaves
 * open before its work goes to another process, which then finds the locks free.
 */
export function createConnectionOptions(connectionString: string) {
  return {
    connectionString,
    application_name: process.env.PGAPPNAME ?? 'blade-ingestion',
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  } satisfies PoolConfig;
}
