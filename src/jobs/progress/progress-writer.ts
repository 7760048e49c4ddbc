import type { JobPartition, PrismaClient } from '../../database/generated/prisma/client.ts';
import type { JobState } from '../job-state.ts';
import { progressQuery, SET_COUNTS, SET_TOTAL } from './progress-query.ts';

/** Writes a job's progress to its row, at most once an interval. */
export interface ProgressWriter {
  /** The job's row has just been written, so the next write waits for an interval. */
  written(jobId: string): void;
  /**
   * The job has changed; it is written within the interval.
   * @param partition the partition whose attempt does it; null if none does.
   */
  changed(jobId: string, currentOperation: string, partition: PartitionAttempt | null): void;
  /** The job has ended and its final progress is written. */
  ended(jobId: string): void;
  /** Waits for writes in flight and starts no more. */
  close(): Promise<void>;
}

type PartitionAttempt = Pick<JobPartition, 'id' | 'attempt'>;

export interface ProgressOptions {
  /** The least time between two writes of a job, in milliseconds. */
  readonly intervalMs: number;
  /** Called with the state that a write found, so that a cancel is noticed even if its notification was lost. */
  readonly onState: (jobId: string, state: JobState) => void;
  readonly onError: (error: unknown) => void;
  /** A clock that is never set, in milliseconds; tests pass their own. */
  readonly now?: () => number;
}

interface PartitionOperation extends PartitionAttempt {
  readonly currentOperation: string;
  isWritten: boolean;
}

interface Tracked {
  currentOperation: string;
  /** What its partitions do, by their ids. */
  readonly partitions: Map<string, PartitionOperation>;
  timer: NodeJS.Timeout | undefined;
  writing: Promise<void> | undefined;
  lastWriteAt: number;
  /** Since when the run time is measured: the last write of the job here; null before that. */
  measuredFrom: number | null;
  samples: RateSample[];
}

export interface RateSample {
  /** Milliseconds. */
  readonly at: number;
  readonly processedItems: number;
}

/** How far back the recent rate looks, in milliseconds. */
const RATE_WINDOW_MS = 15_000;

/** How long a silent job is remembered, in milliseconds. */
const FORGET_AFTER_MS = 60_000;

export function createProgressWriter(prisma: PrismaClient, options: ProgressOptions): ProgressWriter {
  const now = options.now ?? (() => performance.now());
  const jobs = new Map<string, Tracked>();
  let closed = false;

  function schedule(jobId: string, tracked: Tracked): void {
    if (closed || tracked.timer !== undefined || tracked.writing !== undefined) return;
    const wait = Math.max(0, tracked.lastWriteAt + options.intervalMs - now());
    tracked.timer = setTimeout(() => {
      tracked.timer = undefined;
      tracked.lastWriteAt = now();
      tracked.writing = write(jobId, tracked)
        .catch(options.onError)
        .finally(() => {
          tracked.writing = undefined;
          forgetIdleJobs();
        });
    }, wait);
  }

  async function write(jobId: string, tracked: Tracked): Promise<void> {
    const itemsPerSecond = recentRate(tracked.samples);
    const writtenAt = now();
    // Before the job, so that a subscriber who is notified of the job does not read stale partitions.
    await writeOperations([...tracked.partitions.values()]);
    const elapsedMs = tracked.measuredFrom === null ? 0 : Math.round(writtenAt - tracked.measuredFrom);
    // Lock first, so that the counts include what another worker has just written.
    const lock = prisma.$queryRaw`select 1 from job where id = ${jobId}::uuid for update`;
    const update = prisma.$queryRaw<{ state: JobState; processedItems: number }[]>`
      update job set
        current_operation = case when state = 'RUNNING' then ${tracked.currentOperation} else current_operation end,
        ${SET_TOTAL}, ${SET_COUNTS},
        items_per_second = ${itemsPerSecond}::float8,
        estimated_completion = case when state = 'RUNNING' and ${itemsPerSecond}::float8 > 0
            and (progress.is_total_known or progress.estimated_total is not null)
          then blade_now() + make_interval(secs => (coalesce(progress.estimated_total, progress.total_items)
            - progress.processed_items) / ${itemsPerSecond}::float8) end,
        elapsed_ms = job.elapsed_ms + ${elapsedMs}::bigint
      from ${progressQuery(jobId)} as progress
      where id = ${jobId}::uuid and state in ('RUNNING', 'PAUSING', 'CANCELLING')
      returning state, job.processed_items::float8 as "processedItems"`;
    const [, [row]] = await prisma.$transaction([lock, update]);
    if (row === undefined) return;
    tracked.measuredFrom = writtenAt;
    tracked.samples = withSample(tracked.samples, { at: now(), processedItems: row.processedItems });
    options.onState(jobId, row.state);
  }

  /** Writes what the attempts that still hold their partitions are doing. */
  async function writeOperations(partitions: readonly PartitionOperation[]): Promise<void> {
    for (const shown of partitions.filter(({ isWritten }) => !isWritten)) {
      const { id, attempt, currentOperation } = shown;
      await prisma.jobPartition.updateMany({
        where: { id, attempt, state: 'RUNNING' },
        data: { currentOperation },
      });
      shown.isWritten = true;
    }
  }

  function forgetIdleJobs(): void {
    for (const [jobId, tracked] of jobs) {
      const isIdle = tracked.timer === undefined && tracked.writing === undefined;
      if (isIdle && now() - tracked.lastWriteAt > FORGET_AFTER_MS) jobs.delete(jobId);
    }
  }

  function track(jobId: string): Tracked {
    let tracked = jobs.get(jobId);
    if (tracked === undefined) {
      tracked = {
        currentOperation: '',
        partitions: new Map(),
        timer: undefined,
        writing: undefined,
        lastWriteAt: Number.NEGATIVE_INFINITY,
        measuredFrom: null,
        samples: [],
      };
      jobs.set(jobId, tracked);
    }
    return tracked;
  }

  return {
    written(jobId) {
      const tracked = track(jobId);
      tracked.lastWriteAt = now();
      tracked.measuredFrom = tracked.lastWriteAt;
    },

    changed(jobId, currentOperation, partition) {
      const tracked = track(jobId);
      tracked.currentOperation = currentOperation;
      if (partition !== null) showOperation(tracked, partition, currentOperation);
      if (tracked.writing === undefined) schedule(jobId, tracked);
      else void tracked.writing.then(() => schedule(jobId, tracked));
    },

    ended(jobId) {
      clearTimeout(jobs.get(jobId)?.timer);
      jobs.delete(jobId);
    },

    async close() {
      closed = true;
      for (const { timer } of jobs.values()) clearTimeout(timer);
      await Promise.all([...jobs.values()].map(({ writing }) => writing));
    },
  };
}

function showOperation(
  { partitions }: Tracked,
  { id, attempt }: PartitionAttempt,
  currentOperation: string,
): void {
  const shown = partitions.get(id);
  if (shown?.attempt === attempt && shown.currentOperation === currentOperation) return;
  partitions.set(id, { id, attempt, currentOperation, isWritten: false });
}

/** Items per second over the samples; null while there are too few of them. */
export function recentRate(samples: readonly RateSample[]): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) return null;
  return ((last.processedItems - first.processedItems) / (last.at - first.at)) * 1000;
}

/** Time spent counting rows or waiting is left out of the rate: a sample without progress restarts it. */
function withSample(samples: readonly RateSample[], sample: RateSample): RateSample[] {
  const first = samples[0];
  if (first === undefined || sample.processedItems <= first.processedItems) return [sample];
  return [...samples.filter(({ at }) => at >= sample.at - RATE_WINDOW_MS), sample];
}
