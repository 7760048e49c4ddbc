import { setInterval } from 'node:timers/promises';
import type { PgBoss } from 'pg-boss';

/** No time is further ahead than this: the longest wait before a retry is a minute. */
const FURTHEST_AHEAD = `interval '2 minutes'`;

// What was written before the clock was set back is ahead of it. Until the old time returned, messages would not be ready, and
// neither dead workers nor schedules would be looked for.
const MESSAGES = [
  `update pgboss.job set start_after = pgboss.job_now() where name = any($1) and state < 'active' and start_after > pgboss.job_now() + ${FURTHEST_AHEAD}`,
  `update pgboss.job set heartbeat_on = pgboss.job_now() where name = any($1) and state = 'active' and heartbeat_on > pgboss.job_now() + ${FURTHEST_AHEAD}`,
];
const CARE = [
  `update pgboss.queue set monitor_claim_on = least(monitor_claim_on, pgboss.job_now()),
      monitor_on = least(monitor_on, pgboss.job_now()), maintain_on = least(maintain_on, pgboss.job_now())
    where greatest(monitor_claim_on, monitor_on, maintain_on) > pgboss.job_now() + ${FURTHEST_AHEAD}`,
  `update pgboss.version set cron_on = least(cron_on, pgboss.job_now()), bam_on = least(bam_on, pgboss.job_now()),
      flow_on = least(flow_on, pgboss.job_now())
    where greatest(cron_on, bam_on, flow_on) > pgboss.job_now() + ${FURTHEST_AHEAD}`,
];

/**
 * Brings times of the queue that are ahead of the clock back to it.
 * @param queues those whose messages never wait longer than that.
 */
export async function bringQueueBack(boss: PgBoss, queues: readonly string[]): Promise<void> {
  for (const statement of MESSAGES) await boss.getDb().executeSql(statement, [[...queues]]);
  for (const statement of CARE) await boss.getDb().executeSql(statement);
}

/**
 * Looks again and again whether the clock was set back.
 * @returns a function that ends the looking.
 */
export function watchSetBack(
  boss: PgBoss,
  queues: readonly string[],
  onError: (error: unknown) => void,
): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const watching = (async () => {
    for await (const _turn of setInterval(LOOK_INTERVAL_MS, undefined, { signal, ref: false }))
      await bringQueueBack(boss, queues).catch(onError);
  })().catch(() => {}); // Rejects only when it ends.
  return async () => {
    stopping.abort();
    await watching;
  };
}

const LOOK_INTERVAL_MS = 15_000;
