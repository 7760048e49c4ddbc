import type { Definition } from '../shared/definition.ts';
import type { ReadingLimits } from '../sql-check/reading-limits.ts';
import type { Warehouse } from './warehouse.ts';

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
