import { setTimeout } from 'node:timers/promises';
import { isNetworkFault } from '../shared/network-fault.ts';
import type { PrismaClient } from './generated/prisma/client.ts';

/** Whether a statement failed because the database is away, is starting or stopping, or has no connection left. */
export function isOutage(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('code' in error && isOutageCode(error.code)) return true;
  if ('originalCode' in error && isOutageCode(error.originalCode)) return true;
  if ('kind' in error && OUTAGE_KINDS.has(error.kind)) return true;
  if (error instanceof Error && (isNetworkFault(error) || OUTAGE_MESSAGE.test(error.message))) return true;
  // Prisma keeps the error of the driver there.
  if ('meta' in error && isOutage(error.meta)) return true;
  if ('driverAdapterError' in error && isOutage(error.driverAdapterError)) return true;
  return 'cause' in error && isOutage(error.cause);
}

/**
 * Waits until the database answers, or refuses for another reason. All that wait for a client share one attempt a second.
 * @returns whether it did not answer at first.
 */
export function waitOutOutage(prisma: PrismaClient): Promise<boolean> {
  let waiting = waits.get(prisma);
  if (waiting === undefined) {
    waiting = waitForAnswer(prisma).finally(() => waits.delete(prisma));
    waits.set(prisma, waiting);
  }
  return waiting;
}

const waits = new WeakMap<PrismaClient, Promise<boolean>>();

async function waitForAnswer(prisma: PrismaClient): Promise<boolean> {
  for (let wasAway = false; ; wasAway = true) {
    await setTimeout(ATTEMPT_INTERVAL_MS, undefined, { ref: false });
    const isAway = await prisma.$queryRaw`select 1`.then(() => false, isOutage);
    if (!isAway) return wasAway;
  }
}

const ATTEMPT_INTERVAL_MS = 1_000;

/**
 * Codes of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html) and of Prisma
 * (https://www.prisma.io/docs/orm/reference/error-reference).
 */
function isOutageCode(code: unknown): boolean {
  return (
    typeof code === 'string' && /^(08\w{3}|57P0[1235]|53300|P1001|P1002|P1008|P1017|P2024|P2037)$/.test(code)
  );
}

/** The kinds of errors of Prisma's driver adapters. */
const OUTAGE_KINDS: ReadonlySet<unknown> = new Set([
  'ConnectionClosed',
  'DatabaseNotReachable',
  'SocketTimeout',
  'TooManyConnections',
]);

/** Errors of `pg` that have no code. */
const OUTAGE_MESSAGE =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect)/;
