import type { Marking } from '../../data-types/marking.ts';
import type { Job, PrismaClient } from '../../database/generated/prisma/client.ts';
import { createJobMatcher, type JobFilter } from '../job-filter.ts';
import { ACTIVE_STATES } from '../job-state.ts';
import { type ChangedJob, MOST_BEHIND, readChanges, readJobSources } from './change-reads.ts';
import { type Entry, type FeedSource, shareReads } from './feed.ts';
import type { SeenPlace } from './seen-place.ts';

/** A job that has changed. */
export interface JobChange {
  readonly job: Job;
  /** False for one that no longer matches the filter. */
  readonly isMatch: boolean;
}

/** A change; null where the feed begins. */
export type ChangeEntry = Entry<JobChange | null, SeenPlace>;

const shareActiveReads = shareReads<PrismaClient, Job[]>();

/**
 * The jobs that match a filter as a clearance sees them, each time one changes, in the order in which that was committed, and
 * once more each that stops to match. Of several changes of a job before a read, the last one comes.
 *
 * A place is a snapshot, and a read finds the changes that the snapshot does not include. It does not say which jobs matched
 * then, so a subscriber that continues gets every job that may have matched until it has caught up.
 */
export function createChangeFeed(
  sight: PrismaClient,
  clearance: Marking,
  filter: JobFilter,
  onError: (error: unknown) => void,
): FeedSource<JobChange | null, SeenPlace> {
  const matcher = createJobMatcher(filter);
  /** The jobs that match and may stop to; null if they are too many, or not known yet. */
  let matching: Set<string> | null = null;
  let isStarting = matcher.canChange;
  let isCatchingUp = true;

  async function start(): Promise<void> {
    const active = await shareActiveReads(sight, '', () =>
      sight.job.findMany({ where: { state: { in: [...ACTIVE_STATES] } }, take: MOST_BEHIND }),
    );
    const sources = needsSources
      ? await readJobSources(
          sight,
          active.map(({ id }) => id),
        )
      : NO_SOURCES;
    const found = active.filter((job) => matcher.matches(job, sources.get(job.id) ?? NONE));
    matching = active.length < MOST_BEHIND ? new Set(found.map(({ id }) => id)) : null;
    isStarting = false;
  }

  const needsSources = filter.dataSourceIds !== undefined;

  /** Decides whether a job is part of the feed, and remembers whether it matches. */
  function select(changed: ChangedJob, sources: ReadonlySet<string>): readonly Selected[] {
    const { job } = changed;
    const isMatch = matcher.matches(job, sources);
    const mayHaveMatched =
      matcher.canChange &&
      (isCatchingUp || matching === null ? matcher.mayHaveMatched(job, sources) : matching.has(job.id));
    if (isMatch && matcher.canChange) matching?.add(job.id);
    else matching?.delete(job.id);
    if ((matching?.size ?? 0) > MOST_BEHIND) matching = null;
    return isMatch || mayHaveMatched ? [{ changed, isMatch }] : [];
  }

  return {
    onError,
    async read(after) {
      if (after === null) throw new Error('the feed of changes begins at a place');
      if (isStarting) await start();
      const page = await readChanges(sight, clearance, after);
      if (page.gap !== null) {
        isStarting = matcher.canChange;
        isCatchingUp = true;
        return { entries: [{ gap: page.gap, place: page.now }], isLast: false, isWhole: false };
      }
      const { jobs, isWhole, end } = page;
      const sources = needsSources ? await page.readSources() : NO_SOURCES;
      const selected = jobs.flatMap((one) => select(one, sources.get(one.job.id) ?? NONE));
      if (isWhole) isCatchingUp = false;
      const entries = selected.map(({ changed, isMatch }, index) =>
        shareEntry(changed, isMatch, index === selected.length - 1 ? end : changed.place),
      );
      return { entries, isLast: false, isWhole, end };
    },
  };
}

interface Selected {
  readonly changed: ChangedJob;
  readonly isMatch: boolean;
}

const NONE: ReadonlySet<string> = new Set();
const NO_SOURCES: ReadonlyMap<string, ReadonlySet<string>> = new Map();

/** The same entry for all subscribers who get the same change of one read, so that it is executed once for all of them. */
function shareEntry(changed: ChangedJob, isMatch: boolean, place: SeenPlace): ChangeEntry {
  const key = `${isMatch} ${JSON.stringify(place)}`;
  const ofJob = entries.get(changed.job) ?? new Map<string, ChangeEntry>();
  entries.set(changed.job, ofJob);
  const entry = ofJob.get(key) ?? { value: { job: changed.job, isMatch }, place };
  ofJob.set(key, entry);
  return entry;
}

const entries = new WeakMap<Job, Map<string, ChangeEntry>>();
