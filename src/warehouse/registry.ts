import type { DatabricksOptions } from './databricks/session.ts';
import type { DuckDbOptions } from './duckdb/warehouse.ts';
import type { Warehouse } from './warehouse.ts';

/** Which warehouse rows come from, and what it takes to reach it. Plain data: it can be handed to a thread. */
export type WarehouseConfiguration =
  | ({ readonly kind: 'duckdb' } & DuckDbOptions)
  | ({ readonly kind: 'databricks' } & DatabricksOptions);

/**
 * Opens the warehouse that the configuration names. A new kind is a file beside this one and a line here.
 * @throws WarehouseError UNAVAILABLE when it cannot be opened.
 */
export async function openWarehouse(configuration: WarehouseConfiguration): Promise<Warehouse> {
  // Each engine is loaded only where it is used: a thread has its own copy of all that it loads.
  switch (configuration.kind) {
    case 'duckdb':
      return await (await import('./duckdb/warehouse.ts')).openDuckDbWarehouse(configuration);
    case 'databricks':
      return (await import('./databricks/warehouse.ts')).openDatabricksWarehouse(configuration);
  }
}
