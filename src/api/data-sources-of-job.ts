import { setImmediate } from 'node:timers/promises';
import type { DataSource, Job, PrismaClient } from '../database/generated/prisma/client.ts';

/**
 * The sources that a job reads, by name; those that were deleted are missing. Jobs that are asked for in one turn of the
 * event loop, such as those of a page, are looked up together: two statements, however many there are.
 * @param prisma sees what who asks may see.
 */
export function dataSourcesOf(prisma: PrismaClient, { id }: Job): Promise<DataSource[]> {
  let batch = batches.get(prisma);
  if (batch === undefined) {
    const jobIds = new Set<string>();
    const found = setImmediate().then(() => {
      batches.delete(prisma);
      return findByJob(prisma, [...jobIds]);
    });
    batch = { jobIds, found };
    batches.set(prisma, batch);
  }
  batch.jobIds.add(id);
  return batch.found.then((byJob) => byJob.get(id) ?? []);
}

interface Batch {
  readonly jobIds: Set<string>;
  readonly found: Promise<ReadonlyMap<string, DataSource[]>>;
}

/** Those that have yet to be looked up, by who looks. */
const batches = new WeakMap<PrismaClient, Batch>();

async function findByJob(
  prisma: PrismaClient,
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, DataSource[]>> {
  // Grouped by the database: a job has a partition for every million rows or less, all of one source.
  const pairs = await prisma.jobPartition.groupBy({
    by: ['jobId', 'dataSourceId'],
    where: { jobId: { in: [...jobIds] }, dataSourceId: { not: null } },
  });
  const byJob = new Map<string, DataSource[]>();
  if (pairs.length === 0) return byJob;
  const idsOf = Map.groupBy(pairs, ({ dataSourceId }) => dataSourceId);
  const sources = await prisma.dataSource.findMany({
    where: { id: { in: [...idsOf.keys()].filter((id) => id !== null) } },
    orderBy: { name: 'asc' },
  });
  for (const source of sources) {
    for (const { jobId } of idsOf.get(source.id) ?? []) {
      byJob.set(jobId, [...(byJob.get(jobId) ?? []), source]);
    }
  }
  return byJob;
}
