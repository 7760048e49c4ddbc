import type { JobRowFragment } from './generated/graphql.ts';
import {
  cut,
  formatCount,
  formatCounted,
  formatDuration,
  formatPercent,
  lengthOf,
  printable,
} from './text.ts';

type Progress = JobRowFragment['progress'];

/** Where a job is, on one line for a log: `RUNNING 43%, 1,204 of 2,800 items, 532/s, ETA 3s: Syncing …`. */
export function progressLine(job: JobRowFragment): string {
  const { percent, currentOperation } = job.progress;
  const parts = [
    percent === null ? job.state : `${job.state} ${formatPercent(percent)}`,
    itemsOf(job.progress, 'of'),
    ...(job.state === 'RUNNING' ? [rateOf(job.progress), remainingText(remainingSeconds(job.progress))] : []),
    errorsOf(job.progress),
  ].filter((part) => part !== null);
  return `${parts.join(', ')}: ${printable(currentOperation)}`;
}

/** How a job has ended, on one line. */
export function endLine({ state, failureReason, progress }: JobRowFragment): string {
  const { elapsedSeconds, processedItems, successCount, errorCount } = progress;
  const time = elapsedSeconds === null ? '' : ` after ${formatDuration(elapsedSeconds)}`;
  const counts = [
    formatCounted(processedItems, 'item'),
    `${formatCount(successCount)} stored`,
    formatCounted(errorCount, 'error'),
  ].join(', ');
  const reason = failureReason === null ? '' : `: ${printable(failureReason)}`;
  return `${state}${time}, ${counts}${reason}`;
}

/** How far a job is, on one line that fits the terminal and is drawn over: the least important parts go first. */
export function barLine(
  job: JobRowFragment,
  { width, secondsSince, problem }: { width: number; secondsSince: number; problem: string | null },
): string {
  const { state, progress } = job;
  const remaining = remainingSeconds(progress);
  const errors = errorsOf(progress);
  const items = itemsOf(progress, '/');
  const rate = state === 'RUNNING' ? rateOf(progress) : null;
  const left =
    state === 'RUNNING' && remaining !== null ? remainingText(Math.max(0, remaining - secondsSince)) : null;
  const percent = formatPercent(progress.percent).padStart(4);
  const variants = [
    [percent, items, rate, left, errors],
    [percent, items, left, errors],
    [percent, items, errors],
    [percent, items],
    [percent],
  ].map((parts) => parts.filter((part) => part !== null).join('  '));
  // The last column stays free, as some terminals break the line there.
  const room = width - 1;
  const facts = variants.find((text) => lengthOf(text) + SHORTEST_BAR + 3 <= room) ?? percent;
  const length = Math.max(
    SHORTEST_BAR,
    Math.min(LONGEST_BAR, room - lengthOf(facts) - 3, Math.floor(width / 4)),
  );
  const line = `[${bar(progress.percent, length)}] ${facts}`;
  const operation = problem ?? (state === 'RUNNING' ? progress.currentOperation : state.toLowerCase());
  const tail = room - lengthOf(line) - 2;
  return tail < SHORTEST_BAR ? cut(line, room) : `${line}  ${cut(printable(operation), tail)}`;
}

const SHORTEST_BAR = 10;
const LONGEST_BAR = 30;

function bar(percent: number | null, length: number): string {
  const done = Math.floor(((percent ?? 0) / 100) * length);
  return '='.repeat(done) + '-'.repeat(length - done);
}

function itemsOf({ processedItems, totalItems }: Progress, of: 'of' | '/'): string {
  if (totalItems === null) return formatCounted(processedItems, 'item');
  const separator = of === '/' ? '/' : ' of ';
  return `${formatCount(processedItems)}${separator}${formatCounted(totalItems, 'item')}`;
}

function rateOf({ itemsPerSecond }: Progress): string | null {
  return itemsPerSecond === null ? null : `${formatCount(itemsPerSecond)}/s`;
}

function errorsOf({ errorCount }: Progress): string | null {
  return errorCount === 0 ? null : formatCounted(errorCount, 'error');
}

/** By the recent rate and not by the clock, as that of the server may be another. */
function remainingSeconds({ totalItems, processedItems, itemsPerSecond, estimatedCompletion }: Progress) {
  if (totalItems === null || !itemsPerSecond || estimatedCompletion === null) return null;
  return (totalItems - processedItems) / itemsPerSecond;
}

function remainingText(seconds: number | null): string | null {
  return seconds === null ? null : `ETA ${formatDuration(seconds)}`;
}
