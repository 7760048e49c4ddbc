/** What a statement ends with after its signal. */
export class AbortError extends Error {
  override readonly name = 'AbortError';

  constructor(reason: unknown) {
    super('The statement was aborted.', { cause: reason });
  }
}

/** @throws AbortError after the signal. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new AbortError(signal.reason);
}

/**
 * Waits for work no longer than until the signal; the work itself goes on.
 * @throws AbortError as soon as the signal comes.
 */
export async function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  // What is left behind must not end the process when it fails.
  work.catch(() => {});
  throwIfAborted(signal);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(new AbortError(signal.reason));
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
