import { type Command, Option } from 'commander';
import { type CommandContext, toAction } from '../context.ts';
import { findJobId } from '../find-job.ts';
import { followJob } from '../follow-job.ts';
import {
  type ErrorStage,
  JobDetailsDocument,
  type JobDetailsQuery,
  JobErrorsDocument,
  JobPartitionsDocument,
  JobsDocument,
  type RetryMode,
} from '../generated/graphql.ts';
import { addJobFilterOptions, type JobFilterOptions, toJobFilter } from '../job-filter.ts';
import { type Notice, readNotices } from '../job-notices.ts';
import { describeOutcome, isTerminal } from '../job-state.ts';
import {
  addPageOptions,
  addWatchOptions,
  collectChoice,
  listNames,
  type PageOptions,
  type WatchOptions,
} from '../option-values.ts';
import type { Output } from '../output.ts';
import { NO_PAGE, readAll, writeList } from '../page.ts';
import { formatEnd, formatProgress } from '../progress-text.ts';
import {
  formatCount,
  formatCounted,
  formatDuration,
  formatPercent,
  formatTime,
  NO_VALUE,
  toPrintable,
} from '../text.ts';
import { jobNotFound } from '../watch-job.ts';

const STAGES = listNames<ErrorStage>({ READ: true, TRANSFORM: true, SAVE: true, UPLOAD: true });

/** Adds the commands that look up jobs. */
export function addJobCommands(program: Command): void {
  const jobs = program
    .command('jobs')
    .description('List jobs, newest first. A repeated option matches any of its values.');
  addJobFilterOptions(jobs).option('--oldest-first', 'list the oldest first');
  addPageOptions(jobs, 'jobs').action(toAction(listJobs));

  const job = program
    .command('job')
    .description('Show a job.')
    .argument('<id>', 'job id, or its first 8 or more characters')
    .addOption(new Option('--errors', 'list its errors, in JSON with their rows').conflicts('watch'))
    .option('--stage <stage>', `only errors of this stage: ${STAGES.join(', ')}`, collectChoice(STAGES));
  addPageOptions(addWatchOptions(job), 'errors').action(
    toAction<JobOptions, [string]>(async (context, options, idOrPrefix) => {
      const id = await findJobId(context.api, idOrPrefix);
      if (options.watch) return followJob(context, id, options);
      return options.errors ? listErrors(context, options, id) : showJob(context, id);
    }),
  );
}

interface ListOptions extends PageOptions, JobFilterOptions {
  readonly oldestFirst?: true;
}

async function listJobs(context: CommandContext, options: ListOptions): Promise<undefined> {
  const filter = await toJobFilter(context.api, options);
  const orderBy = { field: 'CREATED_AT', direction: options.oldestFirst ? 'ASC' : 'DESC' } as const;
  return writeList(context, options, {
    name: 'jobs',
    readPage: async (page) => (await context.api.send(JobsDocument, { filter, orderBy, ...page })).jobs,
    headings: [
      'ID',
      'KIND',
      'TYPE',
      'STATE',
      'OUTCOME',
      'DONE',
      'ITEMS',
      ...CHANGES,
      'ERRORS',
      'DELETED',
      'CREATED',
      'TOOK',
    ],
    toRow: ({ id, kind, dataType, state, outcome, createdAt, progress }) => [
      id,
      kind,
      dataType ?? 'all',
      state,
      outcome ?? NO_VALUE,
      formatPercent(progress.percent),
      formatCount(progress.processedItems),
      ...formatChanges(progress),
      formatCount(progress.errorCount),
      formatCount(progress.deletedCount),
      formatTime(createdAt),
      progress.elapsedSeconds === null ? NO_VALUE : formatDuration(progress.elapsedSeconds),
    ],
  });
}

const CHANGES = ['INSERTED', 'UPDATED', 'UNCHANGED'];

/** Formats the columns of what became of the stored rows. */
function formatChanges(counts: {
  readonly insertedCount: number | null;
  readonly updatedCount: number | null;
  readonly unchangedCount: number | null;
}): string[] {
  return [counts.insertedCount, counts.updatedCount, counts.unchangedCount].map(formatCount);
}

/** How many errors a job returns at most. */
const RECENT_ERRORS = 10;

type FoundJob = NonNullable<JobDetailsQuery['job']>;

interface JobDetails extends Omit<FoundJob, 'partitions'> {
  readonly partitions: FoundJob['partitions']['nodes'];
  readonly notices: readonly Notice[];
}

async function showJob({ api, output }: CommandContext, id: string): Promise<undefined> {
  const { job } = await api.send(JobDetailsDocument, { id });
  if (job === null) throw jobNotFound(id);
  const partitions = await readAll(
    async (after) => (await api.send(JobPartitionsDocument, { id, after })).job?.partitions ?? NO_PAGE,
    job.partitions,
  );
  const whole = { ...job, partitions, notices: await readNotices(api, id) };
  output.writeResult(whole, () => writeJob(output, whole));
}

function writeJob(output: Output, job: JobDetails): void {
  output.writeFacts([
    ['Job', job.id],
    ['Does', describeConfiguration(job)],
    ...(job.retryOf === null ? [] : [['Retry of', job.retryOf.id] as const]),
    ['Created', `${formatTime(job.createdAt)}${job.startedBy === null ? '' : ` by ${job.startedBy.name}`}`],
    ['Started', formatTime(job.startedAt)],
    ['Ended', formatTime(job.finishedAt)],
    ['State', isTerminal(job.state) ? formatEnd(job) : formatProgress(job)],
    ...(job.outcome === null ? [] : [['Outcome', describeOutcome(job.outcome)] as const]),
  ]);
  if (job.failedSources.length > 0) {
    output.write('');
    output.writeTable([
      ['FAILED SOURCE', 'TYPE', 'WHY'],
      ...job.failedSources.map(({ sourceName, dataType, message }) => [sourceName, dataType, message]),
    ]);
    if (isTerminal(job.state) && job.failedSources.some(({ isRetryable }) => isRetryable)) {
      output.say(`Retry them: blade retry ${job.id} --failed-sources`);
    }
  }
  if (job.partitions.length > 0) {
    output.write('');
    output.writeTable([
      [
        'SOURCE',
        'TYPE',
        'STATE',
        'DONE',
        'ITEMS',
        ...CHANGES,
        'ERRORS',
        'DUPLICATES',
        'DELETED',
        'ATTEMPT',
        'MESSAGE',
      ],
      ...job.partitions.map((partition) => [
        partition.sourceName,
        partition.dataType,
        partition.state,
        formatPercent(partition.percent),
        formatCount(partition.processedItems),
        ...formatChanges(partition),
        formatCount(partition.errorCount),
        formatCount(partition.duplicateCount),
        formatCount(partition.deletedCount),
        formatCount(partition.attempt),
        partition.message ??
          partition.currentOperation ??
          partition.driftMessage ??
          (partition.isUnchanged ? 'unchanged' : ''),
      ]),
    ]);
  }
  if (job.progress.duplicateCount > 0) {
    output.write('');
    output.write(describeDuplicates(job));
  }
  if (job.notices.length > 0) {
    output.write('');
    output.writeTable([
      ['TIME', 'NOTICE'],
      ...job.notices.map(({ time, message }) => [formatTime(time), message]),
    ]);
  }
  if (job.recentErrors.length > 0) {
    output.write('');
    output.write(output.colored('bold', 'LAST ERRORS'));
    for (const error of job.recentErrors) output.write(toPrintable(error));
    if (job.recentErrors.length === RECENT_ERRORS) {
      output.say(`See all errors: blade job ${job.id} --errors`);
    }
  }
}

/** Says how many rows were replaced by another row with their id, and names one. */
function describeDuplicates({ progress, partitions }: JobDetails): string {
  const example = partitions.find(({ duplicateItemId }) => duplicateItemId !== null);
  const named =
    example === undefined
      ? ''
      : `, such as ${toPrintable(example.duplicateItemId ?? '')} in ${example.sourceName}`;
  return `${formatCounted(progress.duplicateCount, 'row')} had the id of an earlier row and replaced it${named}.`;
}

const RETRY_PREFIXES: Readonly<Record<RetryMode, string>> = {
  ALL: '',
  FAILED_SOURCES: 'the failed sources of ',
  FAILED_ITEMS: 'the failed items of ',
};

function describeConfiguration({ dataType, retryMode, configuration }: JobDetails): string {
  const prefix = RETRY_PREFIXES[retryMode ?? 'ALL'];
  switch (configuration.__typename) {
    case 'SyncConfiguration': {
      const { syncType, filter, maxItems } = configuration;
      const parts = [
        `${prefix}${syncType} sync of ${dataType ?? 'all sources'}`,
        ...(filter === null ? [] : [`where ${filter}`]),
        ...(maxItems === null ? [] : [`at most ${formatCount(maxItems)} items per source`]),
      ];
      return parts.join(', ');
    }
    case 'QueryConfiguration':
      return `${prefix}query of ${dataType}: ${configuration.sqlQuery}`;
    case 'RepairConfiguration':
      return 'repair of the catalog';
  }
}

interface JobOptions extends PageOptions, WatchOptions {
  readonly errors?: true;
  readonly stage?: ErrorStage[];
}

async function listErrors(context: CommandContext, options: JobOptions, id: string): Promise<undefined> {
  const stages = options.stage ?? null;
  return writeList(context, options, {
    name: 'errors',
    async readPage(page) {
      const { job } = await context.api.send(JobErrorsDocument, { id, stages, ...page });
      if (job === null) throw jobNotFound(id);
      return job.errors;
    },
    headings: ['STAGE', 'TYPE', 'ITEM', 'MESSAGE'],
    toRow: ({ stage, dataType, itemId, message }) => [stage, dataType, itemId ?? NO_VALUE, message],
  });
}
