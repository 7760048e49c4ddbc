import { onTestFinished } from 'vitest';
import { type Cluster, listClaims } from './cluster.ts';
import type { Program } from './program.ts';

/** Saves waiting until the test ends: claims of dead processes expire at once, and retries start at once. */
export function letTimeFly(cluster: Cluster, dead: readonly Program[]): void {
  let flying: Promise<void> | undefined;
  const timer = setInterval(() => {
    // Nothing can be done while the database is away.
    flying ??= letTimePass(cluster, dead)
      .catch(() => {})
      .finally(() => {
        flying = undefined;
      });
  }, 250);
  onTestFinished(async () => {
    clearInterval(timer);
    await flying;
  });
}

/** Lets the claims of dead processes expire, and retries start. */
export async function letTimePass({ pool, programs }: Cluster, dead: readonly Program[]): Promise<void> {
  const held = new Set(programs.filter((program) => !dead.includes(program)).flatMap(listClaims));
  const left = dead.flatMap(listClaims).filter((partitionId) => !held.has(partitionId));
  await pool.query(
    `update pgboss.job set heartbeat_on = now() - interval '1 minute'
     where name = 'partitions' and state = 'active' and data ->> 'partitionId' = any($1)
       and started_on < now() - interval '1 second'`,
    [left],
  );
  await pool.query(
    `update pgboss.job set start_after = now() where name = 'partitions' and state = 'retry' and start_after > now()`,
  );
}
