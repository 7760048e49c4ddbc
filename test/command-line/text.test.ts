import { expect, test } from 'vitest';
import { formatBar, formatEnd, formatProgress } from '../../src/command-line/progress-text.ts';
import {
  countCharacters,
  formatDuration,
  formatPercent,
  toPrintable,
  truncate,
} from '../../src/command-line/text.ts';
import { job } from './job.ts';

const running = {
  ...job,
  progress: {
    ...job.progress,
    percent: 43.99,
    totalItems: 2_800_000,
    processedItems: 1_204_000,
    successCount: 1_203_000,
    errorCount: 1_000,
    itemsPerSecond: 12_345.6,
    estimatedCompletion: '2026-01-01T00:10:00.000Z',
    elapsedSeconds: 97,
  },
};

const view = { secondsSince: 0, note: null };

test('a line of a log shows percentage, items, rate, time left, errors and operation', () => {
  expect(formatProgress(running)).toBe(
    'RUNNING 43%, 1,204,000 of 2,800,000 items, 12,346/s, ETA 2m 9s, 1,000 errors: Syncing sortie data from Flown sorties',
  );
});

test('before every source is counted, a line shows how many are done; unknown values are left out', () => {
  const progress = {
    ...running.progress,
    ...{
      percent: null,
      totalSources: 161,
      completedSources: 3,
      totalItems: null,
      itemsPerSecond: null,
      estimatedCompletion: null,
      errorCount: 0,
    },
  };
  expect(formatProgress({ ...running, progress })).toBe(
    'RUNNING, 1,204,000 items, 3 of 161 sources: Syncing sortie data from Flown sorties',
  );
  expect(formatBar({ ...running, progress }, { width: 80, ...view })).toBe(
    '[--------------------]    –  1,204,000 items  3 of 161 sources  Syncing sortie…',
  );
});

test('an estimate is marked as one, with the sources that are done and the time left', () => {
  const progress = {
    ...running.progress,
    ...{
      percent: 20,
      isEstimated: true,
      totalSources: 161,
      completedSources: 3,
      totalItems: 50_000,
      errorCount: 0,
    },
    ...{ processedItems: 10_000, itemsPerSecond: 1_000 },
  };
  expect(formatProgress({ ...running, progress })).toBe(
    'RUNNING ~20%, 10,000 of 50,000 items, 3 of 161 sources, 1,000/s, ETA 40s: Syncing sortie data from Flown sorties',
  );
});

test('the bar shows what fits the width of the terminal', () => {
  expect(formatBar(running, { width: 120, ...view })).toBe(
    '[=============-----------------]  43%  1,204,000/2,800,000 items  12,346/s  ETA 2m 9s  1,000 errors  Syncing sortie da…',
  );
  for (let width = 20; width < 160; width++) {
    const line = formatBar(running, { width, ...view });
    expect(countCharacters(line)).toBeLessThan(width);
    expect(line).toContain(' 43%');
    if (width >= 60) expect(line).toContain('1,204,000/2,800,000 items');
  }
});

test('the time left counts down between two states, and the bar shows a lost connection', () => {
  expect(formatBar(running, { width: 120, ...view, secondsSince: 60 })).toContain('ETA 1m 9s');
  expect(formatBar(running, { width: 120, ...view, secondsSince: 600 })).toContain('ETA 0s');
  expect(formatBar(running, { width: 140, secondsSince: 0, note: 'Connection lost' })).toMatch(
    / {2}Connection lost$/,
  );
});

test('the end of a job shows how long it took and what it stored', () => {
  const changes = { insertedCount: 1_200_000, updatedCount: 2_000, unchangedCount: 1_000 };
  expect(formatEnd({ ...running, state: 'COMPLETED', progress: { ...running.progress, ...changes } })).toBe(
    'COMPLETED after 1m 37s, 1,204,000 items, 1,203,000 stored (1,200,000 inserted, 2,000 updated, 1,000 unchanged), 1,000 errors',
  );
  // An earlier version of the program did not count what changed.
  const unknown = { insertedCount: null, updatedCount: null, unchangedCount: null };
  expect(formatEnd({ ...running, state: 'COMPLETED', progress: { ...running.progress, ...unknown } })).toBe(
    'COMPLETED after 1m 37s, 1,204,000 items, 1,203,000 stored, 1,000 errors',
  );
  expect(formatEnd({ ...running, state: 'FAILED', failureReason: 'no source could\nbe read' })).toMatch(
    /^FAILED after 1m 37s, .*: no source could be read$/,
  );
});

test.each([
  [0, '0s'],
  [0.2, '<1s'],
  [59.6, '1m'],
  [3_725, '1h 2m'],
  [90_061, '1d 1h'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test('a percentage is rounded down', () => {
  expect(formatPercent(99.99)).toBe('99%');
});

test('a text is truncated between visible characters, and can neither move the cursor nor reverse the line', () => {
  expect(truncate('👩‍✈️👩‍✈️👩‍✈️', 2)).toBe('👩‍✈️…');
  expect(toPrintable('a\u001b[2Jb\nc\u0007\u202ed\u009b')).toBe('ab c\ufffd\ufffdd\ufffd');
});
