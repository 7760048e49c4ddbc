import { type JobPartition, Prisma, type PrismaClient } from '../../database/generated/prisma/client.ts';
import { createCompletion } from '../end-job.ts';

/**
 * Completes the partition of a query job together with the job, in one statement: a transaction of several takes longer
 * than the rows of a small query.
 * @returns null if nothing was done: the job was asked to stop or to pause, or the attempt has lost its lease.
 */
export async function finishQuery(
  prisma: PrismaClient,
  { id, attempt, jobId }: Pick<JobPartition, 'id' | 'attempt' | 'jobId'>,
): Promise<{ readonly hasRemovals: boolean } | null> {
  const job = { id: jobId, state: 'RUNNING', kind: 'QUERY' } as const;
  const rows = await prisma.$queryRaw<{ hasRemovals: boolean }[]>`
    with locked as materialized (
      select id from job where id = ${job.id}::uuid and state = ${job.state}::job_state and kind = ${job.kind}::job_kind
      for update
    ),
    -- A query has one partition from its start to its end.
    ended as (
      update job_partition p set state = 'COMPLETED', message = null, message_marking = null, finished_at = blade_now(),
        total_items = p.processed_items
      from locked where p.id = ${id}::uuid and p.job_id = locked.id and p.attempt = ${attempt}::int and p.state = 'RUNNING'
      returning p.*
    ),
    forgotten as (
      delete from read_ids r using ended where r.partition_id = ended.id
        and not exists (select from delete_approval a where a.data_source_id = ended.data_source_id)
    )
    ${createCompletion(job, Prisma.raw('ended'))} and exists (select from ended)
    returning exists (select from item_removal) as "hasRemovals"`;
  return rows[0] ?? null;
}
