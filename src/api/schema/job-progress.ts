import { z } from 'zod';
import type { Job, PartitionState } from '../../database/generated/prisma/client.ts';
import { isTerminal, type JobState } from '../../jobs/job-state.ts';
import { builder } from './builder.ts';
import { readsOf } from './read-columns.ts';

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
  description: 'How far a job has come with the items of one data type.',
  fields: (t) => ({
    dataType: t.exposeString('dataType', { description: 'The data type.' }),
    totalItems: t.exposeInt('totalItems', {
      nullable: true,
      description: 'Rows to read; null until they are counted.',
    }),
    processedItems: t.exposeInt('processedItems', { description: 'successCount + errorCount.' }),
    successCount: t.exposeInt('successCount', { description: 'Rows that are stored and in the catalog.' }),
    errorCount: t.exposeInt('errorCount', { description: 'Rows that failed.' }),
  }),
});

const reads = readsOf<Job>();

export const JobProgressType = builder.objectRef<Job>('JobProgress').implement({
  description:
    'How far a job has come with the rows that your clearance covers. Always processedItems = successCount + errorCount ≤ totalItems.',
  fields: (t) => ({
    currentOperation: t.exposeString('currentOperation', { description: 'What it does now, for people.' }),
    percent: t.float({
      nullable: true,
      description:
        'From 0 to 100, and below 100 for a job that FAILED. Null until the rows of every source are counted and, without clearance for TOP SECRET, until the job is COMPLETED: rows that are still to read can be of any marking.',
      ...reads(
        ['state', 'isTotalKnown', 'totalItems', 'processedItems'],
        ({ state, isTotalKnown, totalItems, processedItems }) =>
          percentOf(state, isTotalKnown ? totalItems : null, processedItems),
      ),
    }),
    totalItems: t.exposeInt('totalItems', {
      nullable: true,
      description:
        'Rows to read, as far as they are counted; null before the first count, and until its end for whoever is not cleared for TOP SECRET.',
    }),
    processedItems: t.exposeInt('processedItems', {
      description: 'Rows that are done, one way or the other.',
    }),
    successCount: t.exposeInt('successCount', { description: 'Rows that are stored and in the catalog.' }),
    errorCount: t.exposeInt('errorCount', { description: 'Rows that failed.' }),
    itemsPerSecond: t.exposeFloat('itemsPerSecond', {
      nullable: true,
      description:
        'The recent rate, told to whoever is cleared for TOP SECRET; of an ended job, the rate over its whole run. Null where it is not known.',
    }),
    estimatedCompletion: t.expose('estimatedCompletion', {
      type: 'DateTime',
      nullable: true,
      description:
        'When it will have ended, by the recent rate; null when that cannot be known, and for whoever is not cleared for TOP SECRET.',
    }),
    elapsedSeconds: t.float({
      nullable: true,
      description: 'How long it has run, or ran, in seconds; null before its start.',
      ...reads(
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
      description: 'The same by data type; empty until a worker has taken the job up.',
      ...reads(['progressByType'], ({ progressByType }) => typeProgressSchema.parse(progressByType)),
    }),
  }),
});

/**
 * From 0 to 100, never rounded up to the end; null where the total is not known, and where something failed although no
 * counted row is missing.
 */
export function percentOf(
  state: JobState | PartitionState,
  totalItems: number | null,
  processedItems: number,
): number | null {
  if (state === 'COMPLETED') return 100;
  if (totalItems === null || (state === 'FAILED' && processedItems >= totalItems)) return null;
  return totalItems === 0 ? 0 : (processedItems / totalItems) * 100;
}
