import { setTimeout } from 'node:timers/promises';
import type { Marking } from '../../data-types/marking.ts';
import type { JobError, JobEvent, PrismaClient } from '../../database/generated/prisma/client.ts';
import type { JobFilter } from '../job-filter.ts';
import { type ChangeEntry, createChangeFeed } from './change-feed.ts';
import { readNow } from './change-reads.ts';
import { createErrorFeed } from './error-feed.ts';
import { type After, createWaker, type Entry, shareReads } from './feed.ts';
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
  /**
   * Follows the jobs that match a filter, each time one changes, from the place or from now on, without end. The beginning is
   * an entry, too: null.
   */
  watchChanges(filter: JobFilter, after: After<SeenPlace>): Promise<AsyncIterableIterator<ChangeEntry>>;
}

const ALL_JOBS = 'all jobs';

/** How long those who come back wait for others, in milliseconds. */
const GATHER_MS = 50;

/** Creates a function whose callers within moments continue at once, so that what each reads first is read once for all. */
function createGathering(): () => Promise<void> {
  let gathering: Promise<void> | null = null;
  return () => {
    gathering ??= setTimeout(GATHER_MS).then(() => {
      gathering = null;
    });
    return gathering;
  };
}

const shareJobReads = shareReads<PrismaClient, boolean>();

const shareNowReads = shareReads<PrismaClient, SeenPlace>();

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
  const changes = createWaker();
  const unsubscribe = notifications.subscribe({
    // A batch with errors raises the job's counts, which are written within moments of it.
    onChange({ id }) {
      errors.wake(id);
      changes.wake(ALL_JOBS);
    },
    onEvent: logs.wake,
    onReconnect() {
      logs.wakeAll();
      errors.wakeAll();
      changes.wakeAll();
    },
  });

  const hasJob = (sight: PrismaClient, id: string) =>
    shareJobReads(
      sight,
      id,
      async () => (await sight.job.findUnique({ where: { id }, select: { id: true } })) !== null,
    );

  const gather = createGathering();

  /** Lets those who come back begin together. */
  const arrive = (after: After<unknown>) => (typeof after === 'object' ? gather() : undefined);

  return {
    seenBy: (sight, clearance) => ({
      async watchLog(jobId, after) {
        await arrive(after);
        if (!(await hasJob(sight, jobId))) return null;
        return logs.follow(jobId, createJobLog(sight, jobId, onError), after);
      },
      async watchErrors(jobId, after) {
        await arrive(after);
        if (!(await hasJob(sight, jobId))) return null;
        return errors.follow(jobId, createErrorFeed(sight, clearance, jobId, onError), after);
      },
      async watchChanges(filter, after) {
        await arrive(after);
        const follow = (first: ChangeEntry | null, start: After<SeenPlace>) =>
          changes.follow(ALL_JOBS, createChangeFeed(sight, clearance, filter, onError), start, first);
        if (typeof after === 'object') return follow(null, after);
        // Read at once: what is committed after this call has returned is part of the feed.
        const place = await shareNowReads(sight, '', () => readNow(sight));
        return follow(after === 'UNKNOWN' ? { gap: 'UNKNOWN', place } : { value: null, place }, { place });
      },
    }),
    close() {
      unsubscribe();
      logs.close();
      errors.close();
      changes.close();
    },
  };
}
