import type { Sample } from './throughput.ts';

/** The speed of a job at one moment. */
export interface Rate {
  /** Seconds since the job started. */
  readonly at: number;
  readonly itemsPerSecond: number;
}

/** How far back a rate looks, in seconds: over less, each batch would be a spike. */
const RATE_WINDOW_SECONDS = 3;

/** Computes the rate at each sample but the first. */
export function computeRates(recorded: readonly Sample[]): Rate[] {
  let from = 0;
  return recorded.slice(1).flatMap(({ at, processedItems }, index) => {
    // The latest sample at least one window before this one.
    while (from < index && (recorded[from + 1]?.at ?? at) <= at - RATE_WINDOW_SECONDS) from++;
    const before = recorded[from];
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
 * Estimates the rate before there were samples: the rows of each partition, spread evenly over its run, added up.
 * @param jobStartedAt when a worker first claimed the job.
 * @param until the first sample; what ended partitions do not account for by then, the running ones have done.
 * @returns steps, each the rate from its moment to the next.
 */
export function averageByPartition(
  jobStartedAt: string,
  partitions: readonly PartitionRun[],
  until: Sample,
): Rate[] {
  const toSeconds = (moment: string) => Math.max(0, (Date.parse(moment) - Date.parse(jobStartedAt)) / 1000);
  const begun = partitions.flatMap(({ startedAt, finishedAt, processedItems }) => {
    if (startedAt === null) return [];
    const from = toSeconds(startedAt);
    const to = finishedAt === null ? Number.POSITIVE_INFINITY : toSeconds(finishedAt);
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
