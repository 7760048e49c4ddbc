import { PrismaPg } from '@prisma/adapter-pg';
import { Pool } from 'pg';
import type { Marking } from '../data-types/marking.ts';
import { findClearedSchema } from './cleared-views.ts';
import { connectionSettings } from './connection.ts';
import { PrismaClient } from './generated/prisma/client.ts';

/**
 * A client of the database, to be disconnected after use.
 * @param options.maxConnections how many connections it may open at once.
 */
export function createPrismaClient(
  connectionString: string,
  options: { maxConnections: number },
): PrismaClient {
  return new PrismaClient({
    // A connection that breaks while nobody uses it is replaced by the next that is needed.
    adapter: new PrismaPg(
      { ...connectionSettings(connectionString), max: options.maxConnections },
      { onPoolError: () => {} },
    ),
    transactionOptions: TRANSACTION_OPTIONS,
  });
}

/** Clients of one database that see different parts of it. */
export interface PrismaClients {
  /** Sees and changes everything. */
  readonly prisma: PrismaClient;
  /** Sees only what a clearance covers, and is for reading. */
  clearedFor(clearance: Marking): PrismaClient;
  close(): Promise<void>;
}

/** @param options.maxConnections how many connections all of them together may open at once. */
export function createPrismaClients(
  connectionString: string,
  options: { maxConnections: number },
): PrismaClients {
  const pool = new Pool({ ...connectionSettings(connectionString), max: options.maxConnections });
  // A connection that breaks while nobody uses it is replaced by the next that is needed.
  pool.on('error', () => {});
  const clients = new Map<string | null, PrismaClient>();

  function clientOf(schema: string | null): PrismaClient {
    let client = clients.get(schema);
    if (client === undefined) {
      const adapter = new PrismaPg(pool, schema === null ? {} : { schema });
      client = new PrismaClient({ adapter, transactionOptions: TRANSACTION_OPTIONS });
      clients.set(schema, client);
    }
    return client;
  }

  return {
    prisma: clientOf(null),
    clearedFor: (clearance) => clientOf(findClearedSchema(clearance)),
    async close() {
      await Promise.all([...clients.values()].map((client) => client.$disconnect()));
      await pool.end();
    },
  };
}

/** A transaction waits for its turn behind bulk writes: on the embedded database from its first statement on. */
const TRANSACTION_OPTIONS = { maxWait: 30_000, timeout: 60_000 };
