import { setTimeout } from 'node:timers/promises';
import type { Api } from './api.ts';
import { CommandError, ExitCode } from './exit-code.ts';
import {
  type JobFactsFragment,
  JobProgressDocument,
  JobStateDocument,
  type JobState as State,
} from './generated/graphql.ts';

export interface WatchOptions {
  /** How long to try to reach a server that is away, in milliseconds. */
  readonly giveUpAfterMs: number;
  /** Told why the connection is lost, and null when it is back. */
  readonly onConnection: (problem: string | null) => void;
}

/** The longest wait between two attempts to reach the server, in milliseconds. */
const LONGEST_WAIT_MS = 5_000;

/**
 * A job's states as they come, each newer than the one before, until it has ended. Connects again when the connection is
 * lost, and catches up: the server tells the present state first.
 * @throws CommandError where the server stays away, or does not let the command see the job.
 */
export async function* watchJob(
  api: Api,
  id: string,
  { giveUpAfterMs, onConnection }: WatchOptions,
): AsyncGenerator<JobFactsFragment, void> {
  let revision = -1;
  let lostAt: number | undefined;
  let attempts = 0;

  for (;;) {
    try {
      for await (const { jobProgress: job } of api.subscribe(JobProgressDocument, { id })) {
        if (lostAt !== undefined) onConnection(null);
        lostAt = undefined;
        attempts = 0;
        if (job.revision <= revision) continue;
        revision = job.revision;
        yield job;
        if (isTerminal(job.state)) return;
      }
      // Ended in order, though the end of the job was not told: it may have come in between.
      const { job } = await api.send(JobStateDocument, { id });
      if (job === null || job === undefined) throw jobNotFound(id);
      if (isTerminal(job.state)) {
        yield job;
        return;
      }
    } catch (error) {
      if (!(error instanceof CommandError) || !error.isTransient) throw error;
      const now = performance.now();
      if (lostAt === undefined) onConnection(error.message);
      lostAt ??= now;
      if (now - lostAt >= giveUpAfterMs) throw new CommandError(error.exitCode, error.message);
    }
    const longest = Math.min(LONGEST_WAIT_MS, 250 * 2 ** attempts++);
    await setTimeout(longest * (0.5 + Math.random() / 2));
  }
}

export function isTerminal(state: State): boolean {
  switch (state) {
    case 'COMPLETED':
    case 'FAILED':
    case 'CANCELLED':
      return true;
    case 'QUEUED':
    case 'RUNNING':
    case 'PAUSING':
    case 'PAUSED':
    case 'CANCELLING':
      return false;
  }
}

export function jobNotFound(id: string): CommandError {
  return new CommandError(ExitCode.NOT_FOUND, `there is no job ${id}`);
}
