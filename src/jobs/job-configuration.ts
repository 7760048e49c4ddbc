import type { Marking } from '../data-types/marking.ts';
import { toMarking } from '../data-types/marking.ts';
import { type Job, Prisma } from '../database/generated/prisma/client.ts';

/** The columns of a job that say what it does. A retry copies exactly these. */
export interface JobConfiguration
  extends Pick<
    Prisma.JobUncheckedCreateInput,
    | 'kind'
    | 'syncType'
    | 'dataType'
    | 'filter'
    | 'maxItems'
    | 'sqlQuery'
    | 'parameters'
    | 'classification'
    | 'reason'
    | 'metadata'
    | 'options'
  > {
  readonly marking: Marking;
}

/** The columns that say how a job runs and who started it, which each job has anew. */
type RunColumn =
  | 'id'
  | 'state'
  | 'outcome'
  | 'revision'
  | 'currentOperation'
  | 'totalItems'
  | 'isTotalKnown'
  | 'totalSources'
  | 'completedSources'
  | 'processedItems'
  | 'successCount'
  | 'errorCount'
  | 'successByLevel'
  | 'errorByLevel'
  | 'restoredCount'
  | 'restoredByLevel'
  | 'progressByType'
  | 'recentErrors'
  | 'itemsPerSecond'
  | 'estimatedCompletion'
  | 'failureReason'
  | 'createdAt'
  | 'startedAt'
  | 'finishedAt'
  | 'updatedAt'
  | 'retryOfId'
  | 'retryMode'
  | 'startedById'
  | 'startedByName';

/** Copies the configuration of a job. A new column of a job fails to compile here until it is copied or a `RunColumn`. */
export function copyConfiguration(job: Job): Required<JobConfiguration> & Unassigned {
  return {
    kind: job.kind,
    marking: toMarking(job.marking),
    syncType: job.syncType,
    dataType: job.dataType,
    filter: job.filter,
    maxItems: job.maxItems,
    sqlQuery: job.sqlQuery,
    parameters: job.parameters ?? Prisma.DbNull,
    classification: job.classification,
    reason: job.reason,
    metadata: job.metadata ?? Prisma.DbNull,
    options: job.options ?? {},
  };
}

/** Columns that are neither configuration nor `RunColumn`: none. */
type Unassigned = Record<Exclude<keyof Job, keyof JobConfiguration | RunColumn>, never>;
