import type { PrismaClient } from '../database/generated/prisma/client.ts';
import type { ClusterFacts } from '../observability/metrics.ts';
import type { JobState } from './job-state.ts';
import type { PartitionQueue } from './queue/partition-queue.ts';

/** Reads the cluster-wide figures that every process reports in its metrics, with a few small queries. */
export async function readClusterFacts(
  prisma: PrismaClient,
  queue: Pick<PartitionQueue, 'facts'>,
): Promise<ClusterFacts> {
  const [counts, queued, sources, pendingRemovals] = await Promise.all([
    prisma.$queryRaw<{ state: JobState; count: number }[]>`
      select state, count(*)::int as count from job group by state`,
    queue.facts(),
    prisma.dataSource.findMany({ where: { drift: { not: null } }, select: { name: true, drift: true } }),
    prisma.itemRemoval.count(),
  ]);
  return {
    jobs: Object.fromEntries(counts.map(({ state, count }) => [state, count])),
    queue: queued,
    drifts: sources.map(({ name, drift }) => ({ source: name, drift: Number(drift) })),
    pendingRemovals,
  };
}
