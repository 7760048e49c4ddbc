import { isDeepStrictEqual } from 'node:util';
import type { DataSource, DeleteApproval, Prisma } from '../database/generated/prisma/client.ts';
import { type LevelCounts, sumLevels } from '../items/level-counts.ts';

/** How long deletes wait for an approval, in days. */
const MAX_WAIT_DAYS = 7;

/** Deletes to be approved. */
export interface ProposedDeletes {
  readonly jobId: string;
  readonly dataSourceId: string;
  readonly dataType: string;
  readonly startedAt: Date;
  readonly count: LevelCounts;
  /** Describes them, without an end. */
  readonly message: string;
}

/** When proposed deletes expire, and the message of the source until then. */
export type WaitingDeletes = Pick<DeleteApproval, 'expiresAt' | 'message'>;

/** Lets deletes wait for an approval. */
export async function proposeDeletes(
  transaction: Prisma.TransactionClient,
  source: DataSource,
  { count, message, ...proposed }: ProposedDeletes,
  now: Date,
): Promise<WaitingDeletes> {
  const expiresAt = new Date(now.getTime() + MAX_WAIT_DAYS * 24 * 60 * 60 * 1_000);
  const until = `${expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const shown = `${message}. They wait until ${until} for an admin to approve or to reject them`;
  await transaction.deleteApproval.create({
    data: { ...proposed, countByLevel: [...count], read: describeRead(source), message: shown, expiresAt },
  });
  return { expiresAt, message: shown };
}

/**
 * Forgets deletes that wait, because they were decided or a complete sync decides anew, with the ids that were read for them; not
 * those of a sync that is still running.
 */
export async function forgetProposal(
  transaction: Prisma.TransactionClient,
  dataSourceId: string,
): Promise<void> {
  const { count } = await transaction.deleteApproval.deleteMany({ where: { dataSourceId } });
  if (count === 0) return;
  await transaction.readIds.deleteMany({
    where: { partition: { dataSourceId, job: { state: { in: ['COMPLETED', 'FAILED', 'CANCELLED'] } } } },
  });
}

/** What the message of a source says of deletes that do not happen; it ends with that. */
const KEPT = /(?:^|\. )No items were deleted: .*$/s;

/** Describes deletes that do not happen, for the message of a source. */
export function describeKept(reason: string): string {
  return `No items were deleted: ${reason}`;
}

/** Takes what the last sync said of deletes that did not happen from the message of a source. */
export function forgetKept({
  lastSyncMessage,
  lastSyncMarking,
}: Pick<DataSource, 'lastSyncMessage' | 'lastSyncMarking'>): Pick<
  DataSource,
  'lastSyncMessage' | 'lastSyncMarking'
> {
  const left = lastSyncMessage?.replace(KEPT, '') ?? '';
  return left === ''
    ? { lastSyncMessage: null, lastSyncMarking: null }
    : { lastSyncMessage: left, lastSyncMarking };
}

/** Takes what the last sync said of these deletes, if it was the one that proposed them, from the message of a source. */
export function forgetProposed(
  source: Pick<DataSource, 'lastSyncMessage' | 'lastSyncMarking'>,
  { message }: Pick<DeleteApproval, 'message'>,
): Partial<Pick<DataSource, 'lastSyncMessage' | 'lastSyncMarking'>> {
  return source.lastSyncMessage?.includes(message) === true ? forgetKept(source) : {};
}

/** Whether deletes of a source wait, so that the ids that its syncs read are needed. */
export async function hasProposal(
  transaction: Prisma.TransactionClient,
  dataSourceId: string,
): Promise<boolean> {
  return (await transaction.deleteApproval.count({ where: { dataSourceId } })) > 0;
}

/** Whether a source reads something else, or has another policy, than when its deletes were proposed. */
export function isOutdated(source: DataSource, { read }: Pick<DeleteApproval, 'read'>): boolean {
  return !isDeepStrictEqual(describeRead(source), read);
}

/** Counts the items of a proposal that a clearance covers. */
export function countProposed({ countByLevel }: Pick<DeleteApproval, 'countByLevel'>, level: number): number {
  return sumLevels(countByLevel.slice(0, level + 1).map(Number));
}

function describeRead(source: DataSource) {
  const { dataType, catalogName, schemaName, tableName, deletePolicy } = source;
  return { dataType, catalogName, schemaName, tableName, deletePolicy };
}
