import { setImmediate, setTimeout } from 'node:timers/promises';
import { readDatabaseTime } from '../../database/database-clock.ts';
import type { Job, Prisma, PrismaClient } from '../../database/generated/prisma/client.ts';
import { createIterator, DONE } from '../../shared/async-iterator.ts';
import { createJobMatcher, type JobFilter, type JobMatcher } from '../job-filter.ts';
import { ACTIVE_STATES, isTerminal } from '../job-state.ts';
import type { JobChange, JobNotifications } from './job-notifications.ts';

/** Jobs as they change. */
export interface JobEvents {
  /**
   * A job: its present state first, then each later revision until it ends. A slow subscriber skips to the newest.
   * @returns null if there is no such job.
   */
  watchJob(jobId: string): Promise<AsyncIterableIterator<Job> | null>;
  /**
   * Jobs that match the filter, each time one changes or is created, without end, and once more each that stops to match. A
   * slow subscriber skips to the newest revision of each job. Null where changes may have been missed: at the beginning, and
   * when more than 10,000 jobs were waiting and the oldest were dropped.
   */
  watchChanges(filter: JobFilter): Promise<AsyncIterableIterator<Job | null>>;
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
  async function readAndOfferTo(sight: PrismaClient, buildWhere: BuildWhere): Promise<void> {
    const readers = () => [...subscribers].filter((subscriber) => subscriber.sight === sight);
    while (readers().length > 0) {
      try {
        const where = buildWhere(readers());
        const jobs = where === null ? [] : await sight.job.findMany({ where });
        const sources = await readSources(sight, jobs, readers());
        for (const job of jobs)
          for (const reader of readers()) reader.offer(job, sources.get(job.id) ?? NO_SOURCES);
        return;
      } catch (error) {
        onError(error);
        await setTimeout(READ_RETRY_MS);
      }
    }
  }

  /** Repeats a failed read, as `readAndOfferTo` does. */
  async function findMissedSince(): Promise<Date> {
    for (;;) {
      try {
        return new Date((await readDatabaseTime(prisma)).getTime() - MISSED_WINDOW_MS);
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
      const since = await findMissedSince();
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
      const subscriber = subscribe({ sight, jobId, matcher: EVERY_JOB, dataSourceIds: [] });
      const job = await sight.job.findUnique({ where: { id: jobId } }).catch((error: unknown) => {
        subscriber.end();
        throw error;
      });
      if (job === null) {
        subscriber.end();
        return null;
      }
      subscriber.offer(job, NO_SOURCES);
      return subscriber.events as AsyncIterableIterator<Job>;
    },

    async watchChanges(filter) {
      const matcher = createJobMatcher(filter);
      const { dataSourceIds = [] } = filter;
      const subscriber = subscribe({ sight, jobId: null, matcher, dataSourceIds });
      if (!matcher.canChange) return subscriber.events;
      try {
        const active = await sight.job.findMany({ where: { state: { in: [...ACTIVE_STATES] } } });
        const sources = await readSources(sight, active, [subscriber]);
        subscriber.startAt(active.filter((job) => matcher.matches(job, sources.get(job.id) ?? NO_SOURCES)));
        return subscriber.events;
      } catch (error) {
        subscriber.end();
        throw error;
      }
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

const NO_SOURCES: ReadonlySet<string> = new Set();

const EVERY_JOB = createJobMatcher({});

/** Reads which of the sources that subscribers ask for each job reads, by the ids of the jobs. */
async function readSources(
  sight: PrismaClient,
  jobs: readonly Job[],
  readers: readonly Subscriber[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const wanted = [...new Set(readers.flatMap(({ dataSourceIds }) => dataSourceIds))];
  if (wanted.length === 0 || jobs.length === 0) return new Map();
  const partitions = await sight.jobPartition.findMany({
    where: { jobId: { in: jobs.map(({ id }) => id) }, dataSourceId: { in: wanted } },
    select: { jobId: true, dataSourceId: true },
    distinct: ['jobId', 'dataSourceId'],
  });
  const sources = new Map<string, Set<string>>();
  for (const { jobId, dataSourceId } of partitions) {
    const ofJob = sources.get(jobId) ?? new Set();
    if (dataSourceId !== null) sources.set(jobId, ofJob.add(dataSourceId));
  }
  return sources;
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
  /** The only job it watches, with which it ends; null for all that match. */
  readonly jobId: string | null;
  readonly matcher: JobMatcher;
  /** The sources in the filter. */
  readonly dataSourceIds: readonly string[];
}

/** Builds the condition on the jobs to read for some subscribers; null if there are none to read. */
type BuildWhere = (readers: readonly Subscriber[]) => Prisma.JobWhereInput | null;

interface Subscriber {
  readonly sight: PrismaClient;
  readonly jobId: string | null;
  readonly dataSourceIds: readonly string[];
  /** Null where it may have missed changes. */
  readonly events: AsyncIterableIterator<Job | null>;
  wants(change: JobChange): boolean;
  /**
   * Queues a revision unless the job has a newer one; replaces an older one that waits.
   * @param sources those of the filter that the job reads.
   */
  offer(job: Job, sources: ReadonlySet<string>): void;
  /** Sets the jobs that match at the beginning. Until then, each may. */
  startAt(matching: readonly Job[]): void;
  end(): void;
}

function createSubscriber(
  { sight, jobId, matcher, dataSourceIds }: SubscriberOptions,
  onEnd: () => void,
): Subscriber {
  const waiting = new Map<string, Job>();
  const newestRevisions = new Map<string, number>();
  /** The jobs that match and may stop to. */
  const matching = new Map<string, true>();
  let isStarting = matcher.canChange;
  let hasMissed = jobId === null;
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

  async function next(): Promise<IteratorResult<Job | null, undefined>> {
    for (;;) {
      if (hasMissed) {
        hasMissed = false;
        return { done: false, value: null };
      }
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

  const isWatched = (id: string) => jobId === null || jobId === id;
  const hasMatched = (id: string) => isStarting || matching.has(id);

  return {
    sight,
    jobId,
    dataSourceIds,
    events,
    wants: (change) =>
      isWatched(change.id) &&
      (matcher.canMatch(change) || hasMatched(change.id)) &&
      (newestRevisions.get(change.id) ?? 0) < change.revision,
    offer(job, sources) {
      if (ended || !isWatched(job.id) || (newestRevisions.get(job.id) ?? 0) >= job.revision) return;
      const isMatch = matcher.matches(job, sources);
      if (!isMatch && !hasMatched(job.id)) return;
      matching.delete(job.id);
      if (isMatch && matcher.canChange) setBounded(matching, job.id, true);
      newestRevisions.delete(job.id);
      setBounded(newestRevisions, job.id, job.revision);
      if (setBounded(waiting, job.id, job)) hasMissed = true;
      if (jobId !== null && isTerminal(job.state)) end();
      wake?.();
    },
    startAt(jobs) {
      // One that changed in the meantime has set itself.
      for (const { id } of jobs) if (!newestRevisions.has(id)) setBounded(matching, id, true);
      isStarting = false;
    },
    end,
  };
}

/**
 * Adds a key as the newest of the map, and drops the oldest when there are too many.
 * @returns whether it has dropped one.
 */
function setBounded<Value>(map: Map<string, Value>, key: string, value: Value): boolean {
  map.set(key, value);
  if (map.size <= MAX_JOBS) return false;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
  return true;
}
