import { expect, test } from 'vitest';
import {
  averageByPartition,
  type PartitionRun,
  ratesOf,
  recordSample,
  samplesOf,
} from '../../src/dashboard/jobs/throughput.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

function partition(from: number, to: number | null, processedItems: number): PartitionRun {
  const moment = (seconds: number) => new Date(START + seconds * 1000).toISOString();
  return { startedAt: moment(from), finishedAt: to === null ? null : moment(to), processedItems };
}

function progress(elapsedSeconds: number | null, processedItems: number) {
  return {
    __typename: 'JobProgress' as const,
    currentOperation: '',
    percent: null,
    totalItems: null,
    processedItems,
    successCount: processedItems,
    errorCount: 0,
    itemsPerSecond: null,
    estimatedCompletion: null,
    elapsedSeconds,
  };
}

/** Rows under the steps of a course. */
function rowsUnder(steps: ReturnType<typeof averageByPartition>): number {
  return steps.reduce((sum, { at, itemsPerSecond }, index) => {
    const next = steps[index + 1];
    return next === undefined ? sum : sum + itemsPerSecond * (next.at - at);
  }, 0);
}

const startedAt = new Date(START).toISOString();

test('of a job that nobody watched, the rows of each partition are spread over the time that it ran', () => {
  const partitions = [partition(0, 10, 1_000), partition(5, 10, 500)];
  expect(averageByPartition(startedAt, partitions, { at: 10, processedItems: 1_500 })).toEqual([
    { at: 0, itemsPerSecond: 100 },
    { at: 5, itemsPerSecond: 200 },
    { at: 10, itemsPerSecond: 0 },
  ]);
});

test('for the time before somebody looked there are as many rows as had been done by then, and no more', () => {
  const partitions = [partition(0, 4, 400), partition(4, null, 9_000), partition(8, 20, 5_000)];
  const steps = averageByPartition(startedAt, partitions, { at: 10, processedItems: 1_000 });
  expect(rowsUnder(steps)).toBeCloseTo(1_000);
  expect(steps.at(-1)?.at).toBe(10);
});

test('a partition that ended in no time, or has not begun, does not count', () => {
  const partitions = [partition(2, 2, 7), { startedAt: null, finishedAt: null, processedItems: 0 }];
  const steps = averageByPartition(startedAt, partitions, { at: 5, processedItems: 7 });
  expect(steps.every(({ itemsPerSecond }) => itemsPerSecond === 0)).toBe(true);
});

test('a rate looks back over a while, so that rows that come in batches are no spikes, and standing still is none', () => {
  const watched = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((at) => ({ at, processedItems: Math.min(at, 5) * 100 }));
  const rates = ratesOf(watched);
  expect(rates.map(({ at }) => at)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(rates.find(({ at }) => at === 4)?.itemsPerSecond).toBeCloseTo(100);
  expect(rates.at(-1)?.itemsPerSecond).toBe(0);
});

test('what is watched is kept in order, is thinned out when it is much, and of many jobs only the newest', () => {
  recordSample({ id: 'long', progress: progress(null, 0) });
  for (let second = 0; second < 5_000; second++)
    recordSample({ id: 'long', progress: progress(second, second * 10) });
  recordSample({ id: 'long', progress: progress(3, 30) });
  const kept = samplesOf('long');
  expect(kept.length).toBeLessThanOrEqual(1_200);
  expect(kept[0]).toEqual({ at: 0, processedItems: 0 });
  expect(kept.at(-1)).toEqual({ at: 4_999, processedItems: 49_990 });
  expect(kept.every(({ at }, index) => at > (kept[index - 1]?.at ?? -1))).toBe(true);

  for (let job = 0; job < 60; job++) {
    for (const second of [1, 2]) recordSample({ id: `job ${job}`, progress: progress(second, 1) });
  }
  expect(samplesOf('long')).toEqual([]);
  expect(samplesOf('job 59')).toHaveLength(2);
});
