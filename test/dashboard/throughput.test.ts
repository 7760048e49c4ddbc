import { expect, test } from 'vitest';
import { averageByPartition, computeRates, type PartitionRun } from '../../src/dashboard/jobs/rates.ts';
import { findSamples, recordSample } from '../../src/dashboard/jobs/throughput.ts';

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
    isEstimated: false,
    totalSources: 1,
    completedSources: 0,
    totalItems: null,
    processedItems,
    successCount: processedItems,
    ...{ insertedCount: processedItems, updatedCount: 0, unchangedCount: 0 },
    errorCount: 0,
    duplicateCount: 0,
    deletedCount: 0,
    restoredCount: null,
    itemsPerSecond: null,
    estimatedCompletion: null,
    elapsedSeconds,
  };
}

/** Adds up the rows under a step curve. */
function sumRows(steps: ReturnType<typeof averageByPartition>): number {
  return steps.reduce((sum, { at, itemsPerSecond }, index) => {
    const next = steps[index + 1];
    return next === undefined ? sum : sum + itemsPerSecond * (next.at - at);
  }, 0);
}

const startedAt = new Date(START).toISOString();

test('without samples, the rows of each partition are spread over its run', () => {
  const partitions = [partition(0, 10, 1_000), partition(5, 10, 500)];
  expect(averageByPartition(startedAt, partitions, { at: 10, processedItems: 1_500 })).toEqual([
    { at: 0, itemsPerSecond: 100 },
    { at: 5, itemsPerSecond: 200 },
    { at: 10, itemsPerSecond: 0 },
  ]);
});

test('the time before the first sample has exactly the rows that were processed by then', () => {
  const partitions = [partition(0, 4, 400), partition(4, null, 9_000), partition(8, 20, 5_000)];
  const steps = averageByPartition(startedAt, partitions, { at: 10, processedItems: 1_000 });
  expect(sumRows(steps)).toBeCloseTo(1_000);
  expect(steps.at(-1)?.at).toBe(10);
});

test('a partition that took no time or has not started adds nothing', () => {
  const partitions = [partition(2, 2, 7), { startedAt: null, finishedAt: null, processedItems: 0 }];
  const steps = averageByPartition(startedAt, partitions, { at: 5, processedItems: 7 });
  expect(steps.every(({ itemsPerSecond }) => itemsPerSecond === 0)).toBe(true);
});

test('a rate looks back over a window, so that batches are no spikes and a pause is zero', () => {
  const recorded = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((at) => ({
    at,
    processedItems: Math.min(at, 5) * 100,
  }));
  const rates = computeRates(recorded);
  expect(rates.map(({ at }) => at)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(rates.find(({ at }) => at === 4)?.itemsPerSecond).toBeCloseTo(100);
  expect(rates.at(-1)?.itemsPerSecond).toBe(0);
});

test('samples are kept in order, thinned out when there are many, and dropped for the oldest of many jobs', () => {
  recordSample({ id: 'long', progress: progress(null, 0) });
  for (let second = 0; second < 5_000; second++)
    recordSample({ id: 'long', progress: progress(second, second * 10) });
  recordSample({ id: 'long', progress: progress(3, 30) });
  const kept = findSamples('long');
  expect(kept.length).toBeLessThanOrEqual(1_200);
  expect(kept[0]).toEqual({ at: 0, processedItems: 0 });
  expect(kept.at(-1)).toEqual({ at: 4_999, processedItems: 49_990 });
  expect(kept.every(({ at }, index) => at > (kept[index - 1]?.at ?? -1))).toBe(true);

  for (let job = 0; job < 60; job++) {
    for (const second of [1, 2]) recordSample({ id: `job ${job}`, progress: progress(second, 1) });
  }
  expect(findSamples('long')).toEqual([]);
  expect(findSamples('job 59')).toHaveLength(2);
});
