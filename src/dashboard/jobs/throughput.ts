import type { JobRowFragment } from '../generated/graphql.ts';

/** How far a job had come at a moment. */
export interface Sample {
  /** Seconds since the job was started, by the server's clock. */
  readonly at: number;
  readonly processedItems: number;
}

/** How fast a job was at a moment. */
export interface Rate {
  /** Seconds since the job was started. */
  readonly at: number;
  readonly itemsPerSecond: number;
}

/** Samples of one job that are kept at the most; more of them are thinned out. */
const MOST_SAMPLES = 1_200;

/** Jobs that samples are kept of; the oldest are forgotten. */
const MOST_JOBS = 50;

/** How far back a rate looks, in seconds: rows come in batches, which would be spikes. */
const RATE_WINDOW_SECONDS = 3;

const samples = new Map<string, readonly Sample[]>();

/** Keeps how far a job has come, for as long as the dashboard is open, whatever page it shows. */
export function recordSample({ id, progress }: Pick<JobRowFragment, 'id' | 'progress'>): void {
  const { elapsedSeconds: at, processedItems } = progress;
  if (at === null) return;
  const known = samples.get(id) ?? [];
  if (at <= (known.at(-1)?.at ?? -1)) return;
  const thinned = known.length < MOST_SAMPLES ? known : known.filter((_, index) => index % 2 === 0);
  samples.set(id, [...thinned, { at, processedItems }]);
  const oldest = samples.keys().next().value;
  if (samples.size > MOST_JOBS && oldest !== undefined) samples.delete(oldest);
}

/** What has been watched of a job; a single sample is no course yet. */
export function samplesOf(id: string): readonly Sample[] {
  const known = samples.get(id) ?? [];
  return known.length > 1 ? known : [];
}

/** How fast a job was at each sample but the first. */
export function ratesOf(watched: readonly Sample[]): Rate[] {
  let from = 0;
  return watched.slice(1).flatMap(({ at, processedItems }, index) => {
    // The latest sample that is a whole window before this one.
    while (from < index && (watched[from + 1]?.at ?? at) <= at - RATE_WINDOW_SECONDS) from++;
    const before = watched[from];
    if (before === undefined || at <= before.at) return [];
    return [{ at, itemsPerSecond: (processedItems - before.processedItems) / (at - before.at) }];
  });
}

export interface PartitionRun {
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly processedItems: number;
}

/**
 * How fast a job was while nobody watched: the rows of each partition spread evenly over the time that it ran, added up.
 * @param jobStartedAt when the job was first taken up.
 * @param until what was known of the job then: what partitions that had not ended by then had done is the rest.
 * @returns steps: the rate from each moment to the next.
 */
export function averageByPartition(
  jobStartedAt: string,
  partitions: readonly PartitionRun[],
  until: Sample,
): Rate[] {
  const secondsOf = (moment: string) => Math.max(0, (Date.parse(moment) - Date.parse(jobStartedAt)) / 1000);
  const begun = partitions.flatMap(({ startedAt, finishedAt, processedItems }) => {
    if (startedAt === null) return [];
    const from = secondsOf(startedAt);
    const to = finishedAt === null ? Number.POSITIVE_INFINITY : secondsOf(finishedAt);
    return from < until.at ? [{ from, to, processedItems }] : [];
  });
  const ended = begun.filter(({ to }) => to <= until.at);
  const running = begun.filter(({ to }) => to > until.at);
  const rest = until.processedItems - ended.reduce((sum, { processedItems }) => sum + processedItems, 0);
  const runningSeconds = running.reduce((sum, { from }) => sum + until.at - from, 0);
  const spans = [
    ...ended
      .filter(({ from, to }) => to > from)
      .map(({ from, to, processedItems }) => ({ from, to, rate: processedItems / (to - from) })),
    ...running.map(({ from }) => ({ from, to: until.at, rate: Math.max(0, rest) / runningSeconds })),
  ];
  const moments = new Set([0, until.at, ...spans.flatMap(({ from, to }) => [from, to])]);
  return [...moments]
    .sort((a, b) => a - b)
    .map((at) => ({
      at,
      itemsPerSecond: spans
        .filter(({ from, to }) => from <= at && at < to)
        .reduce((sum, { rate }) => sum + rate, 0),
    }));
}
