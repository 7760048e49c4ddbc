import type { ApiLink } from './api-link.ts';
import { describeError } from './command-error.ts';
import type { CommandContext } from './context.ts';
import { ExitCode } from './exit-code.ts';
import { takeSuccess } from './failure.ts';
import { CancelJobDocument, type JobFactsFragment } from './generated/graphql.ts';
import { type Notice, readNotices } from './job-notices.ts';
import { toExitCode } from './job-state.ts';
import type { WatchOptions } from './option-values.ts';
import type { Output } from './output.ts';
import { createProgressView, type ProgressView } from './progress-view.ts';
import { toPrintable } from './text.ts';
import { watchJob } from './watch-job.ts';

/**
 * Shows a job until it ends. Ctrl-C on a terminal asks whether to cancel the job, and otherwise stops watching.
 * @returns the exit code for the end of the job.
 * @throws CommandError if the job cannot be watched any longer.
 */
export async function followJob(
  { api, output }: CommandContext,
  id: string,
  { giveUpAfter, failOnErrors }: Omit<WatchOptions, 'watch'>,
): Promise<ExitCode> {
  const view = createProgressView(output);
  const interrupts = handleInterrupts({ api, output, view, id });
  const states = watchJob(api, id, {
    giveUpAfterMs: giveUpAfter * 1_000,
    onLinkChange: (change) => view.showLink(change),
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
  if (last === undefined) return ExitCode.UNEXPECTED;
  await sayNotices({ api, output }, id);
  if (last.recentErrors.length > 0) output.say(`See its errors: blade job ${id} --errors`);
  if (last.state === 'FAILED')
    output.say(`Retry the sources that failed: blade retry ${id} --failed-sources`);
  return toExitCode(last, failOnErrors === true);
}

/** The most notices that are written after a watch. */
const MOST_NOTICES = 20;

/** Writes what the counts of an ended job do not tell. */
async function sayNotices({ api, output }: CommandContext, id: string): Promise<void> {
  let notices: readonly Notice[];
  try {
    notices = await readNotices(api, id);
  } catch (error) {
    output.say(`Its log cannot be read: ${describeError(error)}`);
    return;
  }
  for (const { message } of notices.slice(0, MOST_NOTICES)) output.say(toPrintable(message));
  const left = notices.length - MOST_NOTICES;
  if (left > 0) output.say(`… and ${left} more: blade job ${id}`);
}

interface Watched {
  readonly api: ApiLink;
  readonly output: Output;
  readonly view: ProgressView;
  readonly id: string;
}

/** A signal that comes again sooner is not a second Ctrl-C: `npm run` repeats what the terminal sends to its child. */
const REPEAT_MS = 300;

/** Decides what Ctrl-C and SIGTERM do while a job is watched. */
function handleInterrupts({ api, output, view, id }: Watched) {
  const jobHasEnded = new AbortController();
  let asking: Promise<void> | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;

  function leave(exitCode: ExitCode): never {
    view.close();
    output.say(`Job ${id} keeps running. Watch it again: blade job ${id} --watch`);
    process.exit(exitCode);
  }

  async function ask(): Promise<void> {
    view.pause();
    try {
      switch (await askWhetherToCancel(jobHasEnded.signal)) {
        case 'leave':
          leave(ExitCode.INTERRUPTED);
          break;
        case 'cancel':
          output.say(takeSuccess((await api.send(CancelJobDocument, { input: { id } })).cancelJob).message);
          break;
        case 'stay':
          break;
      }
    } catch (error) {
      output.say(describeError(error));
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
    /** Called when the job has ended; withdraws an open question. */
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

/** Asks on the terminal; Ctrl-C instead of an answer leaves. @param signal withdraws the question. */
async function askWhetherToCancel(signal: AbortSignal): Promise<'stay' | 'leave' | 'cancel'> {
  const { default: select } = await import('@inquirer/select');
  const choices = [
    { value: 'leave', name: 'No, stop watching; the job keeps running' },
    { value: 'cancel', name: 'Yes, cancel the job' },
    { value: 'stay', name: 'No, keep watching' },
  ] as const;
  try {
    return await select(
      { message: 'Cancel this job?', choices },
      { output: process.stderr, clearPromptOnDone: true, signal },
    );
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (error.name === 'AbortPromptError') return 'stay';
    if (error.name === 'ExitPromptError') return 'leave';
    throw error;
  }
}
