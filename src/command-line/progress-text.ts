import type { JobRowFragment } from './generated/graphql.ts';
import {
  countCharacters,
  formatCount,
  formatCounted,
  formatDuration,
  formatPercent,
  toPrintable,
  truncate,
} from './text.ts';

type Progress = JobRowFragment['progress'];

/** Formats a job as one line of a log: `RUNNING 43%, 1,204 of 2,800 items, 532/s, ETA 3s: Syncing …`. */
export function formatProgress(job: JobRowFragment): string {
  const { percent, isEstimated, currentOperation } = job.progress;
  const parts = [
    percent === null ? job.state : `${job.state} ${formatProgressPercent(job.progress)}`,
    formatItems(job.progress, ' of '),
    percent === null || isEstimated ? formatSources(job.progress) : null,
    ...(job.state === 'RUNNING'
      ? [formatRate(job.progress), formatRemaining(estimateRemaining(job.progress))]
      : []),
    formatErrors(job.progress),
  ].filter((part) => part !== null);
  return `${parts.join(', ')}: ${toPrintable(currentOperation)}`;
}

/** Formats the end of a job as one line: `FAILED after 3s, 20 items, 19 stored (12 inserted, 3 updated, 4 unchanged), 1 error, 3 of 4 sources: Depots: …`. */
export function formatEnd({ state, failureReason, progress }: JobRowFragment): string {
  const { elapsedSeconds, processedItems, successCount, errorCount, duplicateCount, restoredCount } =
    progress;
  const { deletedCount } = progress;
  const changes = formatChanges(progress);
  const time = elapsedSeconds === null ? '' : ` after ${formatDuration(elapsedSeconds)}`;
  const done =
    restoredCount === null
      ? [
          formatCounted(processedItems, 'item'),
          `${formatCount(successCount)} stored${changes === null ? '' : ` (${changes})`}`,
        ]
      : [`${formatCounted(processedItems, 'item')} compared`, `${formatCount(restoredCount)} restored`];
  const counts = [
    ...done,
    formatCounted(errorCount, 'error'),
    duplicateCount === 0 ? null : formatCounted(duplicateCount, 'duplicate'),
    deletedCount === 0 ? null : `${formatCount(deletedCount)} deleted`,
    ...(state === 'COMPLETED' ? [] : [formatSources(progress)]),
  ]
    .filter((part) => part !== null)
    .join(', ');
  const reason = failureReason === null ? '' : `: ${toPrintable(failureReason)}`;
  return `${state}${time}, ${counts}${reason}`;
}

/** Such as `12 inserted, 3 updated, 4 unchanged`; null if nothing was stored, or if it is not known what of it changed. */
function formatChanges({ successCount, insertedCount, updatedCount, unchangedCount }: Progress) {
  if (successCount === 0 || insertedCount === null) return null;
  const counts = [
    [insertedCount, 'inserted'],
    [updatedCount ?? 0, 'updated'],
    [unchangedCount ?? 0, 'unchanged'],
  ] as const;
  return counts.map(([count, kind]) => `${formatCount(count)} ${kind}`).join(', ');
}

/** Formats progress as one line that fits the terminal; what matters least is left out first. */
export function formatBar(
  job: JobRowFragment,
  { width, secondsSince, note }: { width: number; secondsSince: number; note: string | null },
): string {
  const { state, progress } = job;
  const remaining = estimateRemaining(progress);
  const errors = formatErrors(progress);
  const items = formatItems(progress, '/');
  const rate = state === 'RUNNING' ? formatRate(progress) : null;
  const left =
    state === 'RUNNING' && remaining !== null ? formatRemaining(Math.max(0, remaining - secondsSince)) : null;
  const sources = progress.percent === null || progress.isEstimated ? formatSources(progress) : null;
  const percent = formatProgressPercent(progress).padStart(4);
  const variants = [
    [percent, items, sources, rate, left, errors],
    [percent, items, rate, left, errors],
    [percent, items, left, errors],
    [percent, items, errors],
    [percent, items],
    [percent],
  ].map((parts) => parts.filter((part) => part !== null).join('  '));
  // Some terminals break the line at the last column, so it stays free.
  const available = width - 1;
  const facts = variants.find((text) => countCharacters(text) + SHORTEST_BAR + 3 <= available) ?? percent;
  const length = Math.max(
    SHORTEST_BAR,
    Math.min(LONGEST_BAR, available - countCharacters(facts) - 3, Math.floor(width / 4)),
  );
  const line = `[${drawBar(progress.percent, length)}] ${facts}`;
  const operation = note ?? (state === 'RUNNING' ? progress.currentOperation : state.toLowerCase());
  const tail = available - countCharacters(line) - 2;
  return tail < SHORTEST_BAR
    ? truncate(line, available)
    : `${line}  ${truncate(toPrintable(operation), tail)}`;
}

const SHORTEST_BAR = 10;
const LONGEST_BAR = 30;

function drawBar(percent: number | null, length: number): string {
  const done = Math.floor(((percent ?? 0) / 100) * length);
  return '='.repeat(done) + '-'.repeat(length - done);
}

/** Such as `43%`; `~43%` if it is an estimate. */
function formatProgressPercent({ percent, isEstimated }: Progress): string {
  return isEstimated ? `~${formatPercent(percent)}` : formatPercent(percent);
}

function formatItems({ processedItems, totalItems }: Progress, separator: ' of ' | '/'): string {
  if (totalItems === null) return formatCounted(processedItems, 'item');
  return `${formatCount(processedItems)}${separator}${formatCounted(totalItems, 'item')}`;
}

/** Such as `3 of 161 sources`; null for a job with one. */
function formatSources({ completedSources, totalSources }: Progress): string | null {
  return totalSources < 2
    ? null
    : `${formatCount(completedSources)} of ${formatCounted(totalSources, 'source')}`;
}

function formatRate({ itemsPerSecond }: Progress): string | null {
  return itemsPerSecond === null ? null : `${formatCount(itemsPerSecond)}/s`;
}

function formatErrors({ errorCount }: Progress): string | null {
  return errorCount === 0 ? null : formatCounted(errorCount, 'error');
}

/** Estimates the seconds left from the recent rate: the clocks of server and client may differ. */
function estimateRemaining({
  totalItems,
  processedItems,
  itemsPerSecond,
  estimatedCompletion,
  ...progress
}: Progress) {
  if (progress.isEstimated) return estimateWholeTime(progress.percent, processedItems, itemsPerSecond);
  if (totalItems === null || !itemsPerSecond || estimatedCompletion === null) return null;
  return (totalItems - processedItems) / itemsPerSecond;
}

/** Estimates the seconds left from the percentage, for a total that is an estimate. */
function estimateWholeTime(percent: number | null, processedItems: number, itemsPerSecond: number | null) {
  if (!percent || !itemsPerSecond) return null;
  return (processedItems * (100 / percent - 1)) / itemsPerSecond;
}

function formatRemaining(seconds: number | null): string | null {
  return seconds === null ? null : `ETA ${formatDuration(seconds)}`;
}
