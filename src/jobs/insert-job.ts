import { v7 as newUuid } from 'uuid';
import { type AuditRecord, describeDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { insertRecords, selectColumns } from '../database/columns.ts';
import { type Job, Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import { runInProducerSpan } from '../observability/spans.ts';
import { readJobOptions } from './input/job-options.ts';
import type { NewJobColumns } from './job-configuration.ts';
import { enqueueInserted, PARTITIONS } from './queue/message-insert.ts';
import { insertStartRequest, type StartRequest } from './start-request.ts';

/** A partition to create. */
export interface NewPartition {
  readonly dataType: string;
  readonly dataSourceId: string | null;
  readonly sourceName: string;
  readonly retryOfPartitionId?: string;
}

/** A job to create, and what the audit says of it. */
export interface NewJob extends Pick<AuditRecord, 'operation' | 'dataSourceId' | 'details'> {
  readonly job: NewJobColumns;
  readonly partitions: readonly NewPartition[];
  /** The waiting runs of schedules that it is started for. */
  readonly scheduledRunIds?: readonly string[];
}

/**
 * Inserts a job with its partitions, their messages in the queue and its audit entry, in one statement: a transaction of
 * several takes longer than a small job.
 * @param request how to recognize the start if it is sent again, unless that is saved already.
 * @returns null if nothing was inserted: the start was sent before, or another sync or repair is active.
 */
export async function insertJob(
  client: Pick<PrismaClient, '$queryRaw'>,
  principal: Principal,
  id: string,
  { job, partitions, scheduledRunIds = [], ...record }: NewJob,
  request: StartRequest | null = null,
): Promise<Job | null> {
  const row = {
    ...{ id, startedById: principal.id, startedByName: principal.name, ...toJson(job) },
    totalSources: new Set(partitions.map(({ sourceName }) => sourceName)).size,
  };
  const rows = partitions.map((partition, ordinal) => ({
    ...{ id: newUuid(), jobId: id, ordinal, retryOfPartitionId: null },
    ...partition,
  }));
  const entry = describeDone(principal, { jobId: id, marking: job.marking, ...record });
  const maxAttempts = readJobOptions({ options: job.options ?? {} }).maxAttempts;
  return runInProducerSpan(`insert ${PARTITIONS}`, async (traceContext) => {
    const inserted = await client.$queryRaw<Job[]>`
      with request as (${request === null ? Prisma.sql`select` : insertStartRequest(principal, request, id)}),
      inserted as (
        ${insertRecords('job', [row])} where exists (select from request)
        -- Of syncs and repairs, one of each can be active.
        on conflict do nothing returning *
      ),
      audited as (${insertRecords('audit_entry', [entry])} where exists (select from inserted)),
      partitions as (${insertRecords('job_partition', rows)} where exists (select from inserted) returning id),
      runs as (
        update scheduled_run set state = 'STARTED', job_id = inserted.id from inserted
        where scheduled_run.id = any(${scheduledRunIds}::uuid[])
      ),
      ${enqueueInserted(Prisma.sql`partitions`, maxAttempts, traceContext)}
      select ${selectColumns(Object.values(Prisma.JobScalarFieldEnum), 'inserted')} from inserted left join notified on true`;
    return inserted[0] ?? null;
  });
}

/** Converts Prisma's null of the database to that of JSON, which the database reads as its own. */
function toJson(job: NewJobColumns): object {
  return Object.fromEntries(
    Object.entries(job).map(([name, value]) => [name, value === Prisma.DbNull ? null : value]),
  );
}
