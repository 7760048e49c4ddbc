import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Job, Prisma, PrismaClient } from '../../database/generated/prisma/client.ts';
import { createIterator, DONE } from '../../shared/async-iterator.ts';
import { isTerminal } from '../job-state.ts';
import type { JobChange, JobNotifications } from './job-notifications.ts';

/** Jobs as they change. */
export interface JobEvents {
  /**
   * A job: its present state first, then each later revision until it ends. A slow subscriber skips to the newest.
   * @returns null if there is no such job.
   */
  watchJob(jobId: string): Promise<AsyncIterableIterator<Job> | null>;
  /**
   * Jobs that match the filter, each time one changes or is created, without end. A slow subscriber skips to the newest
   * revision of each job. With more than 10,000 jobs waiting, it misses the oldest.
   */
  watchChanges(filter: JobChangeFilter): AsyncIterableIterator<Job>;
}

/** One read serves all subscribers of the process that see the same rows. */
export interface AllJobEvents extends JobEvents {
  /** The jobs as a client of the database sees them. */
  seenBy(sight: PrismaClient): JobEvents;
  close(): void;
}

/** Filters on fields that never change, so that a subscriber sees a job's whole life or none of it. */
export interface JobChangeFilter {
  readonly kinds?: readonly Job['kind'][] | null | undefined;
  readonly dataTypes?: readonly string[] | null | undefined;
}

/** @param prisma sees all jobs. */
export function createJobEvents(
  prisma: PrismaClient,
  notifications: JobNotifications,
  onError: (error: unknown) => void,
): AllJobEvents {
  const subscribers = new Set<Subscriber>();
  const changed = new Map<string, JobChange>();
  let isReading = false;

  function readSoon(change: JobChange): void {
    changed.set(change.id, change);
    if (isReading) return;
    isReading = true;
    void readChanged().finally(() => {
      isReading = false;
    });
  }

  async function readChanged(): Promise<void> {
    // Changes of one turn of the event loop are read together.
    await setImmediate();
    while (changed.size > 0 && subscribers.size > 0) {
      const changes = [...changed.values()];
      changed.clear();
      await readAndOffer((readers) => {
        const wanted = changes.filter((change) => readers.some((reader) => reader.wants(change)));
        return wanted.length === 0 ? null : { id: { in: wanted.map(({ id }) => id) } };
      });
    }
  }

  /** Repeats a failed read while there are subscribers, which would otherwise miss these changes for good. */
  async function readAndOffer(buildWhere: BuildWhere): Promise<void> {
    const sights = new Set([...subscribers].map(({ sight }) => sight));
    await Promise.all([...sights].map((sight) => readAndOfferTo(sight, buildWhere)));
  }

  /** Reads once for all subscribers that share a client of the database. */
  async function readAndOfferTo(sight: PrismaClient, whereOf: BuildWhere): Promise<void> {
    const readers = () => [...subscribers].filter((subscriber) => subscriber.sight === sight);
    while (readers().length > 0) {
      try {
        const where = whereOf(readers());
        const jobs = where === null ? [] : await sight.job.findMany({ where });
        for (const job of jobs) for (const reader of readers()) reader.offer(job);
        return;
      } catch (error) {
        onError(error);
        await setTimeout(READ_RETRY_MS);
      }
    }
  }

  const unsubscribe = notifications.subscribe({
    onChange(change) {
      for (const subscriber of subscribers) {
        if (subscriber.wants(change)) return readSoon(change);
      }
    },
    async onReconnect() {
      const since = new Date(Date.now() - MISSED_WINDOW_MS);
      await readAndOffer((readers) => {
        const watched = readers.flatMap(({ jobId }) => (jobId === null ? [] : [jobId]));
        return { OR: [{ id: { in: watched } }, { updatedAt: { gte: since } }] };
      });
    },
  });

  function subscribe(options: SubscriberOptions): Subscriber {
    const subscriber = createSubscriber(options, () => subscribers.delete(subscriber));
    subscribers.add(subscriber);
    return subscriber;
  }

  const seenBy = (sight: PrismaClient): JobEvents => ({
    async watchJob(jobId) {
      const subscriber = subscribe({ sight, jobId, accepts: (job) => job.id === jobId, endsWithJob: true });
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

    watchChanges(filter) {
      const kinds = filter.kinds == null ? null : new Set(filter.kinds);
      const dataTypes = filter.dataTypes == null ? null : new Set(filter.dataTypes);
      const accepts = ({ kind, dataType }: Pick<Job, 'kind' | 'dataType'>) =>
        (kinds?.has(kind) ?? true) && (dataTypes === null || dataType === null || dataTypes.has(dataType));
      return subscribe({ sight, jobId: null, accepts, endsWithJob: false }).events;
    },
  });

  return {
    ...seenBy(prisma),
    seenBy,
    close() {
      unsubscribe();
      for (const subscriber of subscribers) subscriber.end();
    },
  };
}

/** How long to wait before a read that failed is tried again, in milliseconds. */
const READ_RETRY_MS = 1_000;

/** After a lost connection, jobs that changed within this time are offered again; subscribers skip known revisions. */
const MISSED_WINDOW_MS = 10 * 60_000;

/** Bounds a subscriber's memory: the jobs that wait for it, and those whose last seen revision it remembers. */
const MAX_JOBS = 10_000;

interface SubscriberOptions {
  /** Reads the rows that the subscriber may see. */
  readonly sight: PrismaClient;
  /** The only job it watches, or null for all accepted ones. */
  readonly jobId: string | null;
  readonly accepts: (job: Pick<Job, 'id' | 'kind' | 'dataType'>) => boolean;
  readonly endsWithJob: boolean;
}

/** Builds the condition on the jobs to read for some subscribers; null if there are none to read. */
type BuildWhere = (readers: readonly Subscriber[]) => Prisma.JobWhereInput | null;

interface Subscriber {
  readonly sight: PrismaClient;
  readonly jobId: string | null;
  readonly events: AsyncIterableIterator<Job>;
  wants(change: JobChange): boolean;
  /** Queues a revision unless the job has a newer one; replaces an older one that waits. */
  offer(job: Job): void;
  end(): void;
}

function createSubscriber(
  { sight, jobId, accepts, endsWithJob }: SubscriberOptions,
  onEnd: () => void,
): Subscriber {
  const waiting = new Map<string, Job>();
  const newestRevisions = new Map<string, number>();
  let wake: (() => void) | undefined;
  let ended = false;

  function end(): void {
    if (ended) return;
    ended = true;
    onEnd();
    wake?.();
  }

  function takeOldest(): Job | undefined {
    for (const [id, job] of waiting) {
      waiting.delete(id);
      return job;
    }
    return undefined;
  }

  async function next(): Promise<IteratorResult<Job, undefined>> {
    for (;;) {
      const oldest = takeOldest();
      if (oldest !== undefined) return { done: false, value: oldest };
      if (ended) return DONE;
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      await promise;
    }
  }

  const events = createIterator(next, () => {
    waiting.clear();
    end();
  });

  return {
    sight,
    jobId,
    events,
    wants: (change) => accepts(change) && (newestRevisions.get(change.id) ?? 0) < change.revision,
    offer(job) {
      if (ended || !accepts(job) || (newestRevisions.get(job.id) ?? 0) >= job.revision) return;
      newestRevisions.delete(job.id);
      setBounded(newestRevisions, job.id, job.revision);
      setBounded(waiting, job.id, job);
      if (endsWithJob && isTerminal(job.state)) end();
      wake?.();
    },
    end,
  };
}

/** Adds a key as the newest of the map, and drops the oldest when there are too many. */
function setBounded<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value);
  if (map.size <= MAX_JOBS) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
