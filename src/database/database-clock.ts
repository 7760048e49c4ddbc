import { createLoader } from '../shared/loader.ts';
import type { Prisma, PrismaClient } from './generated/prisma/client.ts';

/** Reads a time by a client or within a transaction. */
export type Clock = (prisma: Pick<Prisma.TransactionClient, '$queryRaw'>) => Promise<Date>;

/** Reads the time of the database. All stored times come from it, because the clocks of two machines differ. */
export const readDatabaseTime: Clock = async (prisma) => {
  const [row] = await prisma.$queryRaw<{ time: Date }[]>`select blade_now() as time`;
  if (row === undefined) throw new Error('The database did not tell the time');
  return row.time;
};

/**
 * Creates a function that reads the time of the database once for all that ask in one turn of the event loop. It is never
 * older than the asking: a row that was read before is compared with the same clock, even if that was just set.
 */
export function createDatabaseClock(prisma: PrismaClient): () => Promise<Date> {
  const read = createLoader((owner: PrismaClient) => readDatabaseTime(owner));
  return () => read(prisma, null);
}
