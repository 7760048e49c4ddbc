import type { JobRowFragment } from '../generated/graphql.ts';

/** The progress of a job at one moment. */
export interface Sample {
  /** Seconds since the job started, by the server's clock. */
  readonly at: number;
  readonly processedItems: number;
}

/** Samples to keep of one job; every other one is dropped when there are more. */
const MAX_SAMPLES = 1_200;

/** Jobs to keep samples of; the oldest is dropped first. */
const MAX_JOBS = 50;

const samples = new Map<string, readonly Sample[]>();

/** Records the progress of a job for as long as the dashboard is open, whatever page it shows. */
export function recordSample({ id, progress }: Pick<JobRowFragment, 'id' | 'progress'>): void {
  const { elapsedSeconds: at, processedItems } = progress;
  if (at === null) return;
  const known = samples.get(id) ?? [];
  if (at <= (known.at(-1)?.at ?? -1)) return;
  const thinned = known.length < MAX_SAMPLES ? known : known.filter((_, index) => index % 2 === 0);
  samples.set(id, [...thinned, { at, processedItems }]);
  const oldest = samples.keys().next().value;
  if (samples.size > MAX_JOBS && oldest !== undefined) samples.delete(oldest);
}

/** Finds the samples of a job; none if there is only one, which makes no rate. */
export function findSamples(id: string): readonly Sample[] {
  const known = samples.get(id) ?? [];
  return known.length > 1 ? known : [];
}

/** Puts the stored points of a job, which begin with it, before the samples. */
export function joinSamples(
  stored: readonly { readonly elapsedSeconds: number; readonly processedItems: number }[],
  recorded: readonly Sample[],
): readonly Sample[] {
  if (stored.length === 0) return recorded;
  const begin = recorded[0]?.at ?? Number.POSITIVE_INFINITY;
  const earlier = stored
    .map(({ elapsedSeconds: at, processedItems }) => ({ at, processedItems }))
    .filter(({ at }) => at < begin);
  return [{ at: 0, processedItems: 0 }, ...earlier, ...recorded.filter(({ at }) => at > 0)];
}
