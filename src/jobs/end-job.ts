import {
  type JobKind,
  type JobPartition,
  type PartitionState,
  Prisma,
} from '../database/generated/prisma/client.ts';
import { createHasWholeSource, createOutcome } from '../database/job-outcome.ts';
import { changeJobStateAndCounts, createCountedChange, type StateChange } from './change-job-state.ts';
import type { LockedJob, Transaction } from './job-lock.ts';
import type { TerminalJobState } from './job-state.ts';
import { pauseWhenIdle } from './pause-job.ts';

export interface JobEnd {
  readonly state: TerminalJobState;
  readonly failureReason: string | null;
}

const KIND_NAMES: Readonly<Record<JobKind, string>> = { SYNC: 'Sync', QUERY: 'Query job', REPAIR: 'Repair' };

/** Brings a job to its final state. */
export async function endJob(transaction: Transaction, job: LockedJob, end: JobEnd): Promise<void> {
  await changeJobStateAndCounts(transaction, job, end.state, describeEnd(job, end));
}

/**
 * Creates the statement that completes a job, which can be continued by conditions.
 * @param partitions where its partitions are read from, because the statement itself ends them.
 */
export function createCompletion(
  job: Pick<LockedJob, 'id' | 'state' | 'kind'>,
  partitions: Prisma.Sql,
): Prisma.Sql {
  const end: JobEnd = { state: 'COMPLETED', failureReason: null };
  return createCountedChange(job, end.state, describeEnd(job, end), partitions);
}

function describeEnd({ kind }: Pick<LockedJob, 'kind'>, { state, failureReason }: JobEnd): StateChange {
  return {
    currentOperation: `${KIND_NAMES[kind]} ${state.toLowerCase()}`,
    columns: Prisma.sql`, outcome = (${createJobOutcome(state)})::job_outcome,
      failure_reason = ${failureReason}, finished_at = blade_now()`,
  };
}

function createJobOutcome(state: TerminalJobState): Prisma.Sql {
  return Prisma.raw(
    createOutcome({
      state: `'${state}'`,
      success: '(progress.success_count + progress.duplicate_count)',
      errors: 'progress.error_count',
      hasWholeSource: createHasWholeSource('job.id', 'p.error_count'),
    }),
  );
}

/**
 * Ends a job once all its partitions have ended: cancelled if asked to, failed if one of them was not read to its end.
 * @param states the states that its partitions are in now.
 * @returns whether it has ended.
 */
export async function endJobWhenDone(
  transaction: Transaction,
  job: LockedJob,
  states: readonly PartitionState[],
): Promise<boolean> {
  if (states.includes('PENDING') || states.includes('RUNNING')) {
    if (job.state === 'PAUSING') await pauseWhenIdle(transaction, job);
    return false;
  }
  if (job.state === 'CANCELLING' || states.includes('CANCELLED')) {
    await endJob(transaction, job, { state: 'CANCELLED', failureReason: null });
  } else if (states.includes('FAILED')) {
    await endJob(transaction, job, {
      state: 'FAILED',
      failureReason: await describeFailures(transaction, job),
    });
  } else await endJob(transaction, job, { state: 'COMPLETED', failureReason: null });
  return true;
}

/** Describes why partitions of a job failed, and how many rows were therefore not read. */
async function describeFailures(transaction: Transaction, { id }: LockedJob): Promise<string> {
  const partitions = await transaction.jobPartition.findMany({
    where: { jobId: id },
    select: { state: true, message: true, sourceName: true, totalItems: true, readItems: true },
    orderBy: { ordinal: 'asc' },
  });
  const failed = partitions.filter(({ state }) => state === 'FAILED');
  const reasons = new Set(failed.map(({ sourceName, message }) => `${sourceName}: ${message}`));
  const reason = [...reasons].join('; ');
  const unread = describeUnreadRows(partitions, failed);
  return unread === null ? reason : `${reason.replace(/\.?$/, '.')} ${unread}`;
}

type ReadPartition = Pick<JobPartition, 'totalItems' | 'readItems'>;

function describeUnreadRows(all: readonly ReadPartition[], failed: readonly ReadPartition[]): string | null {
  const total = sumBy(all.filter(isCounted), ({ totalItems }) => Number(totalItems));
  const unread = sumBy(failed.filter(isCounted), ({ totalItems, readItems }) =>
    Math.max(0, Number(totalItems) - Number(readItems)),
  );
  if (unread === 0) return null;
  const [some, every] = [unread, total].map((rows) => rows.toLocaleString('en-US'));
  const atLeast = failed.every(isCounted) ? '' : 'At least ';
  return `${atLeast}${some} of ${every} rows ${unread === 1 ? 'was' : 'were'} not read.`;
}

function sumBy<Value>(values: readonly Value[], number: (value: Value) => number): number {
  return values.reduce((sum, value) => sum + number(value), 0);
}

function isCounted({ totalItems }: ReadPartition): boolean {
  return totalItems !== null;
}
