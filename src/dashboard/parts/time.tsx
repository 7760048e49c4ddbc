import { useMemo, useSyncExternalStore } from 'react';
import {
  formatDuration,
  formatMoment,
  formatRelative,
  formatShortMoment,
  formatTimeLeft,
  NO_VALUE,
} from '../format/format.ts';

/** Returns a text that depends on the clock; the component renders again only when the text changes. */
function useClock(read: () => string): string {
  return useSyncExternalStore(onTick, read);
}

function onTick(listener: () => void): () => void {
  const timer = setInterval(listener, 1_000);
  return () => clearInterval(timer);
}

/** Shows when something happened; without the date if that is today. */
export function Moment({ at }: { at: string | null }) {
  return at === null ? NO_VALUE : <time title={formatMoment(at)}>{formatShortMoment(at)}</time>;
}

/** Shows how long ago something happened, or how soon it will. */
export function RelativeMoment({ at }: { at: string }) {
  return <time title={formatMoment(at)}>{useClock(() => formatRelative(at))}</time>;
}

/** Counts down to a moment. */
export function TimeLeft({ until }: { until: string }) {
  return <time title={formatMoment(until)}>{useClock(() => formatTimeLeft(until))}</time>;
}

/** Shows a duration, and counts up from it while it is still running. */
export function Duration({ seconds, isRunning }: { seconds: number | null; isRunning: boolean }) {
  const start = useMemo(() => performance.now() - (seconds ?? 0) * 1000, [seconds]);
  return useClock(() =>
    formatDuration(isRunning && seconds !== null ? (performance.now() - start) / 1000 : seconds),
  );
}
