import type { DuckDBConnection } from '@duckdb/node-api';
import { throwIfAborted } from '../abort.ts';

/** Runs work on a connection so that it ends soon after the signal. */
export type Guard = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Makes work on a connection end soon after the signal, wherever in the statement it is. */
export function interruptOnAbort(connection: DuckDBConnection, signal: AbortSignal): Guard {
  return async (work) => {
    throwIfAborted(signal);
    let again: NodeJS.Timeout | undefined;
    const interrupt = () => {
      connection.interrupt();
      // An interrupt that comes before the engine has taken up the work is lost.
      again = setInterval(() => connection.interrupt(), 20);
    };
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      const result = await work();
      // A stream that was interrupted between two chunks ends as if it were complete.
      throwIfAborted(signal);
      return result;
    } catch (error) {
      throwIfAborted(signal);
      throw error;
    } finally {
      signal.removeEventListener('abort', interrupt);
      clearInterval(again);
    }
  };
}
