import type { Definition } from '../shared/definition.ts';
import type { Warehouse } from './warehouse.ts';

/** The limits of what a statement may do. */
export interface ReadingLimits {
  /** The longest run time of a statement, in milliseconds. Default: no limit. */
  readonly statementTimeoutMs?: number | undefined;
}

/** A kind of warehouse. */
export interface WarehouseDefinition<Settings = unknown> extends Definition<Settings> {
  readonly kind: 'warehouse';
  /**
   * Opens the warehouse in a worker thread, once a thread. Load an engine here rather than at the top of the module: each
   * thread has its own copy of all that it loads.
   * @throws WarehouseError UNAVAILABLE if it cannot be opened.
   */
  open(settings: Settings, limits: ReadingLimits): Warehouse | Promise<Warehouse>;
  /**
   * Finds what this kind of warehouse refuses in a SELECT that the check has accepted, so that no job starts with it.
   * @returns the reason, or null.
   */
  findProblem?(sql: string): string | null | Promise<string | null>;
  /**
   * Checks for `/health/ready` that the warehouse can be reached, without waking it or running anything on it.
   * @param timeoutMs how long it may take, in milliseconds.
   * @throws if it cannot be reached.
   */
  checkReachable?(settings: Settings, timeoutMs: number): Promise<void>;
}

/** Defines a kind of warehouse, which a program uses once its settings are set. */
export function defineWarehouse<Settings>(
  definition: Omit<WarehouseDefinition<Settings>, 'kind'>,
): WarehouseDefinition<Settings> {
  return { kind: 'warehouse', ...definition };
}
