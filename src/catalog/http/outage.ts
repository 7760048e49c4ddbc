import { ExponentialBackoff, type IBackoff } from 'cockatiel';
import type { Clock } from './clock.ts';
import type { RequestQueue } from './request-queue.ts';
import type { Failure } from './verdict.ts';

/**
 * A circuit breaker that waits. During an outage it pauses the queue of requests, lets a single one through from time to
 * time, and resumes once one is answered. When an outage lasts too long it gives up the waiting uploads; from then on each
 * new upload's first request is a probe.
 */
export interface OutageGuard {
  /**
   * Announces an upload, before its requests are queued.
   * @param onGivenUp called, perhaps at once, with the reason why the requests will not be answered.
   * @returns a function to call when no more requests will be queued.
   */
  join(onGivenUp: (message: string) => void): () => void;
  /** Reports an answer of the catalog, whatever it says, before the request leaves the queue. */
  answered(): void;
  /**
   * Reports a failed request, before it leaves the queue.
   * @param isFirst whether no failure has been charged to the request so far.
   * @returns true if the failure is charged to the request; false if it is due to the outage, and the request is queued
   * again.
   */
  failed(failure: Failure, isFirst: boolean): boolean;
  /**
   * Calls back when requests have waited for a while because the catalog does not do its work, with what it does instead, as
   * the end of a sentence; and with null when it does it again. Not for one that only asks to wait.
   * @returns a function that ends the watching.
   */
  watch(onChange: (fault: string | null) => void): () => void;
  close(): void;
}

export interface OutageOptions {
  /** How long requests wait for the catalog to come back, in milliseconds. */
  readonly maxOutageMs: number;
  /** About the first time between two probes, in milliseconds; it doubles each time. */
  readonly backoffMs: number;
  /** The longest time between two probes, in milliseconds. */
  readonly maxBackoffMs: number;
  /** How long a request may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Guards a queue that nobody else pauses or starts. */
export function guardQueue(queue: RequestQueue, options: OutageOptions): OutageGuard {
  const { maxOutageMs, backoffMs, maxBackoffMs, timeoutMs, clock } = options;
  const { concurrency } = queue;
  const backoffs = new ExponentialBackoff({ initialDelay: backoffMs, maxDelay: maxBackoffMs });
  const waiting = new Set<(message: string) => void>();
  let failuresInRow = 0;
  let outage: Outage | null = null;
  const watchers = new Set<(fault: string | null) => void>();
  let shownFault: string | null = null;

  function show(fault: string | null): void {
    if (fault === shownFault) return;
    shownFault = fault;
    for (const onChange of [...watchers]) onChange(fault);
  }

  function showLater(current: Outage): void {
    if (asksToWait(current.failure)) return;
    clock.wait(SHOWN_AFTER_MS, current.ended.signal).then(
      () => {
        // Of the latest failure: the first ones are often connections that broke as the catalog went down.
        if (!current.ended.signal.aborted) show(describeFault(current.failure));
      },
      () => {},
    );
  }

  function pause(current: Outage, failure: Failure): void {
    queue.pause();
    current.failure = failure;
    const left = current.since + maxOutageMs - clock.now();
    const milliseconds = failure.retryAfterMs ?? Math.max(0, Math.min(current.backoff.duration, left));
    current.backoff = current.backoff.next(undefined);
    current.phase = { name: 'PAUSED' };
    clock.wait(milliseconds, current.ended.signal).then(
      () => {
        if (!current.ended.signal.aborted) probe(current);
      },
      () => {},
    );
  }

  function probe(current: Outage): void {
    current.phase = { name: 'PROBING' };
    queue.concurrency = 1;
    queue.start();
  }

  function giveUp(current: Outage, failure: Failure): void {
    queue.pause();
    const now = clock.now();
    const seconds = Math.round((now - current.since) / 1_000);
    const message = `The catalog has been unavailable for ${seconds} seconds: it ${failure.message}`;
    // So that even if every probe takes that long, at most half of the time is spent on them.
    const restMs = failure.retryAfterMs ?? (failure.reason === 'TIMEOUT' ? timeoutMs : 0);
    current.phase = { name: 'GIVEN_UP', message, restUntil: now + restMs };
    for (const onGivenUp of [...waiting]) onGivenUp(message);
  }

  return {
    join(onGivenUp) {
      if (outage?.phase.name === 'GIVEN_UP') {
        if (clock.now() < outage.phase.restUntil) {
          onGivenUp(outage.phase.message);
          return () => {};
        }
        probe(outage);
      }
      waiting.add(onGivenUp);
      return () => waiting.delete(onGivenUp);
    },

    answered() {
      failuresInRow = 0;
      if (outage === null) return;
      outage.ended.abort();
      outage = null;
      show(null);
      queue.concurrency = concurrency;
      queue.start();
    },

    failed(failure, isFirst) {
      if (outage === null) {
        // A request that failed before may be one that the catalog cannot handle, which says nothing about others.
        failuresInRow += isFirst ? 1 : 0;
        if (failuresInRow >= FAILURES_TO_OPEN || asksToWait(failure) || failure.reason === 'UNREACHABLE') {
          outage = {
            since: clock.now(),
            failure,
            backoff: backoffs.next(),
            phase: { name: 'PROBING' },
            ended: new AbortController(),
          };
          pause(outage, failure);
          showLater(outage);
        }
        return failure.reason !== 'UNREACHABLE';
      }
      // It was under way when the queue was paused.
      if (outage.phase.name !== 'PROBING') return false;
      if (clock.now() - outage.since >= maxOutageMs) {
        giveUp(outage, failure);
      } else {
        pause(outage, failure);
      }
      return failure.status === 429;
    },

    watch(onChange) {
      watchers.add(onChange);
      if (shownFault !== null) onChange(shownFault);
      return () => watchers.delete(onChange);
    },

    close() {
      outage?.ended.abort();
    },
  };
}

/** How long an outage must last before it is reported, in milliseconds. */
const SHOWN_AFTER_MS = 2_000;

const FAILURES_TO_OPEN = 5;

interface Outage {
  /** When it was detected, by the clock. */
  readonly since: number;
  /** The last failure. */
  failure: Failure;
  backoff: IBackoff<unknown>;
  phase:
    | { readonly name: 'PAUSED' }
    | { readonly name: 'PROBING' }
    | { readonly name: 'GIVEN_UP'; readonly message: string; readonly restUntil: number };
  /** Aborted at its end, which ends its timers. */
  readonly ended: AbortController;
}

function asksToWait({ status, retryAfterMs }: Failure): boolean {
  return status === 429 || retryAfterMs !== null;
}

/** Describes a failure without the words of the catalog, which may be about an item. */
function describeFault({ reason, status }: Failure): string {
  switch (reason) {
    case 'UNREACHABLE':
      return 'cannot be reached';
    case 'BROKEN':
      return 'breaks off its answers';
    case 'TIMEOUT':
      return 'does not answer in time';
    case 'STATUS':
      return `answers ${status}`;
  }
}
