import type { Api } from './api.ts';
import type { CommandContext } from './context.ts';
import { ExitCode } from './exit-code.ts';
import { successOf } from './failure.ts';
import { CancelJobDocument, type JobFactsFragment } from './generated/graphql.ts';
import type { Output } from './output.ts';
import { problemOf } from './problem.ts';
import { createProgressView, type ProgressView } from './progress-view.ts';
import { watchJob } from './watch-job.ts';

/**
 * Shows a job to its end. Ctrl-C asks what is to become of the job where somebody can be asked, and otherwise leaves it.
 * @param giveUpAfterSeconds how long to try to reach a server that is away.
 * @returns what the job's end says to scripts.
 * @throws CommandError where the job cannot be watched any more.
 */
export async function followJob(
  { api, output }: CommandContext,
  id: string,
  giveUpAfterSeconds: number,
): Promise<ExitCode> {
  const view = createProgressView(output);
  const interrupts = handleInterrupts({ api, output, view, id });
  const states = watchJob(api, id, {
    giveUpAfterMs: giveUpAfterSeconds * 1_000,
    onConnection: (problem) => view.showConnection(problem),
  });
  let last: JobFactsFragment | undefined;
  try {
    for await (const job of states) {
      view.show(job);
      last = job;
    }
  } finally {
    await interrupts.stop();
    view.close();
  }
  if (last !== undefined && last.progress.errorCount > 0) {
    output.say(`To see what went wrong: blade job ${id} --errors`);
  }
  return last === undefined ? ExitCode.UNEXPECTED : exitCodeOf(last);
}

function exitCodeOf({ state }: JobFactsFragment): ExitCode {
  switch (state) {
    case 'COMPLETED':
      return ExitCode.DONE;
    case 'FAILED':
      return ExitCode.FAILED;
    case 'CANCELLED':
      return ExitCode.CANCELLED;
    default:
      return ExitCode.UNEXPECTED;
  }
}

interface Watched {
  readonly api: Api;
  readonly output: Output;
  readonly view: ProgressView;
  readonly id: string;
}

/** A signal that comes again sooner is no second Ctrl-C: `npm run` passes on what its child has got from the terminal, too. */
const REPEAT_MS = 300;

/** What Ctrl-C and SIGTERM do while a job is watched. */
function handleInterrupts({ api, output, view, id }: Watched) {
  const jobHasEnded = new AbortController();
  let asking: Promise<void> | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;

  function leave(exitCode: ExitCode): never {
    view.close();
    output.say(`Job ${id} goes on. To watch it again: blade job ${id} --watch`);
    process.exit(exitCode);
  }

  async function ask(): Promise<void> {
    view.pause();
    try {
      switch (await choose(jobHasEnded.signal)) {
        case 'leave':
          leave(ExitCode.INTERRUPTED);
          break;
        case 'cancel':
          output.say(successOf((await api.send(CancelJobDocument, { id })).cancelJob).message);
          break;
        case 'stay':
          break;
      }
    } catch (error) {
      output.say(problemOf(error));
    } finally {
      view.resume();
    }
  }

  function onInterrupt(): void {
    const now = performance.now();
    const isRepeat = now - lastAt < REPEAT_MS;
    lastAt = now;
    if (isRepeat) return;
    if (asking !== undefined || !canAsk(output)) leave(ExitCode.INTERRUPTED);
    asking = ask().finally(() => {
      asking = undefined;
    });
  }
  const onTerminate = () => leave(ExitCode.TERMINATED);

  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate);
  return {
    /** To be called when the job has ended: a question that is open is moot. */
    async stop(): Promise<void> {
      jobHasEnded.abort();
      await asking;
      process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate);
    },
  };
}

function canAsk({ isTerminal }: Output): boolean {
  return isTerminal && process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal; Ctrl-C in place of an answer leaves. @param signal ends the question. */
async function choose(signal: AbortSignal): Promise<'stay' | 'leave' | 'cancel'> {
  const { default: select } = await import('@inquirer/select');
  const choices = [
    { value: 'leave', name: 'Leave: the job goes on' },
    { value: 'cancel', name: 'Cancel the job' },
    { value: 'stay', name: 'Go on watching' },
  ] as const;
  try {
    return await select(
      { message: 'What is to become of the job?', choices },
      { output: process.stderr, clearPromptOnDone: true, signal },
    );
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === 'AbortPromptError') return 'stay';
    if (error.name === 'ExitPromptError') return 'leave';
    throw error;
  }
}
