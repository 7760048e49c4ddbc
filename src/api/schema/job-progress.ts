import { z } from 'zod';
import type { Job, PartitionState } from '../../database/generated/prisma/client.ts';
import { isTerminal, type JobState } from '../../jobs/job-state.ts';
import { builder } from './builder.ts';
import { countUnchanged, INSERTED_COUNT, sumKnown, UNCHANGED_COUNT, UPDATED_COUNT } from './change-counts.ts';
import { encodeGlobalId } from './global-id.ts';
import { createColumnReader, declareColumns } from './read-columns.ts';

/** The options of the counts that a job, its partitions and its data types have. */
export const PROCESSED_ITEMS = {
  type: 'SafeInt',
  description: 'successCount + errorCount + duplicateCount.',
} as const;
export const SUCCESS_COUNT = {
  type: 'SafeInt',
  description: 'Rows stored and uploaded to the catalog: insertedCount + updatedCount + unchangedCount.',
} as const;
export const ERROR_COUNT = {
  type: 'SafeInt',
  description: 'Rows that failed, also those whose items are stored but the catalog rejected.',
} as const;
export const DUPLICATE_COUNT = {
  type: 'SafeInt',
  description:
    'Rows with the id of an earlier row of the same read. The row that is read last replaces the others, so they are no further items.',
} as const;

export const DELETED_COUNT = {
  type: 'SafeInt',
  description:
    'Items deleted because their rows are gone from the table. They are not among the rows that are done.',
} as const;

const typeProgressSchema = z.array(
  z.object({
    dataType: z.string(),
    totalItems: z.int().nullable(),
    processedItems: z.int(),
    successCount: z.int(),
    errorCount: z.int(),
    // Absent from jobs of an earlier version of the program.
    duplicateCount: z.int().default(0),
    deletedCount: z.int().default(0),
    insertedByLevel: z.array(z.int()).default([]),
    updatedByLevel: z.array(z.int()).default([]),
  }),
);

type TypeProgress = z.output<typeof typeProgressSchema>[number] & { readonly jobId: string };

const TypeProgressType = builder.objectRef<TypeProgress>('TypeProgress').implement({
  description: 'Progress of a job with one data type.',
  fields: (t) => ({
    id: t.id({
      description: 'Identifies it in the caches of clients.',
      resolve: ({ jobId, dataType }) => encodeGlobalId('TypeProgress', `${jobId}:${dataType}`),
    }),
    dataType: t.exposeString('dataType', { description: 'Name of the data type.' }),
    totalItems: t.expose('totalItems', {
      type: 'SafeInt',
      nullable: true,
      description: 'Rows to read; null until they are counted.',
    }),
    processedItems: t.expose('processedItems', PROCESSED_ITEMS),
    successCount: t.expose('successCount', SUCCESS_COUNT),
    insertedCount: t.field({
      ...INSERTED_COUNT,
      resolve: ({ insertedByLevel }) => sumKnown(insertedByLevel),
    }),
    updatedCount: t.field({ ...UPDATED_COUNT, resolve: ({ updatedByLevel }) => sumKnown(updatedByLevel) }),
    unchangedCount: t.field({ ...UNCHANGED_COUNT, resolve: countUnchanged }),
    errorCount: t.expose('errorCount', ERROR_COUNT),
    duplicateCount: t.expose('duplicateCount', DUPLICATE_COUNT),
    deletedCount: t.expose('deletedCount', DELETED_COUNT),
  }),
});

const readColumns = createColumnReader<Job>();

export const JobProgressType = builder.objectRef<Job>('JobProgress').implement({
  description:
    'Progress of a job, counting the rows that your clearance covers; for a repair, the items that it compares. Always processedItems = successCount + errorCount + duplicateCount ≤ totalItems, and successCount = insertedCount + updatedCount + unchangedCount.',
  fields: (t) => ({
    id: t.id({
      description: 'Identifies it in the caches of clients.',
      ...readColumns(['id'], ({ id }) => encodeGlobalId('JobProgress', id)),
    }),
    currentOperation: t.exposeString('currentOperation', {
      description: 'What the job is doing now, as text to show.',
    }),
    percent: t.float({
      nullable: true,
      description:
        'From 0 to 100; below 100 until the job is COMPLETED. An estimate while `isEstimated`, which may fall when a large source is counted. Null until the rows of one source are counted. Null for a FAILED or CANCELLED job with rows that nobody counted. Without clearance for TOP SECRET, null until the job is COMPLETED, because unread rows can have any marking.',
      ...readColumns(
        ['state', 'isTotalKnown', 'totalItems', 'estimatedTotal', 'processedItems'],
        ({ state, isTotalKnown, totalItems, estimatedTotal, processedItems }) =>
          calculatePercent(state, isTotalKnown ? totalItems : estimatedTotal, processedItems),
      ),
    }),
    isEstimated: t.boolean({
      description:
        'Whether `percent` and `estimatedCompletion` are estimates because not every source is counted yet: the others are taken to have as many rows as the counted ones have on average.',
      ...readColumns(['estimatedTotal'], ({ estimatedTotal }) => estimatedTotal !== null),
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
      description: 'Rows that are done: successCount + errorCount + duplicateCount.',
    }),
    successCount: t.expose('successCount', SUCCESS_COUNT),
    insertedCount: t.field({
      ...INSERTED_COUNT,
      ...readColumns(['insertedByLevel'], ({ insertedByLevel }) => sumKnown(insertedByLevel)),
    }),
    updatedCount: t.field({
      ...UPDATED_COUNT,
      ...readColumns(['updatedByLevel'], ({ updatedByLevel }) => sumKnown(updatedByLevel)),
    }),
    unchangedCount: t.field({
      ...UNCHANGED_COUNT,
      ...readColumns(['successCount', 'insertedByLevel', 'updatedByLevel'], countUnchanged),
    }),
    errorCount: t.expose('errorCount', ERROR_COUNT),
    duplicateCount: t.expose('duplicateCount', DUPLICATE_COUNT),
    deletedCount: t.expose('deletedCount', DELETED_COUNT),
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
      extensions: declareColumns<Job>('startedAt', 'updatedAt', 'elapsedMs', 'state'),
      resolve: async ({ startedAt, updatedAt, elapsedMs, state }, _args, { jobs }) => {
        if (startedAt === null) return null;
        const sinceWrite = isTerminal(state) ? 0 : (await jobs.readTime()).getTime() - updatedAt.getTime();
        return (Number(elapsedMs) + Math.max(0, sinceWrite)) / 1_000;
      },
    }),
    byType: t.field({
      type: [TypeProgressType],
      description: 'Progress by data type; empty until a worker has claimed the job.',
      ...readColumns(['id', 'progressByType'], ({ id, progressByType }) =>
        typeProgressSchema.parse(progressByType).map((progress) => ({ ...progress, jobId: id })),
      ),
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
