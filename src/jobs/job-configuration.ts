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
    | 'labels'
  > {
  readonly marking: Marking;
}

/** A column that no start may set, or a retry would lose it. */
type OtherColumn = Exclude<
  keyof Prisma.JobUncheckedCreateInput,
  keyof JobConfiguration | 'retryOfId' | 'retryMode'
>;

/** What a start says about its job. To set another column, add it to `JobConfiguration`; then a retry must copy it. */
export type NewJobColumns = JobConfiguration &
  Pick<Prisma.JobUncheckedCreateInput, 'retryOfId' | 'retryMode'> & {
    readonly [Column in OtherColumn]?: never;
  };

/** Copies the configuration of a job. */
export function copyConfiguration(job: Job): Required<JobConfiguration> {
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
    labels: job.labels ?? {},
  };
}
