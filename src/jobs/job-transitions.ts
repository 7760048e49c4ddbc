import { v7 as newUuid } from 'uuid';
import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { higherMarking, highestOfAll, type Marking, storedMarking } from '../data-types/marking.ts';
import { defaultMarkingOf } from '../data-types/registry.ts';
import { columnsOfFields } from '../database/columns.ts';
import type { JobKind, JobPartition, PartitionState } from '../database/generated/prisma/client.ts';
import { Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import type { PartitionOutcome, PlannedPartition } from '../ingestion/partition-task.ts';
import { arrayOfLevels, levelOf, sumOfCounts } from '../items/level-counts.ts';
import {
  JobAlreadyFinishedError,
  JobNotFoundError,
  JobNotPausableError,
  JobNotPausedError,
} from './job-errors.ts';
import { isTerminal, type JobState, type TerminalJobState } from './job-state.ts';

type Transaction = Prisma.TransactionClient;

/** The columns of a job that decide where it can go, locked until the transaction ends. */
interface LockedJob {
  readonly id: string;
  readonly state: JobState;
  readonly kind: JobKind;
  readonly marking: string;
}

/** The same, and what never changes of the partition that leads to it. */
interface LockedJobOfPartition extends LockedJob {
  readonly partitionDataType: string;
}

export type Claim =
  /** The partition is the caller's, under the attempt that it carries. */
  | {
      readonly status: 'CLAIMED';
      readonly partition: JobPartition;
      readonly isFirstOfJob: boolean;
      /** That of the job. */
      readonly kind: JobKind;
    }
  /** There is nothing to run: the partition or its job has ended. */
  | { readonly status: 'ENDED' };

/**
 * Takes a partition for one attempt and, with the first partition, sets its job running.
 * Whoever held the partition before can write nothing more for it.
 */
export async function claimPartition(prisma: PrismaClient, partitionId: string): Promise<Claim> {
  const claim = await claimRunnable(prisma, partitionId);
  if (claim !== null) return claim;
  return prisma.$transaction(async (transaction) => {
    const job = await lockJobOfPartition(transaction, partitionId);
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
        // The partition has ended; or its job has been let go on since.
        return (await claimRunnable(transaction, partitionId)) ?? { status: 'ENDED' };
    }
  });
}

/**
 * Claims a partition that can run, in one statement: for a small job a transaction of several takes longer than its rows.
 * @returns null where the partition, or its job as it is now, cannot run.
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
        started_at = coalesce(p.started_at, now())
      from locked
      where p.id = ${partitionId}::uuid and p.state in ('PENDING', 'RUNNING') and locked.state in ('QUEUED', 'RUNNING')
      returning p.*, locked.kind
    ),
    started as (
      update job set state = 'RUNNING', started_at = coalesce(job.started_at, now()), updated_at = now(),
        current_operation = case job.kind when 'SYNC' then 'Initializing sync' else 'Executing query' end
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
const PARTITION_COLUMNS = columnsOfFields(Object.values(Prisma.JobPartitionScalarFieldEnum));

/**
 * Asks a job to stop. A job that no thread works on is cancelled at once; a running one is CANCELLING until its
 * threads have stopped.
 * @throws JobNotFoundError, or JobAlreadyFinishedError for a job that has ended.
 */
export async function cancel(
  prisma: PrismaClient,
  principal: Principal,
  jobId: string,
  operation: 'cancelJob' | 'stopSync' = 'cancelJob',
): Promise<void> {
  await prisma.$transaction(async (transaction) => {
    const job = await lockJob(transaction, jobId);
    if (job === null) throw new JobNotFoundError(jobId);
    if (isTerminal(job.state)) throw new JobAlreadyFinishedError(jobId, job.state);
    if (job.state === 'CANCELLING') return;
    await recordDone(transaction, principal, { operation, jobId });
    await transaction.$executeRaw`
      update job_partition set state = 'CANCELLED', finished_at = now(), total_items = coalesce(total_items, processed_items)
      where job_id = ${jobId}::uuid and state = 'PENDING'`;
    const running = await transaction.jobPartition.count({ where: { jobId, state: 'RUNNING' } });
    if (running === 0) await finishJob(transaction, job, { state: 'CANCELLED', failureReason: null });
    else {
      await transaction.$executeRaw`
        update job set state = 'CANCELLING', updated_at = now(), current_operation = 'Cancelling',
          estimated_completion = null
        where id = ${jobId}::uuid`;
    }
  });
}

/**
 * Asks a job to pause. A job that no thread works on is paused at once; a running one is PAUSING until its threads are
 * back at their checkpoints. A job that is pausing or paused is left as it is.
 * @throws JobNotFoundError, or JobNotPausableError for a job that has ended or is being cancelled.
 */
export async function pause(prisma: PrismaClient, principal: Principal, jobId: string): Promise<void> {
  await prisma.$transaction(async (transaction) => {
    const job = await lockJob(transaction, jobId);
    if (job === null) throw new JobNotFoundError(jobId);
    switch (job.state) {
      case 'PAUSING':
      case 'PAUSED':
        return;
      case 'QUEUED':
      case 'RUNNING':
        await recordDone(transaction, principal, { operation: 'pauseJob', jobId });
        if (await pauseWhenIdle(transaction, job)) return;
        await transaction.$executeRaw`
          update job set state = 'PAUSING', updated_at = now(), current_operation = 'Pausing', estimated_completion = null
          where id = ${jobId}::uuid`;
        return;
      case 'CANCELLING':
      case 'COMPLETED':
      case 'FAILED':
      case 'CANCELLED':
        throw new JobNotPausableError(jobId, job.state);
    }
  });
}

/** Pauses a job of which no partition runs. */
async function pauseWhenIdle(transaction: Transaction, job: LockedJob): Promise<boolean> {
  const running = await transaction.jobPartition.count({ where: { jobId: job.id, state: 'RUNNING' } });
  if (running > 0) return false;
  await transaction.$executeRaw`
    update job set state = 'PAUSED', updated_at = now(), current_operation = 'Paused', estimated_completion = null,
      items_per_second = null, is_total_known = progress.is_total_known, ${COUNTS_OF_PROGRESS}
    from ${progressOf(job.id)} as progress
    where job.id = ${job.id}::uuid`;
  return true;
}

/**
 * Lets a paused job go on: its partitions go back into the queue, each at its checkpoint.
 * @param requeue enqueues partitions as part of the transaction.
 * @throws JobNotFoundError, or JobNotPausedError for a job that is in any other state.
 */
export async function resume(
  prisma: PrismaClient,
  principal: Principal,
  jobId: string,
  requeue: (transaction: Transaction, partitionIds: readonly string[]) => Promise<void>,
): Promise<void> {
  await prisma.$transaction(async (transaction) => {
    const job = await lockJob(transaction, jobId);
    if (job === null) throw new JobNotFoundError(jobId);
    if (job.state !== 'PAUSED') throw new JobNotPausedError(jobId, job.state);
    await recordDone(transaction, principal, { operation: 'resumeJob', jobId });
    await transaction.$executeRaw`
      update job set state = 'QUEUED', updated_at = now(), current_operation = 'Waiting for a worker'
      where id = ${jobId}::uuid`;
    const waiting = await transaction.jobPartition.findMany({
      where: { jobId, state: 'PENDING' },
      select: { id: true },
      orderBy: { ordinal: 'asc' },
    });
    await requeue(
      transaction,
      waiting.map(({ id }) => id),
    );
  });
}

/**
 * Stores what a partition reads. Where that is too much for one, the rest becomes partitions of its own, beside it.
 * Does nothing once the partition has a plan, has ended, or is another attempt's.
 * @param partition as it was when it was planned: waiting, or claimed by the attempt that it carries.
 * @param enqueue enqueues the new partitions as part of the transaction.
 * @returns whether there are new partitions to work on.
 */
export async function applyPlan(
  prisma: PrismaClient,
  partition: JobPartition,
  [own, ...others]: readonly PlannedPartition[],
  enqueue: (transaction: Transaction, partitionIds: readonly string[]) => Promise<void>,
): Promise<boolean> {
  if (own === undefined) throw new Error('a plan has at least one partition');
  return prisma.$transaction(async (transaction) => {
    const job = await lockJobOfPartition(transaction, partition.id);
    if (job === null || isTerminal(job.state)) return false;
    const { count } = await transaction.jobPartition.updateMany({
      where: {
        id: partition.id,
        attempt: partition.attempt,
        state: partition.state,
        plan: { equals: Prisma.DbNull },
      },
      data: { plan: { ...own.plan } as Prisma.InputJsonObject, totalItems: own.totalItems },
    });
    if (count === 0 || others.length === 0) return false;
    const { _max } = await transaction.jobPartition.aggregate({
      where: { jobId: job.id },
      _max: { ordinal: true },
    });
    const rows = others.map(({ plan, totalItems }, index) => ({
      id: newUuid(),
      jobId: job.id,
      ordinal: (_max.ordinal ?? 0) + 1 + index,
      dataType: partition.dataType,
      dataSourceId: partition.dataSourceId,
      sourceName: partition.sourceName,
      plan: { ...plan } as Prisma.InputJsonObject,
      totalItems,
    }));
    await transaction.jobPartition.createMany({ data: rows });
    await enqueue(
      transaction,
      rows.map(({ id }) => id),
    );
    return true;
  });
}

/** Ways of an attempt to end that end its partition, too. */
export type FinalOutcome = Extract<PartitionOutcome, { status: 'COMPLETED' | 'FAILED' | 'STOPPED' }>;

/** How a partition ended, as it is stored. */
interface PartitionEnd {
  readonly state: Exclude<PartitionState, 'PENDING' | 'RUNNING'>;
  readonly message: string | null;
  /** Who is not cleared for it does not see the message. */
  readonly messageMarking: Marking | null;
}

/**
 * Stores how an attempt ended, brings its source up to date and, with the last partition, ends the job.
 * Does nothing when the attempt is not the current one any more.
 * @returns whether the job has ended.
 */
export async function finishPartition(
  prisma: PrismaClient,
  partition: Pick<JobPartition, 'id' | 'attempt'>,
  outcome: FinalOutcome,
): Promise<boolean> {
  return prisma.$transaction(async (transaction) => {
    const job = await lockJobOfPartition(transaction, partition.id);
    if (job === null || isTerminal(job.state)) return true;
    return endPartition(transaction, job, partition, outcome);
  });
}

/**
 * Lets go of a partition before its end: nobody works on it until it is claimed again, and goes on from its
 * checkpoint. Where its job has been asked to stop, it ends instead, and where it has been asked to pause, it waits
 * for that to end. Does nothing when the attempt is not the
 * current one any more.
 * @param reason why it has to be tried again, for people; null where nothing is wrong with it.
 * @param requeue puts it back into the queue as part of the transaction, where it still has to run.
 */
export async function handBackPartition(
  prisma: PrismaClient,
  partition: Pick<JobPartition, 'id' | 'attempt'>,
  reason: string | null,
  requeue: (transaction: Transaction) => Promise<void> = async () => {},
): Promise<void> {
  await prisma.$transaction(async (transaction) => {
    const job = await lockJobOfPartition(transaction, partition.id);
    if (job === null || isTerminal(job.state)) return;
    if (job.state === 'CANCELLING') {
      await endPartition(transaction, job, partition, { status: 'STOPPED' });
      return;
    }
    const { count } = await transaction.jobPartition.updateMany({
      where: { id: partition.id, attempt: partition.attempt, state: 'RUNNING' },
      data: { state: 'PENDING', message: reason, messageMarking: reason === null ? null : highestOfAll },
    });
    if (count === 0) return;
    if (job.state === 'PAUSING') {
      await pauseWhenIdle(transaction, job);
      return;
    }
    await transaction.$executeRaw`
      update job set current_operation = ${waitingOperation(reason)}, estimated_completion = null, updated_at = now()
      where id = ${job.id}::uuid`;
    await requeue(transaction);
  });
}

/** What a job does while a partition of it waits for its next attempt. */
export function waitingOperation(reason: string | null): string {
  return reason === null ? 'Waiting for a worker' : `Waiting to try again: ${reason}`;
}

/** Ends a partition whose attempts keep failing, whoever holds it, so that its job comes to an end too. */
export async function abandonPartition(prisma: PrismaClient, partitionId: string): Promise<void> {
  await prisma.$transaction(async (transaction) => {
    const job = await lockJobOfPartition(transaction, partitionId);
    if (job === null || isTerminal(job.state)) return;
    const partition = await transaction.jobPartition.findUnique({ where: { id: partitionId } });
    await endPartition(
      transaction,
      job,
      { id: partitionId, attempt: null },
      { status: 'FAILED', message: partition?.message ?? UNEXPECTED_END, isReadError: false },
    );
  });
}

/** Why an attempt has to be repeated, or could not be any more, where only the log can tell. */
export const UNEXPECTED_END = 'it ended unexpectedly; the log tells why';

function endOf(outcome: FinalOutcome, readErrorMarking: Marking): PartitionEnd {
  switch (outcome.status) {
    case 'COMPLETED':
      return { state: 'COMPLETED', message: null, messageMarking: null };
    case 'FAILED':
      return {
        state: 'FAILED',
        message: outcome.message,
        // Any other failure tells how many items failed, or what the catalog said of some of them.
        messageMarking: outcome.isReadError ? readErrorMarking : highestOfAll,
      };
    case 'STOPPED':
      return { state: 'CANCELLED', message: null, messageMarking: null };
  }
}

/** The warehouse's messages quote no cells, but tell of the table and of the query. */
function readErrorMarkingOf({ marking, partitionDataType }: LockedJobOfPartition): Marking {
  return higherMarking(defaultMarkingOf(partitionDataType), storedMarking(marking));
}

interface EndedPartition {
  readonly id: string;
  readonly jobId: string;
  readonly dataType: string;
  readonly dataSourceId: string | null;
  readonly sourceName: string;
  readonly retryOfPartitionId: string | null;
  readonly successCount: number;
  /** The states that the job's partitions are in now. */
  readonly states: readonly PartitionState[];
}

/**
 * Ends a partition, brings its source up to date and, with the last partition, ends the job.
 * @param partition whose attempt has to be the current one; null for whichever that is.
 * @returns whether the job has ended.
 */
async function endPartition(
  transaction: Transaction,
  job: LockedJobOfPartition,
  partition: { readonly id: string; readonly attempt: number | null },
  outcome: FinalOutcome,
): Promise<boolean> {
  const marking = readErrorMarkingOf(job);
  const ended = await storeEnd(transaction, partition, endOf(outcome, marking));
  if (ended === null) return false;
  if (outcome.status === 'FAILED' && outcome.isReadError) {
    await recordReadError(transaction, ended, outcome.message, marking);
  }
  if (job.kind === 'SYNC') await updateSource(transaction, ended, outcome);
  return finishJobWhenDone(transaction, job, ended.states);
}

async function storeEnd(
  transaction: Transaction,
  { id, attempt }: { readonly id: string; readonly attempt: number | null },
  { state, message, messageMarking }: PartitionEnd,
): Promise<EndedPartition | null> {
  const rows = await transaction.$queryRaw<EndedPartition[]>`
    update job_partition set
      state = ${state}::partition_state, message = ${message}, message_marking = ${messageMarking}, finished_at = now(),
      total_items = case when ${state} = 'COMPLETED' then processed_items
        else greatest(coalesce(total_items, 0), processed_items) end
    where id = ${id}::uuid and state in ('PENDING', 'RUNNING')
      and (${attempt}::int is null or attempt = ${attempt}::int)
    returning id, job_id as "jobId", data_type as "dataType", data_source_id as "dataSourceId",
      source_name as "sourceName", retry_of_partition_id as "retryOfPartitionId",
      success_count as "successCount",
      array(
        select distinct case when o.id = job_partition.id then ${state} else o.state::text end
        from job_partition o where o.job_id = job_partition.job_id
      ) as states`;
  return rows[0] ?? null;
}

/** A source that cannot be read, or not to its end, counts as one error of its job. */
async function recordReadError(
  transaction: Transaction,
  partition: EndedPartition,
  message: string,
  marking: Marking,
): Promise<void> {
  await transaction.jobError.create({
    data: {
      jobId: partition.jobId,
      partitionId: partition.id,
      stage: 'READ',
      dataType: partition.dataType,
      message: `Failed to query ${partition.dataType} from ${partition.sourceName}: ${message}`,
      marking,
    },
  });
  const level = levelOf(marking) + 1;
  await transaction.$executeRaw`
    update job_partition set error_count = error_count + 1, processed_items = processed_items + 1,
      error_by_level[${level}::int] = error_by_level[${level}::int] + 1,
      total_items = greatest(total_items, processed_items + 1)
    where id = ${partition.id}::uuid`;
}

/**
 * Keeps with a source how its sync ended, once all partitions of it have: the watermark moves only when each of them
 * was read to its end. A retry of failed items alone has not read the source, and tells nothing of it.
 */
async function updateSource(
  transaction: Transaction,
  partition: EndedPartition,
  outcome: FinalOutcome,
): Promise<void> {
  const { jobId, dataSourceId } = partition;
  if (dataSourceId === null || partition.retryOfPartitionId !== null) return;
  const parts = await transaction.jobPartition.findMany({
    where: { jobId, dataSourceId },
    select: { state: true, message: true, messageMarking: true, successCount: true, successByLevel: true },
    orderBy: { ordinal: 'asc' },
  });
  if (parts.some(({ state }) => state === 'PENDING' || state === 'RUNNING')) return;
  const unread =
    parts.find(({ state }) => state === 'FAILED') ?? parts.find(({ state }) => state === 'CANCELLED');
  const lastSync = { lastSyncAt: new Date(), lastSyncState: unread?.state ?? ('COMPLETED' as const) };
  const watermark = outcome.status === 'COMPLETED' ? outcome.watermark : null;
  await transaction.dataSource.updateMany({
    where: { id: dataSourceId },
    data:
      unread === undefined
        ? {
            ...lastSync,
            ...{ lastSyncMessage: null, lastSyncMarking: null },
            itemCount: parts.reduce((sum, { successCount }) => sum + successCount, 0),
            itemCountByLevel: [...sumOfCounts(...parts.map(({ successByLevel }) => successByLevel))],
            ...(watermark === null ? {} : { watermark }),
          }
        : { ...lastSync, lastSyncMessage: unread.message, lastSyncMarking: unread.messageMarking },
  });
}

/**
 * Ends a job once all its partitions have: cancelled if asked to, failed when none of them could be read.
 * @returns whether it has ended.
 */
async function finishJobWhenDone(
  transaction: Transaction,
  job: LockedJob,
  states: readonly PartitionState[],
): Promise<boolean> {
  if (states.includes('PENDING') || states.includes('RUNNING')) {
    if (job.state === 'PAUSING') await pauseWhenIdle(transaction, job);
    return false;
  }
  if (job.state === 'CANCELLING' || states.includes('CANCELLED')) {
    await finishJob(transaction, job, { state: 'CANCELLED', failureReason: null });
  } else if (states.every((state) => state === 'FAILED')) {
    await finishJob(transaction, job, { state: 'FAILED', failureReason: await reasonOf(transaction, job) });
  } else await finishJob(transaction, job, { state: 'COMPLETED', failureReason: null });
  return true;
}

/** Why each of a job's partitions failed. */
async function reasonOf(transaction: Transaction, { id }: LockedJob): Promise<string> {
  const partitions = await transaction.jobPartition.findMany({
    where: { jobId: id },
    select: { message: true, sourceName: true },
    orderBy: { ordinal: 'asc' },
  });
  const reasons = new Set(partitions.map(({ sourceName, message }) => `${sourceName}: ${message}`));
  return [...reasons].join('; ');
}

interface JobEnd {
  readonly state: TerminalJobState;
  readonly failureReason: string | null;
}

async function finishJob(transaction: Transaction, job: LockedJob, end: JobEnd): Promise<void> {
  const what = job.kind === 'SYNC' ? 'Sync' : 'Query job';
  await transaction.$executeRaw`
    update job set
      state = ${end.state}::job_state, failure_reason = ${end.failureReason}, finished_at = now(), updated_at = now(),
      current_operation = ${`${what} ${end.state.toLowerCase()}`}, estimated_completion = null,
      items_per_second = case when started_at < now()
        then progress.processed_items / extract(epoch from now() - started_at) end,
      is_total_known = true, ${COUNTS_OF_PROGRESS}
    from ${progressOf(job.id)} as progress
    where job.id = ${job.id}::uuid`;
}

/** Sets a job's counts to those of its progress. */
const COUNTS_OF_PROGRESS = Prisma.sql`
  total_items = coalesce(progress.total_items, 0), processed_items = progress.processed_items,
  success_count = progress.success_count, error_count = progress.error_count,
  success_by_level = progress.success_by_level, error_by_level = progress.error_by_level,
  progress_by_type = progress.progress_by_type, recent_errors = progress.recent_errors`;

const SUCCESS_BY_LEVEL = Prisma.raw(arrayOfLevels((at) => `coalesce(sum(success_by_level[${at}]), 0)::int`));
const ERROR_BY_LEVEL = Prisma.raw(arrayOfLevels((at) => `coalesce(sum(error_by_level[${at}]), 0)::int`));

/** A job's progress as its partitions and errors tell it: the one source of a job's counts. */
export function progressOf(jobId: string): Prisma.Sql {
  return Prisma.sql`(
    select
      sum(total_items)::int as total_items,
      coalesce(sum(processed_items), 0)::int as processed_items,
      coalesce(sum(success_count), 0)::int as success_count,
      coalesce(sum(error_count), 0)::int as error_count,
      ${SUCCESS_BY_LEVEL} as success_by_level,
      ${ERROR_BY_LEVEL} as error_by_level,
      coalesce(bool_and(total_items is not null), false) as is_total_known,
      (select coalesce(jsonb_agg(jsonb_build_object('dataType', data_type, 'totalItems', total_items,
          'processedItems', processed_items, 'successCount', success_count, 'errorCount', error_count,
          'successByLevel', success_by_level, 'errorByLevel', error_by_level) order by data_type), '[]')
        from (
          select data_type, sum(total_items)::int as total_items, sum(processed_items)::int as processed_items,
            sum(success_count)::int as success_count, sum(error_count)::int as error_count,
            ${SUCCESS_BY_LEVEL} as success_by_level, ${ERROR_BY_LEVEL} as error_by_level
          from job_partition where job_id = ${jobId}::uuid group by data_type
        ) as by_type
      ) as progress_by_type,
      (select coalesce(array_agg(message order by id), '{}') from (
        select id, message from job_error where job_id = ${jobId}::uuid order by id desc limit 10
      ) as recent) as recent_errors
    from job_partition where job_id = ${jobId}::uuid
  )`;
}

async function lockJob(transaction: Transaction, jobId: string): Promise<LockedJob | null> {
  const rows = await transaction.$queryRaw<LockedJob[]>`
    select id, state, kind, marking from job where id = ${jobId}::uuid for update`;
  return rows[0] ?? null;
}

async function lockJobOfPartition(
  transaction: Transaction,
  partitionId: string,
): Promise<LockedJobOfPartition | null> {
  const rows = await transaction.$queryRaw<LockedJobOfPartition[]>`
    select job.id, job.state, job.kind, job.marking, p.data_type as "partitionDataType"
    from job_partition p join job on job.id = p.job_id where p.id = ${partitionId}::uuid for update of job`;
  return rows[0] ?? null;
}
