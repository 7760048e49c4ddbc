import { Prisma } from '../database/generated/prisma/client.ts';
import type { LockedJob, Transaction } from './job-lock.ts';
import { canTransition, isTerminal, type JobState } from './job-state.ts';
import { progressQuery, SET_COUNTS, SET_FINAL_TOTAL, SET_TOTAL } from './progress/progress-query.ts';

/** The columns that change with the state. */
export interface StateChange {
  /** What the job is doing now, for people. */
  readonly currentOperation: string;
  /** Assignments to further columns; those of a counted change may use `progress`. */
  readonly columns?: Prisma.Sql;
}

/**
 * Moves a locked job to another state: every change of a job's state but its first claim goes through here.
 * @throws when the job cannot go there: callers check first and refuse with a typed error.
 */
export async function changeJobState(
  transaction: Transaction,
  job: LockedJob,
  to: JobState,
  { currentOperation, columns = NO_COLUMNS }: StateChange,
): Promise<void> {
  refuseImpossible(job, to);
  await transaction.$executeRaw`
    update job set state = ${to}::job_state, current_operation = ${currentOperation},
      estimated_completion = null ${columns}
    where id = ${job.id}::uuid`;
}

/** Moves a locked job to another state and brings its counts up to date with its partitions. */
export async function changeJobStateAndCounts(
  transaction: Transaction,
  job: LockedJob,
  to: JobState,
  change: StateChange,
): Promise<void> {
  await transaction.$executeRaw(createCountedChange(job, to, change));
}

/**
 * Creates the statement that does so, which can be continued by conditions.
 * @param partitions where the partitions are read from, if the statement itself writes them.
 */
export function createCountedChange(
  job: Pick<LockedJob, 'id' | 'state'>,
  to: JobState,
  { currentOperation, columns = NO_COLUMNS }: StateChange,
  partitions?: Prisma.Sql,
): Prisma.Sql {
  refuseImpossible(job, to);
  return Prisma.sql`
    update job set state = ${to}::job_state, current_operation = ${currentOperation},
      estimated_completion = null, ${isTerminal(to) ? SET_FINAL_TOTAL : SET_TOTAL}, ${SET_COUNTS} ${columns}
    from ${progressQuery(job.id, partitions)} as progress
    where job.id = ${job.id}::uuid`;
}

const NO_COLUMNS = Prisma.empty;

function refuseImpossible(job: Pick<LockedJob, 'id' | 'state'>, to: JobState): void {
  if (!canTransition(job.state, to)) throw new Error(`job ${job.id} cannot go from ${job.state} to ${to}`);
}
