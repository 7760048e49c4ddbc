import { PrismaPg } from '@prisma/adapter-pg';
import type { Marking } from '../data-types/marking.ts';
import { findClearedSchema } from './cleared-views.ts';
import { createConnectionOptions, createPool } from './connection.ts';
import { PrismaClient } from './generated/prisma/client.ts';

/**
 * Creates a client of the database, to be disconnected after use.
 * @param options.maxConnections how many connections it may open at once.
 */
export function createPrismaClient(
  connectionString: string,
  options: { maxConnections: number },
): PrismaClient {
  return new PrismaClient({
    // An idle connection that breaks is replaced when one is needed.
    adapter: new PrismaPg(
      { ...createConnectionOptions(connectionString), max: options.maxConnections },
      { onPoolError: () => {} },
    ),
    transactionOptions: TRANSACTION_OPTIONS,
  });
}

/** The clients of one database: one for each clearance, limited to what it covers. */
export interface PrismaClients {
  /** Sees and changes everything. */
  readonly prisma: PrismaClient;
  /** Finds the client that reads what a clearance covers. */
  clearedFor(clearance: Marking): PrismaClient;
  close(): Promise<void>;
}

/**
 * Creates the clients of a database.
 * @param options.maxConnections how many connections all of them together may open at once.
 * @param options.prepares whether the server prepares statements that are repeated.
 */
export function createPrismaClients(
  connectionString: string,
  options: { maxConnections: number; prepares?: boolean },
): PrismaClients {
  const pool = createPool(connectionString, {
    max: options.maxConnections,
    prepares: options.prepares ?? false,
  });
  const clients = new Map<string | null, PrismaClient>();

  function findClient(schema: string | null): PrismaClient {
    let client = clients.get(schema);
    if (client === undefined) {
      const adapter = new PrismaPg(pool, schema === null ? {} : { schema });
      client = new PrismaClient({ adapter, transactionOptions: TRANSACTION_OPTIONS });
      clients.set(schema, client);
    }
    return client;
  }

  return {
    prisma: findClient(null),
    clearedFor: (clearance) => findClient(findClearedSchema(clearance)),
    async close() {
      await Promise.all([...clients.values()].map((client) => client.$disconnect()));
      await pool.end();
    },
  };
}

/** A transaction may wait long behind bulk writes: on the embedded database for its first statement. */
const TRANSACTION_OPTIONS = { maxWait: 30_000, timeout: 60_000 };
