import { expect, test } from 'vitest';
import type { JobFactsFragment } from '../../src/command-line/generated/graphql.ts';
import { barLine, endLine, progressLine } from '../../src/command-line/progress-text.ts';
import { cut, formatDuration, formatPercent, lengthOf, printable } from '../../src/command-line/text.ts';

const job: JobFactsFragment = {
  id: 'Job:1',
  kind: 'SYNC',
  dataType: null,
  state: 'RUNNING',
  revision: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  startedAt: null,
  finishedAt: null,
  failureReason: null,
  failedItemsOnly: false,
  retryOf: null,
  recentErrors: [],
  progress: {
    currentOperation: 'Syncing sortie data from Flown sorties',
    percent: 43.99,
    totalItems: 2_800_000,
    processedItems: 1_204_000,
    successCount: 1_203_000,
    errorCount: 1_000,
    itemsPerSecond: 12_345.6,
    estimatedCompletion: '2026-01-01T00:10:00.000Z',
    elapsedSeconds: 97,
    byType: [],
  },
};

const view = { secondsSince: 0, problem: null };

test('a line of a log has the percentage, items, rate, time that is left, errors and operation', () => {
  expect(progressLine(job)).toBe(
    'RUNNING 43%, 1,204,000 of 2,800,000 items, 12,346/s, ETA 2m 9s, 1,000 errors: Syncing sortie data from Flown sorties',
  );
});

test('what is not known yet is left out', () => {
  const progress = {
    ...job.progress,
    ...{ percent: null, totalItems: null, itemsPerSecond: null, estimatedCompletion: null, errorCount: 0 },
  };
  expect(progressLine({ ...job, progress })).toBe(
    'RUNNING, 1,204,000 items: Syncing sortie data from Flown sorties',
  );
  expect(barLine({ ...job, progress }, { width: 80, ...view })).toBe(
    '[--------------------]    –  1,204,000 items  Syncing sortie data from Flown s…',
  );
});

test('the bar has what fits, and never more than the terminal is wide', () => {
  expect(barLine(job, { width: 120, ...view })).toBe(
    '[=============-----------------]  43%  1,204,000/2,800,000 items  12,346/s  ETA 2m 9s  1,000 errors  Syncing sortie da…',
  );
  for (let width = 20; width < 160; width++) {
    const line = barLine(job, { width, ...view });
    expect(lengthOf(line)).toBeLessThan(width);
    expect(line).toContain(' 43%');
    if (width >= 60) expect(line).toContain('1,204,000/2,800,000 items');
  }
});

test('the time that is left runs on between two states, and a lost connection is told in the bar', () => {
  expect(barLine(job, { width: 120, ...view, secondsSince: 60 })).toContain('ETA 1m 9s');
  expect(barLine(job, { width: 120, ...view, secondsSince: 600 })).toContain('ETA 0s');
  expect(barLine(job, { width: 140, secondsSince: 0, problem: 'Connection lost' })).toMatch(
    / {2}Connection lost$/,
  );
});

test('the end tells how long it took and what came of it', () => {
  expect(endLine({ ...job, state: 'COMPLETED' })).toBe(
    'COMPLETED after 1m 37s, 1,204,000 items, 1,203,000 stored, 1,000 errors',
  );
  expect(endLine({ ...job, state: 'FAILED', failureReason: 'no source could\nbe read' })).toMatch(
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

test('a percentage is never rounded up to the end', () => {
  expect(formatPercent(99.99)).toBe('99%');
});

test('a text is cut between characters that people see, and can neither move the cursor nor turn the line around', () => {
  expect(cut('👩‍✈️👩‍✈️👩‍✈️', 2)).toBe('👩‍✈️…');
  expect(printable('a\u001b[2Jb\nc\u0007\u202ed\u009b')).toBe('ab c\ufffd\ufffdd\ufffd');
});
