import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Job, PrismaClient } from '../../database/generated/prisma/client.ts';
import { createIterator, DONE } from '../../shared/async-iterator.ts';
import { isTerminal } from '../job-state.ts';
import type { JobNotifications } from './job-notifications.ts';

/** Single jobs as they change. */
export interface JobEvents {
  /**
   * A job: its present state first, then each later revision until it ends. A slow subscriber skips to the newest.
   * @returns null if there is no such job.
   */
  watchJob(jobId: string): Promise<AsyncIterableIterator<Job> | null>;
}

/** One read serves all subscribers of the process that see the same rows. */
export interface AllJobEvents extends JobEvents {
  /** The jobs as a client of the database sees them. */
  seenBy(sight: PrismaClient): JobEvents;
  close(): void;
}

/** @param prisma sees all jobs. */
export function createJobEvents(
  prisma: PrismaClient,
  notifications: JobNotifications,
  onError: (error: unknown) => void,
): AllJobEvents {
  const subscribers = new Map<string, Set<Subscriber>>();
  const changed = new Set<string>();
  let isReading = false;

  function readSoon(jobIds: Iterable<string>): void {
    for (const id of jobIds) changed.add(id);
    if (isReading) return;
    isReading = true;
    void readChanged().finally(() => {
      isReading = false;
    });
  }

  async function readChanged(): Promise<void> {
    // Changes of one turn of the event loop are read together.
    await setImmediate();
    while (changed.size > 0) {
      const ids = [...changed];
      changed.clear();
      const sights = new Set(findReaders(ids).map(({ sight }) => sight));
      await Promise.all([...sights].map((sight) => readAndOffer(sight, ids)));
    }
  }

  const findReaders = (ids: readonly string[]) => ids.flatMap((id) => [...(subscribers.get(id) ?? [])]);

  /**
   * Reads once for all subscribers that share a client of the database. Repeats a failed read while there are any, which
   * would otherwise miss these changes for good.
   */
  async function readAndOffer(sight: PrismaClient, ids: readonly string[]): Promise<void> {
    const findSharing = () => findReaders(ids).filter((reader) => reader.sight === sight);
    while (findSharing().length > 0) {
      try {
        const watched = [...new Set(findSharing().map(({ jobId }) => jobId))];
        for (const job of await sight.job.findMany({ where: { id: { in: watched } } }))
          for (const reader of findSharing()) if (reader.jobId === job.id) reader.offer(job);
        return;
      } catch (error) {
        onError(error);
        await setTimeout(READ_RETRY_MS);
      }
    }
  }

  const unsubscribe = notifications.subscribe({
    onChange({ id, revision }) {
      const readers = subscribers.get(id);
      if (readers !== undefined && [...readers].some((reader) => reader.revision < revision)) readSoon([id]);
    },
    onReconnect: () => readSoon(subscribers.keys()),
  });

  function subscribe(sight: PrismaClient, jobId: string): Subscriber {
    const subscriber = createSubscriber(sight, jobId, () => {
      const others = subscribers.get(jobId);
      others?.delete(subscriber);
      if (others?.size === 0) subscribers.delete(jobId);
    });
    subscribers.set(jobId, (subscribers.get(jobId) ?? new Set()).add(subscriber));
    return subscriber;
  }

  const seenBy = (sight: PrismaClient): JobEvents => ({
    async watchJob(jobId) {
      const subscriber = subscribe(sight, jobId);
      const job = await sight.job.findUnique({ where: { id: jobId } }).catch((error: unknown) => {
        subscriber.end();
        throw error;
      });
      if (job === null) {
        subscriber.end();
        return null;
      }
      subscriber.offer(job);
      return subscriber.events;
    },
  });

  return {
    ...seenBy(prisma),
    seenBy,
    close() {
      unsubscribe();
      for (const all of [...subscribers.values()]) for (const subscriber of [...all]) subscriber.end();
    },
  };
}

/** How long to wait before a read that failed is tried again, in milliseconds. */
const READ_RETRY_MS = 1_000;

interface Subscriber {
  /** Reads the rows that the subscriber may see. */
  readonly sight: PrismaClient;
  readonly jobId: string;
  /** The newest that it was offered. */
  readonly revision: number;
  readonly events: AsyncIterableIterator<Job>;
  /** Replaces an older revision that waits; ignores one that is not newer. */
  offer(job: Job): void;
  end(): void;
}

function createSubscriber(sight: PrismaClient, jobId: string, onEnd: () => void): Subscriber {
  let waiting: Job | null = null;
  let wake: (() => void) | undefined;
  let ended = false;
  let revision = 0;

  function end(): void {
    if (ended) return;
    ended = true;
    onEnd();
    wake?.();
  }

  async function next(): Promise<IteratorResult<Job, undefined>> {
    for (;;) {
      if (waiting !== null) {
        const job = waiting;
        waiting = null;
        return { done: false, value: job };
      }
      if (ended) return DONE;
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      await promise;
    }
  }

  return {
    sight,
    jobId,
    get revision() {
      return revision;
    },
    events: createIterator(next, () => {
      waiting = null;
      end();
    }),
    offer(job) {
      if (ended || revision >= job.revision) return;
      revision = job.revision;
      waiting = job;
      if (isTerminal(job.state)) end();
      wake?.();
    },
    end,
  };
}
