import type { Job, JobPartition, PrismaClient } from '../../database/generated/prisma/client.ts';
import { isRetryable } from '../../jobs/retry-job.ts';
import { createLoader } from '../../shared/loader.ts';
import { builder } from './builder.ts';
import { encodeGlobalId } from './global-id.ts';

/** A source that could not be read to its end: the first of its partitions that failed. */
interface FailedSource
  extends Pick<JobPartition, 'jobId' | 'sourceName' | 'dataType' | 'dataSourceId' | 'message'> {
  readonly isRetryable: boolean;
}

export const FailedSourceType = builder.objectRef<FailedSource>('FailedSource').implement({
  description:
    'A source of a job, or its query, that could not be read to its end. What was read before is kept.',
  fields: (t) => ({
    id: t.id({
      description: 'Identifies it in the caches of clients.',
      resolve: ({ jobId, sourceName }) => encodeGlobalId('FailedSource', `${jobId}:${sourceName}`),
    }),
    sourceName: t.exposeString('sourceName', {
      description:
        'Name of the source when the job was started, kept when the source is deleted. For a query that belongs to no source, the tables that it reads.',
    }),
    dataType: t.exposeString('dataType', { description: 'Data type of its items.' }),
    dataSource: t.prismaField({
      type: 'DataSource',
      nullable: true,
      description: 'The source; null once it is deleted, and for a query that belongs to none.',
      resolve: (query, { dataSourceId }, _args, { prisma }) =>
        dataSourceId === null
          ? null
          : prisma.dataSource.findUnique({ ...query, where: { id: dataSourceId } }),
    }),
    message: t.string({
      description: 'Why it failed.',
      resolve: ({ message }) => message ?? 'The reason is unknown.',
    }),
    isRetryable: t.exposeBoolean('isRetryable', {
      description:
        'Whether `retryJob` with FAILED_SOURCES reads it again, once the job has ended. False if the source was deleted, and while it is disabled.',
    }),
  }),
});

/** Loads the sources of a job that failed, in the order of the job. The jobs of a page are looked up together. */
export async function loadFailedSources(
  prisma: PrismaClient,
  job: Pick<Job, 'id' | 'kind'>,
): Promise<readonly FailedSource[]> {
  const failed = await loadFailedPartitions(prisma, job.id);
  const sources = new Map<string, FailedSource>();
  for (const partition of failed.get(job.id) ?? []) {
    if (sources.has(partition.sourceName)) continue;
    sources.set(partition.sourceName, { ...partition, isRetryable: isRetryable(job.kind, partition) });
  }
  return [...sources.values()];
}

const loadFailedPartitions = createLoader(async (prisma: PrismaClient, jobIds: readonly string[]) => {
  const partitions = await prisma.jobPartition.findMany({
    where: { jobId: { in: [...new Set(jobIds)] }, state: 'FAILED' },
    include: { dataSource: { select: { enabled: true } } },
    orderBy: [{ jobId: 'asc' }, { ordinal: 'asc' }],
  });
  return Map.groupBy(partitions, ({ jobId }) => jobId);
});
