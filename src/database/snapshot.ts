import { Prisma } from './generated/prisma/client.ts';

/**
 * What had been committed at some moment, as `pg_snapshot` writes it: all transactions before the first number, none from the
 * second on, and of those between all but the listed ones. Sequences and clocks do not tell what is new since then, because
 * of two transactions the one that began later can commit first.
 */
export type Snapshot = string;

/** Before everything. */
export const NOTHING_SEEN: Snapshot = '1:1:';

/** Whether a text is a snapshot, which the database would otherwise refuse. */
export function isSnapshot(text: string): boolean {
  const parts = /^(\d{1,18}):(\d{1,18}):((?:\d{1,18}(?:,\d{1,18})*)?)$/.exec(text);
  if (parts === null) return false;
  const [, first = '', end = '', listed = ''] = parts;
  const open = listed === '' ? [] : listed.split(',').map(BigInt);
  const [least, bound] = [BigInt(first), BigInt(end)];
  return (
    least > 0n &&
    least <= bound &&
    open.every((xid, index) => xid >= least && xid < bound && xid > (open[index - 1] ?? 0n))
  );
}

/** Creates the condition that a transaction was not committed in a snapshot. @param writtenIn a column that may be null. */
export function isNewSince(writtenIn: Prisma.Sql, seen: Snapshot): Prisma.Sql {
  if (seen === NOTHING_SEEN) return Prisma.sql`true`;
  const snapshot = Prisma.sql`${seen}::text::pg_snapshot`;
  return Prisma.sql`(${writtenIn} >= pg_snapshot_xmin(${snapshot}) and not pg_visible_in_snapshot(${writtenIn}, ${snapshot}))`;
}

/** A snapshot to test transactions against in the program. */
export interface OpenedSnapshot {
  /** All transactions before it were committed or rolled back. */
  readonly xmin: bigint;
  /** None from it on was. */
  readonly xmax: bigint;
  hasSeen(xid: bigint): boolean;
}

export function openSnapshot(snapshot: Snapshot): OpenedSnapshot {
  const [xmin = '0', xmax = '0', listed = ''] = snapshot.split(':');
  const open = new Set(listed === '' ? [] : listed.split(',').map(BigInt));
  const end = BigInt(xmax);
  return { xmin: BigInt(xmin), xmax: end, hasSeen: (xid) => xid < end && !open.has(xid) };
}
