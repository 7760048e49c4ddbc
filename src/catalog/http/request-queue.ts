import PQueue from 'p-queue';

/** Runs a limited number of requests at once, started in the order in which they were added. */
export interface RequestQueue {
  /** Concurrent requests; may be changed at any time. */
  concurrency: number;
  /** Keeps waiting and added requests from starting until `start` is called. */
  pause(): void;
  start(): void;
  /** Adds a request. Rejects with the signal's reason if that aborts before the request starts. */
  add<Result>(request: () => Promise<Result>, options: { readonly signal: AbortSignal }): Promise<Result>;
}

/**
 * Creates a queue.
 * @param requestsPerSecond the most that start in any second; null for no limit.
 */
export function createRequestQueue(concurrency: number, requestsPerSecond: number | null): RequestQueue {
  // p-queue adds a third to the time of a request, so it is used only for the rate limit.
  if (requestsPerSecond === null) return createPlainQueue(concurrency);
  const intervalCap = Math.max(1, Math.floor(requestsPerSecond));
  return new PQueue({
    concurrency,
    intervalCap,
    interval: (intervalCap * 1_000) / requestsPerSecond,
    strict: true,
  });
}

interface Waiting {
  readonly signal: AbortSignal;
  readonly start: () => void;
  readonly reject: (reason: unknown) => void;
}

function createPlainQueue(initialConcurrency: number): RequestQueue {
  const watched = new WeakSet<AbortSignal>();
  let concurrency = initialConcurrency;
  let isPaused = false;
  let running = 0;
  let waiting: Waiting[] = [];
  // The index of the first one: removing it from the array would move all others.
  let first = 0;

  function startWaiting(): void {
    while (!isPaused && running < concurrency) {
      const next = waiting[first];
      if (next === undefined) return;
      first++;
      if (first === waiting.length) {
        waiting = [];
        first = 0;
      }
      running++;
      next.start();
    }
  }

  function finish(): void {
    running--;
    startWaiting();
  }

  function rejectOnAbort(signal: AbortSignal): void {
    if (watched.has(signal)) return;
    watched.add(signal);
    const onAbort = () => {
      const rejected = waiting.slice(first).filter((one) => one.signal === signal);
      waiting = waiting.slice(first).filter((one) => one.signal !== signal);
      first = 0;
      for (const { reject } of rejected) reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  }

  return {
    get concurrency() {
      return concurrency;
    },
    set concurrency(value) {
      concurrency = value;
      startWaiting();
    },
    pause() {
      isPaused = true;
    },
    start() {
      isPaused = false;
      startWaiting();
    },
    add(request, { signal }) {
      return new Promise((resolve, reject) => {
        signal.throwIfAborted();
        rejectOnAbort(signal);
        const start = () => {
          request().then(
            (result) => {
              resolve(result);
              finish();
            },
            (error: unknown) => {
              reject(error);
              finish();
            },
          );
        };
        waiting.push({ signal, start, reject });
        startWaiting();
      });
    },
  };
}
