import { setTimeout } from 'node:timers/promises';
import type { FinishedStatement, StatementRun, StatementRunner } from './statement.ts';

/** Notes work that nobody waits for, such as the end of a statement in the warehouse. */
export type TrackBackground = (work: Promise<unknown>) => void;

/**
 * Runs statements in sessions.
 * @param sessions closed after the work in the background.
 */
export function createStatementRunner(
  sessions: { close(): Promise<void> },
  run: (statement: StatementRun, trackBackground: TrackBackground) => Promise<FinishedStatement>,
): StatementRunner {
  const background = new Set<Promise<unknown>>();
  const trackBackground: TrackBackground = (work) => {
    // The warehouse ends a statement that cannot be ended from here and that nobody reads.
    const settled = work.catch(() => {}).finally(() => background.delete(settled));
    background.add(settled);
  };
  const waitFor = (work: Promise<unknown>) =>
    Promise.race([work, setTimeout(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
  return {
    run: (statement) => run(statement, trackBackground),
    async close() {
      await waitFor(Promise.all(background));
      await waitFor(sessions.close());
    },
  };
}

const CLOSE_TIMEOUT_MS = 5_000;
