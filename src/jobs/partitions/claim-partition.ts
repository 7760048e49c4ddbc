import { selectColumns } from '../../database/columns.ts';
import {
  type JobKind,
  type JobPartition,
  Prisma,
  type PrismaClient,
} from '../../database/generated/prisma/client.ts';
import { lockPartitionJob, type Transaction } from '../job-lock.ts';
import { isTerminal } from '../job-state.ts';
import { pauseWhenIdle } from '../pause-job.ts';
import { endPartition } from './end-partition.ts';

export type Claim =
  /** The partition is the caller's, under the attempt that it carries. */
  | {
      readonly status: 'CLAIMED';
      readonly partition: JobPartition;
      readonly isFirstOfJob: boolean;
      /** The job's kind. */
      readonly kind: JobKind;
    }
  /** There is nothing to run: the partition or its job has ended. */
  | { readonly status: 'ENDED' };

/**
 * Claims a partition for one attempt and, with the first partition, sets its job running. An earlier attempt loses its
 * lease: it can write nothing more.
 */
export async function claimPartition(prisma: PrismaClient, partitionId: string): Promise<Claim> {
  const claim = await claimRunnable(prisma, partitionId);
  if (claim !== null) return claim;
  return prisma.$transaction(async (transaction) => {
    const job = await lockPartitionJob(transaction, partitionId);
    if (job === null || isTerminal(job.state)) return { status: 'ENDED' };
    switch (job.state) {
      case 'CANCELLING':
        await endPartition(transaction, job, { id: partitionId, attempt: null }, { status: 'STOPPED' });
        return { status: 'ENDED' };
      case 'PAUSING':
        await transaction.jobPartition.updateMany({
          where: { id: partitionId, state: 'RUNNING' },
          data: { state: 'PENDING' },
        });
        await pauseWhenIdle(transaction, job);
        return { status: 'ENDED' };
      case 'PAUSED':
        return { status: 'ENDED' };
      case 'QUEUED':
      case 'RUNNING':
        // The partition has ended, or its job was resumed in the meantime.
        return (await claimRunnable(transaction, partitionId)) ?? { status: 'ENDED' };
    }
  });
}

/**
 * Claims a partition that can run, in one statement: a transaction of several takes longer than a small job's rows.
 * @returns null if the partition, or its job in its present state, cannot run.
 */
async function claimRunnable(
  client: Pick<Transaction, '$queryRaw'>,
  partitionId: string,
): Promise<Claim | null> {
  const rows = await client.$queryRaw<
    (JobPartition & { readonly isFirstOfJob: boolean; readonly kind: JobKind })[]
  >`
    with locked as materialized (
      select id, state, kind from job
      where id = (select job_id from job_partition where id = ${partitionId}::uuid) for update
    ),
    claimed as (
      update job_partition p set state = 'RUNNING', attempt = p.attempt + 1, message = null, message_marking = null,
        current_operation = null, started_at = coalesce(p.started_at, blade_now())
      from locked
      where p.id = ${partitionId}::uuid and p.state in ('PENDING', 'RUNNING') and locked.state in ('QUEUED', 'RUNNING')
      returning p.*, locked.kind
    ),
    started as (
      update job set state = 'RUNNING', started_at = coalesce(job.started_at, blade_now()),
        current_operation = case job.kind when 'SYNC' then 'Initializing sync' when 'REPAIR' then 'Initializing repair'
          else 'Executing query' end
      from locked, claimed where job.id = locked.id and locked.state = 'QUEUED'
      returning job.id
    )
    select ${PARTITION_COLUMNS}, kind, exists (select from started) as "isFirstOfJob" from claimed`;
  const [claimed] = rows;
  if (claimed === undefined) return null;
  const { isFirstOfJob, kind, ...partition } = claimed;
  return { status: 'CLAIMED', partition, isFirstOfJob, kind };
}

/** The columns of a partition under the names of its fields. */
const PARTITION_COLUMNS = selectColumns(Object.values(Prisma.JobPartitionScalarFieldEnum));
