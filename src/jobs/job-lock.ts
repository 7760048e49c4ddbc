import type { Principal } from '../access/principal.ts';
import { listMarkingsUpTo } from '../data-types/marking.ts';
import type { JobKind, Prisma, SyncType } from '../database/generated/prisma/client.ts';
import { JobNotFoundError } from './job-errors.ts';
import type { JobState } from './job-state.ts';

export type Transaction = Prisma.TransactionClient;

/** The columns of a job that decide where it can go, locked until the transaction ends. */
export interface LockedJob {
  readonly id: string;
  readonly state: JobState;
  readonly kind: JobKind;
  readonly marking: string;
  /** The job's options as stored; `readJobOptions` parses them. */
  readonly options: unknown;
}

/** A partition's locked job, with the partition's data type. */
export interface LockedPartitionJob extends LockedJob {
  readonly partitionDataType: string;
  /** Names the statements of the partition's last attempt in the warehouse; null for none. */
  readonly partitionStatements: string | null;
  /** Null if the job is no sync. */
  readonly syncType: SyncType | null;
}

/**
 * Locks a job that a principal wants to control.
 * @throws JobNotFoundError for a job that does not exist or that the principal is not cleared for.
 */
export async function lockJobFor(
  transaction: Transaction,
  { clearance }: Principal,
  jobId: string,
): Promise<LockedJob> {
  const [job] = await transaction.$queryRaw<LockedJob[]>`
    select id, state, kind, marking, options from job
    where id = ${jobId}::uuid and marking = any(${[...listMarkingsUpTo(clearance)]}) for update`;
  if (job === undefined) throw new JobNotFoundError(jobId);
  return job;
}

/** Locks the job of a partition; null if there is none. */
export async function lockPartitionJob(
  transaction: Transaction,
  partitionId: string,
): Promise<LockedPartitionJob | null> {
  const rows = await transaction.$queryRaw<LockedPartitionJob[]>`
    select job.id, job.state, job.kind, job.marking, job.options, job.sync_type as "syncType",
      p.data_type as "partitionDataType", p.statement_handle as "partitionStatements"
    from job_partition p join job on job.id = p.job_id where p.id = ${partitionId}::uuid for update of job`;
  return rows[0] ?? null;
}
