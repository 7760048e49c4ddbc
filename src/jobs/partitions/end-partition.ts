import type { DataTypes } from '../../data-types/data-types.ts';
import { HIGHEST_MARKING, type Marking, pickHigherMarking, toMarking } from '../../data-types/marking.ts';
import type { JobPartition, PartitionState, PrismaClient } from '../../database/generated/prisma/client.ts';
import type { PartitionOutcome } from '../../ingestion/partition-task.ts';
import { type DeletingTransaction, runDeleting } from '../../items/deleting-transaction.ts';
import { recordFoundSchema } from '../../sources/found-schema.ts';
import { recordSourceSync } from '../../sources/record-source-sync.ts';
import { endJobWhenDone } from '../end-job.ts';
import { type LockedPartitionJob, lockPartitionJob, type Transaction } from '../job-lock.ts';
import { isTerminal } from '../job-state.ts';

/** Outcomes of an attempt that end its partition, too. */
export type FinalOutcome = Extract<PartitionOutcome, { status: 'COMPLETED' | 'FAILED' | 'STOPPED' }>;

/** What partitions are ended with. */
export interface EndingParts {
  readonly prisma: PrismaClient;
  readonly dataTypes: DataTypes;
}

/**
 * Saves how an attempt ended, brings its source up to date and, with the last partition, ends the job.
 * Does nothing when the attempt has lost its lease.
 * @returns whether the job has ended.
 */
export async function finishPartition(
  { prisma, dataTypes }: EndingParts,
  partition: Pick<JobPartition, 'id' | 'attempt'>,
  outcome: FinalOutcome,
): Promise<boolean> {
  return runDeleting(prisma, async (transaction) => {
    const job = await lockPartitionJob(transaction, partition.id);
    // A partition is gone once its source has been planned again.
    if (job === null) return false;
    return (
      isTerminal(job.state) || endPartition(transaction, job, partition, withMarking(outcome, job, dataTypes))
    );
  });
}

/**
 * Ends a partition whose attempts keep failing, whichever attempt holds it, so that its job ends too.
 * @returns names the statements that the last attempt may have left in the warehouse; null for none.
 */
export async function abandonPartition(
  { prisma, dataTypes }: EndingParts,
  partitionId: string,
): Promise<string | null> {
  return runDeleting(prisma, async (transaction) => {
    const job = await lockPartitionJob(transaction, partitionId);
    if (job === null || isTerminal(job.state)) return null;
    const partition = await transaction.jobPartition.findUnique({ where: { id: partitionId } });
    await endPartition(
      transaction,
      job,
      { id: partitionId, attempt: null },
      withMarking(
        { status: 'FAILED', message: partition?.message ?? WORKER_DIED, isReadError: false },
        job,
        dataTypes,
      ),
    );
    return job.partitionStatements;
  });
}

/** The reason of a partition whose attempts all ended without a word. */
const WORKER_DIED =
  'in each attempt, its worker was killed, ran out of memory or lost the database. A smaller `batchSize` needs less memory.';

/**
 * Ends a partition, brings its source up to date and, with the last partition, ends the job.
 * @param partition its current attempt; null for whichever that is.
 * @returns whether the job has ended.
 */
export async function endPartition(
  transaction: DeletingTransaction,
  job: LockedPartitionJob,
  partition: { readonly id: string; readonly attempt: number | null },
  outcome: MarkedOutcome,
): Promise<boolean> {
  // The last partition of the source needs the ids of all of them, and so do deletes of the source that wait.
  const keepsReadIds = outcome.status === 'COMPLETED' && outcome.deletes?.isAllowed === true;
  const ended = await saveEnd(transaction, partition, toPartitionEnd(outcome), keepsReadIds);
  if (ended === null) return false;
  if (outcome.status === 'FAILED' && outcome.isReadError) {
    await recordReadError(transaction, ended, outcome.message, outcome.messageMarking);
  }
  if (outcome.status === 'FAILED' && outcome.schema !== undefined && ended.dataSourceId !== null) {
    await recordFoundSchema(
      transaction,
      { ...ended, dataSourceId: ended.dataSourceId },
      outcome.schema,
      true,
    );
  }
  if (job.kind === 'SYNC') {
    const isRead = outcome.status === 'COMPLETED';
    await recordSourceSync(transaction, ended, {
      watermark: isRead ? outcome.watermark : null,
      warning: isRead ? (outcome.warning ?? null) : null,
      marking: isRead ? (outcome.warningMarking ?? null) : null,
      version: isRead ? outcome.version : null,
      read: isRead ? outcome.read : null,
      measure: isRead ? outcome.measure : null,
      deletes: isRead ? outcome.deletes : null,
      feed: isRead ? outcome.feed : null,
      goneIds: isRead ? outcome.goneIds : null,
      syncType: job.syncType ?? 'FULL',
    });
  }
  return endJobWhenDone(transaction, job, ended.states);
}

/** How a partition ended, as it is stored. */
interface PartitionEnd {
  readonly state: Exclude<PartitionState, 'PENDING' | 'RUNNING'>;
  readonly message: string | null;
  /** The message is hidden from callers without clearance for it. */
  readonly messageMarking: Marking | null;
}

function toPartitionEnd(outcome: MarkedOutcome): PartitionEnd {
  switch (outcome.status) {
    case 'COMPLETED':
      return { state: 'COMPLETED', message: null, messageMarking: null };
    case 'FAILED':
      return { state: 'FAILED', message: outcome.message, messageMarking: outcome.messageMarking };
    case 'STOPPED':
      return { state: 'CANCELLED', message: null, messageMarking: null };
  }
}

/**
 * Chooses the marking of a failure's message. The warehouse's messages quote no cells, but name the table and the query;
 * others contain counts of rows, or quote what the catalog said about some.
 */
export function chooseFailureMarking(
  {
    isReadError,
    hasRowCounts = false,
    isGeneral = false,
  }: Pick<FailedOutcome, 'isReadError' | 'hasRowCounts' | 'isGeneral'>,
  { marking, partitionDataType }: LockedPartitionJob,
  dataTypes: DataTypes,
): Marking {
  if (isGeneral) return toMarking(marking);
  if (!isReadError || hasRowCounts) return HIGHEST_MARKING;
  return pickHigherMarking(dataTypes.getDefaultMarking(partitionDataType), toMarking(marking));
}

type FailedOutcome = Extract<FinalOutcome, { status: 'FAILED' }>;

type CompletedOutcome = Extract<FinalOutcome, { status: 'COMPLETED' }>;

/** A final outcome, which says who may read its message or its warning. */
export type MarkedOutcome =
  | Exclude<FinalOutcome, FailedOutcome | CompletedOutcome>
  | (CompletedOutcome & { readonly warningMarking?: Marking })
  | (FailedOutcome & { readonly messageMarking: Marking });

export function withMarking(
  outcome: FinalOutcome,
  job: LockedPartitionJob,
  dataTypes: DataTypes,
): MarkedOutcome {
  if (outcome.status === 'COMPLETED' && outcome.warning !== undefined)
    return { ...outcome, warningMarking: chooseFailureMarking({ isReadError: true }, job, dataTypes) };
  if (outcome.status !== 'FAILED') return outcome;
  return { ...outcome, messageMarking: chooseFailureMarking(outcome, job, dataTypes) };
}

interface EndedPartition {
  readonly id: string;
  readonly jobId: string;
  readonly dataType: string;
  readonly dataSourceId: string | null;
  readonly sourceName: string;
  readonly retryOfPartitionId: string | null;
  /** The states that the job's partitions are in now. */
  readonly states: readonly PartitionState[];
}

async function saveEnd(
  transaction: Transaction,
  { id, attempt }: { readonly id: string; readonly attempt: number | null },
  { state, message, messageMarking }: PartitionEnd,
  keepsReadIds: boolean,
): Promise<EndedPartition | null> {
  const rows = await transaction.$queryRaw<EndedPartition[]>`
    with forgotten as (
      delete from read_ids r using job_partition p where r.partition_id = p.id and p.id = ${id}::uuid
        and p.state in ('PENDING', 'RUNNING') and (${attempt}::int is null or p.attempt = ${attempt}::int)
        and not ${keepsReadIds} and not exists (select from delete_approval a where a.data_source_id = p.data_source_id)
    )
    update job_partition set
      state = ${state}::partition_state, message = ${message}, message_marking = ${messageMarking}, finished_at = blade_now(),
      total_items = case ${state} when 'COMPLETED' then processed_items else total_items end
    where id = ${id}::uuid and state in ('PENDING', 'RUNNING')
      and (${attempt}::int is null or attempt = ${attempt}::int)
    returning id, job_id as "jobId", data_type as "dataType", data_source_id as "dataSourceId",
      source_name as "sourceName", retry_of_partition_id as "retryOfPartitionId",
      array(
        select distinct case when o.id = job_partition.id then ${state} else o.state::text end
        from job_partition o where o.job_id = job_partition.job_id
      ) as states`;
  return rows[0] ?? null;
}

/** Records why a source could not be read to its end as an error of the job. No row failed, so none is counted. */
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
}
