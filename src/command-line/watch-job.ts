import { setTimeout } from 'node:timers/promises';
import type { ApiLink } from './api-link.ts';
import { CommandError, notFound } from './command-error.ts';
import { type JobFactsFragment, JobProgressDocument, JobStateDocument } from './generated/graphql.ts';
import { isTerminal } from './job-state.ts';

export interface WatchSettings {
  /** How long to retry a server that is away, in milliseconds. */
  readonly giveUpAfterMs: number;
  /** Receives the reason when the connection is lost, and null when it is back. */
  readonly onLinkChange: (problem: string | null) => void;
}

/** The longest wait between two attempts to reach the server, in milliseconds. */
const LONGEST_WAIT_MS = 5_000;

/**
 * Yields the states of a job, each newer than the one before, until it has ended. Reconnects when the connection is lost,
 * and catches up: the server sends the current state first.
 * @throws CommandError if the server stays away, or refuses to show the job.
 */
export async function* watchJob(
  api: ApiLink,
  id: string,
  { giveUpAfterMs, onLinkChange }: WatchSettings,
): AsyncGenerator<JobFactsFragment, void> {
  let revision = -1;
  let lostAt: number | undefined;
  let attempts = 0;

  for (;;) {
    try {
      for await (const { jobProgress: job } of api.subscribe(JobProgressDocument, { id })) {
        if (lostAt !== undefined) onLinkChange(null);
        lostAt = undefined;
        attempts = 0;
        if (job.revision <= revision) continue;
        revision = job.revision;
        yield job;
        if (isTerminal(job.state)) return;
      }
      // The stream was completed without a terminal state: the job may have ended in between.
      const { job } = await api.send(JobStateDocument, { id });
      if (job === null) throw jobNotFound(id);
      if (isTerminal(job.state)) {
        yield job;
        return;
      }
    } catch (error) {
      if (!(error instanceof CommandError) || !error.isTransient) throw error;
      const now = performance.now();
      if (lostAt === undefined) onLinkChange(error.message);
      lostAt ??= now;
      if (now - lostAt >= giveUpAfterMs) throw new CommandError(error.exitCode, error.message);
    }
    const longest = Math.min(LONGEST_WAIT_MS, 250 * 2 ** attempts++);
    await setTimeout(longest * (0.5 + Math.random() / 2));
  }
}

export function jobNotFound(id: string): CommandError {
  return notFound(`there is no job ${id}`);
}
