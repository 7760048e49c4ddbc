import { Prisma } from '../../database/generated/prisma/client.ts';
import type { JsonObject } from '../../shared/json.ts';

/** The queue of partitions. */
export const PARTITIONS = 'partitions';

/** What a message of the queue holds. */
export interface PartitionMessage {
  readonly partitionId: string;
}

/**
 * Enqueues partitions within the statement that inserts them, where pg-boss would need one more. A test checks that the
 * messages equal those of pg-boss.
 * @param inserted the name of the part that returns their ids.
 * @param maxAttempts how often a failing partition is run before it is given up.
 * @param traceContext the trace to continue; null for none.
 * @returns two parts of a WITH. The statement must read the second, `notified`, whose row wakes the workers of all processes.
 */
export function enqueueInserted(
  inserted: Prisma.Sql,
  maxAttempts: number,
  traceContext: JsonObject | null,
): Prisma.Sql {
  return Prisma.sql`
    message as (
      insert into pgboss.job (name, data, start_after, created_on, keep_until, expire_seconds, deletion_seconds, retry_limit,
        retry_delay, retry_backoff, retry_delay_max, policy, dead_letter, heartbeat_seconds, trace_context)
      select ${PARTITIONS}, jsonb_build_object('partitionId', i.id), now.time, now.time,
        now.time + q.retention_seconds * interval '1 second', q.expire_seconds, q.deletion_seconds, ${maxAttempts - 1}::int,
        q.retry_delay, q.retry_backoff, q.retry_delay_max, q.policy, q.dead_letter, q.heartbeat_seconds, ${traceContext}::jsonb
      from ${inserted} i cross join pgboss.job_now() as now(time) left join pgboss.queue q on q.name = ${PARTITIONS}
      returning name
    ),
    notified as (
      select pg_notify('pgboss_' || left(encode(sha224('pgboss'::bytea), 'hex'), 24), name) from message limit 1
    )`;
}
