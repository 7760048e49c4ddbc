import { type Command, Option } from 'commander';
import { action, type CommandContext } from '../context.ts';
import { followJob } from '../follow-job.ts';
import {
  type ErrorStage,
  JobDetailsDocument,
  type JobDetailsQuery,
  JobErrorsDocument,
  type JobErrorsQuery,
  type JobKind,
  type JobRowFragment,
  type JobState,
  JobsDocument,
} from '../generated/graphql.ts';
import {
  addPageOptions,
  addWatchOptions,
  oneOf,
  type PageOptions,
  texts,
  time,
  type WatchOptions,
} from '../option-values.ts';
import type { Output } from '../output.ts';
import { type Page, readPages, sayRest } from '../page.ts';
import { endLine, progressLine } from '../progress-text.ts';
import { formatCount, formatDuration, formatPercent, formatTime, NO_VALUE, printable } from '../text.ts';
import { isTerminal, jobNotFound } from '../watch-job.ts';

const STATES: Readonly<Record<JobState, true>> = {
  QUEUED: true,
  RUNNING: true,
  PAUSING: true,
  PAUSED: true,
  CANCELLING: true,
  COMPLETED: true,
  FAILED: true,
  CANCELLED: true,
};
const KINDS: Readonly<Record<JobKind, true>> = { SYNC: true, QUERY: true };
const STAGES: Readonly<Record<ErrorStage, true>> = { READ: true, TRANSFORM: true, SAVE: true, UPLOAD: true };

/** The commands that look jobs up. */
export function addJobCommands(program: Command): void {
  const jobs = program
    .command('jobs')
    .description('Lists jobs, the newest first. An option that is given twice means either.')
    .option('--state <state>', `one of ${Object.keys(STATES).join(', ')}`, oneOf(STATES))
    .option('--kind <kind>', `one of ${Object.keys(KINDS).join(', ')}`, oneOf(KINDS))
    .option('--type <type>', 'started for this data type', texts)
    .option('--since <time>', 'made at this time or later', time)
    .option('--until <time>', 'made before this time', time)
    .option('--oldest-first', 'in the other order');
  addPageOptions(jobs, 'jobs').action(action(listJobs));

  const job = program
    .command('job')
    .description('Shows a job.')
    .argument('<id>', 'the id of the job')
    .addOption(new Option('--errors', 'show what went wrong, with the rows in JSON').conflicts('watch'))
    .option('--stage <stage>', `of the errors those of ${Object.keys(STAGES).join(', ')}`, oneOf(STAGES));
  addPageOptions(addWatchOptions(job), 'errors').action(
    action<JobOptions, [string]>(async (context, options, id) => {
      if (options.watch) return followJob(context, id, options.giveUpAfter);
      if (options.errors) return showErrors(context, options, id);
      return showJob(context, id);
    }),
  );
}

interface ListOptions extends PageOptions {
  readonly state?: JobState[];
  readonly kind?: JobKind[];
  readonly type?: string[];
  readonly since?: string;
  readonly until?: string;
  readonly oldestFirst?: true;
}

interface JobOptions extends PageOptions, WatchOptions {
  readonly errors?: true;
  readonly stage?: ErrorStage[];
}

async function listJobs({ api, output }: CommandContext, options: ListOptions): Promise<undefined> {
  const filter = {
    states: options.state ?? null,
    kinds: options.kind ?? null,
    dataTypes: options.type ?? null,
    createdAfter: options.since ?? null,
    createdBefore: options.until ?? null,
  };
  const orderBy = options.oldestFirst ? 'OLDEST_FIRST' : 'NEWEST_FIRST';
  const page = await readPages<JobRowFragment>(options, async (part) => {
    return (await api.send(JobsDocument, { filter, orderBy, ...part })).jobs;
  });
  if (output.format === 'json') {
    output.writeJson({ totalCount: page.totalCount, jobs: page.nodes, nextCursor: page.nextCursor });
    return;
  }
  output.writeTable([
    ['ID', 'KIND', 'TYPE', 'STATE', 'DONE', 'ITEMS', 'ERRORS', 'CREATED', 'TOOK'],
    ...page.nodes.map(({ id, kind, dataType, state, createdAt, progress }) => [
      id,
      kind,
      dataType ?? 'all',
      state,
      formatPercent(progress.percent),
      formatCount(progress.processedItems),
      formatCount(progress.errorCount),
      formatTime(createdAt),
      progress.elapsedSeconds === null ? NO_VALUE : formatDuration(progress.elapsedSeconds),
    ]),
  ]);
  sayRest(output, page, 'jobs');
}

type Details = NonNullable<JobDetailsQuery['job']>;

async function showJob({ api, output }: CommandContext, id: string): Promise<undefined> {
  const { job } = await api.send(JobDetailsDocument, { id });
  if (job === null || job === undefined) throw jobNotFound(id);
  if (output.format === 'json') output.writeJson(job);
  else writeJob(output, job);
}

function writeJob(output: Output, job: Details): void {
  const { progress } = job;
  output.writeFacts([
    ['Job', job.id],
    ['Does', configurationText(job)],
    ...(job.retryOf === null ? [] : [['Retry of', job.retryOf.id] as const]),
    ['Created', `${formatTime(job.createdAt)}${job.startedBy === null ? '' : ` by ${job.startedBy.name}`}`],
    ['Started', formatTime(job.startedAt)],
    ['Ended', formatTime(job.finishedAt)],
    ['State', isTerminal(job.state) ? endLine(job) : progressLine(job)],
  ]);
  if (job.partitions.length > 0) {
    output.write('');
    output.writeTable([
      ['SOURCE', 'TYPE', 'STATE', 'DONE', 'ITEMS', 'ERRORS', 'ATTEMPT', 'MESSAGE'],
      ...job.partitions.map((partition) => [
        partition.sourceName,
        partition.dataType,
        partition.state,
        formatPercent(partition.percent),
        formatCount(partition.processedItems),
        formatCount(partition.errorCount),
        formatCount(partition.attempt),
        partition.message ?? '',
      ]),
    ]);
  }
  if (job.recentErrors.length > 0) {
    output.write('');
    output.write(output.colored('bold', 'LAST ERRORS'));
    for (const error of job.recentErrors) output.write(printable(error));
    if (progress.errorCount > job.recentErrors.length)
      output.say(`All of them: blade job ${job.id} --errors`);
  }
}

function configurationText({ dataType, failedItemsOnly, configuration }: Details): string {
  const kind = failedItemsOnly ? 'the failed items of ' : '';
  switch (configuration.__typename) {
    case 'SyncConfiguration': {
      const { syncType, filter, maxItems } = configuration;
      const parts = [
        `${kind}${syncType} sync of ${dataType ?? 'all sources'}`,
        ...(filter === null ? [] : [`where ${filter}`]),
        ...(maxItems === null ? [] : [`at most ${formatCount(maxItems)} items of each`]),
      ];
      return parts.join(', ');
    }
    case 'QueryConfiguration':
      return `${kind}query of ${dataType}: ${configuration.sqlQuery}`;
  }
}

type JobErrorNode = NonNullable<JobErrorsQuery['job']>['errors']['edges'][number]['node'];

async function showErrors(
  { api, output }: CommandContext,
  options: JobOptions,
  id: string,
): Promise<undefined> {
  const page: Page<JobErrorNode> = await readPages(options, async (part) => {
    const { job } = await api.send(JobErrorsDocument, { id, stages: options.stage ?? null, ...part });
    if (job === null || job === undefined) throw jobNotFound(id);
    return job.errors;
  });
  if (output.format === 'json') {
    output.writeJson({ totalCount: page.totalCount, errors: page.nodes, nextCursor: page.nextCursor });
    return;
  }
  output.writeTable([
    ['STAGE', 'TYPE', 'ITEM', 'MESSAGE'],
    ...page.nodes.map(({ stage, dataType, itemId, message }) => [
      stage,
      dataType,
      itemId ?? NO_VALUE,
      message,
    ]),
  ]);
  sayRest(output, page, 'errors');
}
