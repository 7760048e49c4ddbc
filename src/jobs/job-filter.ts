import { type Job, type JobKind, type JobOutcome, Prisma } from '../database/generated/prisma/client.ts';
import type { Bound, RowFilter } from '../database/paging/paged-table.ts';
import { containsText } from '../database/paging/text-search.ts';
import { asciiLowerCase } from '../shared/ascii-case.ts';
import { isTerminal, type JobState } from './job-state.ts';

/** Which jobs, for lists and feeds alike. A condition that is left out holds for every job, an empty list for none. */
export interface JobFilter {
  readonly kinds?: readonly JobKind[];
  readonly states?: readonly JobState[];
  readonly outcomes?: readonly JobOutcome[];
  readonly dataTypes?: readonly string[];
  readonly dataSourceIds?: readonly string[];
  readonly startedByIds?: readonly string[];
  readonly createdAfter?: Date;
  readonly createdBefore?: Date;
  readonly finishedAfter?: Date;
  readonly finishedBefore?: Date;
  readonly isRetry?: boolean;
  readonly retryOfId?: string;
  /** A part of its SELECT, or of the filter of a sync, in any case of the letters A to Z. */
  readonly sqlContains?: string;
  /** All of these; any value if it is null. */
  readonly labels?: readonly { readonly key: string; readonly value: string | null }[];
}

/**
 * Converts a filter to conditions on a table of jobs, or on the view of a clearance: these show an outcome and labels as the
 * clearance covers them.
 */
export function toRowFilter({
  kinds,
  states,
  outcomes,
  dataTypes,
  dataSourceIds,
  startedByIds,
  createdAfter,
  createdBefore,
  finishedAfter,
  finishedBefore,
  isRetry,
  retryOfId,
  sqlContains,
  labels = [],
}: JobFilter): RowFilter<Job> {
  const { sql } = Prisma;
  return {
    equals: {
      ...(kinds && { kind: kinds }),
      ...(states && { state: states }),
      ...(dataTypes && { dataType: dataTypes }),
    },
    bounds: [
      ...(createdAfter ? [boundCreation((time) => sql`${time} >= ${createdAfter}`)] : []),
      ...(createdBefore ? [boundCreation((time) => sql`${time} < ${createdBefore}`)] : []),
    ],
    others: [
      ...(outcomes ? [sql`outcome::text = any(${[...outcomes]}::text[])`] : []),
      ...(dataSourceIds
        ? [
            sql`id in (select job_id from public.job_partition where data_source_id = any(${[...dataSourceIds]}::uuid[]))`,
          ]
        : []),
      ...(startedByIds ? [sql`started_by_id = any(${[...startedByIds]}::text[])`] : []),
      ...(finishedAfter ? [sql`finished_at >= ${finishedAfter}`] : []),
      ...(finishedBefore ? [sql`finished_at < ${finishedBefore}`] : []),
      ...(isRetry === undefined ? [] : [isRetry ? sql`retry_mode is not null` : sql`retry_mode is null`]),
      ...(retryOfId === undefined ? [] : [sql`retry_of_id = ${retryOfId}::uuid`]),
      ...(sqlContains === undefined ? [] : [containsText([sql`coalesce(sql_query, "filter")`], sqlContains)]),
      ...labels.map(({ key, value }) =>
        value === null
          ? sql`labels -> ${key}::text is not null`
          : sql`labels ->> ${key}::text = ${value}::text`,
      ),
    ],
  };
}

// By the order, which has an index and is the time of creation unless the clock was set back before it.
function boundCreation(condition: Bound<Job>['condition']): Bound<Job> {
  return { field: 'orderedAt', condition };
}

/** Tests jobs against a filter, as a list of them does. */
export interface JobMatcher {
  /**
   * @param job as a clearance sees it.
   * @param sources the sources that it reads, at least of those in the filter.
   */
  matches(job: Job, sources: ReadonlySet<string>): boolean;
  /** Whether a job matches or may have matched before it changed: its kind, labels and the like never change. */
  mayHaveMatched(job: Job, sources: ReadonlySet<string>): boolean;
  /** Whether a job that matches may stop to. */
  readonly canChange: boolean;
}

export function createJobMatcher(filter: JobFilter): JobMatcher {
  const { kinds, states, outcomes, dataTypes, startedByIds, dataSourceIds } = filter;
  const { finishedAfter, finishedBefore, createdAfter, createdBefore, isRetry, retryOfId } = filter;
  const { sqlContains, labels = [] } = filter;

  const matchesForGood: JobMatcher['matches'] = (job, sources) =>
    includes(kinds, job.kind) &&
    includes(dataTypes, job.dataType) &&
    includes(startedByIds, job.startedById) &&
    (dataSourceIds?.some((id) => sources.has(id)) ?? true) &&
    isWithin(job.orderedAt, createdAfter, createdBefore) &&
    (isRetry === undefined || isRetry === (job.retryMode !== null)) &&
    (retryOfId === undefined || retryOfId === job.retryOfId) &&
    (sqlContains === undefined || containsSql(job, sqlContains)) &&
    labels.every(({ key, value }) => hasLabel(job, key, value));
  const canChange = states?.some((state) => !isTerminal(state)) ?? false;
  const matches: JobMatcher['matches'] = (job, sources) =>
    includes(states, job.state) &&
    includes(outcomes, job.outcome) &&
    isWithin(job.finishedAt, finishedAfter, finishedBefore) &&
    matchesForGood(job, sources);

  return { canChange, matches, mayHaveMatched: canChange ? matchesForGood : matches };
}

function includes<Value>(allowed: readonly Value[] | undefined, value: Value | null): boolean {
  return allowed === undefined || (value !== null && allowed.includes(value));
}

function isWithin(time: Date | null, after: Date | undefined, before: Date | undefined): boolean {
  if (after === undefined && before === undefined) return true;
  return time !== null && (after === undefined || time >= after) && (before === undefined || time < before);
}

function containsSql({ sqlQuery, filter }: Job, text: string): boolean {
  const sql = sqlQuery ?? filter;
  return sql !== null && asciiLowerCase(sql).includes(asciiLowerCase(text));
}

function hasLabel({ labels }: Pick<Job, 'labels'>, key: string, value: string | null): boolean {
  if (typeof labels !== 'object' || labels === null || !Object.hasOwn(labels, key)) return false;
  return value === null || (labels as Readonly<Record<string, unknown>>)[key] === value;
}
