import type { JobRowFragment } from '../generated/graphql.ts';
import { isEnded } from '../parts/status.tsx';

/** How fast a job was at a moment. */
export interface Sample {
  /** Seconds since the job was started, by the server's clock. */
  readonly at: number;
  readonly itemsPerSecond: number;
}

/** Samples of one job that are kept at the most; more of them are thinned out. */
const MOST_SAMPLES = 1_200;

/** Jobs that samples are kept of; the oldest are forgotten. */
const MOST_JOBS = 50;

const samples = new Map<string, Sample[]>();

/** Keeps how fast a job is now, for as long as the dashboard is open, whatever page it shows. */
export function recordSample({
  id,
  state,
  progress,
}: Pick<JobRowFragment, 'id' | 'state' | 'progress'>): void {
  const { elapsedSeconds: at, itemsPerSecond } = progress;
  if (isEnded(state) || at === null || itemsPerSecond === null) return;
  const known = samples.get(id) ?? [];
  if (at <= (known.at(-1)?.at ?? -1)) return;
  const thinned = known.length < MOST_SAMPLES ? known : known.filter((_, index) => index % 2 === 0);
  samples.set(id, [...thinned, { at, itemsPerSecond }]);
  const oldest = samples.keys().next().value;
  if (samples.size > MOST_JOBS && oldest !== undefined) samples.delete(oldest);
}

export function samplesOf(id: string): readonly Sample[] {
  return samples.get(id) ?? [];
}

export interface PartitionRun {
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly readItems: number;
  readonly processedItems: number;
}

/**
 * How fast a job was before anybody looked: each partition's rows spread evenly over the time that it ran, added up.
 * @param until seconds since the start: up to where it is wanted, and where a running partition stands now.
 * @returns steps: the rate from each moment to the next.
 */
export function averageByPartition(
  jobStartedAt: string,
  partitions: readonly PartitionRun[],
  until: number,
): Sample[] {
  const start = Date.parse(jobStartedAt);
  const runs = partitions.flatMap(({ startedAt, finishedAt, processedItems }) => {
    if (startedAt === null) return [];
    const from = Math.max(0, (Date.parse(startedAt) - start) / 1000);
    const to = finishedAt === null ? until : (Date.parse(finishedAt) - start) / 1000;
    return to <= from ? [] : [{ from, to, rate: processedItems / (to - from) }];
  });
  const moments = [...new Set([0, until, ...runs.flatMap(({ from, to }) => [from, to])])]
    .filter((at) => at <= until)
    .sort((a, b) => a - b);
  return moments.map((at) => ({
    at,
    itemsPerSecond: runs
      .filter(({ from, to }) => from <= at && at < to)
      .reduce((sum, { rate }) => sum + rate, 0),
  }));
}
