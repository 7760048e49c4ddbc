import type { OnWaiting, ParameterValue } from '../warehouse.ts';
import type { Chunk } from './chunk.ts';

/** A statement to run. */
export interface StatementRun {
  readonly sql: string;
  /** A value for each parameter of the statement. */
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly signal: AbortSignal;
  readonly onWaiting: OnWaiting | undefined;
}

/** A statement whose result is ready to be read. */
export interface FinishedStatement {
  /**
   * Returns the next rows; null after the last.
   * @throws WarehouseError, or AbortError within a second of the signal.
   */
  next(): Promise<Iterable<Chunk> | null>;
  /** Ends the statement in the warehouse, without waiting for that. */
  close(): void;
}

/** Runs the statements of a warehouse. */
export interface StatementRunner {
  /**
   * Runs a statement until its first rows are available. The signal cancels it in the warehouse, even while it waits there.
   * @throws WarehouseError, or AbortError within a second of the signal.
   */
  run(statement: StatementRun): Promise<FinishedStatement>;
  /**
   * Makes later statements find the files of tables anew: a session of Spark lists those of a table that is no Delta table once,
   * and never sees what others write to it. Left out where that is not needed.
   */
  forgetFiles?(): void;
  /** See `Warehouse`. Left out where statements of another process cannot be ended. */
  endStatements?(handle: string): Promise<void>;
  /** Ends the statements that still run, and the session. */
  close(): Promise<void>;
}
