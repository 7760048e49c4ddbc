import { selectColumns, toColumn } from '../../database/columns.ts';
import { type JobPartition, Prisma, type PrismaClient } from '../../database/generated/prisma/client.ts';
import { runDeleting } from '../../items/deleting-transaction.ts';
import { lockPartitionJob, type Transaction } from '../job-lock.ts';
import { isTerminal } from '../job-state.ts';
import { pauseWhenIdle } from '../pause-job.ts';
import { endPartition } from './end-partition.ts';
import { RUNNABLE_FIELDS, type RunnableJob } from './load-partition-task.ts';

export type Claim =
  /** The partition is the caller's, under the attempt that it carries. */
  | {
      readonly status: 'CLAIMED';
      readonly partition: JobPartition;
      readonly isFirstOfJob: boolean;
      readonly job: RunnableJob;
    }
  /**
   * There is nothing to run: the partition or its job has ended. An attempt that was killed before may have left statements in
   * the warehouse.
   */
  | { readonly status: 'ENDED'; readonly leftStatements: string | null };

const ENDED: Claim = { status: 'ENDED', leftStatements: null };

/**
 * Claims a partition for one attempt and, with the first partition, sets its job running. An earlier attempt loses its
 * lease: it can write nothing more.
 */
export async function claimPartition(prisma: PrismaClient, partitionId: string): Promise<Claim> {
  const claim = await claimRunnable(prisma, partitionId);
  if (claim !== null) return claim;
  return runDeleting(prisma, async (transaction): Promise<Claim> => {
    const job = await lockPartitionJob(transaction, partitionId);
    if (job === null || isTerminal(job.state)) return ENDED;
    switch (job.state) {
      case 'CANCELLING':
        await endPartition(transaction, job, { id: partitionId, attempt: null }, { status: 'STOPPED' });
        return { status: 'ENDED', leftStatements: job.partitionStatements };
      case 'PAUSING':
        await transaction.jobPartition.updateMany({
          where: { id: partitionId, state: 'RUNNING' },
          data: { state: 'PENDING' },
        });
        await pauseWhenIdle(transaction, job);
        return { status: 'ENDED', leftStatements: job.partitionStatements };
      case 'PAUSED':
        return ENDED;
      case 'QUEUED':
      case 'RUNNING':
        // The partition has ended, or its job was resumed in the meantime.
        return (await claimRunnable(transaction, partitionId)) ?? ENDED;
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
  const rows = await client.$queryRaw<(JobPartition & RunnableColumns)[]>`
    with locked as materialized (
      select * from job
      where id = (select job_id from job_partition where id = ${partitionId}::uuid) for update
    ),
    claimed as (
      update job_partition p set state = 'RUNNING', attempt = p.attempt + 1, message = null, message_marking = null,
        current_operation = null, started_at = coalesce(p.started_at, blade_now())
      from locked
      where p.id = ${partitionId}::uuid and p.state in ('PENDING', 'RUNNING') and locked.state in ('QUEUED', 'RUNNING')
      returning p.*
    ),
    started as (
      update job set state = 'RUNNING', started_at = coalesce(job.started_at, blade_now()),
        current_operation = case job.kind when 'SYNC' then 'Initializing sync' when 'REPAIR' then 'Initializing repair'
          else 'Executing query' end
      from locked, claimed where job.id = locked.id and locked.state = 'QUEUED'
      returning job.started_at
    )
    select ${PARTITION_COLUMNS}, ${JOB_COLUMNS}, (select started_at from started) as "startedNow"
    from claimed join locked on locked.id = claimed.job_id`;
  const [claimed] = rows;
  if (claimed === undefined) return null;
  const { startedNow, ...columns } = claimed;
  const entries = Object.entries(columns);
  const partition = Object.fromEntries(entries.filter(([name]) => !name.startsWith(OF_JOB))) as JobPartition;
  const job = Object.fromEntries(
    entries
      .filter(([name]) => name.startsWith(OF_JOB))
      .map(([name, value]) => [name.slice(OF_JOB.length), value]),
  ) as unknown as RunnableJob;
  return {
    status: 'CLAIMED',
    partition,
    isFirstOfJob: startedNow !== null,
    job: { ...job, startedAt: startedNow ?? job.startedAt },
  };
}

/** What is claimed besides the columns of the partition; those of its job have names that begin with `OF_JOB`. */
interface RunnableColumns {
  /** Null if the job has been started before. */
  readonly startedNow: Date | null;
}

/** Separates the names of a job's columns from those of its partition. */
const OF_JOB = 'job.';

/** The columns of a partition under the names of its fields. */
const PARTITION_COLUMNS = selectColumns(Object.values(Prisma.JobPartitionScalarFieldEnum), 'claimed');
const JOB_COLUMNS = Prisma.raw(
  RUNNABLE_FIELDS.map((field) => `locked."${toColumn(field)}" as "${OF_JOB}${field}"`).join(', '),
);
