import type { Command } from 'commander';
import type { ApiLink } from './api-link.ts';
import { findJobId } from './find-job.ts';
import { findSourceIds } from './find-source.ts';
import type { JobFilter, JobKind, JobOutcome, JobState } from './generated/graphql.ts';
import { JOB_STATES } from './job-state.ts';
import { collectChoice, collectLabelFilter, collectText, listNames, parseTime } from './option-values.ts';

const KINDS = listNames<JobKind>({ SYNC: true, QUERY: true, REPAIR: true });
const OUTCOMES = listNames<JobOutcome>({
  ...{ SUCCEEDED: true, ITEMS_FAILED: true, SOURCES_FAILED: true, NOTHING_SUCCEEDED: true },
});

/** Which jobs to list. */
export interface JobFilterOptions {
  readonly state?: JobState[];
  readonly outcome?: JobOutcome[];
  readonly kind?: JobKind[];
  readonly type?: string[];
  readonly source?: string[];
  readonly startedBy?: string[];
  readonly label?: { key: string; value: string | null }[];
  readonly sql?: string;
  readonly retries?: boolean;
  readonly retryOf?: string;
  readonly since?: string;
  readonly until?: string;
  readonly endedSince?: string;
  readonly endedUntil?: string;
}

export function addJobFilterOptions(command: Command): Command {
  return command
    .option('--state <state>', `only jobs in this state: ${JOB_STATES.join(', ')}`, collectChoice(JOB_STATES))
    .option(
      '--outcome <outcome>',
      `only jobs with this outcome: ${OUTCOMES.join(', ')}`,
      collectChoice(OUTCOMES),
    )
    .option('--kind <kind>', `only jobs of this kind: ${KINDS.join(', ')}`, collectChoice(KINDS))
    .option('--type <type>', 'only jobs started for this data type', collectText)
    .option('--source <id or name>', 'only jobs that read this source', collectText)
    .option('--started-by <id>', 'only jobs of this principal, such as scheduler', collectText)
    .option('--label <key[=value]>', 'only jobs with this label; repeat for more labels', collectLabelFilter)
    .option('--sql <text>', 'only jobs whose SELECT or filter contains this text')
    .option('--retries', 'only retries')
    .option('--no-retries', 'only jobs that are no retries')
    .option('--retry-of <id>', 'only retries of this job')
    .option('--since <time>', 'only jobs created at this time or later', parseTime)
    .option('--until <time>', 'only jobs created before this time', parseTime)
    .option('--ended-since <time>', 'only jobs that ended at this time or later', parseTime)
    .option('--ended-until <time>', 'only jobs that ended before this time', parseTime);
}

/** Converts the options to a filter of the API. @throws CommandError if there is no such source or job. */
export async function toJobFilter(api: ApiLink, options: JobFilterOptions): Promise<JobFilter> {
  const { source, retryOf } = options;
  return {
    states: options.state ?? null,
    outcomes: options.outcome ?? null,
    kinds: options.kind ?? null,
    dataTypes: options.type ?? null,
    dataSourceIds: source === undefined ? null : await findSourceIds(api, source),
    startedByIds: options.startedBy ?? null,
    labels: options.label ?? null,
    sqlContains: options.sql ?? null,
    isRetry: options.retries ?? null,
    retryOfId: retryOf === undefined ? null : await findJobId(api, retryOf),
    createdAfter: options.since ?? null,
    createdBefore: options.until ?? null,
    finishedAfter: options.endedSince ?? null,
    finishedBefore: options.endedUntil ?? null,
  };
}
