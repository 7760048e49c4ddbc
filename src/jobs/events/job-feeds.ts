import type { Marking } from '../../data-types/marking.ts';
import type { JobError, JobEvent, PrismaClient } from '../../database/generated/prisma/client.ts';
import { createErrorFeed } from './error-feed.ts';
import { type After, createWaker, type Entry } from './feed.ts';
import { createJobLog } from './job-log.ts';
import type { JobNotifications } from './job-notifications.ts';
import type { SeenPlace } from './seen-place.ts';

type Feed<Value, Place> = AsyncIterableIterator<Entry<Value, Place>>;

/** What happens to a job, for subscribers that continue where they left off. */
export interface JobFeeds {
  /**
   * Follows the log of a job to its end: what is stored after the place first, then each further event, in order.
   * @returns null if there is no such job.
   */
  watchLog(jobId: string, after: After<string>): Promise<Feed<JobEvent, string> | null>;
  /**
   * Follows the errors of a job to its end, each once, in the order in which they were committed.
   * @returns null if there is no such job.
   */
  watchErrors(jobId: string, after: After<SeenPlace>): Promise<Feed<JobError, SeenPlace> | null>;
}

export interface AllJobFeeds {
  /** The feeds as a client of the database with this clearance sees them. */
  seenBy(sight: PrismaClient, clearance: Marking): JobFeeds;
  close(): void;
}

export function createJobFeeds(
  notifications: JobNotifications,
  onError: (error: unknown) => void,
): AllJobFeeds {
  const logs = createWaker();
  const errors = createWaker();
  const unsubscribe = notifications.subscribe({
    // A batch with errors raises the job's counts, which are written within moments of it.
    onChange: ({ id }) => errors.wake(id),
    onEvent: logs.wake,
    onReconnect() {
      logs.wakeAll();
      errors.wakeAll();
    },
  });

  async function hasJob(sight: PrismaClient, id: string): Promise<boolean> {
    return (await sight.job.findUnique({ where: { id }, select: { id: true } })) !== null;
  }

  return {
    seenBy: (sight, clearance) => ({
      watchLog: async (jobId, after) =>
        (await hasJob(sight, jobId)) ? logs.follow(jobId, createJobLog(sight, jobId, onError), after) : null,
      watchErrors: async (jobId, after) =>
        (await hasJob(sight, jobId))
          ? errors.follow(jobId, createErrorFeed(sight, clearance, jobId, onError), after)
          : null,
    }),
    close() {
      unsubscribe();
      logs.close();
      errors.close();
    },
  };
}
