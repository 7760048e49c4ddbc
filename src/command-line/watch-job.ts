import { setTimeout } from 'node:timers/promises';
import type { ApiLink } from './api-link.ts';
import { CommandError, notFound } from './command-error.ts';
import {
  type JobFactsFragment,
  JobLogDocument,
  JobLogEndDocument,
  type JobLogSubscription,
  JobProgressDocument,
  JobStateDocument,
} from './generated/graphql.ts';
import { isTerminal } from './job-state.ts';
import { mergeStreams } from './merge-streams.ts';

/** What happens to the connection of a watch. */
export type LinkChange =
  | { readonly isLost: true; readonly problem: string }
  /** It is back, and the log of the job was read on from where it broke off. */
  | {
      readonly isLost: false;
      /** Why events may be missing; null if none is. */
      readonly gap: string | null;
      /** What happened to the job meanwhile, a line each. */
      readonly meanwhile: readonly string[];
    };

export interface WatchSettings {
  /** How long to retry a server that is away, in milliseconds. */
  readonly giveUpAfterMs: number;
  readonly onLinkChange: (change: LinkChange) => void;
}

/** The longest wait between two attempts to reach the server, in milliseconds. */
const LONGEST_WAIT_MS = 5_000;

/**
 * Yields the states of a job, each newer than the one before, until it has ended. Reconnects when the connection is lost,
 * and catches up: the server sends the current state first, and the log after the last cursor.
 * @throws CommandError if the server stays away, or refuses to show the job.
 */
export async function* watchJob(
  api: ApiLink,
  id: string,
  { giveUpAfterMs, onLinkChange }: WatchSettings,
): AsyncGenerator<JobFactsFragment, void> {
  const log = createLogReader();
  let revision = -1;
  let lostAt: number | undefined;
  let attempts = 0;

  function reportBack(): void {
    attempts = 0;
    if (lostAt === undefined) return;
    lostAt = undefined;
    onLinkChange({ isLost: false, ...log.takeMissed() });
  }

  for (;;) {
    let current: JobFactsFragment | undefined;
    try {
      log.connect(await readLogEnd(api, id));
      const after = log.cursor();
      for await (const { job, message } of mergeStreams<Step>([
        (signal) => followState(api, id, signal),
        (signal) => followLog(api, { id, after }, signal),
      ])) {
        if (message !== undefined) log.add(message);
        if (job !== undefined) current = job;
        if (current === undefined || !log.hasCaughtUp()) continue;
        reportBack();
        if (current.revision <= revision) continue;
        revision = current.revision;
        yield current;
        if (isTerminal(current.state)) return;
      }
      // The streams were completed without a terminal state: the job may have ended in between.
      const { job } = await api.send(JobStateDocument, { id });
      if (job === null) throw jobNotFound(id);
      if (isTerminal(job.state)) {
        reportBack();
        yield job;
        return;
      }
    } catch (error) {
      if (!(error instanceof CommandError) || !error.isTransient) throw error;
      const now = performance.now();
      if (lostAt === undefined) onLinkChange({ isLost: true, problem: error.message });
      lostAt ??= now;
      if (now - lostAt >= giveUpAfterMs) throw new CommandError(error.exitCode, error.message);
    }
    const longest = Math.min(LONGEST_WAIT_MS, 250 * 2 ** attempts++);
    await setTimeout(longest * (0.5 + Math.random() / 2));
  }
}

type LogMessage = JobLogSubscription['jobEvents'];

/** A state of the job, or a message of its log. */
interface Step {
  readonly job?: JobFactsFragment;
  readonly message?: LogMessage;
}

async function* followState(api: ApiLink, id: string, signal: AbortSignal): AsyncGenerator<Step> {
  for await (const { jobProgress: job } of api.subscribe(JobProgressDocument, { id }, signal)) yield { job };
}

async function* followLog(
  api: ApiLink,
  variables: { id: string; after: string | null },
  signal: AbortSignal,
): AsyncGenerator<Step> {
  for await (const { jobEvents: message } of api.subscribe(JobLogDocument, variables, signal))
    yield { message };
}

/** Reads the cursor of the newest event of a job; null if there is none. */
async function readLogEnd(api: ApiLink, id: string): Promise<string | null> {
  const { job } = await api.send(JobLogEndDocument, { id });
  if (job === null) throw jobNotFound(id);
  return job.events?.edges[0]?.cursor ?? null;
}

/** Remembers up to where the log of a job has been read, and what of it came late. */
function createLogReader() {
  let hasBegun = false;
  let cursor: string | null = null;
  /** The newest event when the connection was made; what comes up to it happened before. */
  let end: string | null = null;
  let gap: string | null = null;
  let meanwhile: string[] = [];
  let isBehind = false;

  return {
    cursor: () => cursor,
    /** Begins at the end of the log, and continues from the last cursor later. */
    connect(newest: string | null): void {
      if (!hasBegun) cursor = newest;
      hasBegun = true;
      end = newest;
      isBehind = end !== null && cursor !== end;
    },
    add(message: LogMessage): void {
      cursor = message.cursor;
      if (!isBehind) return;
      if (message.gap !== null) gap = message.gap.message;
      else if (message.event !== null && message.event.__typename !== 'JobCheckpointEvent')
        meanwhile.push(message.event.message);
      isBehind = message.cursor !== end;
    },
    hasCaughtUp: () => !isBehind,
    takeMissed() {
      const missed = { gap, meanwhile };
      gap = null;
      meanwhile = [];
      return missed;
    },
  };
}

export function jobNotFound(id: string): CommandError {
  return notFound(`there is no job ${id}`);
}
