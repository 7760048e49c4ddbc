import type { DuckDBConnection } from '@duckdb/node-api';
import { throwIfAborted } from '../abort.ts';

/** Runs work on a connection, which ends soon after the signal. */
export type Guard = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Creates a guard that interrupts work on a connection soon after the signal, anywhere in a statement. */
export function interruptOnAbort(connection: DuckDBConnection, signal: AbortSignal): Guard {
  return async (work) => {
    throwIfAborted(signal);
    let again: NodeJS.Timeout | undefined;
    const interrupt = () => {
      connection.interrupt();
      // An interrupt before the engine has started the work is lost.
      again = setInterval(() => connection.interrupt(), 20);
    };
    signal.addEventListener('abort', interrupt, { once: true });
    try {
      const result = await work();
      // A stream interrupted between two chunks ends as if it were complete.
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
