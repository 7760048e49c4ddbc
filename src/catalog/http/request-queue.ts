import PQueue from 'p-queue';

/** Runs so many requests at once, and starts them in the order in which they were added. */
export interface RequestQueue {
  /** Requests at once; may be changed at any time. */
  concurrency: number;
  /** Requests that are added, or wait, do not start until `start` is called. */
  pause(): void;
  start(): void;
  /** Rejects with the signal's reason where that aborts before the request starts. */
  add<Result>(request: () => Promise<Result>, options: { readonly signal: AbortSignal }): Promise<Result>;
}

/** @param requestsPerSecond in no second do more start than that; null for no limit. */
export function createRequestQueue(concurrency: number, requestsPerSecond: number | null): RequestQueue {
  // p-queue takes a third of the time that a request takes, so it is kept to what it is needed for.
  if (requestsPerSecond === null) {
    return createPlainQueue(concurrency);
  }
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
  // Taking the first one out of the array would move all others.
  let first = 0;

  function startWaiting(): void {
    while (!isPaused && running < concurrency) {
      const next = waiting[first];
      if (next === undefined) {
        return;
      }
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
    if (watched.has(signal)) {
      return;
    }
    watched.add(signal);
    const onAbort = () => {
      const rejected = waiting.slice(first).filter((one) => one.signal === signal);
      waiting = waiting.slice(first).filter((one) => one.signal !== signal);
      first = 0;
      for (const { reject } of rejected) {
        reject(signal.reason);
      }
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
