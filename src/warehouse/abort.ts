/** The error of a statement that was aborted by its signal. */
export class AbortError extends Error {
  override readonly name = 'AbortError';

  constructor(reason: unknown) {
    super('The statement was aborted.', { cause: reason });
  }
}

/** @throws AbortError if the signal was aborted. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new AbortError(signal.reason);
}

/**
 * Waits for work until the signal is aborted; the work itself continues.
 * @throws AbortError as soon as the signal is aborted.
 */
export async function waitUntilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  // Abandoned work must not end the process if it fails.
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
