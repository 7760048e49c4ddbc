import type { OutageGuard } from './outage.ts';

/** The requests of one upload or question. */
export interface Session {
  readonly ending: AbortSignal;
  /** Cancel the requests that are under way. */
  readonly cancellations: Set<(reason: unknown) => void>;
  /** Gives up all requests that have not been answered, for this reason. */
  readonly end: (message: string) => void;
}

export class SessionEndedError extends Error {
  override readonly name = 'SessionEndedError';
}

/** Runs work that sends requests, until it is done, the signal aborts or the catalog is given up. */
export async function runSession<Result>(
  guard: Pick<OutageGuard, 'join'>,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  // AbortSignal.any would be kept, with its listeners, for as long as the signal is.
  const ended = new AbortController();
  const cancellations = new Set<(reason: unknown) => void>();
  ended.signal.addEventListener('abort', () => {
    for (const cancel of [...cancellations]) cancel(ended.signal.reason);
  });
  const end = (message: string) => ended.abort(new SessionEndedError(message));
  const abort = () => ended.abort(signal.reason);
  signal.addEventListener('abort', abort);
  const leave = guard.join(end);
  try {
    return await work({ ending: ended.signal, cancellations, end });
  } finally {
    leave();
    signal.removeEventListener('abort', abort);
  }
}
