import { PrismaPg } from '@prisma/adapter-pg';
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
    // A transaction waits for its turn behind bulk writes: on the embedded database from its first statement on.
    transactionOptions: { maxWait: 30_000, timeout: 60_000 },
  });
}
