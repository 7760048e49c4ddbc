import type { Command } from 'commander';
import { action, type CommandContext } from '../context.ts';
import type { ExitCode } from '../exit-code.ts';
import { successOf } from '../failure.ts';
import { followJob } from '../follow-job.ts';
import {
  CancelJobDocument,
  type JobFactsFragment,
  PauseJobDocument,
  ResumeJobDocument,
  RetryJobDocument,
  StopSyncDocument,
} from '../generated/graphql.ts';
import { addWatchOptions, type WatchOptions } from '../option-values.ts';

/** The commands that end jobs, hold them and run them again. */
export function addControlCommands(program: Command): void {
  program
    .command('cancel')
    .description('Cancels a job. What was stored stays.')
    .argument('<id>', 'the id of the job')
    .action(
      action<object, [string]>(async (context, _options, id) =>
        tell(context, successOf((await context.api.send(CancelJobDocument, { id })).cancelJob)),
      ),
    );

  program
    .command('stop')
    .description('Stops the active sync.')
    .action(
      action(async (context) =>
        tell(context, successOf((await context.api.send(StopSyncDocument, {})).stopSync)),
      ),
    );

  program
    .command('pause')
    .description('Pauses a job at its checkpoints.')
    .argument('<id>', 'the id of the job')
    .action(
      action<object, [string]>(async (context, _options, id) =>
        tell(context, successOf((await context.api.send(PauseJobDocument, { id })).pauseJob)),
      ),
    );

  program
    .command('resume')
    .description('Lets a paused job go on from its checkpoints.')
    .argument('<id>', 'the id of the job')
    .action(
      action<object, [string]>(async (context, _options, id) =>
        tell(context, successOf((await context.api.send(ResumeJobDocument, { id })).resumeJob)),
      ),
    );

  const retry = program
    .command('retry')
    .description('Runs a job that has ended again, as a new job, and writes the id of that.')
    .argument('<id>', 'the id of the job')
    .option('--failed-items-only', 'take up only the items that failed, from their kept rows');
  addWatchOptions(retry).action(
    action<WatchOptions & { readonly failedItemsOnly?: true }, [string]>(async (context, options, id) => {
      const failedItemsOnly = options.failedItemsOnly ?? false;
      const { retryJob } = await context.api.send(RetryJobDocument, { id, failedItemsOnly });
      return tellStarted(context, options, successOf(retryJob));
    }),
  );
}

interface Told {
  readonly message: string;
  readonly job: JobFactsFragment;
}

/** Says what was done to a job. */
async function tell({ output }: CommandContext, { message, job }: Told): Promise<undefined> {
  if (output.format === 'json') output.writeJson(job);
  else output.say(`${message} (${job.id}: ${job.state})`);
}

/** Gives the id of a job that was started or, where that is wanted, shows the job to its end. */
export async function tellStarted(
  context: CommandContext,
  { watch, giveUpAfter }: WatchOptions,
  { message, job }: Told,
): Promise<ExitCode | undefined> {
  const { output } = context;
  output.say(`${message} (${job.id})`);
  if (watch) return followJob(context, job.id, giveUpAfter);
  if (output.format === 'json') output.writeJson(job);
  else output.write(job.id);
  return undefined;
}
