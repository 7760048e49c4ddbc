import type { PoolConfig } from 'pg';

/**
 * Creates the options that every pool of connections to the database has. The server ends a transaction that a hanging or
 * unreachable process leaves open before that process's work goes to another one, which so finds its locks free.
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
