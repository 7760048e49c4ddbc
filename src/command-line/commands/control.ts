import { type Command, Option } from 'commander';
import type { ApiLink } from '../api-link.ts';
import { type CommandContext, toAction } from '../context.ts';
import type { ExitCode } from '../exit-code.ts';
import { takeSuccess } from '../failure.ts';
import { findJobId } from '../find-job.ts';
import { followJob } from '../follow-job.ts';
import {
  CancelJobDocument,
  type JobFactsFragment,
  PauseJobDocument,
  ResumeJobDocument,
  RetryJobDocument,
  type RetryMode,
  StopSyncDocument,
} from '../generated/graphql.ts';
import { addWatchOptions, type WatchOptions } from '../option-values.ts';

/** What a mutation did to a job. */
interface Done {
  readonly message: string;
  readonly job: JobFactsFragment;
}

/** Adds the commands that cancel, pause, resume and retry jobs. */
export function addControlCommands(program: Command): void {
  const addControl = (
    name: string,
    description: string,
    control: (api: ApiLink, id: string) => Promise<Done>,
  ) =>
    program
      .command(name)
      .description(description)
      .argument('<id>', 'job id, or its first 8 or more characters')
      .action(
        toAction<object, [string]>(async (context, _options, id) =>
          report(context, await control(context.api, await findJobId(context.api, id))),
        ),
      );

  addControl('cancel', 'Cancel a job. Items that are already stored stay.', async (api, id) =>
    takeSuccess((await api.send(CancelJobDocument, { input: { id } })).cancelJob),
  );

  program
    .command('stop')
    .description('Stop the active sync.')
    .action(
      toAction(async (context) =>
        report(context, takeSuccess((await context.api.send(StopSyncDocument, {})).stopSync)),
      ),
    );

  addControl('pause', 'Pause a job at its checkpoints.', async (api, id) =>
    takeSuccess((await api.send(PauseJobDocument, { input: { id } })).pauseJob),
  );

  addControl('resume', 'Resume a paused job from its checkpoints.', async (api, id) =>
    takeSuccess((await api.send(ResumeJobDocument, { input: { id } })).resumeJob),
  );

  const retry = program
    .command('retry')
    .description('Run an ended job again as a new job, and print the new id.')
    .argument('<id>', 'job id, or its first 8 or more characters')
    .option('--failed-sources', 'read again only the sources that failed')
    .addOption(
      new Option('--failed-items', 'retry only the items that failed, from their stored rows').conflicts(
        'failedSources',
      ),
    );
  addWatchOptions(retry).action(toAction(retryJob));
}

interface RetryOptions extends WatchOptions {
  readonly failedSources?: true;
  readonly failedItems?: true;
}

async function retryJob(
  context: CommandContext,
  options: RetryOptions,
  idOrPrefix: string,
): Promise<ExitCode | undefined> {
  const id = await findJobId(context.api, idOrPrefix);
  const { retryJob } = await context.api.send(RetryJobDocument, { input: { id, mode: toMode(options) } });
  return reportStart(context, options, takeSuccess(retryJob));
}

function toMode({ failedSources, failedItems }: RetryOptions): RetryMode {
  if (failedSources) return 'FAILED_SOURCES';
  return failedItems ? 'FAILED_ITEMS' : 'ALL';
}

/** Writes what was done to a job. */
async function report({ output }: CommandContext, { message, job }: Done): Promise<undefined> {
  output.writeResult(job, () => output.say(`${message} (${job.id}: ${job.state})`));
}

/** Writes the id of a started job or, with `--watch`, shows the job until it ends. */
export async function reportStart(
  context: CommandContext,
  { watch, ...options }: WatchOptions,
  { message, job }: Done,
): Promise<ExitCode | undefined> {
  const { output } = context;
  output.say(`${message} (${job.id})`);
  if (watch) return followJob(context, job.id, options);
  output.writeResult(job, () => output.write(job.id));
  return undefined;
}
