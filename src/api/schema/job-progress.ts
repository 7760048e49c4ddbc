import { z } from 'zod';
import type { Job, PartitionState } from '../../database/generated/prisma/client.ts';
import { isTerminal, type JobState } from '../../jobs/job-state.ts';
import { builder } from './builder.ts';
import { createColumnReader } from './read-columns.ts';

/** The options of the counts that a job, its partitions and its data types have. */
export const PROCESSED_ITEMS = { type: 'SafeInt', description: 'successCount + errorCount.' } as const;
export const SUCCESS_COUNT = {
  type: 'SafeInt',
  description: 'Rows stored and uploaded to the catalog.',
} as const;
export const ERROR_COUNT = { type: 'SafeInt', description: 'Rows that failed.' } as const;

const typeProgressSchema = z.array(
  z.object({
    dataType: z.string(),
    totalItems: z.int().nullable(),
    processedItems: z.int(),
    successCount: z.int(),
    errorCount: z.int(),
  }),
);

type TypeProgress = z.output<typeof typeProgressSchema>[number];

const TypeProgressType = builder.objectRef<TypeProgress>('TypeProgress').implement({
  description: 'Progress of a job with one data type.',
  fields: (t) => ({
    dataType: t.exposeString('dataType', { description: 'Name of the data type.' }),
    totalItems: t.expose('totalItems', {
      type: 'SafeInt',
      nullable: true,
      description: 'Rows to read; null until they are counted.',
    }),
    processedItems: t.expose('processedItems', PROCESSED_ITEMS),
    successCount: t.expose('successCount', SUCCESS_COUNT),
    errorCount: t.expose('errorCount', ERROR_COUNT),
  }),
});

const readColumns = createColumnReader<Job>();

export const JobProgressType = builder.objectRef<Job>('JobProgress').implement({
  description:
    'Progress of a job, counting the rows that your clearance covers; for a repair, the items that it compares. Always processedItems = successCount + errorCount ≤ totalItems.',
  fields: (t) => ({
    currentOperation: t.exposeString('currentOperation', {
      description: 'What the job is doing now, as text to show.',
    }),
    percent: t.float({
      nullable: true,
      description:
        'From 0 to 100; below 100 until the job is COMPLETED. Null until the rows of every source are counted, except for sources that have failed. Null for a FAILED or CANCELLED job with rows that nobody counted. Without clearance for TOP SECRET, null until the job is COMPLETED, because unread rows can have any marking.',
      ...readColumns(
        ['state', 'isTotalKnown', 'totalItems', 'processedItems'],
        ({ state, isTotalKnown, totalItems, processedItems }) =>
          calculatePercent(state, isTotalKnown ? totalItems : null, processedItems),
      ),
    }),
    totalItems: t.expose('totalItems', {
      type: 'SafeInt',
      nullable: true,
      description:
        'Rows to read, as far as they have been counted. Null before the first count and, without clearance for TOP SECRET, until the job has ended.',
    }),
    totalSources: t.exposeInt('totalSources', {
      description: 'Sources to read. A query counts as one.',
    }),
    completedSources: t.exposeInt('completedSources', {
      description:
        'Sources read to their end. Known from the start, unlike the rows to read. For those that failed, see `failedSources`.',
    }),
    processedItems: t.expose('processedItems', {
      type: 'SafeInt',
      description: 'Rows that succeeded or failed: successCount + errorCount.',
    }),
    successCount: t.expose('successCount', SUCCESS_COUNT),
    errorCount: t.expose('errorCount', ERROR_COUNT),
    restoredCount: t.field({
      type: 'SafeInt',
      nullable: true,
      description:
        'Items that a repair of the catalog uploaded again because they were missing or different; they are also successes. Null for other jobs.',
      ...readColumns(['kind', 'restoredCount'], ({ kind, restoredCount }) =>
        kind === 'REPAIR' ? restoredCount : null,
      ),
    }),
    itemsPerSecond: t.exposeFloat('itemsPerSecond', {
      nullable: true,
      description:
        'Recent rate; for an ended job, the rate over its whole run. Null if unknown, and without clearance for TOP SECRET.',
    }),
    estimatedCompletion: t.expose('estimatedCompletion', {
      type: 'DateTime',
      nullable: true,
      description:
        'Estimated end, by the recent rate. Null if unknown, and without clearance for TOP SECRET.',
    }),
    elapsedSeconds: t.float({
      nullable: true,
      description: 'Run time so far, or in total once the job has ended, in seconds. Null before it starts.',
      ...readColumns(
        ['startedAt', 'finishedAt', 'updatedAt', 'state'],
        ({ startedAt, finishedAt, updatedAt, state }) =>
          startedAt === null
            ? null
            : ((isTerminal(state) ? (finishedAt ?? updatedAt) : new Date()).getTime() - startedAt.getTime()) /
              1000,
      ),
    }),
    byType: t.field({
      type: [TypeProgressType],
      description: 'Progress by data type; empty until a worker has claimed the job.',
      ...readColumns(['progressByType'], ({ progressByType }) => typeProgressSchema.parse(progressByType)),
    }),
  }),
});

/**
 * Calculates progress from 0 to 100, which only a completed job or partition reaches. Null if the total is unknown, and if it
 * ended early although every counted row was processed.
 */
export function calculatePercent(
  state: JobState | PartitionState,
  totalItems: bigint | null,
  processedItems: bigint,
): number | null {
  if (state === 'COMPLETED') return 100;
  if (totalItems === null) return null;
  const hasEnded = state === 'FAILED' || state === 'CANCELLED';
  if (hasEnded && processedItems >= totalItems) return null;
  return totalItems === 0n ? 0 : Math.min((Number(processedItems) / Number(totalItems)) * 100, ALMOST_ALL);
}

/** The percentage of a job whose rows are all processed, but that has not ended. */
const ALMOST_ALL = 99.9;
