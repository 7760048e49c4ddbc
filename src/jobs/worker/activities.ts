import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PrismaClient } from '../../database/generated/prisma/client.ts';
import type { JobNotifications } from '../events/job-notifications.ts';
import type { JobState } from '../job-state.ts';

/** What this process does for jobs. It stops when its job is to stop. */
export interface Activities {
  /** Runs work for a job with a signal that aborts when the job is to stop or the lease is lost. */
  run<Result>(
    jobId: string,
    work: (signal: AbortSignal) => Promise<Result>,
    lost?: AbortSignal,
  ): Promise<Result>;
  /** Stops the work for a job unless it goes on in this state. */
  stopEnding(jobId: string, state: JobState): void;
  /** Stops all work, and whatever begins later. */
  stop(): void;
  /** Follows the states of jobs no more. */
  close(): void;
}

export interface ActivityOptions {
  readonly prisma: PrismaClient;
  readonly notifications: JobNotifications;
  readonly log: Logger;
}

/** Follows the states of jobs whose work this process does. */
export function trackActivities({ prisma, notifications, log }: ActivityOptions): Activities {
  const activities = new Set<Activity>();
  let isStopping = false;

  function stopEnding(jobId: string, state: JobState): void {
    if (state === 'QUEUED' || state === 'RUNNING') return;
    for (const activity of activities) if (activity.jobId === jobId) activity.stop.abort();
  }

  const unsubscribe = notifications.subscribe({
    onChange: ({ id, state }) => stopEnding(id, state),
    async onReconnect() {
      while (activities.size > 0) {
        try {
          const jobIds = [...new Set([...activities].map(({ jobId }) => jobId))];
          const jobs = await prisma.job.findMany({
            where: { id: { in: jobIds } },
            select: { id: true, state: true },
          });
          for (const { id, state } of jobs) stopEnding(id, state);
          return;
        } catch (error) {
          log.debug({ err: error }, 'the states of running jobs cannot be read yet');
          await setTimeout(READ_RETRY_MS);
        }
      }
    },
  });

  return {
    stopEnding,

    async run(jobId, work, lost) {
      const activity: Activity = { jobId, stop: new AbortController() };
      const stop = () => activity.stop.abort();
      if (isStopping || lost?.aborted) stop();
      lost?.addEventListener('abort', stop, { once: true });
      activities.add(activity);
      try {
        return await work(activity.stop.signal);
      } finally {
        lost?.removeEventListener('abort', stop);
        activities.delete(activity);
      }
    },

    stop() {
      isStopping = true;
      for (const { stop } of activities) stop.abort();
    },

    close: unsubscribe,
  };
}

/** How long the states of jobs are not read again after that failed, in milliseconds. */
const READ_RETRY_MS = 2_000;

/** Work in progress for a job: a running partition, or the planning of others. */
interface Activity {
  readonly jobId: string;
  readonly stop: AbortController;
}
