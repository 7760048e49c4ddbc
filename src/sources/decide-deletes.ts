import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { type Marking, toLevel } from '../data-types/marking.ts';
import { readDatabaseTime } from '../database/database-clock.ts';
import type {
  DataSource,
  DeleteApproval,
  Prisma,
  PrismaClient,
} from '../database/generated/prisma/client.ts';
import { type DeletingTransaction, runDeleting } from '../items/deleting-transaction.ts';
import { deleteGoneItems, type GoneItems, hasAllIds } from '../items/gone-items.ts';
import { type LevelCounts, sumLevels } from '../items/level-counts.ts';
import { ExpectedError } from '../shared/expected-error.ts';
import { createIssue, InvalidInputError } from '../shared/invalid-input.ts';
import { findLowestMarking } from './delete-gone.ts';
import { describeDriftAnew } from './drift.ts';
import { refuseWhileInUse } from './source-use.ts';
import { countProposed, forgetKept, forgetProposal, forgetProposed, isOutdated } from './waiting-deletes.ts';

/** No deletes of the job wait for a decision. */
export class DeletesNotWaitingError extends ExpectedError {
  override readonly name = 'DeletesNotWaitingError';

  constructor(reason: string) {
    super(`no deletes of this job wait for a decision: ${reason}`);
  }
}

/** Another number of items would be deleted than the caller expects. */
export class DeleteCountChangedError extends ExpectedError {
  override readonly name = 'DeleteCountChangedError';
  readonly currentCount: number;

  constructor(expected: number, currentCount: number) {
    super(
      `${currentCount} items would be deleted, not ${expected}: look at them again, and expect that number`,
    );
    this.currentCount = currentCount;
  }
}

/** Which deletes to decide. */
export interface DecidedDeletes {
  readonly jobId: string;
  /** Null if those of one source of the job wait. */
  readonly dataSourceId: string | null;
}

/** @returns the deleted items that the clearance of the principal covers. */
export async function approveDeletes(
  { prisma }: { readonly prisma: PrismaClient },
  principal: Principal,
  { expectedCount, ...decided }: DecidedDeletes & { readonly expectedCount: number },
): Promise<{ readonly dataSourceId: string; readonly deletedCount: number }> {
  return runDeleting(prisma, async (transaction) => {
    const { source, proposal, count, now } = await lockProposal(transaction, principal, decided);
    await refuseWhileInUse(transaction, source.id);
    if (count !== expectedCount) throw new DeleteCountChangedError(expectedCount, count);
    const { deleted, passed } = await deleteProposed(transaction, source, proposal);
    await transaction.dataSource.update({
      where: { id: source.id },
      data: {
        deletedCount: sumLevels(deleted),
        deletedByLevel: [...deleted],
        deletesSettledAt: now,
        // A later sync may have said of its change feed that it deletes too many.
        ...forgetKept(source),
        ...describeDriftAnew({
          ...source,
          drift: source.drift === null ? null : source.drift + BigInt(sumLevels(deleted) + passed),
        }),
      },
    });
    await recordDecision(transaction, principal, { source, proposal }, 'DELETES_APPROVED', deleted);
    return { dataSourceId: source.id, deletedCount: sumCovered(deleted, principal.clearance) };
  });
}

/** @returns the source that keeps its items. */
export async function rejectDeletes(
  { prisma }: { readonly prisma: PrismaClient },
  principal: Principal,
  decided: DecidedDeletes,
): Promise<{ readonly dataSourceId: string }> {
  return prisma.$transaction(async (transaction) => {
    const { source, proposal } = await lockProposal(transaction, principal, decided);
    await transaction.dataSource.update({
      where: { id: source.id },
      data: forgetProposed(source, proposal),
    });
    const waiting = proposal.countByLevel.map(Number);
    await recordDecision(transaction, principal, { source, proposal }, 'DELETES_REJECTED', waiting);
    return { dataSourceId: source.id };
  });
}

interface Proposal {
  readonly source: DataSource;
  readonly proposal: DeleteApproval;
}

/** Finds the deletes to decide, which nobody else decides until the end of the transaction. */
async function lockProposal(
  transaction: Prisma.TransactionClient,
  { clearance }: Principal,
  { jobId, dataSourceId }: DecidedDeletes,
): Promise<Proposal & { readonly count: number; readonly now: Date }> {
  const proposals = await transaction.deleteApproval.findMany({
    where: { jobId, ...(dataSourceId === null ? {} : { dataSourceId }) },
  });
  const visible = proposals.filter((proposal) => countProposed(proposal, toLevel(clearance)) > 0);
  const [found, ...others] = visible;
  if (others.length > 0)
    throw new InvalidInputError([
      createIssue('input.dataSourceId', 'REQUIRED', 'deletes of several sources of the job wait: name one'),
    ]);
  if (found === undefined)
    throw new DeletesNotWaitingError(
      'it had none, a later sync has replaced them, or they were decided or have expired',
    );
  await transaction.$queryRaw`select 1 from data_source where id = ${found.dataSourceId}::uuid for update`;
  const source = await transaction.dataSource.findUnique({
    where: { id: found.dataSourceId },
    include: { deleteApproval: true },
  });
  const proposal = source?.deleteApproval ?? null;
  if (source === null || proposal?.jobId !== jobId)
    throw new DeletesNotWaitingError('somebody has just decided them, or a later sync has replaced them');
  const now = await readDatabaseTime(transaction);
  if (proposal.expiresAt <= now)
    throw new DeletesNotWaitingError(
      `they expired at ${proposal.expiresAt.toISOString()}. Run a FULL sync, which proposes them anew`,
    );
  if (isOutdated(source, proposal))
    throw new DeletesNotWaitingError(
      'the source reads another table, or has another delete policy since. Run a FULL sync, which decides anew',
    );
  return { source, proposal, count: countProposed(proposal, toLevel(clearance)), now };
}

/** Deletes the items that no sync of the source has seen since, and that nothing has written since. */
async function deleteProposed(
  transaction: DeletingTransaction,
  source: DataSource,
  { jobId, dataType, startedAt }: DeleteApproval,
): Promise<Pick<GoneItems, 'deleted' | 'passed'>> {
  const partitions = await transaction.$queryRaw<{ id: string; isOwn: boolean; isUnknown: boolean }[]>`
    select p.id::text, p.job_id = ${jobId}::uuid as "isOwn", exists (
      select from job_error e where e.partition_id = p.id and e.item_id is null and (p.state <> 'FAILED' or e.stage <> 'READ')
    ) as "isUnknown"
    from job_partition p join job j on j.id = p.job_id
    where p.data_source_id = ${source.id}::uuid and p.retry_of_partition_id is null
      and j.ordered_at >= (select ordered_at from job where id = ${jobId}::uuid)`;
  if (partitions.some(({ isUnknown }) => isUnknown))
    throw new DeletesNotWaitingError(
      'a row without an id has failed since, and could be that of any item. Repair it and run a FULL sync',
    );
  const own = partitions.filter(({ isOwn }) => isOwn).map(({ id }) => id);
  if (own.length === 0 || !(await hasAllIds(transaction, own)))
    throw new DeletesNotWaitingError('the ids of its rows are not known any more. Run a FULL sync');
  const { isKnown, deleted, passed } = await deleteGoneItems(transaction, {
    ...{ jobId, dataSourceId: source.id, dataType, partitionIds: partitions.map(({ id }) => id), startedAt },
    ...{ settledAt: startedAt, removes: source.deletePolicy === 'REMOVE', maxDeletePercent: 100 },
  });
  if (!isKnown) throw new Error('the database server has another byte order than this program');
  return { deleted, passed };
}

async function recordDecision(
  transaction: Prisma.TransactionClient,
  principal: Principal,
  { source, proposal }: Proposal,
  kind: 'DELETES_APPROVED' | 'DELETES_REJECTED',
  counts: LevelCounts,
): Promise<void> {
  const { jobId } = proposal;
  await forgetProposal(transaction, source.id);
  const proposed = proposal.countByLevel.map(Number);
  const marking = findLowestMarking(proposed);
  await transaction.$queryRaw`select blade_add_job_event(${jobId}::uuid, ${kind}::job_event_kind, ${source.name},
    by_id => ${principal.id}, by_name => ${principal.name}, data => ${JSON.stringify({ deleted: counts })}::jsonb,
    marking => ${marking})::text`;
  await recordDone(transaction, principal, {
    operation: kind === 'DELETES_APPROVED' ? 'approveDeletes' : 'rejectDeletes',
    ...{ jobId, dataSourceId: source.id, marking },
    details: { name: source.name, count: sumCovered(counts, principal.clearance) },
  });
}

function sumCovered(counts: LevelCounts, clearance: Marking): number {
  return sumLevels(counts.slice(0, toLevel(clearance) + 1));
}
